"""kstatus: the convention by which most tools judge whether an object has reached its spec.

The order is fixed: deletion, unobserved generation, the Reconciling and Stalled conditions, the kind's rule, the Ready
condition, and otherwise Current. This module keeps to the convention exactly, traps included; what Siteshift judges
otherwise is in `rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reconciler.health.reading import condition, conditions, epoch_seconds, field, is_condition, number, why
from reconciler.objects import Manifest, group_of

Status = Literal["Current", "InProgress", "Failed", "Terminating"]

SCHEDULING_TIME = 15.0
"""Seconds after its creation in which an unschedulable pod still counts as in progress."""

_NO_DEADLINE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Kstatus:
    """A status with its reason. Current has no reason."""

    status: Status
    reason: str = ""
    message: str = ""


CURRENT = Kstatus("Current")

Rule = Callable[[Manifest, float], Kstatus]


def in_progress(reason: str, message: str) -> Kstatus:
    """Not there yet."""
    return Kstatus("InProgress", reason, message)


def compute(manifest: Manifest, now: float) -> Kstatus:
    """The status of an object. `now` is in epoch seconds."""
    return generic(manifest) or by_kind(manifest, now) or by_ready(manifest) or CURRENT


def generic(manifest: Manifest) -> Kstatus | None:
    """What holds for every kind and goes before its own rule."""
    if field(manifest, "metadata", "deletionTimestamp"):
        return Kstatus("Terminating", "Deleting", "it is being deleted")
    wanted, observed = field(manifest, "metadata", "generation"), field(manifest, "status", "observedGeneration")
    if wanted is not None and observed is not None and wanted != observed:
        message = f"generation {wanted} was not observed yet, the last one observed is {observed}"
        return in_progress("LatestGenerationNotObserved", message)
    for found in conditions(manifest):
        if found.get("status") == "True" and found.get("type") == "Reconciling":
            return in_progress(*why(found, "Reconciling"))
        if found.get("status") == "True" and found.get("type") == "Stalled":
            return Kstatus("Failed", *why(found, "Stalled"))
    return None


def by_kind(manifest: Manifest, now: float) -> Kstatus | None:
    """The kind's own rule, if kstatus has one."""
    rule = RULES.get((group_of(manifest.get("apiVersion") or ""), manifest.get("kind") or ""))
    return rule(manifest, now) if rule else None


def by_ready(manifest: Manifest) -> Kstatus | None:
    """The Ready condition, if the object has one."""
    ready = condition(manifest, "Ready")
    if ready is None:
        return None
    return CURRENT if ready.get("status") == "True" else in_progress(*why(ready, "NotReady"))


def _always(_manifest: Manifest, _now: float) -> Kstatus:
    return CURRENT


def _service(manifest: Manifest, _now: float) -> Kstatus:
    if field(manifest, "spec", "type") == "LoadBalancer" and not field(manifest, "spec", "clusterIP"):
        return in_progress("NoIPAssigned", "no cluster address yet")
    return CURRENT


def _claim(manifest: Manifest, _now: float) -> Kstatus:
    phase = field(manifest, "status", "phase")
    return CURRENT if phase == "Bound" else in_progress("NotBound", f"phase is {phase or 'not set'}, not Bound")


def _stateful_set(manifest: Manifest, _now: float) -> Kstatus:
    if field(manifest, "spec", "updateStrategy", "type") == "OnDelete":
        return CURRENT
    wanted = number(manifest, "spec", "replicas", default=1)
    have = {key: number(manifest, "status", key) for key in ("replicas", "readyReplicas", "currentReplicas")}
    updated = number(manifest, "status", "updatedReplicas")
    partition = field(manifest, "spec", "updateStrategy", "rollingUpdate", "partition")
    if wanted > have["replicas"]:
        return in_progress("LessReplicas", f"{have['replicas']} of {wanted} pods exist")
    if wanted > have["readyReplicas"]:
        return in_progress("LessReady", f"{have['readyReplicas']} of {wanted} pods are ready")
    if have["replicas"] > wanted:
        return in_progress("ExtraPods", f"{have['replicas'] - wanted} pods too many")
    if isinstance(partition, int):
        if updated < wanted - partition:
            return in_progress("PartitionRollout", f"{updated} of {wanted - partition} pods are updated")
        return CURRENT
    if wanted > have["currentReplicas"]:
        return in_progress("LessCurrent", f"{have['currentReplicas']} of {wanted} pods are current")
    if field(manifest, "status", "currentRevision") != field(manifest, "status", "updateRevision"):
        return in_progress("RevisionMismatch", "pods of an older revision are left")
    return CURRENT


def _deployment(manifest: Manifest, _now: float) -> Kstatus:
    progress = condition(manifest, "Progressing") or {}
    if progress.get("reason") == "ProgressDeadlineExceeded":
        return Kstatus("Failed", *why(progress, "ProgressDeadlineExceeded"))
    deadline = field(manifest, "spec", "progressDeadlineSeconds")
    rolled_out = progress.get("status") == "True" and progress.get("reason") == "NewReplicaSetAvailable"
    wanted = number(manifest, "spec", "replicas", default=1)
    total, updated = number(manifest, "status", "replicas"), number(manifest, "status", "updatedReplicas")
    available, ready = number(manifest, "status", "availableReplicas"), number(manifest, "status", "readyReplicas")
    if wanted > total:
        return in_progress("LessReplicas", f"{total} of {wanted} pods exist")
    if wanted > updated:
        return in_progress("LessUpdated", f"{updated} of {wanted} pods are updated")
    if total > wanted:
        return in_progress("ExtraPods", f"{total - wanted} pods too many")
    if updated > available:
        return in_progress("LessAvailable", f"{available} of {updated} pods are available")
    if wanted > ready:
        return in_progress("LessReady", f"{ready} of {wanted} pods are ready")
    if not rolled_out and deadline not in (None, _NO_DEADLINE):
        return in_progress("ReplicaSetNotAvailable", "the new ReplicaSet is not available")
    if not is_condition(manifest, "Available", "True"):
        return in_progress("DeploymentNotAvailable", "the condition Available is not True")
    return CURRENT


def _replica_set(manifest: Manifest, _now: float) -> Kstatus:
    if is_condition(manifest, "ReplicaFailure", "True"):
        return in_progress("ReplicaFailure", "pods cannot be created or deleted")
    wanted, total = number(manifest, "spec", "replicas", default=1), number(manifest, "status", "replicas")
    for key, reason, what in (
        ("fullyLabeledReplicas", "LessLabelled", "labelled"),
        ("availableReplicas", "LessAvailable", "available"),
        ("readyReplicas", "LessReady", "ready"),
    ):
        have = number(manifest, "status", key)
        if wanted > have:
            return in_progress(reason, f"{have} of {wanted} pods are {what}")
    return in_progress("ExtraPods", f"{total - wanted} pods too many") if total > wanted else CURRENT


def _daemon_set(manifest: Manifest, _now: float) -> Kstatus:
    if field(manifest, "metadata", "generation") is None:
        return in_progress("NoGeneration", "it has no generation")
    if field(manifest, "status", "observedGeneration") is None:
        return in_progress("NoObservedGeneration", "no controller has seen it yet")
    if field(manifest, "status", "desiredNumberScheduled") is None:
        return in_progress("NoDesiredNumber", "the number of nodes is not known yet")
    wanted = number(manifest, "status", "desiredNumberScheduled")
    for key, reason, what in (
        ("currentNumberScheduled", "LessCurrent", "scheduled"),
        ("updatedNumberScheduled", "LessUpdated", "updated"),
        ("numberAvailable", "LessAvailable", "available"),
        ("numberReady", "LessReady", "ready"),
    ):
        have = number(manifest, "status", key)
        if wanted > have:
            return in_progress(reason, f"{have} of {wanted} pods are {what}")
    return CURRENT


def waiting_containers(manifest: Manifest) -> list[tuple[str, str]]:
    """Name and reason of each container of a pod that waits, containers of all sorts."""
    found = []
    for key in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for container in field(manifest, "status", key) or ():
            reason = field(container, "state", "waiting", "reason")
            if reason:
                found.append((str(container.get("name")), str(reason)))
    return found


def _pod(manifest: Manifest, now: float) -> Kstatus:
    phase = field(manifest, "status", "phase") or ""
    if phase in ("Succeeded", "Failed"):
        return CURRENT
    if phase == "Running":
        if is_condition(manifest, "Ready", "True"):
            return CURRENT
        crashing = [name for name, reason in waiting_containers(manifest) if reason == "CrashLoopBackOff"]
        if crashing:
            return Kstatus("Failed", "ContainerCrashLooping", f"containers keep crashing: {', '.join(crashing)}")
        return in_progress("PodRunningNotReady", "it runs and is not ready")
    if phase == "Pending":
        return _pending_pod(manifest, now)
    if phase == "":
        return in_progress("PodNotObserved", "no node has seen it yet")
    return in_progress("PodUnknownPhase", f"its phase is {phase}")


def _pending_pod(manifest: Manifest, now: float) -> Kstatus:
    scheduled: Any = condition(manifest, "PodScheduled") or {}
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        created = epoch_seconds(field(manifest, "metadata", "creationTimestamp"))
        if created is not None and now < created + SCHEDULING_TIME:
            return in_progress("PodNotScheduled", "no node was found for it yet")
        return Kstatus("Failed", "PodUnschedulable", scheduled.get("message") or "no node takes it")
    return in_progress("PodPending", "it is pending")


def _job(manifest: Manifest, _now: float) -> Kstatus:
    for found in conditions(manifest):
        if found.get("status") != "True":
            continue
        if found.get("type") == "Complete":
            return CURRENT
        if found.get("type") == "Failed":
            return Kstatus("Failed", "JobFailed", found.get("message") or "it failed")
        if found.get("type") == "Suspended" and field(manifest, "spec", "suspend"):
            return CURRENT
    if not field(manifest, "status", "startTime"):
        return in_progress("JobNotStarted", "it has not started")
    return CURRENT


def _definition(manifest: Manifest, _now: float) -> Kstatus:
    for found in conditions(manifest):
        kind, status = found.get("type"), found.get("status")
        if kind == "NamesAccepted" and status == "False":
            return Kstatus("Failed", *why(found, "NamesNotAccepted"))
        if kind == "Established" and status == "False" and found.get("reason") != "Installing":
            return Kstatus("Failed", *why(found, "NotEstablished"))
        if kind == "Established" and status == "True":
            return CURRENT
    return in_progress("Installing", "it is being installed")


RULES: Mapping[tuple[str, str], Rule] = {
    ("", "ConfigMap"): _always,
    ("", "Secret"): _always,
    ("", "Service"): _service,
    ("", "Pod"): _pod,
    ("", "PersistentVolumeClaim"): _claim,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("batch", "CronJob"): _always,
    ("policy", "PodDisruptionBudget"): _always,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}
"""The kinds that kstatus knows, by group and kind."""
