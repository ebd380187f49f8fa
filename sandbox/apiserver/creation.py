"""What Kubernetes gives to new objects of some built-in kinds besides metadata: addresses, selectors, protection.

It happens after ownership has been noted, so nobody owns what is given here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.apiserver.moments import rfc3339

Manifest = dict[str, Any]

STATUS: dict[str, Manifest] = {
    "Pod": {"phase": "Pending", "qosClass": "BestEffort"},
    "Namespace": {"phase": "Active"},
    "PersistentVolumeClaim": {"phase": "Pending"},
    "Service": {"loadBalancer": {}},
    "Ingress": {"loadBalancer": {}},
    "StatefulSet": {"availableReplicas": 0, "replicas": 0},
    "ReplicaSet": {"replicas": 0},
    "DaemonSet": {"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0},
    "PodDisruptionBudget": {"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0},
    "VolumeAttachment": {"attached": False},
    "HorizontalPodAutoscaler": {"currentMetrics": None, "desiredReplicas": 0},
}
"""The status of a new object."""

TOLERATED = ("not-ready", "unreachable")
SERVICE_NETWORK = "10.96"


def complete(kind: str, manifest: Manifest, now: float, taken: Callable[[str, str], bool]) -> Manifest:
    """The new object with what its kind is given. `taken` says whether a Service has an address or a node port."""
    if kind == "Service":
        return _service(manifest, taken)
    give = GIVEN.get(kind)
    return give(manifest, now) if give else manifest


def _namespace(manifest: Manifest, _now: float) -> Manifest:
    return {**manifest, "spec": {"finalizers": ["kubernetes"], **(manifest.get("spec") or {})}}


def _protected(finalizer: str) -> Callable[[Manifest, float], Manifest]:
    def give(manifest: Manifest, _now: float) -> Manifest:
        finalizers = list(manifest["metadata"].get("finalizers") or ())
        if finalizer not in finalizers:
            finalizers.append(finalizer)
        return {**manifest, "metadata": {**manifest["metadata"], "finalizers": finalizers}}

    return give


def _volume(manifest: Manifest, now: float) -> Manifest:
    given = _protected("kubernetes.io/pv-protection")(manifest, now)
    return {**given, "status": {"phase": "Pending", "lastPhaseTransitionTime": rfc3339(now)}}


def _pod(manifest: Manifest, _now: float) -> Manifest:
    spec = {"priority": 0, "preemptionPolicy": "PreemptLowerPriority", **manifest["spec"]}
    tolerations = list(spec.get("tolerations") or ())
    for name in TOLERATED:
        key = f"node.kubernetes.io/{name}"
        if not any(one.get("key") in (key, None) and one.get("effect") in ("NoExecute", None) for one in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
    return {**manifest, "spec": {**spec, "tolerations": tolerations}}


def _job(manifest: Manifest, _now: float) -> Manifest:
    """A Job finds its pods by its own uid, unless it says that it selects by hand."""
    spec, metadata = manifest["spec"], manifest["metadata"]
    if spec.get("manualSelector"):
        return manifest
    own: dict[str, str] = {}
    for prefix in ("batch.kubernetes.io/", ""):
        own |= {f"{prefix}controller-uid": metadata["uid"], f"{prefix}job-name": metadata["name"]}
    template = spec.get("template") or {}
    inner = template.get("metadata") or {}
    labelled = {**template, "metadata": {**inner, "labels": {**(inner.get("labels") or {}), **own}}}
    selector = {"matchLabels": {"batch.kubernetes.io/controller-uid": metadata["uid"]}}
    spec = {**spec, "manualSelector": False, "selector": selector, "template": labelled}
    return {**manifest, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), **own}}, "spec": spec}


def _service(manifest: Manifest, taken: Callable[[str, str], bool]) -> Manifest:
    spec = dict(manifest["spec"])
    if spec["type"] == "ExternalName":
        return manifest
    if not spec.get("clusterIP"):
        free = (f"{SERVICE_NETWORK}.{high}.{low}" for high in range(256) for low in range(10, 255))
        spec["clusterIP"] = next(address for address in free if not taken("clusterIP", address))
    spec = {"clusterIPs": [spec["clusterIP"]], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", **spec}
    if spec["type"] in ("NodePort", "LoadBalancer"):
        free_ports = (port for port in range(30000, 32768) if not taken("nodePort", str(port)))
        ports = spec.get("ports") or ()
        spec["ports"] = [port if port.get("nodePort") else {**port, "nodePort": next(free_ports)} for port in ports]
    return {**manifest, "spec": spec}


GIVEN: dict[str, Callable[[Manifest, float], Manifest]] = {
    "Namespace": _namespace,
    "Pod": _pod,
    "Job": _job,
    "PersistentVolumeClaim": _protected("kubernetes.io/pvc-protection"),
    "PersistentVolume": _volume,
}
