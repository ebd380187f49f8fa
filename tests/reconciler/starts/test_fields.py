"""The table of start and role fields: what is stopped, what is sent, and what is created."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.starts.fields import is_stopped, runs_as_asked, start_value, with_stopped_values, without_owned_fields


def thing(kind: str, api_version: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec}


@pytest.mark.parametrize(
    ("manifest", "value", "stopped"),
    [
        (thing("VirtualMachine", "kubevirt.io/v1", runStrategy="Always"), "Always", False),
        (thing("VirtualMachine", "kubevirt.io/v1", runStrategy="Halted"), "Halted", True),
        (thing("VirtualMachine", "kubevirt.io/v1", running=True), "Always", False),
        (thing("VirtualMachine", "kubevirt.io/v1", running=False), "Halted", True),
        (thing("Deployment", "apps/v1"), 1, False),
        (thing("StatefulSet", "apps/v1", replicas=0), 0, True),
        (thing("Job", "batch/v1"), False, False),
        (thing("CronJob", "batch/v1", suspend=True), True, True),
    ],
)
def test_start_values_and_what_is_stopped(manifest: dict[str, Any], value: Any, stopped: bool) -> None:
    assert (start_value(manifest), is_stopped(manifest)) == (value, stopped)


def written_by(manager: str, replicas: int, subresource: str = "") -> dict[str, Any]:
    live = thing("Deployment", "apps/v1", replicas=replicas)
    entry = {"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    live["metadata"]["managedFields"] = [entry | ({"subresource": subresource} if subresource else {})]
    return live


@pytest.mark.parametrize(
    ("live", "desired", "as_asked"),
    [
        (written_by("siteshift-moves", 2), thing("Deployment", "apps/v1", replicas=2), True),
        (written_by("siteshift-moves", 2), thing("Deployment", "apps/v1", replicas=3), False),
        (written_by("siteshift-moves", 2), thing("Deployment", "apps/v1"), True),
        (written_by("siteshift-moves", 0), thing("Deployment", "apps/v1"), False),
        (written_by("horizontal-pod-autoscaler", 5), thing("Deployment", "apps/v1"), True),
        (written_by("horizontal-pod-autoscaler", 5), thing("Deployment", "apps/v1", replicas=2), True),
        (written_by("kube-controller-manager", 5, "scale"), thing("StatefulSet", "apps/v1", replicas=2), True),
        (written_by("kube-controller-manager", 0, "scale"), thing("StatefulSet", "apps/v1", replicas=2), False),
        (written_by("kube-controller-manager", 5, "scale"), thing("StatefulSet", "apps/v1", replicas=0), False),
        (written_by("kubectl", 5, "scale"), thing("Deployment", "apps/v1", replicas=2), False),
        (written_by("kubectl-edit", 5), thing("Deployment", "apps/v1", replicas=2), False),
        (thing("Job", "batch/v1", suspend=True), thing("Job", "batch/v1"), False),
        (thing("VirtualMachine", "kubevirt.io/v1", running=True), thing("VirtualMachine", "kubevirt.io/v1"), False),
    ],
)
def test_what_an_autoscaler_has_set_is_as_asked(live: dict[str, Any], desired: dict[str, Any], as_asked: bool) -> None:
    assert runs_as_asked(live, desired) is as_asked


def test_a_halted_machine_with_a_pending_start_request_is_not_stopped() -> None:
    machine = thing("VirtualMachine", "kubevirt.io/v1", runStrategy="Halted")
    machine["status"] = {"stateChangeRequests": [{"action": "Start"}]}
    assert not is_stopped(machine)


@pytest.mark.parametrize(
    ("manifest", "sent", "created"),
    [
        (
            thing("VirtualMachine", "kubevirt.io/v1", running=True, template={}),
            {"template": {}},
            {"template": {}, "runStrategy": "Halted"},
        ),
        (thing("Deployment", "apps/v1", replicas=3, selector={}), {"selector": {}}, {"selector": {}, "replicas": 0}),
        (
            thing(
                "VolumeReplication",
                "replication.storage.openshift.io/v1alpha1",
                replicationState="primary",
                autoResync=True,
            ),
            {},
            {"replicationState": "secondary", "autoResync": False},
        ),
        (thing("Service", "v1", replicas=3), {"replicas": 3}, {"replicas": 3}),
    ],
    ids=["machine", "deployment", "replication", "no owned field"],
)
def test_the_generic_apply_sends_no_owned_field_and_creation_has_them_stopped(
    manifest: dict[str, Any], sent: dict[str, Any], created: dict[str, Any]
) -> None:
    before = dict(manifest["spec"])
    assert without_owned_fields(manifest)["spec"] == sent
    assert with_stopped_values(manifest)["spec"] == created
    assert manifest["spec"] == before
