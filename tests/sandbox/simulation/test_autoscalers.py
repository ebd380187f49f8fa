"""Simulated autoscalers scale as the real one does: by utilisation, within limits, down late, and never from zero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sandbox_pair import QUICK, Manifest, closed_gate, eventually, named

from reconciler.cluster.client import Cluster
from sandbox.processes import Processes
from sandbox.simulation.autoscalers import advise, bounded
from sandbox.site import Site


def autoscaler(**spec: Any) -> Manifest:
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    own = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 2,
        "maxReplicas": 6,
        "metrics": [{"type": "Resource", "resource": cpu}],
        **spec,
    }
    return named("autoscaling/v2", "HorizontalPodAutoscaler", "shop", "web", own)


def workload(replicas: int, ready: int | None = None) -> Manifest:
    status = {"readyReplicas": replicas if ready is None else ready}
    return {"spec": {"replicas": replicas}, "status": status}


@pytest.mark.parametrize(
    ("replicas", "ready", "load", "advised", "reason"),
    [
        pytest.param(2, 2, 100.0, 2, "ValidMetricFound", id="as-wanted"),
        pytest.param(2, 2, 108.0, 2, "ValidMetricFound", id="within-tolerance"),
        pytest.param(2, 2, 180.0, 4, "ValidMetricFound", id="more"),
        pytest.param(4, 4, 60.0, 2, "ValidMetricFound", id="fewer"),
        pytest.param(3, 0, 60.0, 3, "FailedGetResourceMetric", id="nothing-ready"),
        pytest.param(3, 3, None, 3, "FailedGetResourceMetric", id="no-metrics"),
        pytest.param(0, 0, 60.0, 0, "ScalingDisabled", id="scaled-to-zero-by-hand"),
    ],
)
def test_advice(replicas: int, ready: int, load: float | None, advised: int, reason: str) -> None:
    found = advise(autoscaler(), workload(replicas, ready), load)
    assert (found.replicas, found.reason) == (advised, reason)


@pytest.mark.parametrize(("wanted", "given"), [(1, 2), (2, 2), (4, 4), (9, 6)])
def test_limits(wanted: int, given: int) -> None:
    assert bounded(autoscaler(), wanted) == given


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Processes() as processes:
        made = Site("a", tmp_path_factory.mktemp("a"), processes, settings={**QUICK, "scale_down_wait": 0.5})
        made.start()
        yield made
        made.stop()


@pytest.fixture(scope="module")
def cluster(site: Site) -> Cluster:
    """The site with a Deployment of two pods and an autoscaler for it."""
    made = Cluster.connect(str(site.kubeconfig()), None)
    labels = {"app": "web"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "registry.example/c:1"}]},
    }
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    for manifest in (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
        named("apps/v1", "Deployment", "shop", "web", spec),
        autoscaler(),
    ):
        made.apply(manifest, manager="test")
    return made


def replicas(cluster: Cluster) -> int:
    return int(cluster.get("apps/v1", "Deployment", "shop", "web")["spec"]["replicas"])


def conditions(cluster: Cluster) -> dict[str, tuple[str, str]]:
    found = cluster.get("autoscaling/v2", "HorizontalPodAutoscaler", "shop", "web")
    return {one["type"]: (one["status"], one["reason"]) for one in found.get("status", {}).get("conditions", ())}


def set_replicas(cluster: Cluster, number: int) -> None:
    body = {"spec": {"replicas": number}}
    cluster.patch("apps/v1", "Deployment", "shop", "web", body, manager="test", subresource="scale")


def test_load_scales_up_and_its_end_scales_down(site: Site, cluster: Cluster) -> None:
    site.change(load={"shop/web": 240})
    eventually(lambda: replicas(cluster) == 5)
    eventually(lambda: conditions(cluster).get("ScalingLimited") == ("False", "DesiredWithinRange"))
    site.change(load={"shop/web": 10})
    eventually(lambda: replicas(cluster) == 2)
    eventually(lambda: conditions(cluster).get("ScalingLimited") == ("True", "TooFewReplicas"))


def test_who_scaled_is_written_on_the_workload(site: Site, cluster: Cluster) -> None:
    site.change(load={"shop/web": 400})
    eventually(lambda: replicas(cluster) == 6)
    entries = cluster.get("apps/v1", "Deployment", "shop", "web")["metadata"]["managedFields"]
    assert "scale" in {one.get("subresource") for one in entries if one["manager"] == "kube-controller-manager"}


def test_a_workload_that_was_stopped_stays_stopped(site: Site, cluster: Cluster) -> None:
    site.change(load={"shop/web": 240})
    set_replicas(cluster, 0)
    eventually(lambda: conditions(cluster).get("ScalingActive") == ("False", "ScalingDisabled"))
    assert replicas(cluster) == 0
    set_replicas(cluster, 3)
    eventually(lambda: replicas(cluster) == 5)


def test_a_scale_that_admission_refuses_is_reported(site: Site, cluster: Cluster) -> None:
    site.change(load={"shop/web": 10})
    eventually(lambda: replicas(cluster) == 2)
    policy, binding = closed_gate("shop")
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments/scale"]}
    policy["spec"]["matchConstraints"]["resourceRules"] = [rule]
    for manifest in (policy, binding):
        cluster.apply(manifest, manager="test")
    site.change(load={"shop/web": 240})
    eventually(lambda: conditions(cluster).get("AbleToScale") == ("False", "FailedUpdateScale"))
    assert replicas(cluster) == 2
