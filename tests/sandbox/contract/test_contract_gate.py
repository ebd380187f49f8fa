"""ValidatingAdmissionPolicies as a gate: refusing creates by a parameter that changes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

Manifest = dict[str, Any]
GROUP = "/apis/admissionregistration.k8s.io/v1"
POLICIES, BINDINGS = f"{GROUP}/validatingadmissionpolicies", f"{GROUP}/validatingadmissionpolicybindings"
LABEL = "example.com/application"
PAST, FUTURE = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
WITHIN = (
    "timestamp(object.metadata.creationTimestamp) >= timestamp(params.data.from) && "
    "timestamp(object.metadata.creationTimestamp) < timestamp(params.data.until)"
)
PODS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}


def policy(name: str, **spec: Any) -> Manifest:
    defaults = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [PODS]},
        "validations": [{"expression": WITHIN, "messageExpression": "'closed since ' + params.data.until"}],
    }
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy"}
    return {**kind, "metadata": {"name": name}, "spec": {**defaults, **spec}}


def pod(application: str, **metadata: Any) -> Manifest:
    labels = {LABEL: application, **metadata.pop("labels", {})}
    spec = {"containers": [{"name": "main", "image": "registry.example/web:1"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": labels, **metadata}, "spec": spec}


class Gate:
    """A policy and its binding to one application in one namespace, under names of their own."""

    def __init__(self, api, namespace: str) -> None:
        self.api, self.namespace, self.name = api, namespace, f"gate-{uuid.uuid4().hex[:8]}"
        self.pods = f"/api/v1/namespaces/{namespace}/pods"
        self.permits = f"/api/v1/namespaces/{namespace}/configmaps"

    def install(self, action: str = "Deny", reference: Manifest | None = None, **spec: Any) -> None:
        made = self.api.create(POLICIES, policy(self.name, **spec))
        assert made.code == 201, made.body
        kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding"}
        match = {"objectSelector": {"matchLabels": {LABEL: self.name}}}
        binding: Manifest = {"policyName": self.name, "validationActions": ["Deny"], "matchResources": match}
        if spec.get("paramKind"):
            binding["paramRef"] = reference or {
                "name": "permit",
                "namespace": self.namespace,
                "parameterNotFoundAction": action,
            }
        made = self.api.create(BINDINGS, {**kind, "metadata": {"name": self.name}, "spec": binding})
        assert made.code == 201, made.body

    def permit(self, **data: str) -> None:
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "permit"}, "data": data}
        assert self.api.apply(f"{self.permits}/permit", manifest, manager="gate", force=True).code in (200, 201)

    def probe(self, **metadata: Any) -> Any:
        return self.api.create(self.pods, pod(self.name, **metadata), dryRun="All")

    def settles(self, words: str) -> Any:
        """Until the probe is refused in these words ("" is admitted)."""
        if words:
            return self.api.eventually(self.probe, lambda answer: words in answer.body.get("message", ""))
        return self.api.eventually(self.probe, lambda answer: answer.code == 201)

    def remove(self) -> None:
        self.api.delete(f"{BINDINGS}/{self.name}")
        self.api.delete(f"{POLICIES}/{self.name}")


@pytest.fixture
def gate(api, namespace) -> Iterator[Gate]:
    made = Gate(api, namespace)
    yield made
    made.remove()


PERMIT = {"apiVersion": "v1", "kind": "ConfigMap"}


def test_the_gate_follows_its_permit(gate) -> None:
    gate.install(paramKind=PERMIT)
    absent = gate.settles("no params found")
    assert (absent.code, absent.body["reason"]) == (422, "Invalid")
    assert absent.body["message"] == (
        f"pods \"p\" is forbidden: ValidatingAdmissionPolicy '{gate.name}' with binding '{gate.name}' denied request: "
        "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
    )
    gate.permit(**{"from": PAST, "until": PAST})
    closed = gate.settles(f"denied request: closed since {PAST}")
    assert closed.body["details"]["causes"] == [{"message": closed.body["message"].split("is forbidden: ")[1]}]
    gate.permit(**{"from": PAST, "until": FUTURE})
    gate.settles("")
    gate.permit(**{"from": FUTURE, "until": FUTURE})
    gate.settles("closed since")
    gate.permit(**{"from": PAST})
    gate.settles("no such key: until")
    gate.permit(**{"from": PAST, "until": "tomorrow"})
    gate.settles("resulted in error")


def test_a_closed_gate_stores_nothing_and_lets_others_pass(api, gate) -> None:
    gate.install(paramKind=PERMIT)
    gate.settles("no params found")
    assert api.create(gate.pods, pod(gate.name)).code == 422
    assert api.get(f"{gate.pods}/p").code == 404
    assert api.create(gate.pods, pod("another")).code == 201


def test_a_client_cannot_set_the_time_of_its_object(gate) -> None:
    gate.install(paramKind=PERMIT)
    gate.settles("no params found")
    gate.permit(**{"from": PAST, "until": "2020-02-01T00:00:00Z"})
    gate.settles("closed since")
    assert gate.probe(creationTimestamp="2020-01-15T00:00:00Z").code == 422


def test_a_missing_permit_may_allow(gate) -> None:
    gate.install("Allow", paramKind=PERMIT)
    gate.permit(**{"from": PAST, "until": PAST})
    gate.settles("closed since")
    gate.api.delete(f"{gate.permits}/permit")
    gate.settles("")


def test_parameters_can_be_selected_by_label(gate) -> None:
    reference = {
        "selector": {"matchLabels": {"permit": "yes"}},
        "namespace": gate.namespace,
        "parameterNotFoundAction": "Deny",
    }
    gate.install(paramKind=PERMIT, reference=reference)
    gate.settles("no params found")
    gate.permit(**{"from": PAST, "until": FUTURE})
    assert gate.probe().code == 422
    gate.api.patch(f"{gate.permits}/permit", {"metadata": {"labels": {"permit": "yes"}}})
    gate.settles("")


def test_match_conditions_leave_out_what_they_do_not_hold_for(gate) -> None:
    conditions = [{"name": "no-glass-broken", "expression": "!('break-glass' in object.metadata.labels)"}]
    gate.install(matchConditions=conditions, validations=[{"expression": "false", "message": "never"}])
    gate.settles("denied request: never")
    assert gate.probe(labels={"break-glass": "x"}).code == 201


def test_variables_users_and_the_namespace_can_be_asked_for(gate) -> None:
    expression = "variables.who != request.userInfo.username || namespaceObject.metadata.name != request.namespace"
    gate.install(
        variables=[{"name": "who", "expression": "'admin'"}],
        validations=[{"expression": expression, "messageExpression": "'no ' + variables.who", "reason": "Forbidden"}],
    )
    refused = gate.settles("denied request: no admin")
    assert (refused.code, refused.body["reason"]) == (403, "Forbidden")


def test_what_cannot_be_evaluated_is_decided_by_the_failure_policy(gate) -> None:
    validations = [{"expression": "object.metadata.labels.absent == 'x'"}, {"expression": "false", "message": "second"}]
    gate.install(failurePolicy="Ignore", validations=validations)
    gate.settles("denied request: second")


def test_updates_and_deletions_see_the_old_object(api, gate, core) -> None:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE", "DELETE"], "resources": ["configmaps"]}
    validations = [
        {"expression": "request.operation != 'UPDATE' || object.data.n > oldObject.data.n", "message": "not upwards"},
        {"expression": "request.operation != 'DELETE' || oldObject.data.n == '9'", "message": "not yet"},
    ]
    gate.install(matchConstraints={"resourceRules": [rule]}, validations=validations)
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "n", "labels": {LABEL: gate.name}}}
    path = f"{core}/configmaps/n"
    api.create(f"{core}/configmaps", {**manifest, "data": {"n": "5"}})
    down = {"data": {"n": "4"}}
    api.eventually(lambda: api.patch(path, down, dryRun="All"), lambda a: "not upwards" in a.body.get("message", ""))
    assert api.delete(path).code == 422
    assert api.patch(path, {"data": {"n": "9"}}).code == 200
    assert api.delete(path).code == 200


def test_an_expression_that_is_none_is_refused(api) -> None:
    answer = api.create(POLICIES, policy("never", validations=[{"expression": "object.("}]))
    assert (answer.code, answer.causes) == (422, {("spec.validations[0].expression", "FieldValueInvalid")})
