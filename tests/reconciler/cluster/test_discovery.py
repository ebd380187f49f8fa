"""Kinds are found by what the server says, in both forms of discovery, and looked for again when they are new."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.cluster import Cluster
from reconciler.cluster.discovery import UNKNOWN_KIND
from reconciler.errors import NotFound, Unreachable


def _version(version: str, kind: str, freshness: str = "Current") -> dict[str, Any]:
    entry = {"resource": kind.lower() + "s", "responseKind": {"kind": kind}, "scope": "Namespaced", "verbs": ["get"]}
    return {"version": version, "freshness": freshness, "resources": [entry]}


def _groups(**groups: list[dict[str, Any]]) -> dict[str, Any]:
    items = [{"metadata": {"name": name.replace("_", ".")}, "versions": versions} for name, versions in groups.items()]
    return {"kind": "APIGroupDiscoveryList", "items": items}


@pytest.fixture
def aggregated(script: Any, say: Any) -> Any:
    core = {"kind": "APIGroupDiscoveryList", "items": [{"metadata": {}, "versions": [_version("v1", "Pod")]}]}
    script.on("GET", "/api", say.Answer(body=core))
    return script


def test_aggregated_discovery_takes_two_requests_for_everything(cluster: Cluster, aggregated: Any, say: Any) -> None:
    apps = [_version("v1", "Deployment"), _version("v1beta1", "Deployment")]
    aggregated.on("GET", "/apis", say.Answer(body=_groups(apps=apps)))

    assert cluster.discovery.find("apps/v1beta1", "Deployment").path("shop", "web") == (
        "/apis/apps/v1beta1/namespaces/shop/deployments/web"
    )
    assert cluster.discovery.preferred("apps", "Deployment").api_version == "apps/v1"
    assert cluster.discovery.preferred("", "Pod").path("shop") == "/api/v1/namespaces/shop/pods"
    assert [asked.path for asked in aggregated.asked] == ["/api", "/apis"]


def test_older_servers_are_asked_group_by_group(cluster: Cluster, script: Any, say: Any) -> None:
    versions = [{"groupVersion": "demo.io/v1alpha1"}, {"groupVersion": "demo.io/v1"}]
    group = {"name": "demo.io", "versions": versions, "preferredVersion": versions[1]}
    script.on("GET", "/apis", say.Answer(body={"kind": "APIGroupList", "groups": [group]}))
    things = {"resources": [{"name": "things", "kind": "Thing", "namespaced": False}]}
    script.on("GET", "/apis/demo.io/v1", say.Answer(body=things))
    script.on("GET", "/apis/demo.io/v1alpha1", say.Answer(body=things))

    assert cluster.discovery.preferred("demo.io", "Thing").path(name="x") == "/apis/demo.io/v1/things/x"


def test_a_kind_that_was_just_installed_is_found(cluster: Cluster, aggregated: Any, say: Any) -> None:
    without, with_it = say.Answer(body=_groups()), say.Answer(body=_groups(demo_io=[_version("v1", "Thing")]))
    aggregated.on("GET", "/apis", without, with_it)
    cluster.discovery.find("v1", "Pod")

    assert cluster.discovery.find("demo.io/v1", "Thing").plural == "things"


def test_a_kind_that_the_cluster_lacks_is_not_found_by_name(cluster: Cluster, aggregated: Any, say: Any) -> None:
    aggregated.on("GET", "/apis", say.Answer(body=_groups()))

    with pytest.raises(NotFound, match=r"the cluster has no Thing of demo\.io/v1") as caught:
        cluster.discovery.find("demo.io/v1", "Thing")

    assert caught.value.reason == UNKNOWN_KIND


def test_a_kind_of_a_group_that_did_not_answer_is_unknown_not_absent(
    cluster: Cluster, aggregated: Any, say: Any
) -> None:
    stale = {"version": "v1", "freshness": "Stale", "resources": []}
    aggregated.on("GET", "/apis", say.Answer(body=_groups(metrics_k8s_io=[stale])))

    with pytest.raises(Unreachable, match=r"metrics\.k8s\.io does not answer"):
        cluster.discovery.find("metrics.k8s.io/v1", "PodMetrics")


def test_a_discovery_that_cannot_be_read_is_no_empty_set_of_kinds(cluster: Cluster, script: Any, say: Any) -> None:
    script.on("GET", "/apis", say.status(403, "Forbidden", "may not"))

    with pytest.raises(Exception, match="may not"):
        cluster.discovery.find("demo.io/v1", "Thing")
