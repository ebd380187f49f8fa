"""The verdict: what every kind shares, our rule for the kind, kstatus, and at last an honest "no rule".

Our rules go before those of kstatus where that says "current" too early for run levels to build upon: a running Job,
a failed pod, a load balancer without an address, an object whose controller has not spoken yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from reconciler.health import kstatus, volumes, workloads
from reconciler.health.reading import condition, field, is_condition, why
from reconciler.health.verdict import Health, State, failed, healthy, progressing
from reconciler.objects import Manifest, group_of

Role = Literal["active", "passive"]
Rule = Callable[[Manifest], Health | None]

VIRTUAL_MACHINE = ("kubevirt.io", "VirtualMachine")

_STATES: Mapping[kstatus.Status, State] = {
    "Current": "Healthy",
    "InProgress": "Progressing",
    "Failed": "Failed",
    "Terminating": "Terminating",
}


def judge(live: Manifest, *, role: Role = "active", now: float, instance: Manifest | None = None) -> Health:
    """The health of a live object at a site with that effective role.

    `now` is in epoch seconds by the server's clock. `instance` is a virtual machine's instance, where there is one.
    """
    shared = kstatus.generic(_without_instance_generation(live))
    if shared is not None:
        return _of(shared)
    if role == "passive":
        stopping = workloads.still_to_stop(live)
        if stopping is not None:
            return stopping
    verdict = _by_rules(live, role, now, instance)
    if role == "passive" and verdict.state == "Suspended" and not workloads.is_standby(live):
        return healthy(verdict.reason, verdict.message)
    return verdict


def _by_rules(live: Manifest, role: Role, now: float, instance: Manifest | None) -> Health:
    key = group_of(live["apiVersion"]), live["kind"]
    if key == VIRTUAL_MACHINE:
        return workloads.virtual_machine(live, instance)
    if key in REPLICATION:
        return volumes.replication(live, role)
    rule = RULES.get(key)
    verdict = rule(live) if rule else None
    if verdict is not None:
        return verdict
    convention = kstatus.by_kind(live, now) or kstatus.by_ready(live)
    if convention is not None:
        return _of(convention)
    if key in EXISTS:
        return healthy()
    return Health("NoRule", "NoRule", f"nothing is known about the health of {live['kind']}")


def _without_instance_generation(live: Manifest) -> Manifest:
    """A virtual machine's observedGeneration is the one that its instance was started with: a change that waits for
    the next start, or any change while it is halted, leaves it behind for good.
    """
    if (group_of(live["apiVersion"]), live["kind"]) != VIRTUAL_MACHINE or "status" not in live:
        return live
    status = {key: value for key, value in live["status"].items() if key != "observedGeneration"}
    return {**live, "status": status}


def _of(convention: kstatus.Kstatus) -> Health:
    return Health(_STATES[convention.status], convention.reason, convention.message)


def _service(live: Manifest) -> Health | None:
    if field(live, "spec", "type") == "LoadBalancer" and not field(live, "status", "loadBalancer", "ingress"):
        return progressing("NoAddress", "no load balancer has given it an address yet")
    return None


def _namespace(live: Manifest) -> Health:
    phase = field(live, "status", "phase")
    return healthy() if phase in ("Active", None) else progressing("Terminating", f"its phase is {phase}")


def _available(live: Manifest) -> Health:
    """For kinds that say with a condition Available whether they serve."""
    found = condition(live, "Available")
    if found is None:
        return progressing("NotObserved", "no controller has seen it yet")
    return healthy() if found.get("status") == "True" else progressing(*why(found, "NotAvailable"))


def _operator(live: Manifest) -> Health:
    """A ClusterOperator: available, and not degraded."""
    degraded = condition(live, "Degraded")
    if degraded is not None and degraded.get("status") == "True":
        return failed(*why(degraded, "Degraded"))
    return _available(live)


def _autoscaler(live: Manifest) -> Health:
    """A HorizontalPodAutoscaler that can read its metrics and scale. One that is switched off does as asked.

    Version 1 has no place for its conditions but an annotation.
    """
    told = field(live, "metadata", "annotations", "autoscaling.alpha.kubernetes.io/conditions")
    if isinstance(told, str) and not field(live, "status", "conditions"):
        live = {**live, "status": {**(live.get("status") or {}), "conditions": _decoded(told)}}
    for kind in ("AbleToScale", "ScalingActive"):
        found = condition(live, kind)
        if found is not None and found.get("status") == "False" and found.get("reason") != "ScalingDisabled":
            return failed(*why(found, kind))
    if is_condition(live, "AbleToScale", "True"):
        return healthy()
    return progressing("NotObserved", "no controller has seen it yet")


def _decoded(text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return []
    return value if isinstance(value, list) else []


RULES: Mapping[tuple[str, str], Rule] = {
    ("", "Namespace"): _namespace,
    ("", "PersistentVolume"): volumes.volume,
    ("", "PersistentVolumeClaim"): volumes.claim,
    ("", "Pod"): workloads.pod,
    ("", "Service"): _service,
    ("apiregistration.k8s.io", "APIService"): _available,
    ("apps", "Deployment"): workloads.deployment,
    ("autoscaling", "HorizontalPodAutoscaler"): _autoscaler,
    ("batch", "CronJob"): workloads.cron_job,
    ("batch", "Job"): workloads.job,
    ("cdi.kubevirt.io", "DataVolume"): volumes.data_volume,
    ("config.openshift.io", "ClusterOperator"): _operator,
    ("kubevirt.io", "VirtualMachineInstance"): workloads.virtual_machine_instance,
}
"""Our own rules, by group and kind. One that answers None leaves the verdict to kstatus."""

REPLICATION = frozenset(
    ("replication.storage.openshift.io", kind) for kind in ("VolumeReplication", "VolumeGroupReplication")
)
"""Kinds that are judged by the role."""

EXISTS = frozenset(
    {
        *(("", kind) for kind in ("Endpoints", "Event", "LimitRange", "PodTemplate", "ResourceQuota")),
        ("", "ServiceAccount"),
        *(
            ("admissionregistration.k8s.io", kind)
            for kind in (
                "MutatingAdmissionPolicy",
                "MutatingAdmissionPolicyBinding",
                "MutatingWebhookConfiguration",
                "ValidatingAdmissionPolicy",
                "ValidatingAdmissionPolicyBinding",
                "ValidatingWebhookConfiguration",
            )
        ),
        ("apps", "ControllerRevision"),
        ("coordination.k8s.io", "Lease"),
        ("discovery.k8s.io", "EndpointSlice"),
        *(
            ("instancetype.kubevirt.io", f"{scope}{kind}")
            for scope in ("VirtualMachine", "VirtualMachineCluster")
            for kind in ("Instancetype", "Preference")
        ),
        ("k8s.cni.cncf.io", "NetworkAttachmentDefinition"),
        *(("networking.k8s.io", kind) for kind in ("Ingress", "IngressClass", "NetworkPolicy")),
        ("node.k8s.io", "RuntimeClass"),
        *(("rbac.authorization.k8s.io", kind) for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")),
        *(
            ("replication.storage.openshift.io", kind)
            for kind in ("VolumeReplicationClass", "VolumeGroupReplicationClass")
        ),
        ("scheduling.k8s.io", "PriorityClass"),
        ("snapshot.storage.k8s.io", "VolumeSnapshotClass"),
        *(("storage.k8s.io", kind) for kind in ("CSIDriver", "StorageClass")),
    }
)
"""Kinds that nobody carries out: to be there is all that they have to do."""
