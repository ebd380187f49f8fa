"""The gate (P7) and the role gate (P18) as admission policies of the API server itself: they need no pod, certificate
or network to refuse, and a site that was away comes back with all of them closed.

The policies are shared; each application has its bindings, whose parameter is its record. They are bound by the names
of the application's namespaces: a label on a pod can have any value, a namespace is there before any pod. Every field
is spelled out, also what the API server would fill in, so that what is found can be compared with what should be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.drivers import DRIVERS, Driver, RoleResources
from reconciler.failover.admission import permits
from reconciler.objects import APPLICATION_LABEL, MOVES_MANAGER, STANDBY_LABEL, SYSTEM_NAMESPACE, Manifest

API_VERSION = "admissionregistration.k8s.io/v1"
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
GATE, ROLE_GATE = "siteshift-gate", "siteshift-role"

BREAK_GLASS_ANNOTATION = "siteshift.io/break-glass"
"""A pod or instance with it passes the gate if its creator has the verb `break-glass` on the application."""

BREAK_GLASS_GROUP, BREAK_GLASS_RESOURCE, BREAK_GLASS_VERB = "siteshift.io", "applications", "break-glass"

NONCE_ANNOTATION = "siteshift.io/promotion"
"""On a replication object that is made primary or may be overwritten: the nonce of the window for it."""

STANDBY_VOLUMES = ("configMap", "secret", "projected", "downwardAPI", "emptyDir")
"""The kinds of volume that hold no data of an application: what stands by may have these and no other."""

_PERMIT = (
    f"has(params.data) && '{permits.FROM}' in params.data && '{permits.UNTIL}' in params.data"
    f" && timestamp(object.metadata.creationTimestamp) >= timestamp(params.data['{permits.FROM}'])"
    f" && timestamp(object.metadata.creationTimestamp) < timestamp(params.data['{permits.UNTIL}'])"
)
_GLASS = (
    f"has(params.data) && '{permits.GLASS_UNTIL}' in params.data"
    f" && timestamp(object.metadata.creationTimestamp) < timestamp(params.data['{permits.GLASS_UNTIL}'])"
)
_STANDBY = (
    f"has(object.metadata.labels) && '{STANDBY_LABEL}' in object.metadata.labels && (!has(object.spec.volumes)"
    f" || object.spec.volumes.all(v, {' || '.join(f'has(v.{kind})' for kind in STANDBY_VOLUMES)}))"
)
_BREAK_GLASS = (
    f"has(object.metadata.annotations) && '{BREAK_GLASS_ANNOTATION}' in object.metadata.annotations"
    f" && authorizer.group('{BREAK_GLASS_GROUP}').resource('{BREAK_GLASS_RESOURCE}').namespace(request.namespace)"
    f".name(params.metadata.labels['{permits.RECORD_LABEL}']).check('{BREAK_GLASS_VERB}').allowed()"
)
_NONCE = (
    f"has(params.data) && '{permits.NONCE}' in params.data && '{permits.PROMOTE_FROM}' in params.data"
    f" && '{permits.PROMOTE_UNTIL}' in params.data"
    f" && has(object.metadata.annotations) && '{NONCE_ANNOTATION}' in object.metadata.annotations"
    f" && object.metadata.annotations['{NONCE_ANNOTATION}'] == params.data['{permits.NONCE}']"
)
_STARTED = (("", ("pods",)), ("kubevirt.io", ("virtualmachineinstances",)))


def policies() -> tuple[Manifest, ...]:
    """The policies that all applications of a site share."""
    gate = _policy(
        GATE,
        [_rule(group, resources, ("CREATE",)) for group, resources in _STARTED],
        [],
        f"({_PERMIT}) || ({_GLASS}) || ({_STANDBY}) || ({_BREAK_GLASS})",
        "the gate is closed: this site holds no valid permit to start the application",
    )
    return gate, *(_role_policy(driver, resources) for driver, resources in _with_roles())


def bindings(application: str, namespaces: Iterable[str]) -> tuple[Manifest, ...]:
    """What puts one application's namespaces under the policies; none where there is no namespace."""
    names = sorted(set(namespaces))
    if not names:
        return ()
    policy_names = (GATE, *(role_gate(driver.name) for driver, _ in _with_roles()))
    return tuple(_binding(policy, application, names) for policy in policy_names)


def role_gate(driver: str) -> str:
    """The name of the role gate's policy for one driver's kinds."""
    return f"{ROLE_GATE}-{driver}"


def probe(application: str, namespace: str) -> Manifest:
    """A pod that would be gated: its dry-run creation tells whether the gate is closed at the server that is asked."""
    # As modest as the strictest pod security standard asks, so that nothing else refuses it first.
    container = {
        "name": "probe",
        "image": "siteshift.io/probe",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    labels = {APPLICATION_LABEL: application}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"siteshift-probe-{application}", "namespace": namespace, "labels": labels},
        "spec": {"containers": [container], "securityContext": security},
    }


def refused_by_gate(application: str, message: str) -> bool:
    """Whether a refusal is the gate's own, through this application's binding: one for lack of rights, or by another
    policy, proves nothing about it."""
    return f"'{GATE}' with binding '{GATE}-{application}'" in message


def _with_roles() -> tuple[tuple[Driver, RoleResources], ...]:
    return tuple((each, each.role_resources) for each in DRIVERS.values() if each.role_resources is not None)


def _role_policy(driver: Driver, resources: RoleResources) -> Manifest:
    """Asked are only writes that change a role field and do not end in the safe value: a demotion needs nobody."""
    safe, primary, overwritten = driver.secondary(False), driver.primary(), driver.secondary(True)
    return _policy(
        role_gate(driver.name),
        [_rule(resources.group, resources.plurals, ("CREATE", "UPDATE"))],
        [{"name": "concerned", "expression": f"({_changed(safe)}) && !({_has_role(safe)})"}],
        f"({_has_role(primary)} && {_recorded(permits.PRIMARY)})"
        f" || ({_has_role(overwritten)} && {_recorded(permits.OVERWRITE)})"
        f" || ({_NONCE} && {_written_in_window(safe)})",
        "becoming primary, or being overwritten, needs the nonce and the window of a promotion under way",
    )


def _has_role(role: Mapping[str, Any]) -> str:
    """Whether the object's role fields say this; a flag that is not there is false."""

    def field(name: str, value: Any) -> str:
        if value is False:
            return f"(!has(object.spec.{name}) || object.spec.{name} == false)"
        return f"has(object.spec.{name}) && object.spec.{name} == {_literal(value)}"

    return " && ".join(field(name, value) for name, value in role.items())


def _same(name: str) -> str:
    return (
        f"has(object.spec.{name}) == has(oldObject.spec.{name})"
        f" && (!has(object.spec.{name}) || object.spec.{name} == oldObject.spec.{name})"
    )


def _changed(role: Mapping[str, Any]) -> str:
    same = " && ".join(f"({_same(name)})" for name in role)
    return f"request.operation == 'CREATE' || !({same})"


def _recorded(key: str) -> str:
    return f"has(params.data) && '{key}' in params.data && params.data['{key}'] == 'true'"


def _written_in_window(role: Mapping[str, Any]) -> str:
    """Whether the moves wrote every role field that is new, within the window: admission has no clock of its own."""
    written = " && ".join(
        f"(!has(object.spec.{name}) || 'f:{name}' in m.fieldsV1['f:spec']"
        f" || (request.operation == 'UPDATE' && {_same(name)}))"
        for name in role
    )
    return (
        "has(object.metadata.managedFields) && object.metadata.managedFields.exists(m,"
        f" m.manager == '{MOVES_MANAGER}' && has(m.fieldsV1) && 'f:spec' in m.fieldsV1 && {written}"
        f" && timestamp(m.time) >= timestamp(params.data['{permits.PROMOTE_FROM}'])"
        f" && timestamp(m.time) < timestamp(params.data['{permits.PROMOTE_UNTIL}']))"
    )


def _literal(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"'{value}'"


def _object(kind: str, name: str, spec: dict[str, Any]) -> Manifest:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _rule(group: str, resources: Sequence[str], operations: Sequence[str]) -> dict[str, Any]:
    return {
        "apiGroups": [group],
        "apiVersions": ["*"],
        "resources": list(resources),
        "operations": list(operations),
        "scope": "*",
    }


def _policy(
    name: str, rules: list[dict[str, Any]], conditions: list[dict[str, str]], expression: str, message: str
) -> Manifest:
    spec: dict[str, Any] = {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "matchPolicy": "Equivalent",
            "namespaceSelector": {},
            "objectSelector": {},
            "resourceRules": rules,
        },
        "paramKind": {"apiVersion": permits.API_VERSION, "kind": permits.KIND},
        "validations": [{"expression": expression, "message": message}],
    }
    return _object(POLICY, name, spec | ({"matchConditions": conditions} if conditions else {}))


def _binding(policy: str, application: str, namespaces: Sequence[str]) -> Manifest:
    names = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(namespaces)}
    spec = {
        "policyName": policy,
        "validationActions": ["Deny"],
        "matchResources": {
            "matchPolicy": "Equivalent",
            "namespaceSelector": {"matchExpressions": [names]},
            "objectSelector": {},
        },
        "paramRef": {
            "name": permits.name_of(application),
            "namespace": SYSTEM_NAMESPACE,
            "parameterNotFoundAction": "Deny",
        },
    }
    return _object(BINDING, f"{policy}-{application}", spec)
