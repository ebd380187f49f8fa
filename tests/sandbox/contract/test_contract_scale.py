"""Workloads are scaled through their Scale, as autoscalers do, and autoscalers are stored as Kubernetes stores them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

Manifest = dict[str, Any]
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def deployment(**spec: Any) -> Manifest:
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "registry.example/web:1"}]},
    }
    selector = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 3, "selector": selector, "template": template, **spec},
    }


@pytest.fixture
def web(api, apps) -> str:
    """The path of a Deployment of three pods."""
    made = api.create(f"{apps}/deployments", deployment(), fieldManager="owner")
    assert made.code == 201, made.body
    return f"{apps}/deployments/web"


def test_a_scale_shows_the_number_the_status_and_the_selector(api, web) -> None:
    workload, scale = api.get(web).body, api.get(f"{web}/scale").body
    copied = {name: workload["metadata"][name] for name in ("name", "namespace", "uid", "creationTimestamp")}
    assert {name: scale["metadata"][name] for name in copied} == copied
    assert (scale["apiVersion"], scale["kind"], scale["spec"]) == ("autoscaling/v1", "Scale", {"replicas": 3})
    assert scale["status"]["selector"] == "app=web,app in (api,web)"
    assert "replicas" in scale["status"]


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda api, path, scale: api.send("PUT", path, {**scale, "spec": {"replicas": 5}}), id="put"),
        pytest.param(lambda api, path, _scale: api.patch(path, {"spec": {"replicas": 5}}), id="merge"),
        pytest.param(lambda api, path, _scale: api.patch(path, {"spec": {"replicas": 5}}, "strategic"), id="strategic"),
        pytest.param(
            lambda api, path, _scale: api.patch(
                path, [{"op": "replace", "path": "/spec/replicas", "value": 5}], "json"
            ),
            id="json",
        ),
    ],
)
def test_a_scale_is_written_as_any_object(api, web, write: Callable[..., Any]) -> None:
    answer = write(api, f"{web}/scale", api.get(f"{web}/scale").body)
    assert (answer.code, answer.body["kind"], answer.body["spec"]) == (200, "Scale", {"replicas": 5})
    assert api.get(web).body["spec"]["replicas"] == 5


def test_who_scales_owns_the_number_through_the_subresource(api, web) -> None:
    assert api.patch(f"{web}/scale", {"spec": {"replicas": 7}}, fieldManager="autoscaler").code == 200
    managers = {one["manager"]: one for one in api.get(web).body["metadata"]["managedFields"]}
    own = managers["autoscaler"]
    assert (own["operation"], own["apiVersion"], own["subresource"]) == ("Update", "apps/v1", "scale")
    assert own["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in managers["owner"]["fieldsV1"]["f:spec"]


def test_zero_is_a_number(api, web) -> None:
    assert api.patch(f"{web}/scale", {"spec": {"replicas": 0}}).body["spec"] == {}
    assert api.get(web).body["spec"]["replicas"] == 0


def test_a_dry_run_scales_nothing(api, web) -> None:
    assert api.patch(f"{web}/scale", {"spec": {"replicas": 9}}, dryRun="All").body["spec"] == {"replicas": 9}
    assert api.get(web).body["spec"]["replicas"] == 3


def test_an_old_scale_is_a_conflict(api, web) -> None:
    scale = api.get(f"{web}/scale").body
    assert api.patch(web, {"metadata": {"labels": {"changed": "yes"}}}).code == 200
    answer = api.send("PUT", f"{web}/scale", {**scale, "spec": {"replicas": 4}})
    assert (answer.code, answer.body["reason"]) == (409, "Conflict")


@pytest.mark.parametrize(
    ("replicas", "code"), [pytest.param(-1, 422, id="negative"), pytest.param("many", 400, id="no-number")]
)
def test_a_wrong_number_is_refused(api, web, replicas: Any, code: int) -> None:
    scale = api.get(f"{web}/scale").body
    answer = api.send("PUT", f"{web}/scale", {**scale, "spec": {"replicas": replicas}})
    assert answer.code == code, answer.body
    assert api.get(web).body["spec"]["replicas"] == 3


def test_what_cannot_be_scaled_has_no_scale(api, core, apps) -> None:
    for path in (f"{core}/configmaps/kube-root-ca.crt/scale", f"{apps}/daemonsets/d/scale"):
        assert api.get(path).code == 404
    assert api.get(f"{apps}/deployments/absent/scale").code == 404


def test_discovery_lists_scale(api) -> None:
    listed = {one["name"]: one for one in api.get("/apis/apps/v1").body["resources"]}
    for name in ("deployments/scale", "statefulsets/scale", "replicasets/scale"):
        found = listed[name]
        assert (found["group"], found["version"], found["kind"]) == ("autoscaling", "v1", "Scale")
        assert found["verbs"] == ["get", "patch", "update"]
    assert "daemonsets/scale" not in listed


@pytest.fixture
def fleets(api, namespace) -> str:
    """The path below which custom resources with a Scale of their own lie."""
    group = f"g{uuid.uuid4().hex[:8]}.example.com"
    properties = {
        "spec": {"type": "object", "properties": {"ships": {"type": "integer"}}},
        "status": {"type": "object", "properties": {"ships": {"type": "integer"}, "picked": {"type": "string"}}},
    }
    paths = {
        "specReplicasPath": ".spec.ships",
        "statusReplicasPath": ".status.ships",
        "labelSelectorPath": ".status.picked",
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
        "subresources": {"status": {}, "scale": paths},
    }
    names = {"plural": "fleets", "kind": "Fleet", "singular": "fleet"}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec}
    assert api.create(CRDS, {**crd, "metadata": {"name": f"fleets.{group}"}}).code == 201
    path = f"/apis/{group}/v1/namespaces/{namespace}/fleets"
    api.eventually(lambda: api.get(path), lambda answer: answer.code == 200)
    return path


def fleet(path: str, **spec: Any) -> Manifest:
    return {"apiVersion": "/".join(path.split("/")[2:4]), "kind": "Fleet", "metadata": {"name": "f"}, "spec": spec}


def test_a_custom_resource_is_scaled_where_its_definition_says(api, fleets) -> None:
    made = api.create(fleets, fleet(fleets, ships=2))
    assert made.code == 201, made.body
    status = {**made.body, "status": {"ships": 1, "picked": "fleet=f"}}
    assert api.send("PUT", f"{fleets}/f/status", status).code == 200
    scale = api.get(f"{fleets}/f/scale").body
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 1, "selector": "fleet=f"})
    assert api.patch(f"{fleets}/f/scale", {"spec": {"replicas": 6}}).code == 200
    assert api.get(f"{fleets}/f").body["spec"] == {"ships": 6}


AUTOSCALERS = "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers"
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


def autoscaler(**spec: Any) -> Manifest:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": TARGET, "maxReplicas": 5, **spec},
    }


def test_an_autoscaler_gets_its_defaults(api, namespace) -> None:
    made = api.create(AUTOSCALERS.format(namespace), autoscaler(behavior={"scaleDown": {"selectPolicy": "Min"}}))
    assert made.code == 201, made.body
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    percent = {"type": "Percent", "value": 100, "periodSeconds": 15}
    pods = {"type": "Pods", "value": 4, "periodSeconds": 15}
    assert made.body["spec"] == {
        "scaleTargetRef": TARGET,
        "minReplicas": 1,
        "maxReplicas": 5,
        "metrics": [{"type": "Resource", "resource": cpu}],
        "behavior": {
            "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [pods, percent]},
            "scaleDown": {"selectPolicy": "Min", "policies": [percent]},
        },
    }
    assert made.body["status"] == {"currentMetrics": None, "desiredReplicas": 0}
    assert "generation" not in made.body["metadata"]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        pytest.param({"maxReplicas": 0}, "spec.maxReplicas", id="no-maximum"),
        pytest.param({"minReplicas": 6}, "spec.maxReplicas", id="maximum-below-minimum"),
        pytest.param(
            {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "", "name": "w"}},
            "spec.scaleTargetRef.kind",
            id="no-target",
        ),
    ],
)
def test_an_autoscaler_that_cannot_work_is_refused(api, namespace, spec: Manifest, field: str) -> None:
    answer = api.create(AUTOSCALERS.format(namespace), autoscaler(**spec))
    assert answer.code == 422, answer.body
    assert field in {place for place, _ in answer.causes}
