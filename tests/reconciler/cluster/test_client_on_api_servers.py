"""The client on whole API servers: what the scripted one cannot vouch for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cluster import Caches, Cluster, WatchCache
from reconciler.errors import AlreadyExists, Conflict, Invalid, NotFound, Refused
from reconciler.objects import Ref

SPACE = "cluster-client"
PATIENCE = 20.0


@pytest.fixture(scope="module")
def site(api: Any) -> Iterator[Cluster]:
    cluster = Cluster.connect(api.kubeconfig, None)
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
    cluster.apply(space, manager="test")
    yield cluster
    cluster.close()


def _map(name: str, **data: str) -> dict[str, Any]:
    metadata = {"namespace": SPACE, "name": name}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def test_an_object_from_creation_to_deletion(site: Cluster) -> None:
    made = site.create(_map("life", a="1"), manager="test")
    applied = site.apply(_map("life", a="2", b="3"), manager="siteshift")
    read = site.get("v1", "ConfigMap", SPACE, "life")

    assert read["data"] == {"a": "2", "b": "3"}
    assert "siteshift" in {entry["manager"] for entry in applied["metadata"]["managedFields"]}
    with pytest.raises(AlreadyExists):
        site.create(_map("life"), manager="test")
    with pytest.raises(Conflict):
        site.replace(made, manager="test")
    with pytest.raises(Conflict):
        site.delete("v1", "ConfigMap", SPACE, "life", uid="another")
    site.delete("v1", "ConfigMap", SPACE, "life", uid=made["metadata"]["uid"])
    with pytest.raises(NotFound):
        site.get("v1", "ConfigMap", SPACE, "life")


def test_an_apply_is_guarded_by_the_version_that_was_read(site: Cluster) -> None:
    first = site.apply(_map("guarded", a="1"), manager="siteshift-moves")
    site.apply(_map("guarded", a="2"), manager="siteshift-moves")
    guarded = _map("guarded", a="3")
    guarded["metadata"]["resourceVersion"] = first["metadata"]["resourceVersion"]

    with pytest.raises(Conflict):
        site.apply(guarded, manager="siteshift-moves")

    assert site.get("v1", "ConfigMap", SPACE, "guarded")["data"] == {"a": "2"}


def test_a_field_of_another_manager_is_a_conflict_unless_forced(site: Cluster) -> None:
    site.apply(_map("shared", a="1"), manager="one")

    with pytest.raises(Conflict, match="conflict"):
        site.apply(_map("shared", a="2"), manager="two", force=False)

    assert site.apply(_map("shared", a="2"), manager="two")["data"] == {"a": "2"}


def test_a_dry_run_changes_nothing(site: Cluster) -> None:
    site.apply(_map("dry", a="1"), manager="test")

    assert site.apply(_map("dry", a="2"), manager="test", dry_run=True)["data"] == {"a": "2"}
    assert site.get("v1", "ConfigMap", SPACE, "dry")["data"] == {"a": "1"}


def test_bad_objects_are_invalid(site: Cluster) -> None:
    unknown = {**_map("bad"), "spec": {"x": 1}}
    wrong = _map("Bad_Name")

    for manifest in (unknown, wrong):
        with pytest.raises(Invalid):
            site.apply(manifest, manager="test")


def test_a_stranger_is_refused(api: Any) -> None:
    stranger = Cluster.from_endpoint(api.server, "nobody", Path(api.ca).read_text())

    with pytest.raises(Refused) as caught:
        stranger.list("v1", "ConfigMap")

    assert caught.value.status == 401


def test_a_policys_no_is_a_refusal(site: Cluster) -> None:
    group = "admissionregistration.k8s.io/v1"
    policy = {
        "apiVersion": group,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "cluster-client-closed"},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
                ]
            },
            "validations": [{"expression": "!object.metadata.name.startsWith('closed-')"}],
        },
    }
    binding = {
        "apiVersion": group,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "cluster-client-closed"},
        "spec": {"policyName": "cluster-client-closed", "validationActions": ["Deny"]},
    }
    site.apply(policy, manager="test")
    site.apply(binding, manager="test")

    def refused() -> Refused | None:
        try:
            site.create(_map("closed-x"), manager="test", dry_run=True)
        except Refused as error:
            return error
        return None

    error = _eventually(refused)
    assert "ValidatingAdmissionPolicy" in str(error)
    for kind in ("ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"):
        site.delete(group, kind, None, "cluster-client-closed")


def test_a_kind_is_found_as_soon_as_its_definition_is_served(site: Cluster) -> None:
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.client.example.com"},
        "spec": {
            "group": "client.example.com",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                }
            ],
        },
    }
    thing = {"apiVersion": "client.example.com/v1", "kind": "Thing", "metadata": {"namespace": SPACE, "name": "t"}}
    site.apply(definition, manager="test")

    def applied() -> Any:
        try:
            return site.apply({**thing, "spec": {"size": 1}}, manager="test")
        except NotFound:
            return None

    live = _eventually(applied)
    stated = site.replace_status({**live, "status": {"phase": "Up"}, "spec": {"size": 2}}, manager="test")

    assert site.discovery.preferred("client.example.com", "Thing").namespaced
    assert (stated["status"], stated["spec"]) == ({"phase": "Up"}, {"size": 1})


def test_a_list_of_many_pages_is_whole(site: Cluster) -> None:
    for number in range(3):
        manifest = _map(f"page-{number}")
        manifest["metadata"]["labels"] = {"pages": "yes"}
        site.apply(manifest, manager="test")

    resource = site.discovery.find("v1", "ConfigMap")
    listing = site._list(resource, SPACE, "pages=yes", page="2")

    assert [item["metadata"]["name"] for item in listing.items] == ["page-0", "page-1", "page-2"]
    assert all(item["kind"] == "ConfigMap" for item in listing.items)


def test_a_cache_follows_what_happens_and_stops_at_once(site: Cluster) -> None:
    seen: list[Ref] = []
    cache = WatchCache(site, "v1", "ConfigMap", namespace=SPACE, on_change=seen.append)
    assert cache.wait_synced(PATIENCE)

    site.apply(_map("followed", a="1"), manager="test")
    _eventually(lambda: cache.get(SPACE, "followed"))
    site.delete("v1", "ConfigMap", SPACE, "followed")
    _eventually(lambda: cache.get(SPACE, "followed") is None)
    cache.stop()

    assert Ref("", "ConfigMap", SPACE, "followed") in seen
    assert not cache._thread.is_alive()
    assert cache.error is None


def test_caches_of_many_kinds_do_not_wait_for_each_others_connections(api: Any) -> None:
    cluster = Cluster.connect(api.kubeconfig, None, pool=1)
    caches = Caches(cluster)
    kinds = [("v1", "ConfigMap"), ("v1", "Secret"), ("v1", "Pod"), ("apps/v1", "Deployment"), ("batch/v1", "Job")]
    try:
        for api_version, kind in kinds:
            assert caches.of(api_version, kind).wait_synced(PATIENCE), kind
        assert cluster.version()["gitVersion"].startswith("v1.")
    finally:
        caches.stop()
        cluster.close()


def test_the_servers_clock_is_known(site: Cluster) -> None:
    assert abs(site.server_time() - time.time()) < 5.0


def test_the_server_can_be_asked_at_each_of_its_addresses(site: Cluster) -> None:
    first = site.server_addresses()[0]
    other = site.at(first)

    assert other.version() == site.version()
    other.close()


def _eventually(check: Any) -> Any:
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.05)):
        value = check()
        if value:
            return value
        pause.wait(0.05)
    raise AssertionError("it never happened")
