"""virt-controller's half for VirtualMachines: an instance for each machine that should run, none for others.

With the habits of the real one that a controller above it must know: a machine that says Always gets a new instance
whenever its old one is gone, whatever Git says; a pending start undoes Halted; the spec gains fields that nobody wrote.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from reconciler.errors import Refused
from reconciler.objects import Manifest
from sandbox.simulation.engine import Key, KindId
from sandbox.simulation.kubevirt_status import (
    FINAL,
    MACHINE,
    STARTS_BY_ITSELF,
    ever_ran,
    instance_phase,
    machine_status,
    start_requested,
    stop_requested,
    strategy_of,
)
from sandbox.simulation.world import (
    Retries,
    World,
    condition_of,
    controller_of,
    key_of,
    owner_key,
    owner_reference,
)

VIRTUAL_MACHINE: KindId = ("kubevirt.io/v1", "VirtualMachine")
INSTANCE: KindId = ("kubevirt.io/v1", "VirtualMachineInstance")
MANAGER = "virt-controller"
FINALIZER = "kubevirt.io/virtualMachineControllerFinalize"
INSTANCE_FINALIZER = "foregroundDeleteVirtualMachine"


class Machines:
    """Keeps the instance of each virtual machine as its run strategy says."""

    name = "machines"
    watched = (VIRTUAL_MACHINE, INSTANCE)

    def __init__(self, world: World) -> None:
        self._world = world
        self._retries = Retries(world)
        self._crashes: dict[Key, tuple[int, str, float]] = {}
        """Failed starts in a row, the last failed instance's uid, and when the next start is due."""

    def keys(self, manifest: Manifest) -> Iterable[Key]:
        """The machine itself, or the owner of an instance."""
        return [key_of(manifest)] if manifest["kind"] == VIRTUAL_MACHINE[1] else owner_key(manifest, VIRTUAL_MACHINE[1])

    def reconcile(self, key: Key) -> float | None:
        """One machine, one step."""
        machine = self._world.get(VIRTUAL_MACHINE, *key)
        if machine is None:
            self._retries.forget(key)
            self._crashes.pop(key, None)
            return None
        instance = self._world.get(INSTANCE, *key)
        if instance is not None and (controller_of(instance) or {}).get("uid") != machine["metadata"]["uid"]:
            return 1.0  # somebody else's instance has the name: nothing can be done until it is gone
        if "deletionTimestamp" in machine["metadata"]:
            self._finalize(machine, instance)
            return None
        machine = self._complete(machine)
        again, failure = self._act(key, machine, instance)
        instance = self._world.get(INSTANCE, *key)
        crashes, *_ = self._crashes.get(key, (0, "", 0.0))
        starting = again is not None and instance is None
        status = machine_status(machine, instance, failure=failure, crashes=crashes, starting=starting)
        self._world.set_status(machine, status, manager=MANAGER)
        return again

    def _complete(self, machine: Manifest) -> Manifest:
        """The finalizer, and what KubeVirt writes into every machine's spec."""
        body: dict[str, Any] = {}
        finalizers = machine["metadata"].get("finalizers") or []
        if FINALIZER not in finalizers:
            body["metadata"] = {"finalizers": [*finalizers, FINALIZER]}
        domain = machine["spec"]["template"]["spec"].get("domain") or {}
        missing: dict[str, Any] = {}
        if not domain.get("machine"):
            missing["machine"] = {"type": MACHINE}
        if not (domain.get("firmware") or {}).get("uuid"):
            identity = uuid.uuid5(uuid.NAMESPACE_OID, machine["metadata"]["uid"])
            missing["firmware"] = {"uuid": str(identity), "serial": str(uuid.uuid5(identity, "serial"))}
        if missing:
            body["spec"] = {"template": {"spec": {"domain": missing}}}
        return self._world.patch(machine, body, manager=MANAGER) if body else machine

    def _finalize(self, machine: Manifest, instance: Manifest | None) -> None:
        if instance is not None:
            self._world.delete(instance)
            self._world.set_status(machine, machine_status(machine, instance), manager=MANAGER)
            return
        finalizers = [name for name in machine["metadata"].get("finalizers") or [] if name != FINALIZER]
        if finalizers != machine["metadata"].get("finalizers"):
            self._world.patch(machine, {"metadata": {"finalizers": finalizers}}, manager=MANAGER)

    def _act(self, key: Key, machine: Manifest, instance: Manifest | None) -> tuple[float | None, str]:
        """Start or stop as the strategy asks; when to look again, and why a start was refused."""
        strategy = strategy_of(machine)
        if instance is None:
            return self._without_instance(key, machine, strategy)
        phase = instance_phase(instance)
        if phase == "Running":
            self._crashes.pop(key, None)
        self._retries.forget(key)
        if phase in FINAL:
            self._note_end(key, instance)
            ends = strategy in ("Always", "Halted") or (strategy == "RerunOnFailure" and phase == "Failed")
            if ends or stop_requested(machine, instance) or start_requested(machine):
                self._request_rerun(machine, strategy)
                self._world.delete(instance)
        elif strategy == "Halted" or stop_requested(machine, instance):
            self._world.delete(instance)
        return None, ""

    def _without_instance(self, key: Key, machine: Manifest, strategy: str) -> tuple[float | None, str]:
        if strategy == "Halted":
            self._crashes.pop(key, None)
            if start_requested(machine):
                # As the real one does: a start that is pending wins over Halted.
                self._world.patch(machine, {"spec": {"runStrategy": "Always"}}, manager=MANAGER)
                return 0.0, ""
            self._retries.forget(key)
            return None, ""
        first_time = (machine.get("status") or {}).get("runStrategy") != strategy
        wanted = strategy == "Always" or start_requested(machine)
        if wanted or (first_time and strategy in STARTS_BY_ITSELF):
            return self._start(key, machine)
        return None, ""

    def _start(self, key: Key, machine: Manifest) -> tuple[float | None, str]:
        version = machine["metadata"].get("generation")
        _, _, due = self._crashes.get(key, (0, "", 0.0))
        left = max(self._retries.left(key, version), due - self._world.monotonic())
        if left > 0:
            return left, condition_of(machine, "Failure").get("message", "")
        try:
            self._world.create(instance_of(machine), manager=MANAGER)
        except Refused as error:
            self._retries.failed(key, version)
            return self._retries.left(key, version), str(error)
        self._retries.forget(key)
        return None, ""

    def _note_end(self, key: Key, instance: Manifest) -> None:
        """An instance that ended before it ran is a failed start: the next one waits longer."""
        count, last, _ = self._crashes.get(key, (0, "", 0.0))
        uid = instance["metadata"]["uid"]
        if not ever_ran(instance) and last != uid:
            settings = self._world.settings
            pause = min(settings.retry_base * (count + 1) ** 2, settings.retry_cap)
            self._crashes[key] = (count + 1, uid, self._world.monotonic() + pause)

    def _request_rerun(self, machine: Manifest, strategy: str) -> None:
        """RerunOnFailure remembers in the status that it has to start once more."""
        if strategy == "RerunOnFailure" and not start_requested(machine):
            status = {**(machine.get("status") or {}), "stateChangeRequests": [{"action": "Start"}]}
            self._world.set_status(machine, status, manager=MANAGER)


def instance_of(machine: Manifest) -> Manifest:
    """The instance of a virtual machine, from its template."""
    namespace, name = key_of(machine)
    template = machine["spec"]["template"]
    known = template.get("metadata") or {}
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "labels": {**(known.get("labels") or {}), "vm.kubevirt.io/name": name},
        "ownerReferences": owner_reference(machine),
        "finalizers": [FINALIZER, INSTANCE_FINALIZER],
    }
    if known.get("annotations"):
        metadata["annotations"] = known["annotations"]
    return {"apiVersion": INSTANCE[0], "kind": INSTANCE[1], "metadata": metadata, "spec": template["spec"]}
