"""The JSON documents of the protocol: acks and heartbeats on Git refs, the journal in the site's own cluster.

Reading is strict about what decides (states, epochs, demotions) and fails with `DocumentError`: a document that cannot
be read is never taken for one that says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from reconciler.errors import SiteshiftError
from reconciler.failover.protocol.values import Ack, AckState, Demotion, Freeze, Journal, Step, StopOrder

HEARTBEAT_FILE = "heartbeat.json"
VERSION = 1
T = TypeVar("T")


class DocumentError(SiteshiftError):
    """An ack, heartbeat or journal cannot be read. Nothing may be concluded from it."""


def ack_file(application: str) -> str:
    """The name of an application's file on a site's ack ref."""
    return f"{application}.json"


def _dump(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def _load(data: bytes | str, what: str, read: Callable[[dict[str, Any]], T]) -> T:
    try:
        document = json.loads(data)
        if document.get("version") != VERSION:
            raise DocumentError(f"{what}: version {document.get('version')!r} is not known, expected {VERSION}")
        return read(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DocumentError(f"{what} cannot be read: {type(error).__name__}: {error}") from error


def _demotion(value: Mapping[str, Any] | None) -> Demotion | None:
    if value is None:
        return None
    return Demotion(int(value["primary"]), int(value["epoch"]), tuple(map(str, value["complete"])), value["token"])


def write_ack(ack: Ack) -> bytes:
    """An ack as it is pushed."""
    return _dump(
        {
            "version": VERSION,
            "application": ack.application,
            "from": ack.site,
            "epoch": ack.epoch,
            "commit": ack.commit,
            "clusterUID": ack.cluster,
            "state": ack.state.value,
            "settled": ack.settled.value if ack.settled else None,
            "primary": ack.primary,
            "demotion": asdict(ack.demotion) if ack.demotion else None,
            "sequence": ack.sequence,
            "token": ack.token,
            "evidence": dict(ack.evidence),
        }
    )


def read_ack(data: bytes | str, what: str) -> Ack:
    """The ack in a file; `what` names it in the error."""

    def read(document: dict[str, Any]) -> Ack:
        return Ack(
            application=str(document["application"]),
            site=str(document["from"]),
            epoch=int(document["epoch"]),
            commit=str(document["commit"]),
            cluster=str(document["clusterUID"]),
            state=AckState(document["state"]),
            settled=AckState(document["settled"]) if document["settled"] else None,
            primary=int(document["primary"]),
            demotion=_demotion(document["demotion"]),
            sequence=int(document["sequence"]),
            token=document["token"],
            evidence=dict(document["evidence"]),
        )

    return _load(data, what, read)


def write_heartbeat(counter: int, exposures: Mapping[str, float]) -> bytes:
    """A heartbeat: its count, and for each application active there the seconds since its last sync."""
    return _dump({"version": VERSION, "counter": counter, "exposures": dict(exposures)})


def read_heartbeat(data: bytes | str, what: str) -> tuple[int, dict[str, float]]:
    """Count and exposures of a heartbeat."""
    return _load(
        data, what, lambda document: (int(document["counter"]), {k: float(v) for k, v in document["exposures"].items()})
    )


def write_journal(journal: Journal) -> str:
    """The journal as it lies in the cluster."""
    document = asdict(journal) | {"version": VERSION, "step": journal.step.value}
    return _dump(document).decode()


def read_journal(data: bytes | str, what: str) -> Journal:
    """The journal of an application."""

    def read(document: dict[str, Any]) -> Journal:
        fields = {name: document[name] for name in Journal.__dataclass_fields__}
        fields["step"] = Step(document["step"])
        fields["demotion"] = _demotion(document["demotion"])
        fields["stop_orders"] = tuple(StopOrder(**each) for each in document["stop_orders"])
        fields["freeze"] = Freeze(**document["freeze"]) if document["freeze"] else None
        for name in ("down", "skipped", "superseded"):
            fields[name] = tuple(document[name])
        return Journal(**fields)

    return _load(data, what, read)
