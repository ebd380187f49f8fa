"""Lists and watches: consistent, selectable, in pages, and without a gap between the two."""

from __future__ import annotations

from typing import Any

import pytest

Manifest = dict[str, Any]


def config_map(name: str, **labels: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}


def seen(events: list[Manifest]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


@pytest.fixture
def three(api, core) -> str:
    """Three ConfigMaps; the path of the collection."""
    for name, labels in (("a", {"app": "x"}), ("b", {"app": "y"}), ("c", {"app": "x", "tier": "db"})):
        api.create(f"{core}/configmaps", config_map(name, **labels))
    return f"{core}/configmaps"


SELECTORS = [
    pytest.param({"labelSelector": "app=x"}, ["a", "c"], id="equal"),
    pytest.param({"labelSelector": "app!=x"}, ["b"], id="not equal"),
    pytest.param({"labelSelector": "app in (y, z)"}, ["b"], id="in"),
    pytest.param({"labelSelector": "app notin (x)"}, ["b"], id="not in"),
    pytest.param({"labelSelector": "tier"}, ["c"], id="exists"),
    pytest.param({"labelSelector": "!tier,app=x"}, ["a"], id="exists not, and equal"),
    pytest.param({"fieldSelector": "metadata.name=b"}, ["b"], id="by name"),
    pytest.param({"fieldSelector": "metadata.name!=b", "labelSelector": "tier"}, ["c"], id="by field and label"),
]


@pytest.mark.parametrize(("query", "names"), SELECTORS)
def test_selectors_select(api, three, query, names) -> None:
    assert [item["metadata"]["name"] for item in api.get(three, **query).body["items"]] == names


@pytest.mark.parametrize("query", [{"labelSelector": "=="}, {"fieldSelector": "data.k=v"}], ids=["label", "field"])
def test_a_selector_that_is_none_is_refused(api, three, query) -> None:
    assert api.get(three, **query).code == 400


def test_pods_are_selected_by_node_and_phase(api, core) -> None:
    for name, node in (("p", "one"), ("q", "two")):
        spec = {"nodeName": node, "containers": [{"name": "c", "image": "i:1"}]}
        api.create(f"{core}/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
    api.patch(f"{core}/pods/q/status", {"status": {"phase": "Running"}})
    for selector, names in (("spec.nodeName=one", ["p"]), ("status.phase=Running", ["q"])):
        items = api.get(f"{core}/pods", fieldSelector=selector).body["items"]
        assert [item["metadata"]["name"] for item in items] == names


def test_items_of_a_built_in_list_do_not_say_what_they_are(api, three) -> None:
    listed = api.get(three).body
    assert listed["kind"] == "ConfigMapList"
    assert [("kind" in item, "apiVersion" in item) for item in listed["items"]] == [(False, False)] * 3


def test_pages_are_of_one_moment(api, three) -> None:
    first = api.get(three, limit=2).body
    api.delete(f"{three}/c")
    assert first["metadata"]["remainingItemCount"] == 1
    second = api.get(three, limit=2, **{"continue": first["metadata"]["continue"]}).body
    names = [item["metadata"]["name"] for page in (first, second) for item in page["items"]]
    assert names == ["a", "b", "c"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert "continue" not in second["metadata"]


def test_a_watch_goes_on_where_a_list_ended(api, three) -> None:
    version = api.get(three).body["metadata"]["resourceVersion"]
    api.create(three, config_map("d"))
    api.patch(f"{three}/a", {"metadata": {"labels": {"n": "1"}}})
    api.delete(f"{three}/b")
    events = api.watch(three, until=3, resourceVersion=version)
    assert seen(events) == [("ADDED", "d"), ("MODIFIED", "a"), ("DELETED", "b")]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert int(version) < versions[0] < versions[1] < versions[2]


def test_a_watch_without_a_version_begins_with_what_is_there(api, three) -> None:
    assert sorted(seen(api.watch(three, until=3))) == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "c")]


def test_an_object_that_leaves_the_selection_is_seen_as_deleted(api, three) -> None:
    version = api.get(three).body["metadata"]["resourceVersion"]
    api.patch(f"{three}/a", {"metadata": {"labels": {"app": "y"}}})
    api.patch(f"{three}/b", {"metadata": {"labels": {"app": "x"}}})
    assert seen(api.watch(three, until=2, resourceVersion=version, labelSelector="app=x")) == [
        ("DELETED", "a"),
        ("ADDED", "b"),
    ]


def test_a_watch_ends_at_its_limit(api, three) -> None:
    version = api.get(three).body["metadata"]["resourceVersion"]
    assert api.watch(three, until=9, resourceVersion=version, timeoutSeconds=1) == []


def test_initial_events_end_with_a_bookmark_that_says_so(api, three) -> None:
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    events = api.watch(three, until=4, **query)
    assert sorted(seen(events)[:3]) == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "c")]
    assert events[3]["type"] == "BOOKMARK"
    assert events[3]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_initial_events_need_to_be_asked_for_rightly(api, three) -> None:
    (refusal,) = api.watch(three, until=1, sendInitialEvents="true")
    assert (refusal["type"], refusal["object"]["code"]) == ("REFUSED", 422)


def test_a_version_from_the_future_cannot_be_read(api, three) -> None:
    answer = api.get(three, resourceVersion=10**9)
    assert (answer.code, answer.body["reason"]) == (504, "Timeout")
    assert answer.body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_a_collection_is_deleted_by_its_selector(api, three) -> None:
    assert api.delete(three, labelSelector="app=x").code == 200
    assert [item["metadata"]["name"] for item in api.get(three).body["items"]] == ["b"]


TABLES = [
    pytest.param("configmaps", ["Name", "Data", "Age"], id="configmaps"),
    pytest.param("pods", ["Name", "Ready", "Status", "Restarts", "Age"], id="pods"),
    pytest.param("services", ["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age"], id="services"),
    pytest.param("secrets", ["Name", "Type", "Data", "Age"], id="secrets"),
    pytest.param(
        "persistentvolumeclaims",
        ["Name", "Status", "Volume", "Capacity", "Access Modes", "StorageClass", "Age"],
        id="claims",
    ),
]


@pytest.mark.parametrize(("plural", "columns"), TABLES)
def test_lists_can_be_had_as_tables(api, core, plural, columns) -> None:
    """Columns beyond the usual width differ; those that everybody sees do not."""
    table = api.send("GET", f"{core}/{plural}", accept="application/json;as=Table;v=v1;g=meta.k8s.io").body
    shown = [one["name"] for one in table["columnDefinitions"] if not one["priority"]]
    assert [name for name in shown if name != "VolumeAttributesClass"] == columns


def test_a_table_shows_what_an_object_holds(api, core) -> None:
    api.create(f"{core}/configmaps", {**config_map("a"), "data": {"k": "v", "l": "w"}})
    table = api.send("GET", f"{core}/configmaps/a", accept="application/json;as=Table;v=v1;g=meta.k8s.io").body
    assert [row["cells"][:2] for row in table["rows"]] == [["a", 2]]
