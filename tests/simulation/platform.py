"""The controllers of a site's cluster: virtual machines and their instances, attachments, claims, replication.

They know nothing of Siteshift. A create that was admitted may be stored later, within the request timeout, as behind a
slow webhook; an instance boots, takes its time to stop, and leaves its volume attached for a moment.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.errors import Refused
from reconciler.failover.admission import permits
from reconciler.objects import APPLICATION_LABEL, Manifest
from simulation.api import EPOCH, Api, Key, copied, key_of
from simulation.array import Array

BOOTS, DETACHES = 0.8, 0.4
"""Seconds that an instance needs to boot, and a volume to be detached."""


@dataclass
class Platform:
    """`arrays`: application → its array. `stop_time`: seconds that a guest takes to shut down; `store_delay`: how much
    later an admitted create may be stored; `powered`: whether anything runs at all here."""

    api: Api
    arrays: Mapping[str, Array]
    random: random.Random
    now: Callable[[], float]
    stop_time: float = 0.5
    store_delay: float = 1.8
    powered: bool = True
    nodes: bool = True
    since: dict[Key, float] = field(default_factory=dict)
    held: dict[str, list[Manifest]] = field(default_factory=dict)
    _pending: list[tuple[float, Manifest]] = field(default_factory=list)
    _detaching: list[tuple[float, Key]] = field(default_factory=list)

    def tick(self) -> None:
        """One moment of every controller."""
        if not self.powered:
            return
        for due, manifest in [each for each in self._pending if each[0] <= self.now()]:
            self._pending.remove((due, manifest))
            if key_of(manifest) not in self.api.objects and self.nodes:
                self._begins(manifest)
        for due, key in [each for each in self._detaching if each[0] <= self.now()]:
            self._detaching.remove((due, key))
            if key in self.api.objects:
                self.api.remove(key)
        for (kind, _, _), each in list(self.api.objects.items()):
            if kind == "VirtualMachine":
                self._machine(each)
            elif kind == "VolumeReplication":
                self._replication(each)
            elif kind in ("PersistentVolumeClaim", "PersistentVolume"):
                self._status(each, {"phase": "Bound"})
            elif kind == "Namespace":
                self._status(each, {"phase": "Active"})
        for key in [each for each in self.api.objects if each[0] == "VirtualMachineInstance"]:
            if ("VirtualMachine", *key[1:]) in self.api.objects:
                self._guest(key)
            else:
                self._ends(key)  # its machine was deleted

    def running(self, application: str | None = None) -> list[str]:
        """The instances that run, of one application or of all."""
        return [
            name
            for (kind, namespace, name) in self.api.objects
            if kind == "VirtualMachineInstance"
            and application in (None, self.api.applications.get(namespace))
            and self.powered
        ]

    def power_lost(self) -> None:
        """What ran is gone, and so are requests that were under way; every object says what it said."""
        self._pending.clear()
        self.held.clear()
        for key in [each for each in self.api.objects if each[0] == "VirtualMachineInstance"]:
            self._ends(key)

    def node_lost(self) -> None:
        """Every guest ends with the disks of its pod; their machines want them back."""
        for key in [each for each in self.api.objects if each[0] == "VirtualMachineInstance"]:
            self._ends(key)

    def freeze(self, server: str) -> None:
        """One API server stands still, with what it knows and with the requests that it holds."""
        self.api.frozen[server] = dict(self.api.objects)
        self.held[server] = []

    def thaw(self, server: str) -> None:
        """It wakes up: what it holds is judged by what it knew."""
        known = self.api.frozen.pop(server, None)
        for manifest in self.held.pop(server, []):
            try:
                self.api.admit(manifest, None, known)
            except Refused:
                continue
            self._pending.append((self.now() + self.random.random() * self.store_delay, manifest))

    def _machine(self, machine: Manifest) -> None:
        namespace, name = machine["metadata"]["namespace"], machine["metadata"]["name"]
        key = ("VirtualMachineInstance", namespace, name)
        wanted = machine["spec"].get("runStrategy") == "Always"
        there = self.api.objects.get(key)
        if wanted and there is None:
            self._create(machine, key)
        if not wanted and there is not None:
            since = self.since.setdefault(key, self.now())
            if self.now() - since >= self.stop_time:
                self._ends(key)
        if wanted or there is None:
            self.since.pop(key, None)
        ready = there is not None and there["status"].get("phase") == "Running" and wanted
        shown = "Running" if ready else "Stopped" if there is None else "Starting" if wanted else "Stopping"
        self._status(machine, {"ready": ready, "created": there is not None, "printableStatus": shown})

    def _create(self, machine: Manifest, key: Key) -> None:
        waiting = [each for _, each in self._pending] + [each for held in self.held.values() for each in held]
        if not self.nodes or any(key_of(each) == key for each in waiting):
            return
        metadata = machine["metadata"]
        application = self.api.applications.get(key[1], "")
        template = (machine["spec"].get("template") or {}).get("spec") or {}
        labels = {APPLICATION_LABEL: application, **(metadata.get("labels") or {})}
        instance = {
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachineInstance",
            "metadata": {"name": key[2], "namespace": key[1], "labels": labels},
            "spec": {"volumes": copied(template.get("volumes") or [])},
            "status": {"phase": "Scheduling"},
        }
        frozen = sorted(self.api.frozen)
        if frozen and self.random.random() < 0.3:
            self.held[frozen[0]].append(instance)
            return
        try:
            self.api.admit(instance, None)
        except Refused:
            return
        late = self.random.random() * self.store_delay if self.random.random() < 0.3 else 0.0
        self._pending.append((self.now() + late, instance))

    def _begins(self, instance: Manifest) -> None:
        self.since[("boot", *key_of(instance)[1:])] = self.now()
        for name in self._volumes(instance):
            self._attach(name)
        self.api.put(instance)

    def _ends(self, key: Key) -> None:
        instance = self.api.objects[key]
        self.api.remove(key)
        self.since.pop(key, None)
        for name in self._volumes(instance):
            self._detaching.append((self.now() + DETACHES, ("VolumeAttachment", "", name)))

    def _volumes(self, instance: Manifest) -> list[str]:
        volumes = instance["spec"].get("volumes") or []
        names = [each["persistentVolumeClaim"]["claimName"] for each in volumes if "persistentVolumeClaim" in each]
        namespace = instance["metadata"]["namespace"]
        claims = [self.api.objects.get(("PersistentVolumeClaim", namespace, each)) for each in names]
        return [each["spec"]["volumeName"] for each in claims if each is not None]

    def _attach(self, volume: str) -> None:
        key = ("VolumeAttachment", "", volume)
        self._detaching = [each for each in self._detaching if each[1] != key]
        if key not in self.api.objects:
            spec = {"source": {"persistentVolumeName": volume}}
            metadata = {"name": volume}
            kind = {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment"}
            self.api.put({**kind, "metadata": metadata, "spec": spec})

    def _guest(self, key: Key) -> None:
        instance = self.api.objects[key]
        if instance["status"].get("phase") != "Running":
            if self.now() - self.since.get(("boot", *key[1:]), self.now()) >= BOOTS:
                self._status(instance, {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})
            return
        array = self.arrays.get(self.api.applications.get(key[1], ""))
        if array is not None and key[2].startswith("db") and self.api.site in array.sites:
            array.write(self.api.site)

    def _status(self, manifest: Manifest, status: dict[str, Any]) -> None:
        if manifest.get("status") != status:
            self.api.put({**manifest, "metadata": dict(manifest["metadata"]), "status": status})

    def _replication(self, resource: Manifest) -> None:
        """As csi-addons does it: promotion forces by itself; a demotion takes two passes before it is in sync."""
        array = self.arrays.get(self.api.applications.get(resource["metadata"]["namespace"], ""))
        site, spec = self.api.site, resource["spec"]
        if array is None or site not in array.sites:
            return
        if spec["replicationState"] == "primary":
            array.take_role(site, "primary")
            reasons = {"Completed": "Promoted", "Degraded": "", "Resyncing": "", "Replicating": "Replicating"}
            self._conditions(resource, array, "Primary", **reasons)
            return
        array.take_role(site, "secondary")
        status = resource.get("status", {})
        seen = [each.get("observedGeneration") for each in status.get("conditions", ())]
        if status.get("state") != "Secondary" or seen[:1] != [resource["metadata"]["generation"]]:
            self._conditions(resource, array, "Secondary", Completed="Demoted", Degraded="VolumeDegraded", Resyncing="")
            return
        if spec.get("autoResync"):
            array.overwrite(site)
        if array.in_sync(site):
            self._conditions(resource, array, "Secondary", Completed="Demoted", Degraded="", Resyncing="")
        else:
            reasons = {"Completed": "Demoted", "Degraded": "VolumeDegraded", "Resyncing": "ResyncTriggered"}
            self._conditions(resource, array, "Secondary", **reasons)

    def _conditions(self, resource: Manifest, array: Array, state: str, **reasons: str) -> None:
        generation = resource["metadata"]["generation"]
        last = {"lastSyncTime": permits.moment(EPOCH + self._shipped(array) + self.api.step)}
        status = {
            "state": state,
            **(last if state == "Primary" else {}),
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
        before = resource.get("status") or {}
        if (before.get("state"), before.get("conditions")) == (state, status["conditions"]):
            resource["status"] = status  # that time goes on wakes nobody up
        else:
            self._status(resource, status)

    def _shipped(self, array: Array) -> float:
        """The moment up to which everything is at the other copy."""
        missing = len(array.copies[array.other(self.api.site)])
        mine = array.copies[self.api.site]
        if array.is_behind(array.other(self.api.site)) and missing < len(mine):
            return array.times[mine[missing] - 1]
        return self.now()
