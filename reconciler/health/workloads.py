"""Rules for what runs: pods, Jobs and virtual machines, each stopped or running as its role asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.health import kstatus
from reconciler.health.reading import condition, conditions, field, is_condition, number, why
from reconciler.health.verdict import Health, failed, healthy, progressing, suspended
from reconciler.objects import STANDBY_LABEL, Manifest, group_of

_BAD_PULLS = ("ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName")
_BAD_STARTS = ("CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "RunContainerError")

BAD_MACHINES = frozenset(
    {
        "CrashLoopBackOff",
        "ErrorUnschedulable",
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrorPvcNotFound",
        "DataVolumeError",
    }
)
"""Printable states in which a virtual machine does not come up by itself."""

STOPPED_MACHINES: Mapping[str, Health] = {
    "Halted": suspended("Halted", "its run strategy is Halted"),
    "Manual": suspended("StoppedByHand", "its run strategy is Manual, and nobody started it"),
    "RerunOnFailure": suspended(
        "StoppedByGuest", "its guest shut down, and its run strategy starts failed guests only"
    ),
    "Once": healthy("Finished", "it ran once"),
}
"""What it means that a virtual machine is stopped, by its run strategy."""

START_FIELDS: Mapping[tuple[str, str], Callable[[Manifest], bool]] = {
    ("apps", "Deployment"): lambda live: field(live, "spec", "replicas") == 0,
    ("apps", "StatefulSet"): lambda live: field(live, "spec", "replicas") == 0,
    ("apps", "ReplicaSet"): lambda live: field(live, "spec", "replicas") == 0,
    ("batch", "Job"): lambda live: field(live, "spec", "suspend") is True,
    ("batch", "CronJob"): lambda live: field(live, "spec", "suspend") is True,
    ("kubevirt.io", "VirtualMachine"): lambda live: run_strategy(live) == "Halted",
}
"""Whether an object's start field has its stopped value."""


def run_strategy(live: Manifest) -> str:
    """A virtual machine's run strategy; the older `running` means Always or Halted."""
    strategy = field(live, "spec", "runStrategy")
    if isinstance(strategy, str):
        return strategy
    return "Always" if field(live, "spec", "running") else "Halted"


def is_standby(live: Manifest) -> bool:
    """Whether it is meant to run at a hot passive site."""
    return STANDBY_LABEL in (field(live, "metadata", "labels") or {})


def still_to_stop(live: Manifest) -> Health | None:
    """What a passive site waits for before this object counts as stopped; None if it has no start field or is a
    standby's.
    """
    stopped = START_FIELDS.get((group_of(live["apiVersion"]), live["kind"]))
    if stopped is None or is_standby(live) or stopped(live):
        return None
    return progressing("NotStopped", "it is not stopped yet, and this site is passive for it")


def pod(live: Manifest) -> Health | None:
    """A failed pod has failed, and an image that cannot be pulled or a container that cannot start is no progress."""
    if field(live, "status", "phase") == "Failed":
        return failed("PodFailed", field(live, "status", "message") or "it failed")
    for name, reason in kstatus.waiting_containers(live):
        if reason in _BAD_PULLS or reason in _BAD_STARTS:
            return failed(reason, f"container {name} waits: {reason}")
    return None


def deployment(live: Manifest) -> Health | None:
    """A paused Deployment is held on purpose."""
    return suspended("Paused", "its roll-out is paused") if field(live, "spec", "paused") else None


def job(live: Manifest) -> Health:
    """Done, failed, held, or running: a running Job is not done."""
    for found in conditions(live):
        if found.get("status") == "True" and found.get("type") == "Complete":
            return healthy("Complete", "it completed")
        if found.get("status") == "True" and found.get("type") == "Failed":
            return failed(*why(found, "JobFailed"))
    active = number(live, "status", "active")
    if field(live, "spec", "suspend"):
        if active:
            return progressing("JobStopping", f"it is suspended, and {active} pods are left")
        return suspended("Suspended", "it is suspended")
    if not field(live, "status", "startTime"):
        return progressing("JobNotStarted", "it has not started")
    return progressing("JobRunning", f"it runs, {active} pods are active")


def cron_job(live: Manifest) -> Health:
    """It makes Jobs on time, or is held."""
    return suspended("Suspended", "it is suspended") if field(live, "spec", "suspend") else healthy()


def virtual_machine(live: Manifest, instance: Manifest | None) -> Health:
    """Up means: ready by its own status, and by its instance's where that is given."""
    strategy, shown = run_strategy(live), field(live, "status", "printableStatus") or ""
    failure = condition(live, "Failure")
    if "status" not in live:
        return progressing("NotObserved", "KubeVirt has not seen it yet")
    if strategy == "Halted":
        if instance is not None or field(live, "status", "created") or field(live, "status", "ready"):
            return progressing("Stopping", "it is halted, and its instance is not gone yet")
        return STOPPED_MACHINES["Halted"]
    if shown in BAD_MACHINES:
        return failed(shown, (why(failure, "")[1] if failure else "") or f"it is {shown}")
    if shown == "Paused" or is_condition(live, "Paused", "True"):
        return suspended("Paused", "its guest is paused")
    if shown == "Stopped" and instance is None and strategy in STOPPED_MACHINES:
        return STOPPED_MACHINES[strategy]
    if not field(live, "status", "ready"):
        return progressing(shown or "NotReady", f"it is {shown or 'not ready'}")
    if instance is not None and not is_condition(instance, "Ready", "True"):
        return progressing("InstanceNotReady", "its instance is not ready")
    return healthy(shown, "")


def virtual_machine_instance(live: Manifest) -> Health:
    """One run of a virtual machine."""
    phase = field(live, "status", "phase") or ""
    if phase == "Failed":
        return failed("InstanceFailed", "its guest or its pod failed")
    if phase == "Succeeded":
        return healthy("Finished", "its guest shut down")
    if is_condition(live, "Paused", "True"):
        return suspended("Paused", "its guest is paused")
    if phase == "Running" and is_condition(live, "Ready", "True"):
        return healthy()
    return progressing(phase or "NotObserved", f"its phase is {phase or 'not set'}, and it is not ready")
