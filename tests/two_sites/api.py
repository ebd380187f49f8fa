"""One site's API as far as the moves use it, with the gate, and with the controllers behind it.

Objects survive everything; `reached` is called before each request, so that a test can crash, delay or interleave
there. A create that was admitted may be stored later, within the request timeout, as behind a slow webhook.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulation.api import admit_role

from reconciler.cluster.client import Listing
from reconciler.errors import AlreadyExists, Conflict, NotFound, Refused
from reconciler.failover.admission import permits, policies
from reconciler.objects import APPLICATION_LABEL, MOVES_MANAGER, SYSTEM_NAMESPACE, Manifest
from two_sites.array import Array

Key = tuple[str, str, str]
EPOCH = 1_790_000_000.0
VR = "replication.storage.openshift.io/v1alpha1"


@dataclass
class Api:
    """The API of one site, and its controllers: virtual machines, attachments, replication."""

    site: str
    array: Array
    now: Callable[[], float]
    application: str = "ledger"
    store_delay: float = 0.0
    slow_creates: int = 2
    stop_time: float = 0.3
    reached: Callable[[str], None] = lambda verb: None
    objects: dict[Key, Manifest] = field(default_factory=dict)
    version: int = 0
    writes: int = 0
    refusals: int = 0
    unserved: frozenset[str] = frozenset()
    server: str = "https://site"
    _creates: int = 0
    _pending: list[tuple[float, Manifest]] = field(default_factory=list)
    _stopping: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("kube-system", SYSTEM_NAMESPACE, "bank"):
            self._put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    # The part of `Cluster` that the moves use

    @property
    def discovery(self) -> Api:
        return self

    def find(self, api_version: str, kind: str) -> None:
        if kind in self.unserved:
            raise NotFound(f"{kind} is not served")

    def server_time(self) -> float:
        return EPOCH + self.now() - 0.3

    def server_addresses(self) -> tuple[str, ...]:
        return (self.server,)

    def endpoint_addresses(self) -> tuple[str, ...]:
        return (self.server,)

    def at(self, server: str, **_: Any) -> Api:
        return self

    def close(self) -> None:
        pass

    def get(self, api_version: str, kind: str, namespace: str | None, name: str) -> Manifest:
        self.reached("get")
        return copy.deepcopy(self._find(kind, namespace, name))

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, label_selector: str | None = None
    ) -> Listing:
        self.reached("list")
        found = [each for (its, place, _), each in self.objects.items() if its == kind and place in (namespace, place)]
        if namespace is not None:
            found = [each for each in found if each["metadata"].get("namespace") == namespace]
        if label_selector:
            name, equals, value = label_selector.partition("=")
            labels = [each["metadata"].get("labels") or {} for each in found]
            found = [
                each
                for each, its in zip(found, labels, strict=True)
                if (its.get(name) == value if equals else name in its)
            ]
        return Listing(tuple(copy.deepcopy(found)), str(self.version))

    def create(self, manifest: Manifest, *, manager: str, dry_run: bool = False) -> Manifest:
        self.reached("create")
        self._admit(manifest, None)
        if dry_run:
            return manifest
        if self._key(manifest) in self.objects:
            raise AlreadyExists(f"{self._key(manifest)} is there")
        return copy.deepcopy(self._put(copy.deepcopy(manifest)))

    def replace(self, manifest: Manifest, *, manager: str, dry_run: bool = False) -> Manifest:
        self.reached("replace")
        before = self._find(manifest["kind"], manifest["metadata"].get("namespace"), manifest["metadata"]["name"])
        self._guard(before, manifest)
        return copy.deepcopy(self._put(copy.deepcopy(manifest)))

    def apply(self, manifest: Manifest, *, manager: str, force: bool = True, dry_run: bool = False) -> Manifest:
        self.reached("apply")
        before = self.objects.get(self._key(manifest))
        if before is None:
            return copy.deepcopy(self._put(copy.deepcopy(manifest)))
        return copy.deepcopy(self._merge(before, manifest))

    def patch(
        self, api_version: str, kind: str, namespace: str | None, name: str, body: Any, *, manager: str, **_: Any
    ) -> Manifest:
        self.reached("patch")
        before = self._find(kind, namespace, name)
        if isinstance(body, list):
            return copy.deepcopy(before)
        self._guard(before, body)
        return copy.deepcopy(self._merge(before, body))

    # Behind it

    def _key(self, manifest: Manifest) -> Key:
        return manifest["kind"], manifest["metadata"].get("namespace") or "", manifest["metadata"]["name"]

    def _find(self, kind: str, namespace: str | None, name: str) -> Manifest:
        found = self.objects.get((kind, namespace or "", name))
        if found is None:
            raise NotFound(f"{kind} {namespace}/{name} is not there")
        return found

    def _guard(self, before: Manifest, wanted: Manifest) -> None:
        version = wanted["metadata"].get("resourceVersion")
        if version and version != before["metadata"]["resourceVersion"]:
            raise Conflict(f"{self._key(before)} has another version")

    def _put(self, manifest: Manifest) -> Manifest:
        before = self.objects.get(self._key(manifest))
        self.version += 1
        self.writes += 1
        metadata = manifest["metadata"]
        metadata["resourceVersion"] = str(self.version)
        metadata["uid"] = before["metadata"]["uid"] if before else f"uid-{self.site}-{self.version}"
        changed = before is None or before.get("spec") != manifest.get("spec")
        metadata["generation"] = (before["metadata"]["generation"] if before else 0) + changed
        self.objects[self._key(manifest)] = manifest
        return manifest

    def _merge(self, before: Manifest, body: Manifest) -> Manifest:
        merged = _merged(before, body)
        same = {**merged, "metadata": {**merged["metadata"], "resourceVersion": before["metadata"]["resourceVersion"]}}
        if same == before:
            return before
        self._admit(merged, before)
        return self._put(merged)

    def _admit(self, manifest: Manifest, before: Manifest | None) -> None:
        """The gate and the role gate, where their bindings are, as the policies have them."""
        kind, second = manifest["kind"], float(int(EPOCH + self.now()))
        if manifest["metadata"].get("namespace") != "bank":
            return
        found = self.objects.get(("ConfigMap", SYSTEM_NAMESPACE, permits.name_of(self.application)))
        data = (found or {}).get("data") or {}
        binding = f"{policies.GATE}-{self.application}"
        gated = (policies.BINDING, "", binding) in self.objects
        if gated and before is None and kind in ("Pod", "VirtualMachineInstance"):
            permit = permits.permit_of(data)
            if not permit.since <= second < permit.until:
                self.refusals += 1
                message = f"ValidatingAdmissionPolicy '{policies.GATE}' with binding '{binding}' denied {kind}"
                raise Refused(message, status=422)
        if gated and kind == "VolumeReplication":
            admit_role(manifest, before, data, second)

    # The controllers of the site

    def tick(self) -> None:
        """One moment of every controller."""
        for due, manifest in [each for each in self._pending if each[0] <= self.now()]:
            self._pending.remove((due, manifest))
            if self._key(manifest) not in self.objects:
                self._put(manifest)
        for (kind, _, name), each in list(self.objects.items()):
            if kind == "VirtualMachine":
                self._machine(name, each)
            if kind == "VolumeReplication":
                self._replication(each)
        for name in self.running():
            self.array.write(self.site) if name.startswith("db") else None

    def running(self) -> list[str]:
        """The virtual machines that run."""
        return [name for kind, _, name in self.objects if kind == "VirtualMachineInstance"]

    def power_lost(self) -> None:
        """What ran is gone, and so are requests that were under way; every object says what it said."""
        self._pending.clear()
        self._stopping.clear()
        for name in self.running():
            del self.objects[("VirtualMachineInstance", "bank", name)]

    def _machine(self, name: str, machine: Manifest) -> None:
        key = ("VirtualMachineInstance", "bank", name)
        wanted = machine["spec"]["runStrategy"] == "Always"
        if wanted and key not in self.objects and not any(self._key(each) == key for _, each in self._pending):
            instance = {
                "apiVersion": "kubevirt.io/v1",
                "kind": "VirtualMachineInstance",
                "metadata": {"name": name, "namespace": "bank", "labels": {APPLICATION_LABEL: self.application}},
                "status": {"phase": "Running"},
            }
            try:
                self._admit(instance, None)
            except Refused:
                return
            self._creates += 1
            late = self.store_delay if self._creates % self.slow_creates == 0 else 0.0
            self._pending.append((self.now() + late, instance))
        if not wanted and key in self.objects:
            since = self._stopping.setdefault(name, self.now())
            if self.now() - since >= self.stop_time:
                del self.objects[key]
                del self._stopping[name]

    def _replication(self, resource: Manifest) -> None:
        """As csi-addons does it: promotion forces by itself; a demotion takes two passes before it is in sync."""
        array, site, spec = self.array, self.site, resource["spec"]
        if spec["replicationState"] == "primary":
            array.roles[site] = "primary"
            reasons = {"Completed": "Promoted", "Degraded": "", "Resyncing": "", "Replicating": "Replicating"}
            self._conditions(resource, "Primary", **reasons)
            return
        array.roles[site] = "secondary"
        status = resource.get("status", {})
        seen = [each.get("observedGeneration") for each in status.get("conditions", ())]
        if status.get("state") != "Secondary" or seen[:1] != [resource["metadata"]["generation"]]:
            self._conditions(resource, "Secondary", Completed="Demoted", Degraded="VolumeDegraded", Resyncing="")
            return
        if spec.get("autoResync"):
            array.overwrite(site)
        if array.in_sync(site):
            self._conditions(resource, "Secondary", Completed="Demoted", Degraded="", Resyncing="")
        else:
            reasons = {"Completed": "Demoted", "Degraded": "VolumeDegraded", "Resyncing": "ResyncTriggered"}
            self._conditions(resource, "Secondary", **reasons)

    def _conditions(self, resource: Manifest, state: str, **reasons: str) -> None:
        generation = resource["metadata"]["generation"]
        last = {"lastSyncTime": permits.moment(EPOCH + self.now() - 0.3)} if state == "Primary" else {}
        resource["status"] = {
            "state": state,
            **last,
            "conditions": [
                {
                    "type": name,
                    "status": "True" if reason else "False",
                    "reason": reason or "Healthy",
                    "observedGeneration": generation,
                }
                for name, reason in reasons.items()
            ],
        }


def _merged(before: Any, body: Any) -> Any:
    if not isinstance(before, dict) or not isinstance(body, dict):
        return copy.deepcopy(body)
    merged = dict(before)
    for name, value in body.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(before.get(name), value)
    return merged


__all__ = ["MOVES_MANAGER", "VR", "Api"]
