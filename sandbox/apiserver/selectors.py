"""Label and field selectors, parsed once a request and then asked for each object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.apiserver.kinds import Kind
from sandbox.apiserver.problems import Problem

Match = Callable[[dict[str, Any]], bool]

_SET = re.compile(r"^(?P<key>[^\s!=,()]+)\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)$")
_EQUAL = re.compile(r"^(?P<key>[^\s!=,()]+)\s*(?P<op>==|=|!=)\s*(?P<value>[^\s!=,()]*)$")
_EXISTS = re.compile(r"^(?P<no>!?)\s*(?P<key>[^\s!=,()]+)$")

FIELDS: dict[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName", "status.phase", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
        "spec.hostNetwork", "status.podIP", "status.nominatedNodeName",
    ),
    "events": (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "source", "type",
    ),
    "namespaces": ("status.phase",),
    "nodes": ("spec.unschedulable",),
    "secrets": ("type",),
    "replicasets.apps": ("status.replicas",),
    "jobs.batch": ("status.successful",),
}  # fmt: skip
"""Fields besides metadata.name and metadata.namespace that a resource can be selected by."""


def _requirements(text: str) -> list[str]:
    """Split at commas outside parentheses."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", text) if part.strip()]


def label_requirement(text: str) -> Callable[[Mapping[str, str]], bool]:
    """One requirement of a label selector."""
    if found := _SET.match(text):
        key, values = found["key"], {value.strip() for value in found["values"].split(",")}
        if found["op"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.match(text):
        key, value = found["key"], found["value"]
        if found["op"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _EXISTS.match(text):
        key = found["key"]
        return (lambda labels: key not in labels) if found["no"] else (lambda labels: key in labels)
    raise Problem("BadRequest", f"unable to parse requirement: {text!r} is not a valid label selector")


def labels(text: str) -> Match | None:
    """A `labelSelector` parameter; None selects everything."""
    requirements = [label_requirement(part) for part in _requirements(text)]
    if not requirements:
        return None
    return lambda manifest: all(one(manifest["metadata"].get("labels") or {}) for one in requirements)


def _value(manifest: dict[str, Any], path: str) -> str:
    value: Any = manifest
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if path == "source" and isinstance(value, dict):
        value = value.get("component")
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def fields(text: str, kind: Kind) -> Match | None:
    """A `fieldSelector` parameter; None selects everything."""
    known = ("metadata.name", "metadata.namespace", *FIELDS.get(kind.storage, ()), *_selectable(kind))
    requirements: list[Match] = []
    for part in _requirements(text):
        found = _EQUAL.match(part)
        if not found:
            raise Problem("BadRequest", f"invalid selector: {text!r}; can't understand {part!r}")
        if found["key"] not in known:
            raise Problem("BadRequest", f"field label not supported: {found['key']}")
        requirements.append(_field(found["key"], found["value"], equal=found["op"] != "!="))
    return (lambda manifest: all(one(manifest) for one in requirements)) if requirements else None


def _selectable(kind: Kind) -> tuple[str, ...]:
    return tuple(one["jsonPath"].lstrip(".") for one in kind.selectable)


def _field(path: str, value: str, *, equal: bool) -> Match:
    return lambda manifest: (_value(manifest, path) == value) is equal


def matches_selector(selector: Mapping[str, Any] | None, found: Mapping[str, str]) -> bool:
    """A LabelSelector object (`matchLabels`, `matchExpressions`) against labels; absent or empty selects everything."""
    if not selector:
        return True
    if any(found.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(one, found) for one in selector.get("matchExpressions") or ())


def _expression(one: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    key, values = one["key"], one.get("values") or ()
    match one["operator"]:
        case "In":
            return found.get(key) in values
        case "NotIn":
            return found.get(key) not in values
        case "Exists":
            return key in found
        case "DoesNotExist":
            return key not in found
    raise Problem("BadRequest", f"{one['operator']!r} is not a valid label selector operator")
