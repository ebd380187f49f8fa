"""The walls around an application in a cluster: what is somebody else's stays as it is until Git consents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.cluster import Caches, Cluster
from reconciler.controller.adopting import TAKE_OVER, Rights
from reconciler.controller.applying import Applier
from reconciler.fleet.model import Contents
from reconciler.objects import APPLY_MANAGER, Manifest
from render.kustomization import Origin
from render.site import SiteManifest

SPACE = "walls"
NOBODY = Rights("ledger", Contents())


@pytest.fixture(scope="module")
def site(api: Any) -> Iterator[Cluster]:
    cluster = Cluster.from_endpoint(api.server, api.token, api.ca)
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}, manager="test")
    yield cluster
    cluster.close()


@pytest.fixture
def applier(site: Cluster) -> Iterator[Applier]:
    caches = Caches(site)
    yield Applier(site, caches, SystemClock())
    caches.stop()


def config_map(name: str, value: str, **annotations: str) -> Manifest:
    metadata = {"name": name, "namespace": SPACE, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": value}}


def bring(applier: Applier, manifest: Manifest, rights: Rights = NOBODY) -> str:
    return applier.bring(SiteManifest(manifest, "50", "x", Origin("x.yaml", 0), 0), "active", None, rights).error


def test_an_object_of_helm_is_left_as_it_is_until_its_annotation_consents(site: Cluster, applier: Applier) -> None:
    site.create(config_map("released", "theirs"), manager="helm")
    assert "is managed by helm" in bring(applier, config_map("released", "ours"))
    assert site.get("v1", "ConfigMap", SPACE, "released")["data"] == {"a": "theirs"}

    assert bring(applier, config_map("released", "ours", **{TAKE_OVER: "true"})) == ""
    found = site.get("v1", "ConfigMap", SPACE, "released")
    assert found["data"] == {"a": "ours"}
    assert APPLY_MANAGER in {each["manager"] for each in found["metadata"]["managedFields"]}
    assert bring(applier, config_map("released", "ours again")) == "", "it is ours from then on"


def test_one_line_of_the_fleet_consents_for_a_whole_namespace(site: Cluster, applier: Applier) -> None:
    for name in ("first", "second"):
        site.create(config_map(name, "theirs"), manager="kubectl-create")
        assert bring(applier, config_map(name, "ours"), Rights("ledger", Contents(take_over=(SPACE,)))) == ""
        assert site.get("v1", "ConfigMap", SPACE, name)["data"] == {"a": "ours"}


def test_a_cluster_scoped_kind_is_refused_whatever_namespace_it_names(site: Cluster, applier: Applier) -> None:
    metadata = {"name": "walls-everything", "namespace": SPACE}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": metadata, "rules": []}
    assert "cluster-scoped" in bring(applier, role)
    names = [each["metadata"]["name"] for each in site.list("rbac.authorization.k8s.io/v1", "ClusterRole").items]
    assert "walls-everything" not in names
