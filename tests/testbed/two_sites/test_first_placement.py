"""From nothing to applications that run: in run-level order, under the start gate's cap, all created stopped."""

from __future__ import annotations

import pytest
from testbed.two_sites.fleet import APPS, CAP, NAMES
from testbed.two_sites.site import CONFIG_MAP, DEPLOYMENT, GROUP, NAMESPACE, STORAGE_CLASS, VM, is_ready, is_stopped
from testbed.two_sites.world import TwoSites

pytestmark = pytest.mark.testbed

WORKLOADS = ((VM, "database"), (DEPLOYMENT, "web"))


@pytest.mark.parametrize("name", NAMES)
def test_the_platform_comes_first_and_in_run_level_order(two_sites: TwoSites, name: str) -> None:
    site = two_sites.site(name)
    steps = [
        site.first(STORAGE_CLASS, "replicated"),
        site.first(NAMESPACE, "notes"),
        site.first(CONFIG_MAP, "kept"),
        site.first(CONFIG_MAP, "dropped"),
    ]
    assert steps == sorted(steps)
    assert all(steps[-1] < site.first(kind, name, app.name) for app in APPS for kind, name in WORKLOADS)


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.name)
def test_a_service_starts_once_the_database_is_ready(two_sites: TwoSites, app) -> None:
    site = two_sites.site(app.active)
    database_ready = site.first(VM, "database", app.name, is_ready)
    assert database_ready < site.first(DEPLOYMENT, "web", app.name, lambda item: not is_stopped(item))


@pytest.mark.parametrize("name", NAMES)
def test_the_start_gate_reaches_its_cap_and_never_passes_it(two_sites: TwoSites, name: str) -> None:
    at_once = [len(pending) for pending in two_sites.site(name).starting(until=two_sites.placed[name])]
    assert max(at_once) == CAP


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.name)
def test_every_workload_is_created_stopped(two_sites: TwoSites, app) -> None:
    for site in two_sites.sites:
        for kind, _ in WORKLOADS:
            assert is_stopped(site.events(kind, app=app.name)[0][2])
        group = site.events(GROUP, app=app.name)[0][2]
        assert group["spec"]["replicationState"] == "secondary"
