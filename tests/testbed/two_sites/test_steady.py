"""Between moves: each site stays as Git says, and nothing starts where it may not."""

from __future__ import annotations

import pytest
from testbed.client import ApiError
from testbed.two_sites.fleet import APPS, PLATFORM
from testbed.two_sites.site import APPLICATION, CONFIG_MAP, VM, is_stopped
from testbed.two_sites.world import TwoSites

pytestmark = pytest.mark.testbed


def test_drift_is_repaired(two_sites: TwoSites) -> None:
    site = two_sites.a
    site.client.merge(*CONFIG_MAP, "kept", {"data": {"color": "green"}}, "notes")
    two_sites.wait(
        site,
        "the changed field is as Git says",
        lambda: site.client.get(*CONFIG_MAP, "kept", "notes")["data"]["color"] == "blue",
    )
    site.client.delete(*CONFIG_MAP, "kept", "notes")
    two_sites.wait(site, "the deleted object is back", lambda: site.client.find(*CONFIG_MAP, "kept", "notes"))


def test_what_git_no_longer_names_is_pruned_and_nothing_else_is_touched(two_sites: TwoSites) -> None:
    before = two_sites.calm(*(app.name for app in APPS))
    kustomization = PLATFORM["kustomization.yaml"].replace("- 0000_30_notes_01_dropped.yaml\n", "")
    two_sites.fleet.write({"platform/base/kustomization.yaml": kustomization})
    two_sites.fleet.commit("Drop a note")
    for site in two_sites.sites:
        client = site.client
        two_sites.wait(
            site,
            "the dropped object is gone",
            lambda client=client: client.find(*CONFIG_MAP, "dropped", "notes") is None,
        )
        assert client.find(*CONFIG_MAP, "kept", "notes")
    assert two_sites.versions(*(app.name for app in APPS)) == before


def test_the_gate_refuses_what_a_site_may_not_start(two_sites: TwoSites) -> None:
    """A person starts a virtual machine by hand at the passive site: no instance comes to be, and it is put back."""
    app = "orders"
    _, passive = two_sites.where(app)
    created, refused = passive.creations(app)
    with pytest.raises(ApiError) as answer:
        passive.client.create(_pod(app))
    assert answer.value.status in (403, 422)
    passive.client.merge(*VM, "database", {"spec": {"runStrategy": "Always"}}, app)
    two_sites.wait(passive, "KubeVirt was refused", lambda: passive.creations(app)[1] > refused + 1)
    two_sites.wait(passive, "the machine is halted again", lambda: is_stopped(passive.client.get(*VM, "database", app)))
    assert passive.creations(app)[0] == created
    two_sites.never_ran_twice(app)


def _pod(app: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "by-hand", "namespace": app, "labels": {APPLICATION: app}},
        "spec": {"containers": [{"name": "by-hand", "image": "registry.example/web:1"}]},
    }


def test_what_is_installed_comes_up_in_its_namespace_and_its_rights_suffice(two_sites: TwoSites) -> None:
    """After all stories of this folder: nothing that the controller or the guard asked for was forbidden."""
    for site in two_sites.sites:
        deployment = site.client.get("apps/v1", "Deployment", "siteshift", "siteshift-system")
        assert deployment["status"]["readyReplicas"] == 2
        asked = [
            event
            for event in site.plane.audit_events()
            if event["user"]["username"] == "system:serviceaccount:siteshift-system:siteshift"
        ]
        refused = {event["requestURI"] for event in asked if event.get("responseStatus", {}).get("code") == 403}
        assert asked
        assert not refused
