"""The other half of KubeVirt: instances, their virt-launcher pods, and the guests that a virt-handler would run.

An instance runs once its pod runs; its guest boots later, and then writes to its disks. When the simulation starts
again its guests are gone as after a power cut: instances that say Running have failed, and their machines make others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.errors import Refused
from reconciler.objects import Manifest
from sandbox.simulation.engine import Key
from sandbox.simulation.guests import Guests
from sandbox.simulation.kubevirt_status import (
    FINAL,
    instance_phase,
    instance_status,
    running_conditions,
    waiting_conditions,
)
from sandbox.simulation.machines import FINALIZER, INSTANCE, INSTANCE_FINALIZER, MANAGER
from sandbox.simulation.settings import meets
from sandbox.simulation.storage import claim_of, handle_of_claim, phase_of
from sandbox.simulation.world import (
    CLAIM,
    POD,
    VOLUME,
    Delays,
    Retries,
    World,
    key_of,
    owner_key,
    owner_reference,
    short_hash,
)

GRACE = 30
"""Seconds that a guest has to shut down if its instance does not say."""

LAUNCHER_OVERHEAD = 15
"""Seconds that virt-launcher has beyond its guest."""

OWN_FINALIZERS = (FINALIZER, INSTANCE_FINALIZER)


class Instances:
    """The life of virtual machine instances."""

    name = "instances"
    watched = (INSTANCE, POD, CLAIM, VOLUME)

    def __init__(self, world: World, guests: Guests) -> None:
        self._world = world
        self._guests = guests
        self._delays = Delays(world)
        self._retries = Retries(world)

    def keys(self, manifest: Manifest) -> Iterable[Key]:
        """The instance itself, the owner of a pod, or the instances that use a claim."""
        if manifest["kind"] == INSTANCE[1]:
            return [key_of(manifest)]
        if manifest["kind"] == "Pod":
            return owner_key(manifest, INSTANCE[1])
        namespace, name = key_of(manifest) if manifest["kind"] == CLAIM[1] else claim_of(manifest)
        found = [instance for instance in self._world.items(INSTANCE) if key_of(instance)[0] == namespace]
        return [key_of(instance) for instance in found if name in claims_of(instance)]

    def reconcile(self, key: Key) -> float | None:
        """One instance, one step."""
        instance = self._world.get(INSTANCE, *key)
        if instance is None:
            return None
        pod = next(iter(self._world.owned(POD, instance)), None)
        if "deletionTimestamp" in instance["metadata"]:
            return self._shut_down(instance, pod)
        phase = instance_phase(instance)
        if phase in FINAL:
            return None
        if phase == "Running":
            return self._watch_over(instance, pod)
        if pod is None:
            return self._launch(key, instance)
        if phase_of(pod) in FINAL or "deletionTimestamp" in pod["metadata"]:
            self._fail(instance)
            return None
        if phase_of(pod) == "Running":
            return self._start(instance, pod)
        self._set(instance, "Scheduling", [*waiting_conditions("", ""), *scheduling_of(pod)])
        return None

    def _launch(self, key: Key, instance: Manifest) -> float | None:
        """Create the virt-launcher pod, once the claims are there."""
        missing = [name for name in claims_of(instance) if self._world.get(CLAIM, key[0], name) is None]
        if missing:
            text = f"PVC {key[0]}/{missing[0]} does not exist, waiting for it to appear"
            self._set(instance, "Pending", waiting_conditions("FailedPvcNotFound", text))
            return None
        uid = instance["metadata"]["uid"]
        left = self._retries.left(key, uid)
        if left:
            return left
        try:
            self._world.create(launcher_of(instance), manager=MANAGER)
        except Refused as error:
            self._retries.failed(key, uid)
            self._set(instance, "Pending", waiting_conditions("FailedCreate", str(error)))
            return self._retries.left(key, uid)
        self._retries.forget(key)
        self._set(instance, "Scheduling", waiting_conditions("", ""))
        return None

    def _start(self, instance: Manifest, pod: Manifest) -> float | None:
        """The pod runs: start the domain."""
        uid = instance["metadata"]["uid"]
        left = self._delays.left((uid, "start"), self._world.settings.guest_start)
        if left:
            return left
        if meets(self._world.settings.crash, *key_of(instance)):
            self._fail(instance)
            return None
        namespace = key_of(instance)[0]
        handles = [handle_of_claim(self._world, namespace, name) for name in claims_of(instance)]
        if None in handles:
            return None  # the pod was faster than the news of its volumes
        self._guests.switch_on(uid, [handle for handle in handles if handle])
        probed = "readinessProbe" in instance["spec"]
        self._set(
            instance,
            "Running",
            running_conditions(agent=False, ready=not probed, problem=""),
            nodeName=pod["spec"].get("nodeName", ""),
            activePods={pod["metadata"]["uid"]: pod["spec"].get("nodeName", "")},
            interfaces=[{"name": "default", "ipAddress": (pod.get("status") or {}).get("podIP", "")}],
        )
        return self._delays.left((uid, "boot"), self._world.settings.guest_boot)

    def _watch_over(self, instance: Manifest, pod: Manifest | None) -> float | None:
        """A running instance: boot its guest, and see to it that pod and guest are still there."""
        uid = instance["metadata"]["uid"]
        lost = pod is None or phase_of(pod) in FINAL or "deletionTimestamp" in pod["metadata"]
        if lost or not self._guests.is_on(uid):
            self._fail(instance)
            return None
        left = self._delays.left((uid, "boot"), self._world.settings.guest_boot)
        problem = self._guests.problem(uid)
        if left and not problem:
            return left
        self._guests.boot(uid)
        self._set(instance, "Running", running_conditions(agent=True, ready=True, problem=problem))
        return None

    def _fail(self, instance: Manifest) -> None:
        self._guests.switch_off(instance["metadata"]["uid"])
        self._set(instance, "Failed", waiting_conditions("", ""))

    def _shut_down(self, instance: Manifest, pod: Manifest | None) -> float | None:
        """Let the guest shut down, then the pod go, then the instance."""
        uid = instance["metadata"]["uid"]
        if self._guests.is_on(uid):
            left = self._delays.left((uid, "stop"), self._shutdown_time(instance))
            if left:
                return left
            self._guests.switch_off(uid)
        if instance_phase(instance) not in FINAL:
            instance = self._set(instance, "Succeeded", waiting_conditions("", ""))
        if pod is not None:
            self._world.delete(pod)
            return None
        self._delays.forget((uid, "start"), (uid, "boot"), (uid, "stop"))
        self._retries.forget(key_of(instance))
        finalizers = instance["metadata"].get("finalizers") or []
        others = [name for name in finalizers if name not in OWN_FINALIZERS]
        if others != finalizers:
            self._world.patch(instance, {"metadata": {"finalizers": others}}, manager=MANAGER)
        return None

    def _shutdown_time(self, instance: Manifest) -> float:
        """Seconds until the guest is off: in order, or killed at the end of its grace period."""
        grace = float(instance["spec"].get("terminationGracePeriodSeconds", GRACE))
        settings = self._world.settings
        return grace if meets(settings.ignore_shutdown, *key_of(instance)) else min(settings.guest_stop, grace)

    def _set(self, instance: Manifest, phase: str, conditions: list[dict[str, Any]], **more: Any) -> Manifest:
        status = instance_status(instance, phase, conditions, **more)
        return self._world.set_status(instance, status, manager=MANAGER, whole=True)


def claims_of(instance: Manifest) -> list[str]:
    """The claims that the instance's disks are on; a DataVolume's claim bears its name."""
    names = []
    for volume in instance["spec"].get("volumes") or []:
        if "persistentVolumeClaim" in volume:
            names.append(volume["persistentVolumeClaim"]["claimName"])
        elif "dataVolume" in volume:
            names.append(volume["dataVolume"]["name"])
    return names


def scheduling_of(pod: Manifest) -> list[dict[str, Any]]:
    """Why the pod cannot be scheduled, if so, as a condition of its instance."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    found = [entry for entry in conditions if entry["type"] == "PodScheduled" and entry["status"] == "False"]
    return [{name: value for name, value in entry.items() if name != "lastTransitionTime"} for entry in found]


def launcher_of(instance: Manifest) -> Manifest:
    """The virt-launcher pod of an instance; it bears the instance's labels."""
    namespace, name = key_of(instance)
    uid = instance["metadata"]["uid"]
    own = {"kubevirt.io": "virt-launcher", "kubevirt.io/created-by": uid, "vm.kubevirt.io/name": name}
    volumes: list[dict[str, Any]] = [{"name": "private", "emptyDir": {}}]
    for number, claim in enumerate(claims_of(instance)):
        volumes.append({"name": f"disk-{number}", "persistentVolumeClaim": {"claimName": claim}})
    grace = int(instance["spec"].get("terminationGracePeriodSeconds", GRACE)) + LAUNCHER_OVERHEAD
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"virt-launcher-{name}-{short_hash(uid, 5)}",
            "namespace": namespace,
            "labels": {**(instance["metadata"].get("labels") or {}), **own},
            "annotations": {"kubevirt.io/domain": name},
            "ownerReferences": owner_reference(instance),
        },
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": grace,
            "containers": [{"name": "compute", "image": "registry.example.com/kubevirt/virt-launcher:v1.7.0"}],
            "volumes": volumes,
        },
    }
