"""The whole, on real parts: two control planes, a Git server between them, and the controllers as people start them.

Every test works on an application of its own, so that each can run alone; the last one kills a whole site.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed.client import ApiError, eventually
from testbed.fleet import APPS, PLATFORM
from testbed.two_sites import (
    CONFIG_MAP,
    DEPLOYMENT,
    GROUP,
    INSTANCE,
    POD,
    VM,
    Site,
    TwoSites,
    first,
    starting,
)

pytestmark = [pytest.mark.testbed, pytest.mark.xdist_group("two-sites")]


@pytest.fixture(scope="module")
def two_sites(testbed_binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoSites]:
    """Both sites, with every application where its first placement wants it."""
    pair = TwoSites(tmp_path_factory.mktemp("two-sites"), testbed_binaries)
    try:
        pair.start()
        for app in APPS:
            pair.wait_active(app.name, app.active)
        yield pair
    finally:
        pair.close()


@pytest.mark.parametrize("name", ["a", "b"])
def test_the_first_apply_goes_in_run_level_order(two_sites: TwoSites, name: str) -> None:
    site = _site(two_sites, name)
    platform = site.events(CONFIG_MAP)
    classes = site.client.get("storage.k8s.io/v1", "StorageClass", "replicated")
    notes = site.client.get("v1", "Namespace", "notes")
    kept, dropped = (first(platform, config, lambda _: True) for config in ("kept", "dropped"))
    assert classes["metadata"]["creationTimestamp"] <= notes["metadata"]["creationTimestamp"]
    assert kept < dropped
    for app in APPS:
        machines, webs = site.events(VM, app=app.name), site.events(DEPLOYMENT, app=app.name)
        assert dropped < first(machines, "database", lambda _: True)
        if app.active == name:
            ready = first(machines, "database", lambda item: item.get("status", {}).get("ready") is True)
            assert ready < first(webs, "web", lambda item: item["spec"].get("replicas", 1) > 0)


@pytest.mark.parametrize("name", ["a", "b"])
def test_the_start_gate_lets_one_workload_start_at_a_time(two_sites: TwoSites, name: str) -> None:
    at_once = [len(pending) for pending in starting(_site(two_sites, name))]
    assert max(at_once) == 1


@pytest.mark.parametrize("app", [app.name for app in APPS])
def test_every_workload_is_created_stopped(two_sites: TwoSites, app: str) -> None:
    for site in two_sites.sites:
        for kind, field, stopped in ((VM, "runStrategy", "Halted"), (DEPLOYMENT, "replicas", 0)):
            created = site.events(kind, app=app)[0][2]
            assert created["spec"][field] == stopped
        group = site.events(GROUP, app=app)[0][2]
        assert group["spec"]["replicationState"] == "secondary"


def test_drift_is_repaired(two_sites: TwoSites) -> None:
    client = two_sites.a.client
    client.merge(*CONFIG_MAP, "kept", {"data": {"color": "green"}}, "notes")
    eventually(
        "the changed field is as Git says",
        lambda: client.get(*CONFIG_MAP, "kept", "notes")["data"]["color"] == "blue",
        detail=two_sites.a.controller.tail,
    )
    client.delete(*CONFIG_MAP, "kept", "notes")
    eventually(
        "the deleted object is back",
        lambda: client.find(*CONFIG_MAP, "kept", "notes"),
        detail=two_sites.a.controller.tail,
    )


def test_what_git_no_longer_names_is_pruned_and_nothing_else(two_sites: TwoSites) -> None:
    versions = {(site.name, app.name): site.versions(app.name) for site in two_sites.sites for app in APPS}
    kustomization = PLATFORM["kustomization.yaml"].replace("- 0000_30_notes_01_dropped.yaml\n", "")
    two_sites.fleet.write({"platform/base/kustomization.yaml": kustomization})
    two_sites.fleet.commit("Drop a note")
    for site in two_sites.sites:
        eventually(
            f"the dropped object is gone from {site.name}",
            lambda site=site: site.client.find(*CONFIG_MAP, "dropped", "notes") is None,
            detail=site.controller.tail,
        )
        assert site.client.find(*CONFIG_MAP, "kept", "notes")
    assert {(site.name, app.name): site.versions(app.name) for site in two_sites.sites for app in APPS} == versions


def test_the_gate_refuses_what_a_site_may_not_start(two_sites: TwoSites) -> None:
    """A person starts the virtual machine by hand at the passive site: no instance comes to be, and it is put back."""
    app = "orders"
    passive = two_sites.a
    with pytest.raises(ApiError) as refused:
        passive.client.create(_pod(app))
    assert refused.value.status in (403, 422)
    passive.client.merge(*VM, "database", {"spec": {"runStrategy": "Always"}}, app)
    eventually("the simulated KubeVirt was refused", lambda: passive.refusals(app), detail=passive.simulation.tail)
    eventually(
        "the machine is halted again",
        lambda: passive.client.get(*VM, "database", app)["spec"]["runStrategy"] == "Halted",
        detail=passive.controller.tail,
    )
    assert passive.events(INSTANCE, POD, app=app) == []
    two_sites.never_ran_twice(app)


def test_a_planned_move_loses_nothing_and_touches_nothing_else(two_sites: TwoSites) -> None:
    app, others = "ledger", ("orders", "stock")
    before = {(site.name, other): site.versions(other) for site in two_sites.sites for other in others}
    two_sites.siteshift("failover", app, "--to", "b", "--yes")
    two_sites.wait_active(app, "b")
    two_sites.never_ran_twice(app)
    assert two_sites.lost(app, two_sites.b) == 0
    stopped = two_sites.a.events(VM, DEPLOYMENT, app=app)
    web_stopped = _last_change(stopped, "web", lambda item: item["spec"]["replicas"] == 0)
    database_stopped = _last_change(stopped, "database", lambda item: item["spec"]["runStrategy"] == "Halted")
    assert web_stopped < database_stopped
    started = two_sites.b.events(VM, DEPLOYMENT, app=app)
    database_ready = first(started, "database", lambda item: item.get("status", {}).get("ready") is True)
    assert database_ready < first(started, "web", lambda item: item["spec"]["replicas"] > 0)
    assert {(site.name, other): site.versions(other) for site in two_sites.sites for other in others} == before
    placement = two_sites.fleet.read(f"apps/{app}/placement.yaml")
    assert placement.startswith("# Kept by every move: this comment and the line below it.\n\n")
    assert "epoch: 2" in placement


@pytest.mark.parametrize("victim", ["giver", "taker"])
def test_a_controller_killed_in_the_middle_of_a_move_goes_on_with_it(two_sites: TwoSites, victim: str) -> None:
    app = "orders"
    giver, taker = (two_sites.b, two_sites.a) if two_sites.b.runs(app) else (two_sites.a, two_sites.b)
    target, reached = {
        "giver": (giver, lambda: _halted(giver, app)),
        "taker": (taker, lambda: '"Promoting"' in two_sites.fleet.ack(taker.name, app)),
    }[victim]
    two_sites.siteshift("failover", app, "--to", taker.name, "--yes")
    eventually(f"the {victim} is in the middle of it", reached, seconds=120, detail=target.controller.tail)
    target.controller.kill()
    assert not taker.runs(app)
    target.controller.start()
    two_sites.wait_active(app, taker.name)
    two_sites.never_ran_twice(app)
    assert two_sites.lost(app, taker) == 0


def test_a_killed_site_is_taken_over_from_and_returns_as_passive(two_sites: TwoSites) -> None:
    app = "stock"
    a, b = two_sites.sites
    if not a.runs(app):
        pytest.fail(f"{app} is expected at a")
    a.kill()
    moved = [name for name in (candidate.name for candidate in APPS) if not b.runs(name)]
    two_sites.siteshift(
        *("failover", *moved, "--to", "b", "--disaster", "--declare-down", "a", "--reason", "a burns"),
        *("--allow-data-loss", "10m", "--allow-discard", "a", "--yes"),
    )
    eventually(f"{app} runs at b", lambda: b.runs(app), seconds=240, detail=b.controller.tail)
    lost = two_sites.lost(app, b)

    seen = len(a.events(INSTANCE, POD, app=app))
    a.start()
    eventually(
        "the returned site's KubeVirt was refused", lambda: a.refusals(app), seconds=120, detail=a.simulation.tail
    )
    two_sites.wait_active(app, "b")
    born = [item for _, kind, item in a.events(INSTANCE, POD, app=app)[seen:] if kind == "ADDED"]
    assert born == []
    assert two_sites.lost(app, b) == lost

    two_sites.siteshift("failback", app, "--yes")
    two_sites.wait_active(app, "a")
    two_sites.never_ran_twice(app)
    assert two_sites.lost(app, a) == lost


def _site(two_sites: TwoSites, name: str) -> Site:
    return two_sites.a if name == "a" else two_sites.b


def _halted(site: Site, app: str) -> bool:
    return bool(site.client.get(*VM, "database", app)["spec"]["runStrategy"] == "Halted")


def _last_change(events: list, name: str, holds: object) -> int:
    """The position of the event with which something became true for good."""
    assert callable(holds)
    found = None
    for _, _, item in events:
        if item["metadata"]["name"] == name:
            if not holds(item):
                found = None
            elif found is None:
                found = int(item["metadata"]["resourceVersion"])
    assert found is not None
    return found


def _pod(app: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "by-hand", "namespace": app, "labels": {"siteshift.io/application": app}},
        "spec": {"containers": [{"name": "by-hand", "image": "registry.example/web:1"}]},
    }
