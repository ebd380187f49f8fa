"""The JSON documents that sites exchange on Git refs: acks and heartbeats.

They are read as what a stranger wrote (`strict_json`): a document that cannot be read is never taken for one that says
nothing. What is kept in the site's own cluster is in `record_documents`.
"""

from __future__ import annotations

import re
from typing import Any

from reconciler.failover.protocol.strict_json import DocumentError, Fields, read, readable, write
from reconciler.failover.protocol.values import Ack, AckState, Demotion, Heartbeat, Promotion, Running
from reconciler.fleet.model import Lease
from reconciler.replica import ReplicaRole

__all__ = ["DocumentError", "ack_file", "application_of", "read_ack", "read_heartbeat", "write_ack", "write_heartbeat"]

HEARTBEAT_FILE = "heartbeat.json"
SUFFIX = ".json"
VERSION = 2

ACK_LIMIT = 64 * 1024
"""Bytes of one ack."""

HEARTBEAT_LIMIT = 1024 * 1024
"""Bytes of a heartbeat: some hundred for each application."""

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""Names of sites and applications, as the fleet's schema has them."""

ID = re.compile(r"[0-9A-Za-z._:-]{0,128}")
"""Commits and cluster UIDs, as far as a document can judge them."""


def ack_file(application: str) -> str:
    """The name of an application's file on a site's ack ref."""
    return f"{application}{SUFFIX}"


def application_of(file: str) -> str | None:
    """The application whose ack a file on an ack ref holds; None for a file that is no ack."""
    name = file.removesuffix(SUFFIX)
    return name if name != file and NAME.fullmatch(name) else None


def write_ack(ack: Ack) -> bytes:
    """An ack as it is pushed."""
    return write(
        {
            "version": VERSION,
            "application": ack.application,
            "from": ack.site,
            "epoch": ack.epoch,
            "commit": ack.commit,
            "clusterUID": ack.cluster,
            "state": ack.state.value,
            "settled": ack.settled.value if ack.settled else None,
            "promotion": _promotion_written(ack.promotion),
            "demotion": _demotion_written(ack.demotion),
            "sequence": ack.sequence,
            "lease": _lease_written(ack.lease),
            "superseded": list(ack.superseded),
            "evidence": readable(ack.evidence),
        }
    )


def read_ack(data: bytes | str, what: str) -> Ack:
    """The ack in a file; `what` names it in the error. Raises `DocumentError`."""
    return read(data, what, VERSION, ACK_LIMIT, _ack)


def write_heartbeat(heartbeat: Heartbeat) -> bytes:
    """A heartbeat as it is pushed."""
    return write(
        {
            "version": VERSION,
            "counter": heartbeat.counter,
            "clusterUID": heartbeat.cluster,
            "guard": heartbeat.guard,
            "ackHead": heartbeat.ack_head,
            "branchHead": heartbeat.branch_head,
            "echo": dict(heartbeat.echo),
            "applications": {
                name: {
                    "running": each.running,
                    "role": each.role.value,
                    "exposure": each.exposure,
                    "lease": _lease_written(each.lease),
                }
                for name, each in heartbeat.applications.items()
            },
        }
    )


def read_heartbeat(data: bytes | str, what: str) -> Heartbeat:
    """The heartbeat in a file; `what` names it in the error. Raises `DocumentError`."""
    return read(data, what, VERSION, HEARTBEAT_LIMIT, _heartbeat)


def _ack(fields: Fields) -> Ack:
    def state(name: str) -> AckState:
        return fields.choice(name, AckState, [each.value for each in AckState])

    return Ack(
        application=fields.text("application", NAME),
        site=fields.text("from", NAME),
        epoch=fields.whole("epoch"),
        commit=fields.text("commit", ID),
        cluster=fields.text("clusterUID", ID),
        state=state("state"),
        settled=fields.optional("settled", state),
        promotion=fields.optional("promotion", lambda name: fields.inside(name, _promotion)),
        demotion=fields.optional("demotion", lambda name: fields.inside(name, _demotion)),
        sequence=fields.whole("sequence"),
        lease=fields.optional("lease", lambda name: fields.inside(name, _lease)),
        superseded=fields.wholes("superseded"),
        evidence=fields.anything("evidence"),
    )


def _heartbeat(fields: Fields) -> Heartbeat:
    return Heartbeat(
        counter=fields.whole("counter"),
        cluster=fields.text("clusterUID", ID),
        guard=fields.whole("guard"),
        ack_head=fields.text("ackHead", ID),
        branch_head=fields.text("branchHead", ID),
        echo=fields.mapping("echo", Fields.whole, NAME),
        applications=fields.mapping("applications", lambda each, name: each.inside(name, _running), NAME),
    )


def _running(fields: Fields) -> Running:
    return Running(
        running=fields.flag("running"),
        role=fields.choice("role", ReplicaRole, [each.value for each in ReplicaRole]),
        exposure=fields.optional("exposure", fields.seconds),
        lease=fields.optional("lease", lambda name: fields.inside(name, _lease)),
    )


def _promotion(fields: Fields) -> Promotion:
    return Promotion(fields.whole("epoch"), fields.whole("sequence"))


def _demotion(fields: Fields) -> Demotion:
    return Demotion(
        ended=fields.optional("ended", lambda name: fields.inside(name, _promotion)),
        epoch=fields.whole("epoch"),
        sequence=fields.whole("sequence"),
        complete=fields.texts("complete", NAME),
        token=fields.optional("token", fields.text),
    )


def _lease(fields: Fields) -> Lease:
    return Lease(fields.seconds("time"), fields.seconds("fenceAfter"))


def _promotion_written(promotion: Promotion | None) -> dict[str, Any] | None:
    return None if promotion is None else {"epoch": promotion.epoch, "sequence": promotion.sequence}


def _demotion_written(demotion: Demotion | None) -> dict[str, Any] | None:
    if demotion is None:
        return None
    return {
        "ended": _promotion_written(demotion.ended),
        "epoch": demotion.epoch,
        "sequence": demotion.sequence,
        "complete": list(demotion.complete),
        "token": demotion.token,
    }


def _lease_written(lease: Lease | None) -> dict[str, Any] | None:
    return None if lease is None else {"time": lease.time, "fenceAfter": lease.fence_after}
