"""What KubeVirt's objects say: the statuses of virtual machines and instances as pure functions of what is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.objects import Manifest
from sandbox.simulation.world import condition, condition_of, timestamp, with_conditions

FINAL = ("Succeeded", "Failed")
STARTS_BY_ITSELF = ("Always", "RerunOnFailure", "Once")
MACHINE = "q35"


def strategy_of(machine: Manifest) -> str:
    """The run strategy; `running` is the older way to say Always or Halted."""
    spec = machine["spec"]
    return str(spec.get("runStrategy") or ("Always" if spec.get("running") else "Halted"))


def instance_phase(instance: Manifest | None) -> str:
    """The phase of an instance; empty without one, or before it has one."""
    return str(((instance or {}).get("status") or {}).get("phase") or "")


def ever_ran(instance: Manifest) -> bool:
    """Whether the instance has reached Running."""
    moments = (instance.get("status") or {}).get("phaseTransitionTimestamps") or []
    return any(moment["phase"] == "Running" for moment in moments)


def requests_of(machine: Manifest) -> list[Mapping[str, Any]]:
    """The pending requests to start or stop, as the subresources leave them."""
    return list((machine.get("status") or {}).get("stateChangeRequests") or [])


def start_requested(machine: Manifest) -> bool:
    """Whether a start is pending."""
    return any(request["action"] == "Start" for request in requests_of(machine))


def stop_requested(machine: Manifest, instance: Manifest) -> bool:
    """Whether a stop of this instance is pending."""
    uid = instance["metadata"]["uid"]
    return any(request["action"] == "Stop" and request.get("uid") in (None, uid) for request in requests_of(machine))


def pending_requests(machine: Manifest, instance: Manifest | None) -> list[Mapping[str, Any]]:
    """The requests that are still to be served: a start until there is an instance, a stop until its own is gone."""
    uid = instance["metadata"]["uid"] if instance is not None else None
    going = instance is not None and "deletionTimestamp" in instance["metadata"]
    kept = []
    for request in requests_of(machine):
        stop = request["action"] == "Stop"
        if stop and uid is not None and request.get("uid") in (None, uid) and not going:
            kept.append(request)
        if not stop and (instance is None or going or instance_phase(instance) in FINAL or _stopping(machine, uid)):
            kept.append(request)
    return kept


def _stopping(machine: Manifest, uid: str | None) -> bool:
    return any(request["action"] == "Stop" and request.get("uid") == uid for request in requests_of(machine))


def printable_status(machine: Manifest, instance: Manifest | None, *, starting: bool, crashing: bool) -> str:
    """`printableStatus`: the first that matches. `starting`: a start is being tried; `crashing`: it failed and pauses.

    An instance that is shutting down still counts as Running, and a final one as Stopped before it is gone.
    """
    phase = instance_phase(instance)
    checks = (
        ("Terminating", "deletionTimestamp" in machine["metadata"]),
        ("Paused", instance is not None and condition_of(instance, "Paused").get("status") == "True"),
        ("Running", phase == "Running"),
        ("ErrorPvcNotFound", _reason(instance, "Synchronized") == "FailedPvcNotFound"),
        ("ErrorUnschedulable", _reason(instance, "PodScheduled") == "Unschedulable"),
        ("CrashLoopBackOff", crashing),
        ("Starting", instance is not None and phase not in FINAL),
        ("Starting", instance is None and starting),
    )
    return next((name for name, matches in checks if matches), "Stopped")


def _reason(instance: Manifest | None, kind: str) -> str:
    found = condition_of(instance or {}, kind)
    return str(found.get("reason") or "") if found.get("status") == "False" else ""


def machine_status(
    machine: Manifest, instance: Manifest | None, *, failure: str = "", crashes: int = 0, starting: bool = False
) -> dict[str, Any]:
    """The status of a machine. `failure`: why its instance could not be made; `crashes`: failed starts in a row."""
    before = machine.get("status") or {}
    generation = machine["metadata"].get("generation", 1)
    ready = instance is not None and condition_of(instance, "Ready").get("status") == "True"
    crashing = crashes > 0 and instance is None
    status: dict[str, Any] = {
        "printableStatus": printable_status(machine, instance, starting=starting, crashing=crashing),
        "runStrategy": strategy_of(machine),
        "observedGeneration": generation,
        "desiredGeneration": generation,
        "conditions": with_conditions(before.get("conditions") or [], machine_conditions(instance, failure)),
    }
    if instance is not None:
        status["created"] = True
    if ready:
        status["ready"] = True
    requests = pending_requests(machine, instance)
    if requests:
        status["stateChangeRequests"] = requests
    if crashes:
        status["startFailure"] = {"consecutiveFailCount": crashes}
    return status


def machine_conditions(instance: Manifest | None, failure: str) -> list[Mapping[str, Any]]:
    """A machine's conditions: its instance's own, Ready in any case, and Failure when no instance could be made."""
    known = ((instance or {}).get("status") or {}).get("conditions") or []
    copied: list[Mapping[str, Any]] = [
        {name: value for name, value in found.items() if name != "lastTransitionTime"} for found in known
    ]
    if not any(found["type"] == "Ready" for found in copied):
        why = (
            ("VMINotExists", "VMI does not exist")
            if instance is None
            else ("GuestNotRunning", "Guest VM is not reported as running")
        )
        copied.insert(0, condition("Ready", False, *why))
    if failure:
        copied.append(condition("Failure", True, "FailedCreate", failure))
    return copied


def instance_status(instance: Manifest, phase: str, conditions: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The status of an instance in this phase; the moments of its phases are kept."""
    before = instance.get("status") or {}
    moments = list(before.get("phaseTransitionTimestamps") or [])
    if before.get("phase") != phase:
        moments.append({"phase": phase, "phaseTransitionTimestamp": timestamp()})
    return {
        **before,
        **more,
        "phase": phase,
        "phaseTransitionTimestamps": moments,
        "conditions": with_conditions(before.get("conditions") or [], conditions),
    }


def running_conditions(*, agent: bool, ready: bool, problem: str) -> list[dict[str, Any]]:
    """The conditions of an instance whose domain runs. `problem` is the I/O error that paused it."""
    if problem:
        ready_condition = condition("Ready", False, "GuestNotRunning", "Guest VM is not reported as running")
    elif ready:
        ready_condition = condition("Ready", True)
    else:
        ready_condition = condition(
            "Ready", False, "ContainersNotReady", "the guest's readiness probe has not answered"
        )
    found = [ready_condition, condition("LiveMigratable", True), condition("StorageLiveMigratable", True)]
    if agent and not problem:
        found.append(condition("AgentConnected", True))
    if problem:
        found.append(
            condition("Paused", True, "PausedIOError", f"VMI was paused, low-level IO error detected: {problem}")
        )
    return found


def waiting_conditions(reason: str, message: str) -> list[dict[str, Any]]:
    """The conditions of an instance that is not running yet; `reason` says what keeps its pod from being made."""
    found = [condition("Ready", False, "GuestNotRunning", "Guest VM is not reported as running")]
    if reason:
        found.append(condition("Synchronized", False, reason, message))
    return found
