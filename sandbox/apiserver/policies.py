"""ValidatingAdmissionPolicies in their compiled form: what they match, and what they say of one request.

The order and the words are Kubernetes': match conditions, then every validation; what cannot be evaluated is decided
by `failurePolicy`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.apiserver.expressions import EvaluationError, Expression, compiled
from sandbox.apiserver.kinds import Kind
from sandbox.apiserver.requests import Request
from sandbox.apiserver.selectors import matches_selector

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attributes:
    """One request as admission sees it. `namespace` is the Namespace object, None for cluster-scoped kinds."""

    operation: str
    kind: Kind
    request: Request
    name: str
    new: Manifest | None
    old: Manifest | None
    namespace: Manifest | None

    def of(self, new: Manifest | None) -> Attributes:
        """The same request with another new object."""
        return replace(self, new=new)


@dataclass(frozen=True, slots=True)
class Decision:
    """A refusal: its words and Kubernetes' reason."""

    message: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Validation:
    """One row of `spec.validations`."""

    expression: Expression
    message: str
    message_expression: Expression | None
    reason: str


class Policy:
    """A ValidatingAdmissionPolicy, compiled."""

    def __init__(self, manifest: Manifest) -> None:
        spec = manifest["spec"]
        self.name: str = manifest["metadata"]["name"]
        self.fails = spec.get("failurePolicy", "Fail") == "Fail"
        self.constraints: Manifest = spec.get("matchConstraints") or {}
        self.param_kind: Manifest | None = spec.get("paramKind")
        self.variables = [(one["name"], compiled(one["expression"])) for one in spec.get("variables") or ()]
        self.conditions = [(one["name"], compiled(one["expression"])) for one in spec.get("matchConditions") or ()]
        self.validations = [
            Validation(
                compiled(one["expression"]),
                one.get("message", "").strip(),
                compiled(one["messageExpression"]) if one.get("messageExpression") else None,
                one.get("reason", "Invalid"),
            )
            for one in spec.get("validations") or ()
        ]

    def decide(self, attributes: Attributes, params: Manifest | None) -> list[Decision]:
        """The refusals of one request under one parameter; none admits it."""
        values = values_of(attributes, params)
        matched, failure = conditions_hold(self.conditions, values)
        if failure is not None:
            return [Decision(failure)] if self.fails else []
        if not matched:
            return []
        variables: dict[str, Any] = {}
        values["variables"] = variables
        for name, expression in self.variables:
            try:
                variables[name] = expression.evaluate(values)
            except EvaluationError:
                continue  # as in Kubernetes, only who uses the variable meets its error
        decisions = [self._validate(one, values) for one in self.validations]
        return [decision for decision in decisions if decision is not None]

    def _validate(self, one: Validation, values: Manifest) -> Decision | None:
        try:
            if one.expression.evaluate(values) is True:
                return None
        except EvaluationError as error:
            return Decision(str(error)) if self.fails else None
        message = ""
        if one.message_expression is not None:
            try:
                said = one.message_expression.evaluate(values)
                message = said.strip() if isinstance(said, str) and "\n" not in said else ""
            except EvaluationError:
                message = ""
        return Decision(message or one.message or f"failed expression: {one.expression.source.strip()}", one.reason)


def conditions_hold(conditions: Iterable[tuple[str, Expression]], values: Manifest) -> tuple[bool, str | None]:
    """Whether every match condition holds; one that is false outweighs one that cannot be evaluated (the message)."""
    errors: list[str] = []
    for name, expression in conditions:
        try:
            if expression.evaluate(values) is not True:
                return False, None
        except EvaluationError as error:
            errors.append(f"matchCondition '{name}': {error}")
    return (False, "; ".join(errors)) if errors else (True, None)


def values_of(attributes: Attributes, params: Manifest | None) -> Manifest:
    """What the expressions of a policy or a webhook may read."""
    request, kind = attributes.request, attributes.kind
    gvk = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    if request.subresource == "scale":
        gvk = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    gvr = {"group": kind.group, "version": kind.version, "resource": kind.plural}
    namespace = attributes.request.namespace if kind.namespaced else ""
    asked: Manifest = {
        "kind": gvk,
        "resource": gvr,
        "subResource": request.subresource,
        "requestKind": gvk,
        "requestResource": gvr,
        "requestSubResource": request.subresource,
        "name": attributes.name,
        "namespace": namespace,
        "operation": attributes.operation,
        "userInfo": {"username": request.user.name, "uid": "", "groups": list(request.user.groups), "extra": {}},
        "dryRun": request.dry_run,
        "options": {},
    }
    found = {"object": attributes.new, "oldObject": attributes.old, "request": asked, "params": params}
    return found | {"namespaceObject": attributes.namespace, "authorizer": {}}


def matches(constraints: Mapping[str, Any], attributes: Attributes) -> bool:
    """MatchResources: rules, exclusions and both selectors. Without rules every resource matches."""
    rules = constraints.get("resourceRules")
    if any(_rule(rule, attributes) for rule in constraints.get("excludeResourceRules") or ()):
        return False
    if rules and not any(_rule(rule, attributes) for rule in rules):
        return False
    return _namespace(constraints, attributes) and _labels(constraints.get("objectSelector"), attributes)


def _rule(rule: Mapping[str, Any], attributes: Attributes) -> bool:
    kind, request = attributes.kind, attributes.request
    names = rule.get("resourceNames")
    return (
        _one_of(rule.get("operations") or (), attributes.operation)
        and _one_of(rule.get("apiGroups") or (), kind.group)
        and _one_of(rule.get("apiVersions") or (), kind.version)
        and any(_resource(one, kind.plural, request.subresource) for one in rule.get("resources") or ())
        and (not names or attributes.name in names)
        and rule.get("scope", "*") in ("*", "Namespaced" if kind.namespaced else "Cluster")
    )


def _one_of(wanted: Iterable[str], found: str) -> bool:
    return any(one in ("*", found) for one in wanted)


def _resource(wanted: str, plural: str, subresource: str) -> bool:
    resource, slash, sub = wanted.partition("/")
    if wanted == "*/*":
        return True
    if resource not in ("*", plural):
        return False
    return sub in ("*", subresource) if slash else not subresource


def _namespace(constraints: Mapping[str, Any], attributes: Attributes) -> bool:
    selector = constraints.get("namespaceSelector")
    if not selector:
        return True
    if attributes.kind.storage == "namespaces":
        found = attributes.new or attributes.old or {}
    elif attributes.namespace is not None:
        found = attributes.namespace
    else:
        return True
    return matches_selector(selector, found.get("metadata", {}).get("labels") or {})


def _labels(selector: Mapping[str, Any] | None, attributes: Attributes) -> bool:
    """The new object or the old one: neither adding nor removing a label slips through."""
    if not selector:
        return True
    return any(
        one is not None and matches_selector(selector, one["metadata"].get("labels") or {})
        for one in (attributes.new, attributes.old)
    )
