"""Taking over what people applied: whose fields become whose, with nothing of the object changed."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.controller.adopting import taken_over, union
from reconciler.objects import APPLY_MANAGER, MOVES_MANAGER


def owner(manager: str, operation: str, fields: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "apiVersion": "apps/v1", "fieldsV1": fields, **more}


def deployment(*owners: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api", "managedFields": list(owners)},
        "spec": {"replicas": 2, "paused": False},
    }


SPEC = {"f:spec": {"f:replicas": {}, "f:paused": {}}}


@pytest.mark.parametrize("manager", ["kubectl", "kubectl-client-side-apply", "before-first-apply"])
def test_the_fields_of_former_managers_are_the_generic_applys_and_start_fields_the_moves(manager: str) -> None:
    status = owner("kube-controller-manager", "Update", {"f:status": {}}, subresource="status")
    assert taken_over(deployment(owner(manager, "Update", SPEC), status), moves=True) == [
        status,
        owner(APPLY_MANAGER, "Apply", {"f:spec": {"f:paused": {}}}),
        owner(MOVES_MANAGER, "Update", {"f:spec": {"f:replicas": {}}}),
    ]


def test_the_platforms_start_fields_are_the_generic_applys() -> None:
    assert taken_over(deployment(owner("kubectl", "Apply", SPEC)), moves=False) == [owner(APPLY_MANAGER, "Apply", SPEC)]


def test_what_was_owned_before_stays_owned() -> None:
    mine = owner(APPLY_MANAGER, "Apply", {"f:metadata": {"f:labels": {"f:a": {}}}})
    labels = {"f:metadata": {"f:labels": {"f:b": {}}}}
    assert taken_over(deployment(mine, owner("kubectl", "Update", labels)), moves=False) == [
        owner(APPLY_MANAGER, "Apply", {"f:metadata": {"f:labels": {"f:a": {}, "f:b": {}}}})
    ]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(owner("kube-controller-manager", "Update", SPEC), id="a controller"),
        pytest.param(owner("kubectl", "Update", {"f:status": {}}, subresource="status"), id="kubectl on a subresource"),
        pytest.param(owner("argocd-controller", "Apply", SPEC), id="another tool that is still at work"),
    ],
)
def test_others_keep_what_they_own(other: dict[str, Any]) -> None:
    assert taken_over(deployment(other), moves=True) is None


def test_the_mark_of_a_restart_is_left_alone_so_that_nothing_restarts_again() -> None:
    annotations = {"f:template": {"f:metadata": {"f:annotations": {"f:kubectl.kubernetes.io/restartedAt": {}}}}}
    (mine,) = taken_over(deployment(owner("kubectl-rollout", "Update", {"f:spec": annotations})), moves=False) or ()
    assert mine["fieldsV1"] == {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {}}}}}


def test_union_has_every_field() -> None:
    assert union([{"a": {"x": {}}}, {"a": {"y": {}}, "b": {}}]) == {"a": {"x": {}, "y": {}}, "b": {}}
