"""csi-addons: VolumeReplication and VolumeGroupReplication.

What this driver must not believe: `status.observedGeneration` is set on failures too, so only a condition's own counts;
a group's conditions are copies whose generation was overwritten, so a group is judged by its inner VolumeReplication;
a secondary's conditions flap, so callers ask for two readings in a row; promotion is forced by itself where the array
asks for it, so nobody may write `primary` before the other side has given up. A value that is not known is `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from reconciler.drivers.seam import Reader, RoleObject, RoleResources
from reconciler.errors import NotFound
from reconciler.fleet.model import Application
from reconciler.objects import Manifest
from reconciler.replica import Replica, ReplicaRole, Sync

PEER_ANNOTATION = "siteshift.io/peers"
"""On a replication object of an application with more than two sites: the sites, separated by commas, whose copies the
array keeps up with this very object. The API pairs two copies and does not name the other one."""

API_VERSION = "replication.storage.openshift.io/v1alpha1"
GROUP_KIND = "VolumeGroupReplication"
SINGLE_KIND = "VolumeReplication"

ASKED = {"primary": ReplicaRole.PRIMARY, "secondary": ReplicaRole.SECONDARY, "resync": ReplicaRole.SECONDARY}
HELD = {("Primary", "Promoted"): ReplicaRole.PRIMARY, ("Secondary", "Demoted"): ReplicaRole.SECONDARY}
"""(`status.state`, reason of a true Completed) → the role that is held."""

CLOCKS_DIFFER = 5.0
"""Seconds that the storage's clock and the API server's may lie apart."""

WORST_FIRST = (Sync.UNKNOWN, Sync.BROKEN, Sync.SYNCING, Sync.LAGGING, Sync.IN_SYNC)
ABSENT = Replica(ReplicaRole.NONE, Sync.UNKNOWN, ReplicaRole.NONE)


class CsiAddons:
    """Driver `csi-addons`."""

    name = "csi-addons"
    role_resources: RoleResources | None = RoleResources(
        "replication.storage.openshift.io", ("volumereplications", "volumegroupreplications")
    )

    def role_objects(self, application: Application) -> tuple[RoleObject, ...]:
        """The application's groups."""
        return tuple(
            RoleObject(API_VERSION, group.kind, group.namespace, group.name) for group in application.replication.groups
        )

    def observe(self, reader: Reader, application: Application, site: str, now: float) -> Replica:
        """All groups together: a role only if all hold it, the worst of their syncs, the longest exposure."""
        others = tuple(each for each in application.sites if each != site)
        rpo = application.replication.rpo
        read = [_read(reader, each, rpo, now) for each in self.role_objects(application)]
        found = together(read, others if len(others) == 1 else _named(read, others))
        if found.peers or not others:
            return found
        said = "no site is named by all groups: which copy is complete cannot be told"
        return replace(found, evidence={**found.evidence, PEER_ANNOTATION: said})

    def primary(self) -> dict[str, Any]:
        """A primary never overwrites itself."""
        return {"replicationState": "primary", "autoResync": False}

    def secondary(self, discard_local: bool) -> dict[str, Any]:
        """`autoResync` is what lets a diverged copy be overwritten."""
        return {"replicationState": "secondary", "autoResync": discard_local}

    def shipped(self, replica: Replica) -> bool:
        """The demotion ships what was written last; being in sync after it is the proof."""
        del replica
        return True


def _named(read: Iterable[Replica], others: tuple[str, ...]) -> tuple[str, ...]:
    """The other sites that every group names: a copy is complete only if all of it is."""
    named = [set(each.peers) for each in read]
    return tuple(site for site in others if named and all(site in each for each in named))


def _peers(resource: Manifest) -> tuple[str, ...]:
    text = (resource["metadata"].get("annotations") or {}).get(PEER_ANNOTATION, "")
    return tuple(filter(None, map(str.strip, text.split(","))))


def _read(reader: Reader, each: RoleObject, rpo: float | None, now: float) -> Replica:
    try:
        resource = reader.get(each.api_version, each.kind, each.namespace, each.name)
    except NotFound:
        return ABSENT
    if each.kind != GROUP_KIND:
        return judge(resource, resource, rpo, now)
    name = resource.get("spec", {}).get("volumeReplicationName")
    try:
        inner = reader.get(API_VERSION, SINGLE_KIND, each.namespace, name) if name else None
    except NotFound:
        inner = None
    return judge(resource, inner, rpo, now)


def judge(resource: Manifest, inner: Manifest | None, rpo: float | None, now: float) -> Replica:
    """One group (or volume, which is its own inner) by its conditions at their own generation."""
    asked, peers = ASKED.get(resource.get("spec", {}).get("replicationState"), ReplicaRole.UNKNOWN), _peers(resource)
    if inner is None:
        return Replica(ReplicaRole.UNKNOWN, Sync.UNKNOWN, asked, peers=peers, evidence={"inner": "is not there"})
    if any("deletionTimestamp" in each["metadata"] for each in (resource, inner)):
        # Its conditions are those of before; what the array does with the copy meanwhile nobody says.
        return Replica(ReplicaRole.UNKNOWN, Sync.UNKNOWN, asked, peers=peers, evidence={"object": "is being deleted"})
    status = inner.get("status", {})
    conditions = _current(inner)
    role = _role(resource, inner, conditions)
    last = _seconds(status.get("lastSyncTime"))
    # A sync from the future is one by another clock: how long ago it was cannot be told.
    known = last is not None and last <= now + CLOCKS_DIFFER and role is ReplicaRole.PRIMARY
    exposure = max(0.0, now - last) if known and last is not None else None
    sync = {ReplicaRole.SECONDARY: _secondary_sync, ReplicaRole.PRIMARY: _primary_sync}.get(role, _unknown_sync)
    evidence = {name: f"{each['status']} {each.get('reason', '')}".strip() for name, each in sorted(conditions.items())}
    evidence["state"] = str(status.get("state") or "")
    return Replica(role, sync(conditions, exposure, rpo), asked, exposure, peers=peers, evidence=evidence)


def _current(resource: Manifest) -> dict[str, dict[str, Any]]:
    """Conditions that speak of the present generation, by type."""
    generation = resource["metadata"].get("generation")
    return {
        each["type"]: each
        for each in resource.get("status", {}).get("conditions") or ()
        if generation is not None and each.get("observedGeneration") == generation
    }


def _is(conditions: dict[str, dict[str, Any]], name: str, status: str) -> bool:
    return name in conditions and conditions[name].get("status") == status


def _role(resource: Manifest, inner: Manifest, conditions: dict[str, dict[str, Any]]) -> ReplicaRole:
    if not _is(conditions, "Completed", "True") or _is(conditions, "Validated", "False"):
        return ReplicaRole.UNKNOWN
    told = {each.get("spec", {}).get("replicationState") for each in (resource, inner)}
    states = {each.get("status", {}).get("state") for each in (resource, inner)}
    if len(told) > 1 or len(states) > 1:
        return ReplicaRole.UNKNOWN
    return HELD.get((states.pop() or "", conditions["Completed"].get("reason") or ""), ReplicaRole.UNKNOWN)


def _secondary_sync(conditions: dict[str, dict[str, Any]], exposure: float | None, rpo: float | None) -> Sync:
    del exposure, rpo
    if _is(conditions, "Degraded", "False") and _is(conditions, "Resyncing", "False"):
        return Sync.IN_SYNC
    if _is(conditions, "Resyncing", "True"):
        return Sync.SYNCING
    return Sync.BROKEN if _is(conditions, "Degraded", "True") else Sync.UNKNOWN


def _primary_sync(conditions: dict[str, dict[str, Any]], exposure: float | None, rpo: float | None) -> Sync:
    if _is(conditions, "Replicating", "False") or _is(conditions, "Degraded", "True"):
        return Sync.BROKEN
    if not _is(conditions, "Replicating", "True") or exposure is None:
        return Sync.UNKNOWN
    return Sync.IN_SYNC if rpo is None or exposure <= rpo else Sync.LAGGING


def _unknown_sync(conditions: dict[str, dict[str, Any]], exposure: float | None, rpo: float | None) -> Sync:
    del conditions, exposure, rpo
    return Sync.UNKNOWN


def _seconds(moment: str | None) -> float | None:
    try:
        return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() if moment else None
    except ValueError:
        return None


def together(replicas: Iterable[Replica], peers: tuple[str, ...]) -> Replica:
    """Several groups as one copy; no groups at all is an unknown copy, never a good one."""
    each = tuple(replicas)
    roles, asked = {one.role for one in each}, {one.asked for one in each}
    exposures = [one.exposure for one in each]
    known = [exposure for exposure in exposures if exposure is not None]
    return Replica(
        role=roles.pop() if len(roles) == 1 else ReplicaRole.UNKNOWN,
        sync=min((one.sync for one in each), key=WORST_FIRST.index, default=Sync.UNKNOWN),
        asked=asked.pop() if len(asked) == 1 else ReplicaRole.UNKNOWN,
        exposure=max(known) if known and len(known) == len(exposures) else None,
        peers=peers,
        evidence={
            f"{name}.{n}" if len(each) > 1 else name: v
            for n, one in enumerate(each)
            for name, v in one.evidence.items()
        },
    )
