"""The one table of fields that moves own (P10): the start field of each kind, the role fields of each replication kind.

The generic apply never sends them; such an object is created whole, by the moves' manager, with its stopped value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.objects import Manifest, group_of

REPLICATION_GROUP = "replication.storage.openshift.io"


@dataclass(frozen=True, slots=True)
class OwnedField:
    """A field of `spec`: `stopped` is its safe value, `default` what the API server would put where it is left out;
    `older` is a field that says the same by true and false, and may not be there beside it."""

    name: str
    stopped: Any
    default: Any = None
    older: str | None = None


START_FIELDS: Mapping[tuple[str, str], OwnedField] = {
    ("kubevirt.io", "VirtualMachine"): OwnedField("runStrategy", "Halted", older="running"),
    ("apps", "Deployment"): OwnedField("replicas", 0, default=1),
    ("apps", "StatefulSet"): OwnedField("replicas", 0, default=1),
    ("apps", "ReplicaSet"): OwnedField("replicas", 0, default=1),
    ("batch", "Job"): OwnedField("suspend", True, default=False),
    ("batch", "CronJob"): OwnedField("suspend", True, default=False),
}
"""(group, kind) → the field whose value starts or stops it."""

ROLE_FIELDS: Mapping[tuple[str, str], tuple[OwnedField, ...]] = {
    (REPLICATION_GROUP, kind): (OwnedField("replicationState", "secondary"), OwnedField("autoResync", False))
    for kind in ("VolumeReplication", "VolumeGroupReplication")
}
"""(group, kind) → the fields that say which copy is the primary."""


AUTOSCALERS = frozenset({"horizontal-pod-autoscaler", "keda", "keda-operator"})
"""Field managers that set replicas as autoscalers do, also where they write the object itself."""


def kind_of(manifest: Manifest) -> tuple[str, str]:
    """Group and kind, as the tables are keyed."""
    return group_of(manifest["apiVersion"]), manifest["kind"]


def owned_fields(manifest: Manifest) -> tuple[OwnedField, ...]:
    """The fields of this object that moves own: none for most kinds."""
    kind = kind_of(manifest)
    start = START_FIELDS.get(kind)
    return (start,) if start else ROLE_FIELDS.get(kind, ())


def start_value(manifest: Manifest) -> Any:
    """What the manifest's start field says, or what the API server would put there; None for kinds without one."""
    owned = START_FIELDS.get(kind_of(manifest))
    if owned is None:
        return None
    spec = manifest.get("spec", {})
    if owned.older in spec and owned.name not in spec:
        return "Always" if spec[owned.older] else owned.stopped
    return spec.get(owned.name, owned.default)


def runs_as_asked(live: Manifest, desired: Manifest) -> bool:
    """Whether the live start field is what Git asks for. How many replicas run is also right where Git leaves the
    number out, or where an autoscaler has set it; none at all never is."""
    value, wanted = start_value(live), start_value(desired)
    if value == wanted:
        return True
    if START_FIELDS[kind_of(desired)].name != "replicas" or not value or not wanted:
        return False
    return "replicas" not in desired.get("spec", {}) or _is_autoscaled(live)


def _is_autoscaled(live: Manifest) -> bool:
    """Whether the number of replicas was written last by an autoscaler. Those use the subresource `scale`, and so does
    `kubectl scale`, whose number is drift."""
    for entry in live["metadata"].get("managedFields") or ():
        if "f:replicas" in (entry.get("fieldsV1") or {}).get("f:spec", {}):
            scales = entry.get("subresource") == "scale" and not entry["manager"].startswith("kubectl")
            if scales or entry["manager"] in AUTOSCALERS:
                return True
    return False


def is_stopped(manifest: Manifest) -> bool:
    """Whether nothing will start by this object: its start field says so, and no start request is pending (KubeVirt
    writes `Always` back over `Halted` when one is)."""
    owned = START_FIELDS[kind_of(manifest)]
    pending = manifest.get("status", {}).get("stateChangeRequests") or ()
    asks = any(request.get("action") == "Start" for request in pending)
    return start_value(manifest) == owned.stopped and not asks


def without_owned_fields(manifest: Manifest) -> Manifest:
    """The manifest as the generic apply sends it: without the fields that moves own. The input is not changed."""
    owned = {name for field in owned_fields(manifest) for name in (field.name, field.older)}
    if not owned:
        return manifest
    return manifest | {"spec": {key: value for key, value in manifest.get("spec", {}).items() if key not in owned}}


def with_stopped_values(manifest: Manifest) -> Manifest:
    """The manifest as the moves' manager creates it: whole, with its stopped values. The input is not changed."""
    owned = {field.name: field.stopped for field in owned_fields(manifest)}
    if not owned:
        return manifest
    return manifest | {"spec": without_owned_fields(manifest).get("spec", {}) | owned}
