"""What Kubernetes fills into built-in objects beyond their schema's own defaults.

A row: a kind, the place (`[]` goes through a list's items) and the value put where the field is absent. Rows apply in
order. Facts from Kubernetes' API documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

POD_SPEC: tuple[tuple[str, Any], ...] = (
    ("restartPolicy", "Always"),
    ("terminationGracePeriodSeconds", 30),
    ("dnsPolicy", "ClusterFirst"),
    ("securityContext", {}),
    ("schedulerName", "default-scheduler"),
    ("containers[].terminationMessagePath", "/dev/termination-log"),
    ("containers[].terminationMessagePolicy", "File"),
    ("initContainers[].terminationMessagePath", "/dev/termination-log"),
    ("initContainers[].terminationMessagePolicy", "File"),
    ("containers[].env[].valueFrom.fieldRef.apiVersion", "v1"),
    ("volumes[].secret.defaultMode", 420),
    ("volumes[].configMap.defaultMode", 420),
    ("volumes[].projected.defaultMode", 420),
    ("volumes[].downwardAPI.defaultMode", 420),
    ("volumes[].hostPath.type", ""),
    *(
        (f"containers[].{probe}.{name}", value)
        for probe in ("livenessProbe", "readinessProbe", "startupProbe")
        for name, value in (
            ("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3),
            ("httpGet.path", "/"), ("httpGet.scheme", "HTTP"),
        )
    ),
)  # fmt: skip

POD_ONLY: tuple[tuple[str, Any], ...] = (("enableServiceLinks", True),)


def _below(place: str, rows: tuple[tuple[str, Any], ...]) -> tuple[tuple[str, Any], ...]:
    return tuple((f"{place}.{path}", value) for path, value in rows)


ROLLING = {"maxUnavailable": "25%", "maxSurge": "25%"}
JOB: tuple[tuple[str, Any], ...] = (
    ("completions", 1), ("parallelism", 1), ("backoffLimit", 6), ("completionMode", "NonIndexed"), ("suspend", False),
    ("podReplacementPolicy", "TerminatingOrFailed"),
    *_below("template.spec", POD_SPEC),
)  # fmt: skip

WEBHOOK: tuple[tuple[str, Any], ...] = (
    ("webhooks[].failurePolicy", "Fail"), ("webhooks[].matchPolicy", "Equivalent"),
    ("webhooks[].namespaceSelector", {}), ("webhooks[].objectSelector", {}), ("webhooks[].timeoutSeconds", 10),
    ("webhooks[].rules[].scope", "*"),
)  # fmt: skip

CPU_METRICS = [
    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
]
SCALE_UP = [{"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}]
SCALE_DOWN = [{"type": "Percent", "value": 100, "periodSeconds": 15}]

DEFAULTS: dict[str, tuple[tuple[str, Any], ...]] = {
    "Pod": (*_below("spec", POD_SPEC), *_below("spec", POD_ONLY)),
    "Deployment": (
        ("spec.replicas", 1), ("spec.strategy.type", "RollingUpdate"), ("spec.revisionHistoryLimit", 10),
        ("spec.progressDeadlineSeconds", 600), *_below("spec.template.spec", POD_SPEC),
    ),
    "StatefulSet": (
        ("spec.replicas", 1), ("spec.podManagementPolicy", "OrderedReady"), ("spec.revisionHistoryLimit", 10),
        ("spec.updateStrategy.type", "RollingUpdate"),
        ("spec.persistentVolumeClaimRetentionPolicy", {"whenDeleted": "Retain", "whenScaled": "Retain"}),
        ("spec.volumeClaimTemplates[].apiVersion", "v1"),
        ("spec.volumeClaimTemplates[].kind", "PersistentVolumeClaim"),
        ("spec.volumeClaimTemplates[].spec.volumeMode", "Filesystem"),
        ("spec.volumeClaimTemplates[].status.phase", "Pending"),
        *_below("spec.template.spec", POD_SPEC),
    ),
    "ReplicaSet": (("spec.replicas", 1), *_below("spec.template.spec", POD_SPEC)),
    "DaemonSet": (
        ("spec.updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}),
        ("spec.revisionHistoryLimit", 10), *_below("spec.template.spec", POD_SPEC),
    ),
    "Job": _below("spec", JOB),
    "CronJob": (
        ("spec.concurrencyPolicy", "Allow"), ("spec.suspend", False), ("spec.successfulJobsHistoryLimit", 3),
        ("spec.failedJobsHistoryLimit", 1),
        *_below("spec.jobTemplate.spec.template.spec", POD_SPEC),
    ),
    "Service": (
        ("spec.type", "ClusterIP"), ("spec.sessionAffinity", "None"), ("spec.ports[].protocol", "TCP"),
        ("spec.internalTrafficPolicy", "Cluster"),
    ),
    "Secret": (("type", "Opaque"),),
    "PersistentVolumeClaim": (("spec.volumeMode", "Filesystem"), ("status.phase", "Pending")),
    "PersistentVolume": (
        ("spec.persistentVolumeReclaimPolicy", "Retain"), ("spec.volumeMode", "Filesystem"),
        ("status.phase", "Pending"),
    ),
    "Namespace": (("status.phase", "Active"),),
    "StorageClass": (("reclaimPolicy", "Delete"), ("volumeBindingMode", "Immediate")),
    "RoleBinding": (("roleRef.apiGroup", "rbac.authorization.k8s.io"),),
    "ClusterRoleBinding": (("roleRef.apiGroup", "rbac.authorization.k8s.io"),),
    "ValidatingAdmissionPolicy": (
        ("spec.failurePolicy", "Fail"), ("spec.matchConstraints.matchPolicy", "Equivalent"),
        ("spec.matchConstraints.namespaceSelector", {}), ("spec.matchConstraints.objectSelector", {}),
        ("spec.matchConstraints.resourceRules[].scope", "*"),
    ),
    "ValidatingAdmissionPolicyBinding": (
        ("spec.matchResources.matchPolicy", "Equivalent"), ("spec.matchResources.namespaceSelector", {}),
        ("spec.matchResources.objectSelector", {}), ("spec.matchResources.resourceRules[].scope", "*"),
    ),
    "ValidatingWebhookConfiguration": WEBHOOK,
    "MutatingWebhookConfiguration": (*WEBHOOK, ("webhooks[].reinvocationPolicy", "Never")),
    "HorizontalPodAutoscaler": (("spec.minReplicas", 1), ("spec.metrics", CPU_METRICS)),
    "CustomResourceDefinition": (("spec.conversion", {"strategy": "None"}),),
    "PriorityClass": (("preemptionPolicy", "PreemptLowerPriority"),),
    "NetworkPolicy": (("spec.policyTypes", ["Ingress"]),),
}  # fmt: skip


def fill_builtin(kind: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """The object with Kubernetes' own defaults for its kind."""
    for path, value in DEFAULTS.get(kind, ()):
        manifest = _put(manifest, path.split("."), value)
    for rule in RULES.get(kind, ()):
        manifest = rule(manifest)
    return manifest


def _put(value: Any, steps: list[str], default: Any) -> Any:
    """The value with `default` at the path where its parent is there and it is not."""
    step, rest = steps[0], steps[1:]
    if not isinstance(value, dict):
        return value
    if step.endswith("[]"):
        items = value.get(step[:-2])
        if not isinstance(items, list):
            return value
        changed = [_put(item, rest, default) for item in items]
        same = all(new is old for new, old in zip(changed, items, strict=True))
        return value if same else {**value, step[:-2]: changed}
    if not rest:
        return value if step in value else {**value, step: default}
    if step not in value:
        return value
    child = _put(value[step], rest, default)
    return value if child is value[step] else {**value, step: child}


def _spec(manifest: dict[str, Any], **more: Any) -> dict[str, Any]:
    spec = manifest.get("spec", {})
    return {**manifest, "spec": {**{key: value for key, value in more.items() if key not in spec}, **spec}}


def _rolling(manifest: dict[str, Any]) -> dict[str, Any]:
    """A rolling strategy has its numbers."""
    strategy = manifest.get("spec", {}).get("strategy", {})
    if strategy.get("type") != "RollingUpdate":
        return manifest
    rolling = {**ROLLING, **(strategy.get("rollingUpdate") or {})}
    return {**manifest, "spec": {**manifest["spec"], "strategy": {**strategy, "rollingUpdate": rolling}}}


def _rolling_stateful(manifest: dict[str, Any]) -> dict[str, Any]:
    strategy = manifest.get("spec", {}).get("updateStrategy", {})
    if strategy.get("type") != "RollingUpdate":
        return manifest
    rolling = {"partition": 0, **(strategy.get("rollingUpdate") or {})}
    return {**manifest, "spec": {**manifest["spec"], "updateStrategy": {**strategy, "rollingUpdate": rolling}}}


def pod_specs(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The pod spec of a pod, or of the template of a kind that makes pods."""
    spec = manifest.get("spec", {})
    for place in (spec, spec.get("template", {}).get("spec"), _cron_template(spec)):
        if isinstance(place, dict) and "containers" in place:
            yield place


def _cron_template(spec: dict[str, Any]) -> Any:
    return spec.get("jobTemplate", {}).get("spec", {}).get("template", {}).get("spec")


def _pull_policies(manifest: dict[str, Any]) -> dict[str, Any]:
    """imagePullPolicy follows the tag: `latest` or none is Always."""

    def fix(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("containers"), list):
            lists = {key: value[key] for key in ("containers", "initContainers") if isinstance(value.get(key), list)}
            return {**value, **{key: [_pull_policy(one) for one in items] for key, items in lists.items()}}
        steps = [step for step in ("spec", "template", "jobTemplate") if step in value]
        return {**value, **{step: fix(value[step]) for step in steps}} if steps else value

    fixed: dict[str, Any] = fix(manifest)
    return fixed


def _pull_policy(container: Any) -> Any:
    if not isinstance(container, dict) or "imagePullPolicy" in container:
        return container
    tag = str(container.get("image", "")).rpartition("/")[2]
    digest = "@" in tag
    latest = not digest and (":" not in tag or tag.endswith(":latest"))
    return {**container, "imagePullPolicy": "Always" if latest else "IfNotPresent"}


def _target_ports(manifest: dict[str, Any]) -> dict[str, Any]:
    """Service ports lead to themselves."""
    ports = manifest.get("spec", {}).get("ports")
    if not isinstance(ports, list):
        return manifest
    full = [{**port, "targetPort": port.get("targetPort", port.get("port"))} for port in ports]
    return _spec({**manifest, "spec": {**manifest["spec"], "ports": full}})


def _string_data(manifest: dict[str, Any]) -> dict[str, Any]:
    """A Secret's stringData is written into data and not kept."""
    import base64

    if "stringData" not in manifest:
        return manifest
    coded = {key: base64.b64encode(str(text).encode()).decode() for key, text in manifest["stringData"].items()}
    rest = {key: value for key, value in manifest.items() if key != "stringData"}
    return {**rest, "data": {**rest.get("data", {}), **coded}}


def _namespace_label(manifest: dict[str, Any]) -> dict[str, Any]:
    """An object that is shown by name carries `kubernetes.io/metadata.name`."""
    metadata = manifest["metadata"]
    if "name" not in metadata:
        return manifest
    labels = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": metadata["name"]}
    return {**manifest, "metadata": {**metadata, "labels": labels}}


def _crd_names(manifest: dict[str, Any]) -> dict[str, Any]:
    names = manifest.get("spec", {}).get("names")
    if not isinstance(names, dict) or "kind" not in names:
        return manifest
    full = {"listKind": f"{names['kind']}List", "singular": names["kind"].lower(), **names}
    return {**manifest, "spec": {**manifest["spec"], "names": full}}


def _scaling(manifest: dict[str, Any]) -> dict[str, Any]:
    """An autoscaler that states some behaviour gets the rest of it."""
    behavior = manifest.get("spec", {}).get("behavior")
    if not isinstance(behavior, dict):
        return manifest
    up = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": SCALE_UP, **behavior.get("scaleUp", {})}
    down = {"selectPolicy": "Max", "policies": SCALE_DOWN, **behavior.get("scaleDown", {})}
    return {**manifest, "spec": {**manifest["spec"], "behavior": {**behavior, "scaleUp": up, "scaleDown": down}}}


def _webhook_ports(manifest: dict[str, Any]) -> dict[str, Any]:
    def filled(webhook: Any) -> Any:
        config = webhook.get("clientConfig") if isinstance(webhook, dict) else None
        if not isinstance(config, dict) or not isinstance(config.get("service"), dict):
            return webhook
        return {**webhook, "clientConfig": {**config, "service": {"port": 443, **config["service"]}}}

    webhooks = manifest.get("webhooks")
    return {**manifest, "webhooks": [filled(one) for one in webhooks]} if isinstance(webhooks, list) else manifest


Rule = Callable[[dict[str, Any]], dict[str, Any]]
RULES: dict[str, tuple[Rule, ...]] = {
    "Pod": (_pull_policies,),
    "Deployment": (_rolling, _pull_policies),
    "StatefulSet": (_rolling_stateful, _pull_policies),
    "ReplicaSet": (_pull_policies,),
    "DaemonSet": (_pull_policies,),
    "Job": (_pull_policies,),
    "CronJob": (_pull_policies,),
    "Service": (_target_ports,),
    "Secret": (_string_data,),
    "Namespace": (_namespace_label,),
    "CustomResourceDefinition": (_crd_names,),
    "HorizontalPodAutoscaler": (_scaling,),
    "ValidatingWebhookConfiguration": (_webhook_ports,),
    "MutatingWebhookConfiguration": (_webhook_ports,),
}
