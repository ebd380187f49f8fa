"""Inventories and prunes in a cluster: nothing is forgotten, and nothing goes that something hangs on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.cluster import Cluster
from reconciler.errors import ClusterError, Conflict, NotFound
from reconciler.inventory import Entry, Ledger, look_around, plan, prune, read_inventories, read_inventory
from reconciler.inventory.record import entry_of, from_manifest, inventory_name, to_manifest
from reconciler.objects import APPLICATION_LABEL, APPLY_MANAGER, SYSTEM_NAMESPACE, Manifest, Ref, ref_of

SPACE = "inventory"


@pytest.fixture(scope="module")
def site(api: Any) -> Iterator[Cluster]:
    cluster = Cluster.from_endpoint(api.server, api.token, api.ca)
    for name in (SYSTEM_NAMESPACE, SPACE):
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, manager="test")
    yield cluster
    cluster.close()


@pytest.fixture
def unit(request: pytest.FixtureRequest) -> str:
    """A unit of the test's own."""
    name: str = request.node.originalname
    return name.removeprefix("test_").replace("_", "-")


def _map(unit: str, name: str) -> Manifest:
    metadata = {"namespace": SPACE, "name": f"{unit[:30]}-{name}", "labels": {APPLICATION_LABEL: unit[:60]}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def _entries(unit: str, *names: str, level: str = "50") -> list[Entry]:
    return [entry_of(_map(unit, name), level) for name in names]


def test_an_inventory_is_read_as_it_was_written(site: Cluster, unit: str) -> None:
    entries = _entries(unit, "a", "b")
    assert read_inventory(site, unit) == ()

    Ledger(site).cover(unit, entries)

    assert read_inventory(site, unit) == tuple(entries)
    assert read_inventories(site)[unit] == tuple(entries)


def test_what_was_recorded_stays_until_it_is_gone(site: Cluster, unit: str) -> None:
    old, new = _entries(unit, "old", "both"), _entries(unit, "both", "new")
    ledger = Ledger(site)
    ledger.cover(unit, old)

    ledger.cover(unit, new)
    assert read_inventory(site, unit) == tuple(sorted({*old, *new}))

    ledger.settle(unit, old[:1])
    assert read_inventory(site, unit) == tuple(sorted(new))


def test_the_same_inventory_is_not_written_again(site: Cluster, unit: str) -> None:
    ledger = Ledger(site)
    ledger.cover(unit, _entries(unit, "a"))
    before = site.get("v1", "ConfigMap", SYSTEM_NAMESPACE, inventory_name(unit))

    ledger.cover(unit, _entries(unit, "a"))
    ledger.settle(unit, [])

    assert site.get("v1", "ConfigMap", SYSTEM_NAMESPACE, inventory_name(unit)) == before


def test_two_controllers_cannot_shorten_each_others_inventory(site: Cluster, unit: str) -> None:
    first, second = Ledger(site), Ledger(site)
    first.cover(unit, _entries(unit, "a"))
    assert len(second.entries(unit)) == 1
    first.cover(unit, _entries(unit, "b"))

    with pytest.raises(Conflict):
        second.settle(unit, _entries(unit, "a"))
    second.settle(unit, _entries(unit, "a"))

    assert read_inventory(site, unit) == tuple(_entries(unit, "b"))


def test_an_inventory_that_somebody_broke_is_an_error_not_an_empty_one(site: Cluster, unit: str) -> None:
    broken = to_manifest(unit, _entries(unit, "a"))
    broken["data"]["objects"] = "[oops"
    site.apply(broken, manager="test")

    with pytest.raises(ClusterError, match="is no inventory"):
        read_inventory(site, unit)
    site.delete("v1", "ConfigMap", SYSTEM_NAMESPACE, inventory_name(unit))


@pytest.mark.parametrize("unit_name", ["ledger", "platform/00-base", "Ünit", "a" * 300, "-x-"])
def test_every_unit_has_a_name_that_kubernetes_takes(site: Cluster, unit_name: str) -> None:
    manifest = to_manifest(unit_name, [])

    site.create(manifest, manager="test", dry_run=True)

    assert from_manifest(manifest) == (unit_name, ())


def _plan(site: Cluster, unit: str, desired: list[Ref], **given: Any) -> Any:
    old = read_inventory(site, unit)
    live = {}
    for entry in old:
        try:
            live[entry.ref] = site.get(entry.api_version, entry.ref.kind, entry.ref.namespace, entry.ref.name)
        except NotFound:
            continue
    candidates = [manifest for ref, manifest in live.items() if ref not in desired]
    around = look_around(site, candidates, desired)
    return plan(old, desired, live, 10, label=(APPLICATION_LABEL, unit[:60]), around=around, **given)


def test_a_prune_goes_level_by_level_and_is_then_forgotten(site: Cluster, unit: str) -> None:
    entries = [*_entries(unit, "low", level="9"), *_entries(unit, "high", level="10"), *_entries(unit, "stays")]
    ledger = Ledger(site)
    ledger.cover(unit, entries)
    for name in ("low", "high", "stays"):
        site.apply(_map(unit, name), manager=APPLY_MANAGER)
    desired = [entries[2].ref]

    rounds = [prune(site, _plan(site, unit, desired)).deleted for _ in range(3)]

    assert rounds == [(entries[1],), (entries[0],), ()]
    ledger.settle(unit, _plan(site, unit, desired).gone)
    assert read_inventory(site, unit) == (entries[2],)
    site.get("v1", "ConfigMap", SPACE, entries[2].ref.name)


def test_an_object_that_is_slow_to_go_holds_back_the_level_below(site: Cluster, unit: str) -> None:
    low, high = _map(unit, "low"), _map(unit, "high")
    high["metadata"]["finalizers"] = ["example.com/slow"]
    Ledger(site).cover(unit, [entry_of(low, "10"), entry_of(high, "20")])
    for manifest in (low, high):
        site.apply(manifest, manager=APPLY_MANAGER)

    assert [entry.ref for entry in prune(site, _plan(site, unit, [])).deleted] == [ref_of(high)]
    assert prune(site, _plan(site, unit, [])).deleted == ()

    del high["metadata"]["finalizers"]
    site.apply(high, manager=APPLY_MANAGER)
    assert [entry.ref for entry in prune(site, _plan(site, unit, [])).deleted] == [ref_of(low)]


def test_an_object_that_was_made_anew_after_the_plan_is_left_alone(site: Cluster, unit: str) -> None:
    manifest = _map(unit, "phoenix")
    Ledger(site).cover(unit, [entry_of(manifest, "10")])
    site.apply(manifest, manager=APPLY_MANAGER)
    planned = _plan(site, unit, [])
    site.delete("v1", "ConfigMap", SPACE, manifest["metadata"]["name"])
    site.apply(manifest, manager=APPLY_MANAGER)

    assert prune(site, planned).deleted == ()
    site.get("v1", "ConfigMap", SPACE, manifest["metadata"]["name"])


def test_a_namespace_with_a_claim_in_it_and_the_owner_of_a_claim_stay(site: Cluster, unit: str) -> None:
    label = {APPLICATION_LABEL: unit[:60]}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "inventory-data", "labels": label}}
    owner = _map(unit, "owner")
    owner["metadata"]["namespace"] = "inventory-data"
    site.apply(space, manager=APPLY_MANAGER)
    made = site.apply(owner, manager=APPLY_MANAGER)
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": made["metadata"]["name"],
        "uid": made["metadata"]["uid"],
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"namespace": "inventory-data", "name": "data", "ownerReferences": [reference]},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    site.apply(claim, manager="somebody")
    Ledger(site).cover(unit, [entry_of(space, "00"), entry_of(owner, "50")])

    found = _plan(site, unit, [])

    assert {kept.ref.kind: kept.reason for kept in found.kept} == {"Namespace": "HoldsData", "ConfigMap": "OwnsData"}
    assert prune(site, found).deleted == ()


def test_a_prune_whose_surroundings_cannot_be_read_does_not_happen(site: Cluster, api: Any, unit: str) -> None:
    stranger = Cluster.from_endpoint(api.server, "nobody", api.ca)

    with pytest.raises(ClusterError):
        look_around(stranger, [_map(unit, "a")], [])


def test_a_namespace_that_holds_something_of_somebody_else_stays(site: Cluster) -> None:
    label = {APPLICATION_LABEL: "leaving"}
    spaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": label}}
        for name in ("inventory-own", "inventory-shared")
    ]
    for space in spaces:
        site.apply(space, manager=APPLY_MANAGER)
        metadata = {"namespace": space["metadata"]["name"], "name": "ours", "labels": label}  # type: ignore[index]
        site.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}, manager=APPLY_MANAGER)
    secret = {"namespace": "inventory-shared", "name": "theirs"}
    site.create({"apiVersion": "v1", "kind": "Secret", "metadata": secret}, manager="kubectl-create")

    live = {ref_of(space): site.get("v1", "Namespace", None, ref_of(space).name) for space in spaces}
    around = look_around(site, list(live.values()), [])
    recorded = [entry_of(space, "00") for space in spaces]
    found = plan(recorded, [], live, 9, label=(APPLICATION_LABEL, "leaving"), around=around)

    assert [each.entry.ref.name for each in found.delete] == ["inventory-own"]
    (kept,) = found.kept
    assert (kept.reason, kept.ref.name) == ("HoldsOthers", "inventory-shared")
    assert kept.message == "Secret inventory-shared/theirs is in it, which is somebody else's"
