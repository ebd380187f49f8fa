"""From a checked document to the model: defaults, durations in seconds, paths from the repository's root.

What the schema promises is relied on; nothing here can fail, except for paths, which only a tree can judge.
"""

from __future__ import annotations

from typing import Any

from reconciler.fleet.documents import Document
from reconciler.fleet.durations import seconds
from reconciler.fleet.model import (
    Application,
    Contents,
    Fleet,
    Group,
    Lease,
    Placement,
    Rebind,
    Refs,
    Replication,
    Rewind,
    Role,
    Site,
    StartLimits,
)

ROLES: tuple[Role, ...] = ("active", "passive")


def fleet(document: Document, platform: tuple[str, ...], applications: tuple[Application, ...]) -> Fleet:
    """The fleet of a siteshift.yaml, whose patterns have been resolved to these folders and applications."""
    spec, usual = document.spec, Fleet("", "symmetric", (), (), ())
    starts, refs = spec.get("starts", {}), spec.get("refs", {})
    return Fleet(
        name=document.name,
        topology=spec.get("topology", usual.topology),
        sites=tuple(_site(site) for site in spec["sites"]),
        platform=platform,
        applications=applications,
        starts=StartLimits(
            int(starts.get("maxInFlight", usual.starts.max_in_flight)),
            int(starts.get("perMinute", usual.starts.per_minute)),
        ),
        poll=_seconds(spec, "poll", usual.poll),
        freshness=_seconds(spec, "freshness", usual.freshness),
        permit=_seconds(spec, "permit", usual.permit),
        request_timeout=_seconds(spec, "requestTimeout", usual.request_timeout),
        prune_budget=int(spec.get("prune", {}).get("budget", usual.prune_budget)),
        refs=Refs(refs.get("acks", usual.refs.acks), refs.get("heartbeats", usual.refs.heartbeats)),
        remote_bases=tuple(spec.get("remoteBases", {}).get("allow", usual.remote_bases)),
        contents=_contents(spec.get("contents", {})),
    )


def application(
    document: Document,
    placed: Placement,
    sites: tuple[str, ...],
    overlay: str | None,
    roles: dict[Role, str],
) -> Application:
    """The application of an application.yaml; `sites` are the fleet's, overlay and roles are paths from the root."""
    spec = document.spec
    own = tuple(spec.get("sites", sites))
    lease = spec.get("lease") if spec.get("onIsolation") == "fence" else None
    return Application(
        name=document.name,
        folder=document.path.rpartition("/")[0],
        sites=own,
        home=spec.get("home", own[0]),
        placement=placed,
        overlay=overlay,
        passive=spec.get("passive", "warm"),
        roles=roles,
        depends_on=tuple(spec.get("dependsOn", ())),
        replication=_replication(spec.get("replication")),
        lease=None if lease is None else Lease(seconds(lease["time"]), seconds(lease["fenceAfter"])),
        readiness_timeout=_seconds(spec.get("readiness", {}), "timeout", 900.0),
        suspended=spec.get("suspend", False),
    )


def placement(document: Document) -> Placement:
    """The placement of a placement.yaml."""
    spec = document.spec
    loss, rewind = spec.get("allowDataLoss"), spec.get("acceptRewind")
    return Placement(
        active=spec["active"],
        epoch=int(spec["epoch"]),
        move=spec.get("move", "planned"),
        path=document.path,
        declared_down=tuple(spec.get("declaredDown", ())),
        allow_data_loss=loss if loss in (None, "unknown") else seconds(loss),
        reason=spec.get("reason"),
        override_fence=spec.get("overrideFence"),
        allow_discard=tuple(spec.get("allowDiscard", ())),
        accept_rewind=None if rewind is None else Rewind(rewind["to"], tuple(rewind["from"])),
    )


def _contents(spec: dict[str, Any]) -> Contents:
    return Contents(
        tuple(spec.get("clusterKinds", Contents().cluster_kinds)),
        {name: tuple(namespaces) for name, namespaces in spec.get("namespaces", {}).items()},
        tuple(spec.get("takeOver", ())),
    )


def _site(spec: dict[str, Any]) -> Site:
    rebind = spec.get("rebind")
    counter = None if rebind is None or "counter" not in rebind else int(rebind["counter"])
    rebound = None if rebind is None else Rebind(rebind["from"], rebind["to"], rebind["reason"], counter)
    return Site(spec["name"], spec.get("cluster", {}).get("context"), rebound, tuple(spec.get("keys", ())))


def _replication(spec: dict[str, Any] | None) -> Replication:
    if spec is None:
        return Replication()
    groups = tuple(Group(group["kind"], group["name"], group["namespace"]) for group in spec.get("groups", ()))
    return Replication(spec["driver"], groups, seconds(spec["rpo"]) if "rpo" in spec else None)


def _seconds(spec: dict[str, Any], field: str, usual: float) -> float:
    return seconds(spec[field]) if field in spec else usual
