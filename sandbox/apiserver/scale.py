"""The subresource `scale`: a Scale object in place of the workload, for autoscalers and `kubectl scale`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.apiserver.kinds import Kind, ScalePaths
from sandbox.apiserver.problems import Problem, cause, invalid

API_VERSION, KIND = "autoscaling/v1", "Scale"
COPIED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
"""Metadata that a Scale takes from its workload."""

OPERATORS = {"In": "in", "NotIn": "notin"}


def view(kind: Kind, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The Scale of a workload. Raises Problem for a custom resource without the field that holds the number."""
    paths = _paths(kind)
    replicas = _at(manifest, paths.spec)
    if replicas is None:
        raise Problem(
            "InternalError", f'Internal error occurred: the spec replicas field "{paths.spec}" does not exist'
        )
    status: dict[str, Any] = {"replicas": _at(manifest, paths.status) or 0}
    selector = selector_text(_at(manifest, paths.selector)) if paths.selector else ""
    if selector:
        status["selector"] = selector
    metadata = {name: manifest["metadata"][name] for name in COPIED if name in manifest["metadata"]}
    return {
        "kind": KIND,
        "apiVersion": API_VERSION,
        "metadata": metadata,
        "spec": {"replicas": replicas} if replicas else {},
        "status": status,
    }


def scaled(kind: Kind, manifest: dict[str, Any], scale: Mapping[str, Any]) -> dict[str, Any]:
    """The workload with the number that a Scale asks for, and with the Scale's resourceVersion as precondition."""
    if (scale.get("apiVersion"), scale.get("kind")) != (API_VERSION, KIND):
        wanted = f"({API_VERSION}, Kind={KIND})"
        stated = f"({scale.get('apiVersion')}, Kind={scale.get('kind')})"
        raise Problem(
            "BadRequest", f"the API version or kind in the data {stated} does not match the expected {wanted}"
        )
    spec = scale.get("spec") or {}
    replicas = spec.get("replicas", 0) if isinstance(spec, Mapping) else spec
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise Problem("BadRequest", "json: cannot unmarshal into field spec.replicas of type int32")
    name = manifest["metadata"]["name"]
    if replicas < 0:
        text = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise invalid(KIND, "autoscaling", name, [cause("FieldValueInvalid", text, "spec.replicas")])
    metadata = dict(manifest["metadata"])
    version = (scale.get("metadata") or {}).get("resourceVersion")
    metadata |= {"resourceVersion": version} if version else {}
    metadata.pop("managedFields", None)
    changed: dict[str, Any] = _with(
        {**manifest, "metadata": metadata}, _paths(kind).spec.strip(".").split("."), replicas
    )
    return changed


def selector_text(selector: Any) -> str:
    """A label selector as Kubernetes writes it in one line: `app=web,tier in (a,b)`."""
    if isinstance(selector, str) or selector is None:
        return selector or ""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for one in selector.get("matchExpressions") or ():
        key, operator = one["key"], one["operator"]
        if operator in OPERATORS:
            parts.append(f"{key} {OPERATORS[operator]} ({','.join(sorted(one.get('values') or ()))})")
        else:
            parts.append(key if operator == "Exists" else f"!{key}")
    return ",".join(parts)


def _paths(kind: Kind) -> ScalePaths:
    assert kind.scale is not None, kind.plural
    return kind.scale


def _at(manifest: Mapping[str, Any], path: str) -> Any:
    value: Any = manifest
    for step in path.strip(".").split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _with(value: Mapping[str, Any], steps: list[str], new: Any) -> dict[str, Any]:
    head, *rest = steps
    below = value.get(head)
    return {**value, head: _with(below if isinstance(below, Mapping) else {}, rest, new) if rest else new}
