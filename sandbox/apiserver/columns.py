"""The columns that `kubectl get` shows of each built-in kind, between NAME and AGE.

A row: heading, priority (1 is shown by `-o wide` alone), and what is in the cell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Manifest = dict[str, Any]
Cell = Callable[[Manifest, float], Any]


def at(path: str, otherwise: Any = "<none>") -> Cell:
    """What lies at a path of plain names."""
    steps = path.split(".")

    def cell(manifest: Manifest, _now: float) -> Any:
        value: Any = manifest
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        return otherwise if value is None else value

    return cell


def text(make: Callable[[Manifest], Any]) -> Cell:
    """A cell that needs no clock."""
    return lambda manifest, _now: make(manifest)


def _count(path: str) -> Cell:
    return at(path, 0)


def _size(field: str) -> Cell:
    return text(lambda manifest: len(manifest.get(field) or ()))


def _status(manifest: Manifest) -> dict[str, Any]:
    found: dict[str, Any] = manifest.get("status") or {}
    return found


def _join(items: Any) -> str:
    return ",".join(str(item) for item in items or ()) or "<none>"


ACCESS = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _modes(manifest: Manifest) -> str:
    modes = _status(manifest).get("accessModes") or manifest["spec"].get("accessModes")
    return ",".join(ACCESS.get(mode, mode) for mode in modes or ())


def _targets(manifest: Manifest) -> str:
    """`cpu: 40%/80%` for each resource metric; other metrics are not simulated."""
    current = {
        one["resource"]["name"]: one["resource"]["current"].get("averageUtilization")
        for one in _status(manifest).get("currentMetrics") or ()
        if one.get("resource")
    }
    shown = []
    for metric in manifest["spec"].get("metrics") or ():
        if metric["type"] == "Resource":
            name, target = metric["resource"]["name"], metric["resource"]["target"].get("averageUtilization")
            used = current.get(name)
            shown.append(f"{name}: {'<unknown>' if used is None else f'{used}%'}/{target}%")
    return ", ".join(shown) or "<none>"


def _containers_ready(manifest: Manifest) -> str:
    ready = sum(bool(one.get("ready")) for one in _status(manifest).get("containerStatuses", ()))
    return f"{ready}/{len(manifest['spec'].get('containers', ()))}"


def _restarts(manifest: Manifest) -> int:
    return sum(int(one.get("restartCount", 0)) for one in _status(manifest).get("containerStatuses", ()))


def _pod_state(manifest: Manifest) -> str:
    if manifest["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for one in _status(manifest).get("containerStatuses", ()):
        for state in ("waiting", "terminated"):
            if reason := (one.get("state") or {}).get(state, {}).get("reason"):
                return str(reason)
    return str(_status(manifest).get("reason") or _status(manifest).get("phase", "Unknown"))


def _ready_of(have: str, want: str) -> Cell:
    return lambda manifest, now: f"{at('status.' + have, 0)(manifest, now)}/{at('spec.' + want, 1)(manifest, now)}"


def _conditions(manifest: Manifest, *names: str) -> str:
    found = {one["type"]: one["status"] for one in _status(manifest).get("conditions", ())}
    return next((name for name in names if found.get(name) == "True"), "")


def _job_state(manifest: Manifest) -> str:
    if manifest["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return _conditions(manifest, "Complete", "Failed", "Suspended") or "Running"


def _node_state(manifest: Manifest) -> str:
    state = "Ready" if _conditions(manifest, "Ready") else "NotReady"
    return state + (",SchedulingDisabled" if manifest.get("spec", {}).get("unschedulable") else "")


def _phase(manifest: Manifest) -> str:
    deleting = manifest["metadata"].get("deletionTimestamp")
    return "Terminating" if deleting else str(_status(manifest).get("phase", ""))


def _ports(manifest: Manifest) -> str:
    ports = manifest.get("spec", {}).get("ports") or ()
    return _join(
        f"{one['port']}:{one['nodePort']}/{one['protocol']}"
        if "nodePort" in one
        else f"{one['port']}/{one['protocol']}"
        for one in ports
    )


def _claim(manifest: Manifest) -> str:
    reference = manifest["spec"].get("claimRef")
    return f"{reference.get('namespace')}/{reference.get('name')}" if reference else ""


def _images(manifest: Manifest) -> str:
    return _join(one.get("image") for one in manifest["spec"]["template"]["spec"].get("containers", ()))


def _role(manifest: Manifest) -> str:
    return f"{manifest['roleRef']['kind']}/{manifest['roleRef']['name']}"


def _involved(manifest: Manifest) -> str:
    found = manifest.get("involvedObject") or {}
    return f"{str(found.get('kind', '')).lower()}/{found.get('name', '')}"


def _hosts(manifest: Manifest) -> str:
    return _join(rule.get("host", "*") for rule in manifest.get("spec", {}).get("rules") or ())


WITHOUT_AGE = ("CustomResourceDefinition", "Event", "Role", "ClusterRole")
"""Kinds whose own rows carry the time."""

COLUMNS: dict[str, tuple[tuple[str, int, Cell], ...]] = {
    "Namespace": (("Status", 0, text(_phase)),),
    "ConfigMap": (("Data", 0, text(lambda m: len(m.get("data") or ()) + len(m.get("binaryData") or ()))),),
    "Secret": (("Type", 0, at("type")), ("Data", 0, _size("data"))),
    "Service": (
        ("Type", 0, at("spec.type")), ("Cluster-IP", 0, at("spec.clusterIP")),
        ("External-IP", 0, text(lambda _m: "<none>")),
        ("Port(s)", 0, text(_ports)),
    ),
    "ServiceAccount": (("Secrets", 0, _size("secrets")),),
    "Pod": (
        ("Ready", 0, text(_containers_ready)), ("Status", 0, text(_pod_state)), ("Restarts", 0, text(_restarts)),
        ("IP", 1, at("status.podIP")), ("Node", 1, at("spec.nodeName")),
    ),
    "PersistentVolumeClaim": (
        ("Status", 0, text(_phase)), ("Volume", 0, at("spec.volumeName", "")),
        ("Capacity", 0, at("status.capacity.storage", "")), ("Access Modes", 0, text(_modes)),
        ("StorageClass", 0, at("spec.storageClassName", "")), ("VolumeMode", 1, at("spec.volumeMode")),
    ),
    "PersistentVolume": (
        ("Capacity", 0, at("spec.capacity.storage", "")), ("Access Modes", 0, text(_modes)),
        ("Reclaim Policy", 0, at("spec.persistentVolumeReclaimPolicy")), ("Status", 0, text(_phase)),
        ("Claim", 0, text(_claim)), ("StorageClass", 0, at("spec.storageClassName", "")),
        ("Reason", 0, at("status.reason", "")), ("VolumeMode", 1, at("spec.volumeMode")),
    ),
    "Event": (
        ("Last Seen", 0, at("lastTimestamp", "<unknown>")), ("Type", 0, at("type", "")),
        ("Reason", 0, at("reason", "")),
        ("Object", 0, text(_involved)), ("Message", 0, at("message", "")),
    ),
    "Node": (
        ("Status", 0, text(_node_state)), ("Roles", 0, text(lambda _m: "<none>")),
        ("Version", 0, at("status.nodeInfo.kubeletVersion", "")),
    ),
    "Deployment": (
        ("Ready", 0, _ready_of("readyReplicas", "replicas")), ("Up-to-date", 0, _count("status.updatedReplicas")),
        ("Available", 0, _count("status.availableReplicas")), ("Images", 1, text(_images)),
    ),
    "StatefulSet": (("Ready", 0, _ready_of("readyReplicas", "replicas")), ("Images", 1, text(_images))),
    "ReplicaSet": (
        ("Desired", 0, _count("spec.replicas")), ("Current", 0, _count("status.replicas")),
        ("Ready", 0, _count("status.readyReplicas")), ("Images", 1, text(_images)),
    ),
    "DaemonSet": (
        ("Desired", 0, _count("status.desiredNumberScheduled")),
        ("Current", 0, _count("status.currentNumberScheduled")),
        ("Ready", 0, _count("status.numberReady")), ("Up-to-date", 0, _count("status.updatedNumberScheduled")),
        ("Available", 0, _count("status.numberAvailable")),
    ),
    "Job": (("Status", 0, text(_job_state)), ("Completions", 0, _ready_of("succeeded", "completions"))),
    "CronJob": (
        ("Schedule", 0, at("spec.schedule")), ("Timezone", 0, at("spec.timeZone")),
        ("Suspend", 0, text(lambda m: str(m["spec"].get("suspend", False)))),
        ("Active", 0, text(lambda m: len(_status(m).get("active") or ()))),
    ),
    "HorizontalPodAutoscaler": (
        ("Reference", 0, text(lambda m: "/".join(m["spec"]["scaleTargetRef"][key] for key in ("kind", "name")))),
        ("Targets", 0, text(_targets)), ("MinPods", 0, at("spec.minReplicas", "<unset>")),
        ("MaxPods", 0, at("spec.maxReplicas")), ("Replicas", 0, _count("status.currentReplicas")),
    ),
    "ValidatingWebhookConfiguration": (("Webhooks", 0, _size("webhooks")),),
    "MutatingWebhookConfiguration": (("Webhooks", 0, _size("webhooks")),),
    "Role": (("Created At", 0, at("metadata.creationTimestamp")),),
    "ClusterRole": (("Created At", 0, at("metadata.creationTimestamp")),),
    "RoleBinding": (("Role", 0, text(_role)),),
    "ClusterRoleBinding": (("Role", 0, text(_role)),),
    "Lease": (("Holder", 0, at("spec.holderIdentity", "")),),
    "StorageClass": (
        ("Provisioner", 0, at("provisioner")), ("ReclaimPolicy", 0, at("reclaimPolicy")),
        ("VolumeBindingMode", 0, at("volumeBindingMode")),
        ("AllowVolumeExpansion", 0, at("allowVolumeExpansion", False)),
    ),
    "VolumeAttachment": (
        ("Attacher", 0, at("spec.attacher")), ("PV", 0, at("spec.source.persistentVolumeName", "")),
        ("Node", 0, at("spec.nodeName")), ("Attached", 0, at("status.attached", False)),
    ),
    "ValidatingAdmissionPolicy": (
        ("Validations", 0, text(lambda m: len(m["spec"].get("validations") or ()))),
        ("ParamKind", 0, text(lambda m: "/".join((m["spec"].get("paramKind") or {}).values()) or "<unset>")),
    ),
    "ValidatingAdmissionPolicyBinding": (
        ("PolicyName", 0, at("spec.policyName")),
        ("ParamRef", 0, text(lambda m: "/".join(
            str(m["spec"].get("paramRef", {}).get(key, "*")) for key in ("namespace", "name")))),
    ),
    "PodDisruptionBudget": (
        ("Min Available", 0, at("spec.minAvailable", "N/A")), ("Max Unavailable", 0, at("spec.maxUnavailable", "N/A")),
        ("Allowed Disruptions", 0, _count("status.disruptionsAllowed")),
    ),
    "NetworkPolicy": (
        ("Pod-Selector", 0, text(lambda m: _join(
            f"{k}={v}" for k, v in (m["spec"].get("podSelector", {}).get("matchLabels") or {}).items()))),
    ),
    "Ingress": (("Class", 0, at("spec.ingressClassName")), ("Hosts", 0, text(_hosts))),
    "IngressClass": (("Controller", 0, at("spec.controller")),),
    "PriorityClass": (("Value", 0, at("value")), ("Global-Default", 0, at("globalDefault", False))),
    "EndpointSlice": (("AddressType", 0, at("addressType")),),
    "CustomResourceDefinition": (("Created At", 0, at("metadata.creationTimestamp")),),
}  # fmt: skip
