"""A whole site is lost: the other takes over, the lost one returns as the passive one, and a commit brings it home."""

from __future__ import annotations

import pytest
from testbed.two_sites.fleet import APPS
from testbed.two_sites.world import TwoSites

pytestmark = pytest.mark.testbed


def test_a_killed_site_is_taken_over_from_returns_as_passive_and_gets_its_own_back(two_sites: TwoSites) -> None:
    app = "stock"
    lost_site, survivor = two_sites.where(app)
    moved = [other.name for other in APPS if two_sites.where(other.name)[0] is lost_site]
    lost_site.kill()
    two_sites.siteshift(
        *("failover", *moved, "--to", survivor.name, "--disaster", "--declare-down", lost_site.name),
        *("--reason", "it burns", "--allow-data-loss", "10m", "--allow-discard", lost_site.name, "--yes"),
    )
    for name in moved:
        two_sites.wait(survivor, f"{name} runs there", lambda name=name: survivor.runs(name))
    lost = {name: two_sites.lost(name, survivor) for name in moved}

    before = {name: lost_site.creations(name) for name in moved}
    lost_site.start_again()
    for name in moved:
        two_sites.wait(
            lost_site,
            f"KubeVirt was refused to start {name}",
            lambda name=name: lost_site.creations(name)[1] > before[name][1],
        )
    for name in moved:
        two_sites.wait_active(name, survivor.name)
        assert lost_site.creations(name)[0] == before[name][0]
        assert two_sites.lost(name, survivor) == lost[name]
        # The consent to discard belongs to this epoch: the way home begins when the replica follows again.
        two_sites.wait(
            lost_site,
            f"{name} follows again",
            lambda name=name: '"state": "Demoted"' in two_sites.fleet.ack(lost_site.name, name),
        )

    two_sites.siteshift("failback", app, "--yes")
    two_sites.wait_active(app, lost_site.name)
    assert two_sites.lost(app, lost_site) == lost[app]
    for name in moved:
        two_sites.never_ran_twice(name)
