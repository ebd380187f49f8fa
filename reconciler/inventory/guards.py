"""What must not be pruned: each guard is asked about each candidate, and answers with a reason or not at all.

The reason is a value that is used, shown and tested as it is: what keeps the object, and what would lift that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.inventory.record import Entry
from reconciler.inventory.surroundings import Surroundings
from reconciler.objects import APPLY_MANAGER, MOVES_MANAGER, SYSTEM_NAMESPACE, Manifest, Ref

PRUNE_ANNOTATION = "siteshift.io/prune"
"""With the value `disabled`, the object stays when Git no longer has it."""

Reason = Literal[
    "Replication",
    "Data",
    "OwnsData",
    "HoldsData",
    "HoldsDesired",
    "HoldsOthers",
    "InUse",
    "System",
    "NotOurs",
    "Annotated",
    "Budget",
]


@dataclass(frozen=True, slots=True)
class Kept:
    """An object that stays although Git no longer has it."""

    ref: Ref
    reason: Reason
    message: str
    lifted_by: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object that Git no longer has and that is still there. `label` is the one that its unit puts on everything."""

    entry: Entry
    live: Manifest
    label: tuple[str, str]

    @property
    def ref(self) -> Ref:
        """Which object."""
        return self.entry.ref


Guard = Callable[[Candidate, Surroundings], Kept | None]

REPLICATION: frozenset[tuple[str, str]] = frozenset(
    {
        ("csiaddons.openshift.io", "NetworkFence"),
        ("longhorn.io", "Volume"),
        ("multicluster.portworx.com", "ProtectionGroup"),
        ("multicluster.portworx.com", "ReverseProtectionGroup"),
        ("protect.trident.netapp.io", "AppMirrorRelationship"),
        ("ramendr.openshift.io", "VolumeReplicationGroup"),
        *(
            ("replication.storage.openshift.io", kind)
            for kind in (
                "VolumeGroupReplication",
                "VolumeGroupReplicationClass",
                "VolumeGroupReplicationContent",
                "VolumeReplication",
                "VolumeReplicationClass",
            )
        ),
        ("replication.storage.dell.com", "DellCSIReplicationGroup"),
        ("stork.libopenstorage.org", "MigrationSchedule"),
        ("trident.netapp.io", "TridentMirrorRelationship"),
        ("volsync.backube", "ReplicationDestination"),
        ("volsync.backube", "ReplicationSource"),
    }
)
"""Kinds whose deletion ends or turns a replication, or makes its status a lie."""

DATA: frozenset[tuple[str, str]] = frozenset(
    {
        ("", "PersistentVolume"),
        ("", "PersistentVolumeClaim"),
        ("cdi.kubevirt.io", "DataVolume"),
        ("groupsnapshot.storage.k8s.io", "VolumeGroupSnapshot"),
        ("snapshot.storage.k8s.io", "VolumeSnapshot"),
        ("snapshot.storage.k8s.io", "VolumeSnapshotContent"),
    }
)
"""Kinds whose deletion may delete data."""

SYSTEM_NAMESPACES = frozenset({SYSTEM_NAMESPACE, "default", "kube-node-lease", "kube-public", "kube-system"})
"""Namespaces that no unit of a fleet ever deletes."""

_BY_HAND = "delete it by hand once that is no longer needed: kubectl delete {kind}{space} {name}"


def _kept(candidate: Candidate, reason: Reason, message: str, lifted_by: str = "") -> Kept:
    ref = candidate.ref
    space = f" -n {ref.namespace}" if ref.namespace else ""
    kind = f"{ref.kind}.{ref.group}".lower() if ref.group else ref.kind.lower()
    return Kept(ref, reason, message, lifted_by or _BY_HAND.format(kind=kind, space=space, name=ref.name))


def system(candidate: Candidate, _around: Surroundings) -> Kept | None:
    """The controller's own namespace and the cluster's."""
    if candidate.ref.kind == "Namespace" and candidate.ref.name in SYSTEM_NAMESPACES:
        return _kept(candidate, "System", "the cluster or Siteshift itself needs this namespace")
    if candidate.ref.namespace == SYSTEM_NAMESPACE:
        return _kept(candidate, "System", "Siteshift keeps its own state in this namespace")
    return None


def replication(candidate: Candidate, _around: Surroundings) -> Kept | None:
    """Replication resources."""
    if (candidate.ref.group, candidate.ref.kind) in REPLICATION:
        return _kept(candidate, "Replication", "deleting it would end or turn the replication of data")
    return None


def data(candidate: Candidate, _around: Surroundings) -> Kept | None:
    """Volumes and their claims."""
    if (candidate.ref.group, candidate.ref.kind) in DATA:
        return _kept(candidate, "Data", "deleting it may delete data, a replica perhaps")
    return None


def owns_data(candidate: Candidate, around: Surroundings) -> Kept | None:
    """What takes its volumes along when it goes: virtual machines above all."""
    templates = (candidate.live.get("spec") or {}).get("dataVolumeTemplates")
    if templates or candidate.live["metadata"].get("uid") in around.owners_of_data:
        return _kept(candidate, "OwnsData", "it owns volumes, which would be deleted with it")
    return None


def holds_data(candidate: Candidate, around: Surroundings) -> Kept | None:
    """Namespaces with data in them."""
    held = around.data_in.get(candidate.ref.name) if candidate.ref.kind == "Namespace" else None
    if held is not None:
        return _kept(candidate, "HoldsData", f"{held} is in it, and would be deleted with it")
    return None


def holds_desired(candidate: Candidate, around: Surroundings) -> Kept | None:
    """Namespaces with something in them that Git still has."""
    if candidate.ref.kind != "Namespace":
        return None
    held = min((ref for ref in around.desired if ref.namespace == candidate.ref.name), default=None)
    if held is None:
        return None
    return _kept(candidate, "HoldsDesired", f"{held} is in it", f"take {held} out of Git, or put the namespace back")


def holds_others(candidate: Candidate, around: Surroundings) -> Kept | None:
    """Namespaces with something in them that their unit did not put there."""
    name, value = candidate.label
    roots = around.roots_in.get(candidate.ref.name, ()) if candidate.ref.kind == "Namespace" else ()
    other = min((ref for ref, labels in roots if labels.get(name) != value), default=None)
    if other is None:
        return None
    return _kept(candidate, "HoldsOthers", f"{other} is in it, which is somebody else's", f"move {other} elsewhere")


def in_use(candidate: Candidate, around: Surroundings) -> Kept | None:
    """Definitions of kinds that have objects."""
    instance = around.instances.get(candidate.ref.name) if candidate.ref.kind == "CustomResourceDefinition" else None
    if instance is None:
        return None
    return _kept(
        candidate, "InUse", f"{instance} is of that kind, and would be deleted with it", f"delete {instance} first"
    )


def not_ours(candidate: Candidate, _around: Surroundings) -> Kept | None:
    """What bears our label but is somebody else's: operators copy labels to what they make."""
    metadata = candidate.live["metadata"]
    name, value = candidate.label
    if (metadata.get("labels") or {}).get(name) != value:
        return _kept(candidate, "NotOurs", f"it does not bear the label {name}={value}")
    owner = next((each for each in metadata.get("ownerReferences") or () if each.get("controller")), None)
    if owner is not None:
        return _kept(candidate, "NotOurs", f"{owner.get('kind')} {owner.get('name')} controls it")
    managers = {entry.get("manager") for entry in metadata.get("managedFields") or ()}
    if not managers & {APPLY_MANAGER, MOVES_MANAGER}:
        return _kept(candidate, "NotOurs", "Siteshift owns none of its fields")
    return None


def annotated(candidate: Candidate, _around: Surroundings) -> Kept | None:
    """What people want to keep."""
    annotations: Mapping[str, str] = candidate.live["metadata"].get("annotations") or {}
    if annotations.get(PRUNE_ANNOTATION) != "disabled":
        return None
    ref = candidate.ref
    space = f" -n {ref.namespace}" if ref.namespace else ""
    lifted_by = f"kubectl annotate {ref.kind.lower()}{space} {ref.name} {PRUNE_ANNOTATION}-"
    return _kept(candidate, "Annotated", f"its annotation {PRUNE_ANNOTATION} is disabled", lifted_by)


GUARDS: tuple[Guard, ...] = (
    system,
    replication,
    data,
    owns_data,
    holds_data,
    holds_desired,
    holds_others,
    in_use,
    not_ours,
    annotated,
)
"""Asked in this order; the first answer counts. The budget is judged for all that they let pass."""


def keep(candidate: Candidate, around: Surroundings) -> Kept | None:
    """Why a candidate must stay, if it must."""
    return next((kept for guard in GUARDS if (kept := guard(candidate, around)) is not None), None)
