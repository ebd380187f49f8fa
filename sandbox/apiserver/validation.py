"""Names, labels and other metadata, what may not change in an update, and what schemas cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sandbox.apiserver import conform, rules, structural
from sandbox.apiserver.kinds import Kind
from sandbox.apiserver.problems import Problem, cause, invalid, shown

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character"
)
LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character"
)

LABEL_NAMED = ("Namespace", "Service", "StatefulSet")
"""Kinds whose names are DNS labels."""

PATH_NAMED = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
"""Kinds whose names need only fit into a path."""

IMMUTABLE: dict[str, tuple[str, ...]] = {
    "Deployment": ("spec.selector",),
    "ReplicaSet": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "StatefulSet": ("spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"),
    "Job": ("spec.selector", "spec.template", "spec.completionMode"),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "Secret": ("type",),
    "StorageClass": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    "PersistentVolumeClaim": ("spec.accessModes", "spec.storageClassName", "spec.selector", "spec.volumeMode"),
    "VolumeAttachment": ("spec",),
    "CustomResourceDefinition": ("spec.group", "spec.scope", "spec.names.plural", "spec.names.kind"),
    "PriorityClass": ("value", "preemptionPolicy"),
    "IngressClass": ("spec.controller",),
}
"""Fields that an update may not change once they are set."""

POD_MUTABLE = ("activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations", "schedulingGates")
"""Pod fields that may change, container images besides; `nodeName` is set by a binding alone."""


def name_cause(kind: Kind, name: str, where: str = "metadata.name") -> dict[str, str] | None:
    """What is wrong with a name."""
    said = shown(name)
    if kind.kind in PATH_NAMED and not kind.custom:
        wrong = name in (".", "..") or "/" in name or "%" in name
        return (
            cause("FieldValueInvalid", f"Invalid value: {said}: may not contain '/' or '%'", where) if wrong else None
        )
    label = kind.kind in LABEL_NAMED and not kind.custom
    pattern, longest, words = (LABEL, 63, LABEL_WORDS) if label else (SUBDOMAIN, 253, SUBDOMAIN_WORDS)
    if len(name) > longest:
        return cause("FieldValueInvalid", f"Invalid value: {said}: must be no more than {longest} characters", where)
    return None if pattern.fullmatch(name) else cause("FieldValueInvalid", f"Invalid value: {said}: {words}", where)


def metadata_causes(kind: Kind, metadata: dict[str, Any]) -> Iterator[dict[str, str]]:
    """What is wrong with an object's metadata."""
    if found := name_cause(kind, metadata["name"]):
        yield found
    for key, value in (metadata.get("labels") or {}).items():
        yield from _key(key, "metadata.labels")
        if not isinstance(value, str) or len(value) > 63 or (value and not QUALIFIED.fullmatch(value)):
            words = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'"
            yield cause("FieldValueInvalid", f"Invalid value: {shown(value)}: {words}", "metadata.labels")
    for key in metadata.get("annotations") or {}:
        yield from _key(key.lower(), "metadata.annotations")
    for index, owner in enumerate(metadata.get("ownerReferences") or ()):
        for name in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(name):
                yield cause("FieldValueRequired", "must not be empty", f"metadata.ownerReferences[{index}].{name}")
    for finalizer in metadata.get("finalizers") or ():
        yield from _key(finalizer, "metadata.finalizers")


def _key(key: str, where: str) -> Iterator[dict[str, str]]:
    prefix, slash, name = key.rpartition("/")
    good = len(name) <= 63 and QUALIFIED.fullmatch(name) and (not slash or SUBDOMAIN.fullmatch(prefix))
    if not good:
        words = "name part must consist of alphanumeric characters, '-', '_' or '.'"
        yield cause("FieldValueInvalid", f"Invalid value: {shown(key)}: {words}", where)


def check(kind: Kind, manifest: dict[str, Any], old: dict[str, Any] | None, *, status: bool = False) -> None:
    """Refuse an object (or its change) that is not valid, naming every field that is wrong."""
    causes = list(metadata_causes(kind, manifest["metadata"]))
    if kind.custom:
        raw = {**kind.raw_schema, "required": [r for r in kind.raw_schema.get("required", ()) if r != "metadata"]}
        rest = {key: value for key, value in manifest.items() if key not in ("apiVersion", "kind", "metadata")}
        causes += sorted(conform.validate(raw, rest, ""), key=lambda one: one.get("field", ""))
        causes += rules.validate(kind.raw_schema, manifest, old, causes)
    elif not status:
        rest = {key: value for key, value in manifest.items() if key not in ("metadata", "status")}
        conform.missing(kind.schema, {**rest, "metadata": {}}, "", causes)
        causes += _enums(kind, rest)
        causes += list(BUILTIN_CHECKS[kind.kind](manifest)) if kind.kind in BUILTIN_CHECKS else []
    if old is not None:
        causes += update_causes(kind, old, manifest)
    if causes:
        raise invalid(kind.kind, kind.group, manifest["metadata"]["name"], causes)


def _enums(kind: Kind, manifest: dict[str, Any]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []

    def walk(node: Any, value: Any, path: str) -> None:
        if node is None or node.shape in ("any", "opaque"):
            return
        allowed = node.raw.get("enum")
        if allowed and value not in allowed and value != "":
            listed = ", ".join(shown(one) for one in allowed)
            text = f"Unsupported value: {shown(value)}: supported values: {listed}"
            found.append(cause("FieldValueNotSupported", text, path))
        if isinstance(value, dict) and node.shape == "map":
            for name, child in value.items():
                walk(node.field(name), child, f"{path}.{name}" if path else name)
        elif isinstance(value, list) and node.shape == "list":
            for index, item in enumerate(value):
                walk(node.item, item, f"{path}[{index}]")

    walk(kind.schema, manifest, "")
    return found


def _selector_matches_template(manifest: dict[str, Any]) -> Iterator[dict[str, str]]:
    from sandbox.apiserver.selectors import matches_selector

    spec = manifest.get("spec", {})
    labels = spec.get("template", {}).get("metadata", {}).get("labels") or {}
    selector = spec.get("selector")
    if not selector or not matches_selector(selector, labels):
        text = f"Invalid value: {shown(labels or None)}: `selector` does not match template `labels`"
        yield cause("FieldValueInvalid", text, "spec.template.metadata.labels")


def _crd(manifest: dict[str, Any]) -> Iterator[dict[str, str]]:
    spec = manifest["spec"]
    expected = f"{spec['names']['plural']}.{spec['group']}"
    if manifest["metadata"]["name"] != expected:
        text = f'Invalid value: "{manifest["metadata"]["name"]}": must be spec.names.plural+"."+spec.group'
        yield cause("FieldValueInvalid", text, "metadata.name")
    stored = [version for version in spec["versions"] if version["storage"]]
    if len(stored) != 1:
        yield cause("FieldValueInvalid", "must have exactly one version marked as storage version", "spec.versions")
    for index, version in enumerate(spec["versions"]):
        path = f"spec.versions[{index}].schema.openAPIV3Schema"
        yield from structural.check(version.get("schema", {}).get("openAPIV3Schema", {}), path)
        yield from rules.check(version.get("schema", {}).get("openAPIV3Schema", {}), path)
        if "openAPIV3Schema" not in version.get("schema", {}):
            yield cause("FieldValueRequired", "schemas are required", path)


def _containers(manifest: dict[str, Any]) -> Iterator[dict[str, str]]:
    from sandbox.apiserver.defaults import pod_specs

    for spec in pod_specs(manifest):
        if not spec["containers"]:
            yield cause("FieldValueRequired", "Required value", "spec.containers")
        for index, container in enumerate(spec["containers"]):
            if not container.get("image") and manifest["kind"] == "Pod":
                yield cause("FieldValueRequired", "Required value", f"spec.containers[{index}].image")


def _owned_template(manifest: dict[str, Any]) -> Iterator[dict[str, str]]:
    yield from _selector_matches_template(manifest)
    yield from _containers(manifest)


def _service_ports(manifest: dict[str, Any]) -> Iterator[dict[str, str]]:
    spec = manifest["spec"]
    if not spec.get("ports") and spec["type"] != "ExternalName" and spec.get("clusterIP") != "None":
        yield cause("FieldValueRequired", "Required value", "spec.ports")


def _autoscaler(manifest: dict[str, Any]) -> Iterator[dict[str, str]]:
    spec = manifest["spec"]
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        text = f"Invalid value: {least}: must be greater than or equal to 1"
        yield cause("FieldValueInvalid", text, "spec.minReplicas")
    if most < 1:
        yield cause("FieldValueInvalid", f"Invalid value: {most}: must be greater than 0", "spec.maxReplicas")
    if most < least:
        text = f"Invalid value: {most}: must be greater than or equal to `minReplicas`"
        yield cause("FieldValueInvalid", text, "spec.maxReplicas")
    for name in ("kind", "name"):
        if not spec.get("scaleTargetRef", {}).get(name):
            yield cause("FieldValueRequired", "Required value", f"spec.scaleTargetRef.{name}")


def _webhooks(manifest: dict[str, Any]) -> Iterator[dict[str, str]]:
    for index, webhook in enumerate(manifest.get("webhooks") or ()):
        at = f"webhooks[{index}]"
        if len(webhook.get("name", "").split(".")) < 3:
            words = "should be a domain with at least three segments separated by dots"
            yield cause("FieldValueInvalid", f"Invalid value: {shown(webhook.get('name', ''))}: {words}", f"{at}.name")
        if webhook.get("sideEffects") not in ("None", "NoneOnDryRun"):
            said = shown(webhook.get("sideEffects"))
            text = f'Unsupported value: {said}: supported values: "None", "NoneOnDryRun"'
            yield cause("FieldValueNotSupported", text, f"{at}.sideEffects")
        if not {"v1", "v1beta1"} & set(webhook.get("admissionReviewVersions") or ()):
            text = "Invalid value: must include at least one of v1, v1beta1"
            yield cause("FieldValueInvalid", text, f"{at}.admissionReviewVersions")
        config = webhook.get("clientConfig") or {}
        if ("url" in config) == ("service" in config):
            text = "Required value: exactly one of url or service is required"
            yield cause("FieldValueRequired", text, f"{at}.clientConfig")
        elif not config.get("url", "https://").startswith("https://"):
            text = f"Invalid value: {shown(config['url'])}: 'https' is the only allowed URL scheme"
            yield cause("FieldValueInvalid", text, f"{at}.clientConfig")


BUILTIN_CHECKS = {
    "Service": _service_ports,
    "Deployment": _owned_template,
    "StatefulSet": _owned_template,
    "DaemonSet": _owned_template,
    "Pod": _containers,
    "CustomResourceDefinition": _crd,
    "HorizontalPodAutoscaler": _autoscaler,
    "ValidatingWebhookConfiguration": _webhooks,
    "MutatingWebhookConfiguration": _webhooks,
}


def _at(manifest: dict[str, Any], path: str) -> Any:
    value: Any = manifest
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def update_causes(kind: Kind, old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, str]]:
    """What an update changes although it may not be changed."""
    causes: list[dict[str, str]] = []
    if not kind.custom:
        for path in IMMUTABLE.get(kind.kind, ()):
            before, after = _at(old, path), _at(new, path)
            if before is not None and before != after:
                text = f"Invalid value: {shown(after)}: field is immutable"
                causes.append(cause("FieldValueInvalid", text, path))
        if kind.kind in ("ConfigMap", "Secret") and old.get("immutable"):
            for path in ("data", "binaryData", "immutable"):
                if old.get(path) != new.get(path):
                    text = "Forbidden: field is immutable when `immutable` is set"
                    causes.append(cause("FieldValueForbidden", text, path))
        if kind.kind == "Pod" and _pod_frozen(old["spec"]) != _pod_frozen(new["spec"]):
            text = "Forbidden: pod updates may not change fields other than images, deadlines, tolerations and gates"
            causes.append(cause("FieldValueForbidden", text, "spec"))
    if old["metadata"].get("deletionTimestamp"):
        added = set(new["metadata"].get("finalizers") or ()) - set(old["metadata"].get("finalizers") or ())
        if added:
            text = "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
            causes.append(cause("FieldValueForbidden", text + shown(sorted(added)), "metadata.finalizers"))
    return causes


def _pod_frozen(spec: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in spec.items() if key not in POD_MUTABLE}
    for key in ("containers", "initContainers"):
        if key in kept:
            kept[key] = [{name: value for name, value in one.items() if name != "image"} for one in kept[key]]
    return kept


def check_identity(request_name: str, request_namespace: str, manifest: dict[str, Any]) -> None:
    """The body may not name another object than the path."""
    metadata = manifest["metadata"]
    if request_name and metadata.get("name") and metadata["name"] != request_name:
        message = f"the name of the object ({metadata['name']}) does not match the name on the URL ({request_name})"
        raise Problem("BadRequest", message)
    if metadata.get("namespace") and metadata["namespace"] != request_namespace:
        message = "the namespace of the provided object does not match the namespace sent on the request"
        raise Problem("BadRequest", message)
