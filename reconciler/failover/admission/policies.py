"""The gate (P7) and the role gate (P18) as admission policies of the API server itself: they need no pod, certificate
or network to refuse, and a site that was away comes back with all of them closed.

Three policies serve all applications; each application has its bindings, whose parameter is its permit. They hold for
the objects that carry the application's label; in the application's namespaces pods and instances must carry one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.failover.admission import permits
from reconciler.objects import APPLICATION_LABEL, MOVES_MANAGER, STANDBY_LABEL, SYSTEM_NAMESPACE, Manifest
from reconciler.starts.fields import REPLICATION_GROUP

API_VERSION = "admissionregistration.k8s.io/v1"
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
GATE, LABEL_GATE, ROLE_GATE = "siteshift-gate", "siteshift-label", "siteshift-role"

BREAK_GLASS_LABEL = "siteshift.io/break-glass"
"""A pod or instance with this label passes the gate: people take the whole responsibility."""

NONCE_ANNOTATION = "siteshift.io/promotion"
"""On a replication resource that is made primary: the nonce of the promotion's window."""

_LABELS = "has(object.metadata.labels)"
_PERMIT = (
    f"has(params.data) && '{permits.FROM}' in params.data && '{permits.UNTIL}' in params.data"
    f" && timestamp(object.metadata.creationTimestamp) >= timestamp(params.data['{permits.FROM}'])"
    f" && timestamp(object.metadata.creationTimestamp) < timestamp(params.data['{permits.UNTIL}'])"
)
_VOLUMES = (
    "has(object.spec.volumes) && object.spec.volumes.exists(v, has(v.persistentVolumeClaim) || has(v.ephemeral){})"
)
_STANDBY = f"{_LABELS} && '{STANDBY_LABEL}' in object.metadata.labels"
_PROMOTION = (
    f"has(params.data) && '{permits.NONCE}' in params.data"
    " && has(object.metadata.annotations)"
    f" && '{NONCE_ANNOTATION}' in object.metadata.annotations"
    f" && object.metadata.annotations['{NONCE_ANNOTATION}'] == params.data['{permits.NONCE}']"
)
_PROMOTER = (
    "has(object.metadata.managedFields) && object.metadata.managedFields.exists(m,"
    f" m.manager == '{MOVES_MANAGER}' && has(m.fieldsV1) && 'f:spec' in m.fieldsV1"
    " && 'f:replicationState' in m.fieldsV1['f:spec']"
    f" && '{permits.PROMOTE_FROM}' in params.data && '{permits.PROMOTE_UNTIL}' in params.data"
    f" && timestamp(m.time) >= timestamp(params.data['{permits.PROMOTE_FROM}'])"
    f" && timestamp(m.time) < timestamp(params.data['{permits.PROMOTE_UNTIL}']))"
)
_BECOMES_PRIMARY = (
    "has(object.spec.replicationState) && object.spec.replicationState == 'primary'"
    " && (request.operation == 'CREATE' || !has(oldObject.spec.replicationState)"
    " || oldObject.spec.replicationState != 'primary')"
)
_NO_BREAK_GLASS = f"!({_LABELS} && '{BREAK_GLASS_LABEL}' in object.metadata.labels)"


def _rule(groups: list[str], resources: list[str], operations: list[str]) -> dict[str, Any]:
    return {"apiGroups": groups, "apiVersions": ["*"], "resources": resources, "operations": operations}


_STARTED = [_rule([""], ["pods"], ["CREATE"]), _rule(["kubevirt.io"], ["virtualmachineinstances"], ["CREATE"])]
_REPLICATIONS = [
    _rule([REPLICATION_GROUP], ["volumereplications", "volumegroupreplications"], ["CREATE", "UPDATE"]),
]


def _object(kind: str, name: str, spec: dict[str, Any]) -> Manifest:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _policy(
    name: str, rules: list[dict[str, Any]], condition: str, validations: list[dict[str, str]], *, parameter: bool
) -> Manifest:
    spec: dict[str, Any] = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": rules},
        "matchConditions": [{"name": "concerned", "expression": condition}],
        "validations": validations,
    }
    if parameter:
        spec["paramKind"] = {"apiVersion": permits.API_VERSION, "kind": permits.KIND}
    return _object(POLICY, name, spec)


def policies() -> tuple[Manifest, ...]:
    """The policies that all applications of a site share."""
    claims = _VOLUMES.format(" || has(v.dataVolume)")
    return (
        _policy(
            GATE,
            _STARTED,
            _NO_BREAK_GLASS,
            [
                {
                    "expression": f"({_PERMIT}) || ({_STANDBY} && !({claims}))",
                    "message": "the gate is closed: this site holds no valid permit to start the application",
                }
            ],
            parameter=True,
        ),
        _policy(
            LABEL_GATE,
            _STARTED,
            _NO_BREAK_GLASS,
            [
                {
                    "expression": f"{_LABELS} && '{APPLICATION_LABEL}' in object.metadata.labels",
                    "message": f"in an application's namespace whatever runs needs the label {APPLICATION_LABEL}",
                }
            ],
            parameter=False,
        ),
        _policy(
            ROLE_GATE,
            _REPLICATIONS,
            _BECOMES_PRIMARY,
            [
                {"expression": _PROMOTION, "message": "becoming primary needs the nonce of a promotion under way"},
                {
                    "expression": _PROMOTER,
                    "message": "only the controller may make this primary, and only within its promotion's window",
                },
            ],
            parameter=True,
        ),
    )


def _binding(policy: str, application: str, match: dict[str, Any], *, parameter: bool) -> Manifest:
    spec: dict[str, Any] = {"policyName": policy, "validationActions": ["Deny"], "matchResources": match}
    if parameter:
        spec["paramRef"] = {
            "name": permits.name_of(application),
            "namespace": SYSTEM_NAMESPACE,
            "parameterNotFoundAction": "Deny",
        }
    return _object(BINDING, f"{policy}-{application}", spec)


def bindings(application: str, namespaces: Iterable[str]) -> tuple[Manifest, ...]:
    """What puts one application under the policies; `namespaces` are those that its workloads live in."""
    own = {"objectSelector": {"matchLabels": {APPLICATION_LABEL: application}}}
    names = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": sorted(set(namespaces))}
    found = [_binding(GATE, application, own, parameter=True), _binding(ROLE_GATE, application, own, parameter=True)]
    if names["values"]:
        there = {"namespaceSelector": {"matchExpressions": [names]}}
        found.append(_binding(LABEL_GATE, application, there, parameter=False))
    return tuple(found)


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


def refused_by_gate(message: str) -> bool:
    """Whether a refusal is the gate's own: one for lack of rights proves nothing about it."""
    return GATE in message
