"""Admission: which policies and bindings a write meets, with which parameters, the refusal that follows, and the order
of policies and webhooks.

Policies, bindings and parameters are read from the store at the very moment of the write, under its lock: a changed
permit acts at once.
"""

from __future__ import annotations

from typing import Any

from sandbox.apiserver import expressions, policies
from sandbox.apiserver.kinds import Kind
from sandbox.apiserver.policies import Attributes, Decision, Policy
from sandbox.apiserver.problems import CODES, Problem, cause, details, invalid, qualified
from sandbox.apiserver.registry import Registry
from sandbox.apiserver.requests import Request
from sandbox.apiserver.selectors import matches_selector
from sandbox.apiserver.store import Store
from sandbox.apiserver.webhooks import MUTATING, VALIDATING, Webhooks

Manifest = dict[str, Any]
POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"
BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
EXEMPT = (POLICIES, BINDINGS)
"""A policy never rules over policies: else one could lock itself in."""

NO_PARAMS = "no params found for policy binding with `Deny` parameterNotFoundAction"


class ConfigurationError(Exception):
    """A policy or binding cannot be used as it stands; `failurePolicy` decides."""


class Policies:
    """Decides about writes by the policies in the store."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store, self._registry = store, registry
        self._compiled: dict[tuple[str, int], Policy] = {}

    def admit(self, operation: str, kind: Kind, request: Request, new: Manifest | None, old: Manifest | None) -> None:
        """Return, or raise the refusal of the first policy that denies."""
        if kind.storage in EXEMPT:
            if new is not None and kind.storage == POLICIES:
                check(kind, new)
            return
        bound = self._store.bucket(BINDINGS).objects
        if not bound:
            return
        attributes = attributes_of(self._store, operation, kind, request, new, old)
        for stored in list(bound.values()):
            self._binding(stored.object, attributes)

    def _binding(self, binding: Manifest, attributes: Attributes) -> None:
        spec = binding["spec"]
        policy = self._policy(spec["policyName"])
        if policy is None or not policies.matches(policy.constraints, attributes):
            return
        if not policies.matches(spec.get("matchResources") or {}, attributes):
            return
        try:
            params = self._params(policy, spec.get("paramRef"), attributes)
        except ConfigurationError as error:
            if policy.fails:
                refused = Decision(f"failed to configure binding: {error}")
                raise _refusal(policy, binding, attributes, refused) from None
            return
        for one in params:
            for decision in policy.decide(attributes, one):
                self._act(policy, binding, attributes, decision)

    def _act(self, policy: Policy, binding: Manifest, attributes: Attributes, decision: Decision) -> None:
        actions = binding["spec"].get("validationActions") or ()
        if "Deny" in actions:
            raise _refusal(policy, binding, attributes, decision)
        if "Warn" in actions:
            start = f"Validation failed for ValidatingAdmissionPolicy '{policy.name}' with binding "
            attributes.request.warnings.append(f"{start}'{binding['metadata']['name']}': {decision.message}")

    def _policy(self, name: str) -> Policy | None:
        stored = self._store.get(POLICIES, "", name)
        if stored is None:
            return None
        key = (stored.object["metadata"]["uid"], stored.object["metadata"].get("generation", 0))
        if key not in self._compiled:
            self._compiled[key] = Policy(stored.object)
        return self._compiled[key]

    def _params(self, policy: Policy, reference: Manifest | None, attributes: Attributes) -> list[Manifest | None]:
        """The parameters that a binding names; one None where there are none to be had."""
        if policy.param_kind is None or reference is None:
            return [None]
        wanted = policy.param_kind
        kind = self._registry.by_kind(wanted["apiVersion"], wanted["kind"])
        if kind is None:
            raise ConfigurationError(f"paramKind kind `{wanted['apiVersion']}, Kind={wanted['kind']}` not known")
        namespace = reference.get("namespace", "")
        if kind.namespaced:
            namespace = namespace or (attributes.request.namespace if attributes.kind.namespaced else "")
            if not namespace:
                words = "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
                raise ConfigurationError(words)
        elif namespace:
            raise ConfigurationError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
        found = self._found(kind, namespace, reference)
        if not found and reference.get("parameterNotFoundAction") == "Deny":
            raise ConfigurationError(NO_PARAMS)
        return found

    def _found(self, kind: Kind, namespace: str, reference: Manifest) -> list[Manifest | None]:
        if reference.get("name"):
            stored = self._store.get(kind.storage, namespace, reference["name"])
            return [stored.object] if stored else []
        listed = self._store.snapshot(kind.storage, namespace or None)[1]
        selector = reference.get("selector")
        return [one.object for one in listed if matches_selector(selector, one.object["metadata"].get("labels") or {})]


class AdmissionChain:
    """Everything that may change or refuse a write: mutating webhooks, policies, validating webhooks, in this order."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._policies, self._webhooks = Policies(store, registry), Webhooks(store)

    def mutate(
        self, operation: str, kind: Kind, request: Request, new: Manifest | None, old: Manifest | None
    ) -> Manifest | None:
        """The new object as the mutating webhooks leave it. Raises a refusal, or AnswerNeeded."""
        if not self._store.bucket(MUTATING).objects:
            return new
        return self._webhooks.mutate(attributes_of(self._store, operation, kind, request, new, old))

    def admit(self, operation: str, kind: Kind, request: Request, new: Manifest | None, old: Manifest | None) -> None:
        """Return, or raise a refusal, or AnswerNeeded."""
        self._policies.admit(operation, kind, request, new, old)
        if self._store.bucket(VALIDATING).objects:
            self._webhooks.admit(attributes_of(self._store, operation, kind, request, new, old))


def attributes_of(
    store: Store, operation: str, kind: Kind, request: Request, new: Manifest | None, old: Manifest | None
) -> Attributes:
    """A write as admission sees it, with the Namespace that it is in."""
    metadata = (new or old or {}).get("metadata", {})
    namespace = store.get("namespaces", "", request.namespace) if kind.namespaced else None
    shown = namespace.object if namespace else None
    return Attributes(operation, kind, request, metadata.get("name", ""), new, old, shown)


def _refusal(policy: Policy, binding: Manifest, attributes: Attributes, decision: Decision) -> Problem:
    message = (
        f"ValidatingAdmissionPolicy '{policy.name}' with binding '{binding['metadata']['name']}' "
        f"denied request: {decision.message}"
    )
    kind = attributes.kind
    where = qualified(kind.plural, kind.group)
    reason = decision.reason or "Invalid"
    named = details(kind.plural, kind.group, attributes.name, causes=[{"message": message}])
    return Problem(reason, f'{where} "{attributes.name}" is forbidden: {message}', named, CODES.get(reason, 422))


def check(kind: Kind, manifest: Manifest) -> None:
    """Refuse a policy whose expressions do not compile (422), or that needs what the sandbox lacks (501)."""
    spec = manifest["spec"]
    causes: list[dict[str, str]] = []
    for place in ("variables", "matchConditions", "validations", "auditAnnotations"):
        for index, one in enumerate(spec.get(place) or ()):
            for field in ("expression", "messageExpression", "valueExpression"):
                if one.get(field):
                    path = f"spec.{place}[{index}].{field}"
                    causes += expressions.check(one[field], path)
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        text = "Required value: validations or auditAnnotations must contain at least one item"
        causes += [cause("FieldValueRequired", text, f"spec.{field}") for field in ("validations", "auditAnnotations")]
    if causes:
        raise invalid(kind.kind, kind.group, manifest["metadata"]["name"], causes)
