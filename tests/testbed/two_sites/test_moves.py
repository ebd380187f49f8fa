"""Planned moves: nothing is lost, nothing else is touched, and a controller may die in the middle of one."""

from __future__ import annotations

import pytest
from testbed.two_sites.fleet import APPS, COMMENT
from testbed.two_sites.site import DEPLOYMENT, VM, is_ready, is_stopped
from testbed.two_sites.world import TwoSites

pytestmark = pytest.mark.testbed


def test_a_planned_move_loses_nothing_and_touches_nothing_else(two_sites: TwoSites) -> None:
    app = "ledger"
    others = [other.name for other in APPS if other.name != app]
    giver, taker = two_sites.where(app)
    before = two_sites.calm(*others)
    lost, mark = two_sites.lost(app, giver), taker.last()
    two_sites.siteshift("failover", app, "--to", taker.name, "--yes")
    two_sites.wait_active(app, taker.name)
    two_sites.never_ran_twice(app)
    assert two_sites.lost(app, taker) == lost
    assert giver.since(DEPLOYMENT, "web", app, is_stopped) < giver.since(VM, "database", app, is_stopped)
    database_ready = taker.first(VM, "database", app, is_ready, after=mark)
    assert database_ready < taker.first(DEPLOYMENT, "web", app, lambda item: not is_stopped(item), after=mark)
    assert two_sites.versions(*others) == before
    assert two_sites.fleet.read(f"apps/{app}/placement.yaml").startswith(COMMENT)


@pytest.mark.parametrize("victim", ["giver", "taker"])
def test_a_controller_killed_in_the_middle_of_a_move_goes_on_with_it(two_sites: TwoSites, victim: str) -> None:
    app = "orders"
    giver, taker = two_sites.where(app)
    lost = two_sites.lost(app, giver)
    site, reached = {
        "giver": (giver, lambda: is_stopped(giver.client.get(*VM, "database", app))),
        "taker": (taker, lambda: '"Promoting"' in two_sites.fleet.ack(taker.name, app)),
    }[victim]
    two_sites.siteshift("failover", app, "--to", taker.name, "--yes")
    two_sites.wait(site, "the move is in the middle", reached)
    site.controller.kill()
    assert not taker.runs(app)
    site.controller.start()
    two_sites.wait_active(app, taker.name)
    two_sites.never_ran_twice(app)
    assert two_sites.lost(app, taker) == lost
