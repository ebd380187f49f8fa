"""Admission webhooks: which of them a write meets, what they are asked, and what their answers do.

A webhook may read and write through this very server while it is asked, so it is never called under the store's lock.
A write that needs an answer stops with `AnswerNeeded`; who serves the request asks the webhook and begins the write
anew, which then finds the answer. An object that changed meanwhile is another question.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonpatch
import jsonpointer

from sandbox.apiserver import shaping
from sandbox.apiserver.expressions import compiled
from sandbox.apiserver.policies import Attributes, conditions_hold, matches, values_of
from sandbox.apiserver.problems import Problem, forbidden
from sandbox.apiserver.store import Store
from sandbox.apiserver.webhook_calls import AnswerNeeded, CallError, Question

Manifest = dict[str, Any]
GROUP = "admissionregistration.k8s.io"
MUTATING = f"mutatingwebhookconfigurations.{GROUP}"
VALIDATING = f"validatingwebhookconfigurations.{GROUP}"
OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}


class Webhooks:
    """Decides about writes by the webhook configurations in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def mutate(self, attributes: Attributes) -> Manifest | None:
        """The new object as the mutating webhooks leave it. Raises the refusal of one that denies.

        A webhook that wants to be asked again (IfNeeded) is, once, if others changed the object after it.
        """
        left: list[tuple[Mapping[str, Any], Manifest | None]] = []
        for webhook in self._matching(MUTATING, attributes):
            attributes = attributes.of(self._changed(webhook, attributes))
            if webhook.get("reinvocationPolicy") == "IfNeeded":
                left.append((webhook, attributes.new))
        for webhook, seen in left:
            if seen != attributes.new:
                attributes = attributes.of(self._changed(webhook, attributes))
        return attributes.new

    def admit(self, attributes: Attributes) -> None:
        """Return, or raise the refusal of the first validating webhook that denies."""
        for webhook in self._matching(VALIDATING, attributes):
            self._answer(webhook, attributes)

    def _matching(self, bucket: str, attributes: Attributes) -> Iterator[Mapping[str, Any]]:
        if attributes.kind.group == GROUP or not self._store.bucket(bucket).objects:
            return
        for stored in self._store.snapshot(bucket)[1]:
            for webhook in stored.object.get("webhooks") or ():
                if self._meets(webhook, attributes):
                    yield webhook

    def _meets(self, webhook: Mapping[str, Any], attributes: Attributes) -> bool:
        constraints = {**webhook, "resourceRules": webhook.get("rules")}
        if not webhook.get("rules") or not matches(constraints, attributes):
            return False
        conditions = [(one["name"], compiled(one["expression"])) for one in webhook.get("matchConditions") or ()]
        holds, failure = conditions_hold(conditions, values_of(attributes, None))
        if failure is not None and webhook.get("failurePolicy") == "Fail":
            raise forbidden(attributes.kind.plural, attributes.kind.group, attributes.name, failure)
        return holds

    def _changed(self, webhook: Mapping[str, Any], attributes: Attributes) -> Manifest | None:
        """The new object with a webhook's patch, in its kind's form again."""
        answer = self._answer(webhook, attributes)
        if answer is None or not answer.get("patch"):
            return attributes.new
        try:
            if answer.get("patchType") != "JSONPatch" or attributes.new is None:
                raise ValueError(f"patchType is {answer.get('patchType')!r}, expected JSONPatch")
            operations = json.loads(base64.b64decode(answer["patch"], validate=True))
            patched = jsonpatch.apply_patch(attributes.new, operations)
        except (ValueError, binascii.Error, jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as error:
            raise Problem("InternalError", f"Internal error occurred: {webhook['name']}: bad patch: {error}") from None
        return shaping.decode_into(attributes.kind, patched, None)

    def _answer(self, webhook: Mapping[str, Any], attributes: Attributes) -> Mapping[str, Any] | None:
        """What a webhook answers; None for one that cannot be called and whose failure is ignored."""
        name = webhook["name"]
        question = Question(webhook, _asked(attributes))
        answer: Mapping[str, Any] | CallError | None = attributes.request.answers.get(question.key)
        if answer is None:
            raise AnswerNeeded(question)
        if isinstance(answer, CallError):
            if webhook.get("failurePolicy") == "Ignore":
                return None
            message = f'failed calling webhook "{name}": {answer}'
            named = {"causes": [{"message": message}]}
            raise Problem("InternalError", f"Internal error occurred: {message}", named)
        attributes.request.warnings += [str(words) for words in answer.get("warnings") or ()]
        if not answer.get("allowed"):
            raise _denied(name, answer.get("status") or {})
        return answer


def _denied(name: str, status: Mapping[str, Any]) -> Problem:
    words = f'admission webhook "{name}" denied the request'
    reason = status.get("reason") or ""
    explained = status.get("message") or reason
    message = f"{words}: {explained}" if explained else f"{words} without explanation"
    code = status.get("code") or 400
    return Problem(reason, message, status.get("details"), code if code >= 400 else 400)


def _asked(attributes: Attributes) -> Manifest:
    """The `request` of an AdmissionReview, but for its uid."""
    asked: Manifest = {**values_of(attributes, None)["request"]}
    asked["userInfo"] = {"username": asked["userInfo"]["username"], "groups": asked["userInfo"]["groups"]}
    for optional in ("subResource", "requestSubResource", "namespace"):
        if not asked[optional]:
            del asked[optional]
    options = {"kind": OPTIONS[attributes.operation], "apiVersion": "meta.k8s.io/v1"}
    return {**asked, "object": attributes.new, "oldObject": attributes.old, "options": options}


def resolved(store: Store, service: Mapping[str, Any]) -> str:
    """Where a webhook's Service leads: the first address of its Endpoints. Raises CallError where there is none."""
    namespace, name = service["namespace"], service["name"]
    if store.get("services", namespace, name) is None:
        raise CallError(f'failed to call webhook: service "{name}" not found in namespace {namespace}')
    endpoints = store.get("endpoints", namespace, name)
    for subset in (endpoints.object.get("subsets") or ()) if endpoints else ():
        ports = subset.get("ports") or [{"port": service.get("port", 443)}]
        for address in subset.get("addresses") or ():
            return f"{address['ip']}:{ports[0]['port']}"
    raise CallError(f'failed to call webhook: no endpoints available for service "{name}"')
