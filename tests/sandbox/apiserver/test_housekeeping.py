"""Garbage collection, namespaces that go, and volumes that are let go of."""

from __future__ import annotations

import pytest

ROOT = "/api/v1/namespaces/default"
MAPS = f"{ROOT}/configmaps"


def child(name, *owners, **metadata):
    references = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
        for owner in owners
    ]
    references = [{**one, "blockOwnerDeletion": True} for one in references]
    metadata = {"name": name, "ownerReferences": references, **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def gone(code, _body):
    return code == 404


def test_dependents_go_with_their_owner(client) -> None:
    parent = client("POST", MAPS, child("parent"))[1]
    middle = client("POST", MAPS, child("middle", parent))[1]
    client("POST", MAPS, child("leaf", middle))
    client("POST", MAPS, child("stranger"))
    client("DELETE", f"{MAPS}/parent")
    for name in ("middle", "leaf"):
        client.eventually(f"{MAPS}/{name}", gone)
    assert client("GET", f"{MAPS}/stranger")[0] == 200


def test_a_dependent_with_another_owner_stays_and_forgets_the_one_that_went(client) -> None:
    one, two = (client("POST", MAPS, child(name))[1] for name in ("one", "two"))
    client("POST", MAPS, child("both", one, two))
    client("DELETE", f"{MAPS}/one")
    left = client.eventually(f"{MAPS}/both", lambda _c, body: len(body["metadata"]["ownerReferences"]) == 1)
    assert left["metadata"]["ownerReferences"][0]["name"] == "two"


def test_whoever_is_born_to_an_owner_that_is_gone_goes_too(client) -> None:
    parent = client("POST", MAPS, child("parent"))[1]
    client("DELETE", f"{MAPS}/parent")
    client("POST", MAPS, child("orphan", parent))
    client.eventually(f"{MAPS}/orphan", gone)


def test_a_namesake_of_the_owner_is_not_the_owner(client) -> None:
    parent = client("POST", MAPS, child("parent"))[1]
    client("POST", MAPS, child("leaf", parent))
    client("DELETE", f"{MAPS}/parent")
    client("POST", MAPS, child("parent"))
    client.eventually(f"{MAPS}/leaf", gone)


def test_in_the_foreground_the_owner_goes_last(client) -> None:
    parent = client("POST", MAPS, child("parent"))[1]
    client("POST", MAPS, child("leaf", parent, finalizers=["example.com/hold"]))
    code, marked = client("DELETE", f"{MAPS}/parent", {"propagationPolicy": "Foreground"})
    assert (code, marked["metadata"]["finalizers"]) == (200, ["foregroundDeletion"])
    client.eventually(f"{MAPS}/leaf", lambda _c, body: "deletionTimestamp" in body["metadata"])
    assert client("GET", f"{MAPS}/parent")[0] == 200
    client("PATCH", f"{MAPS}/leaf", {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    client.eventually(f"{MAPS}/parent", gone)


def test_orphans_are_left_without_an_owner(client) -> None:
    parent = client("POST", MAPS, child("parent"))[1]
    client("POST", MAPS, child("leaf", parent))
    client("DELETE", f"{MAPS}/parent", {"propagationPolicy": "Orphan"})
    client.eventually(f"{MAPS}/parent", gone)
    left = client.eventually(f"{MAPS}/leaf", lambda _c, body: "ownerReferences" not in body["metadata"])
    assert "deletionTimestamp" not in left["metadata"]


def test_a_namespace_takes_its_content_with_it(client) -> None:
    client("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    client("POST", "/api/v1/namespaces/x/configmaps", child("held", finalizers=["example.com/hold"]))
    client("POST", "/api/v1/namespaces/x/configmaps", child("free"))
    assert client("DELETE", "/api/v1/namespaces/x")[1]["status"]["phase"] == "Terminating"
    client.eventually("/api/v1/namespaces/x/configmaps/free", gone)
    assert client("GET", "/api/v1/namespaces/x")[0] == 200
    code, refused = client("POST", "/api/v1/namespaces/x/configmaps", child("late"))
    assert (code, refused["details"]["causes"][0]["reason"]) == (403, "NamespaceTerminating")
    path = "/api/v1/namespaces/x/configmaps/held"
    client("PATCH", path, {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    client.eventually("/api/v1/namespaces/x", gone)


@pytest.mark.parametrize("name", ["default", "kube-system"])
def test_the_first_namespaces_stay(client, name) -> None:
    assert client("DELETE", f"/api/v1/namespaces/{name}")[0] == 403


def test_a_claim_goes_when_no_pod_uses_it(client) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": spec}
    client("POST", f"{ROOT}/persistentvolumeclaims", claim)
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    pod_spec = {"nodeName": "n", "containers": [{"name": "c", "image": "i:1"}], "volumes": volumes}
    client("POST", f"{ROOT}/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod_spec})
    client("DELETE", f"{ROOT}/persistentvolumeclaims/c")
    client("POST", MAPS, child("later"))
    client("DELETE", f"{MAPS}/later")
    assert client("GET", f"{ROOT}/persistentvolumeclaims/c")[0] == 200
    client("DELETE", f"{ROOT}/pods/p", {"gracePeriodSeconds": 0})
    client.eventually(f"{ROOT}/persistentvolumeclaims/c", gone)
