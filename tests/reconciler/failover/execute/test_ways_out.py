"""From a hold to rest: what the command that a hold names commits is what lifts it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest
from two_sites.world import World

from reconciler.fleet.model import Application
from reconciler.fleet.moving import Disaster, plan_move
from reconciler.fleet.restating import Fields, allow_discard, override_fence

NAMES = {
    "epoch": "epoch",
    "allowDiscard": "allow_discard",
    "overrideFence": "override_fence",
    "acceptRewind": "accept_rewind",
}


def holds(world: World, site: str) -> list[str]:
    process = world.controllers[site]
    return [] if process is None or process.outcome is None else [each.reason for each in process.outcome.holds]


def placed(world: World) -> Application:
    """The application as the branch has it."""
    return replace(world.application, placement=world.placements[world.server.refs["refs/heads/main"]])


def commit(world: World, fields: Fields | None) -> None:
    """What the command line would write into placement.yaml."""
    assert fields is not None
    said: dict[str, Any] = asdict(placed(world).placement)
    for field, value in fields.items():
        said[NAMES[field]] = tuple(value) if isinstance(value, list) else value
    del said["path"]
    world.commit(said.pop("active"), **said)


@pytest.fixture
def world() -> World:
    """The application was active at a without a lease, which is now dead."""
    found = World(lease=None)
    found.until(lambda: found.is_active("a"), what="a active")
    found.passes(3)
    found.kill_site("a")
    return found


def test_not_fenced_is_lifted_by_override_fence(world: World) -> None:
    world.commit("b", move="disaster", declared_down=("a",), allow_data_loss=60.0, reason="fire")
    world.until(lambda: holds(world, "b") == ["NotFenced"], what="the hold")
    world.passes(20)
    assert world.apis["b"].running() == []
    commit(world, override_fence(placed(world), "power is cut"))
    world.until(lambda: world.is_active("b"), what="b active")


def test_needs_discard_is_lifted_by_allow_discard(world: World) -> None:
    dark = {"declared_down": ("a",), "allow_data_loss": 60.0, "reason": "fire", "override_fence": "power is cut"}
    world.commit("b", move="disaster", **dark)
    world.until(lambda: world.is_active("b"), what="b active")
    world.passes(5)
    world.may_both_run = True  # people answered for it that a is dark: what its cluster starts is stopped again
    world.revive("a")
    world.until(lambda: holds(world, "a") == ["NeedsDiscard"], what="the hold")
    world.may_both_run = False
    assert world.apis["a"].running() == []
    world.passes(20)
    assert world.array.discarded.get("a", []) == []
    commit(world, allow_discard(placed(world), ["a"]))
    world.until(lambda: world.last("a") in ("Demoted@3", "Passive@3"), what="a at rest")
    world.until(lambda: world.array.in_sync("a"), what="in sync")
    assert world.is_active("b")


def test_not_echoed_is_lifted_by_declaring_the_silent_site_down() -> None:
    world = World()
    world.until(lambda: world.is_active("a"), what="a active")
    world.passes(3)
    world.dead.add("b")
    world.cut.add("a")
    world.until(lambda: world.apis["a"].running() == [], what="the lease")
    world.passes(10)
    world.cut.clear()
    world.until(lambda: holds(world, "a") == ["NotEchoed"], what="the hold")
    world.passes(20)
    assert world.apis["a"].running() == []
    take_up_again(world, "b is dark")
    world.until(lambda: world.is_active("a"), what="a active again")
    again = plan_move(placed(world), "a", Disaster(("b",), "0s", "b is still dark"))
    assert again is not None, "the same may be needed again"


def test_a_site_that_its_lease_stopped_while_the_other_burns_down_is_taken_up_again_by_people() -> None:
    """The array that would prove the end of its being primary is gone: nothing but a newer epoch leads out."""
    world = World()
    world.until(lambda: world.is_active("a"), what="a active")
    world.passes(3)
    world.kill_site("b")
    world.cut.add("a")
    world.until(lambda: world.apis["a"].running() == [], what="the lease")
    world.passes(10)
    world.cut.clear()
    world.until(lambda: holds(world, "a") == ["NotInSync"], 400, what="the hold")
    assert world.apis["a"].running() == []
    take_up_again(world, "b burned down")
    world.until(lambda: world.is_active("a"), what="a active again")
    assert set(range(1, world.array.written + 1)) == set(world.array.copies["a"])


def take_up_again(world: World, reason: str) -> None:
    """siteshift failover ledger --to a --disaster --declare-down b"""
    assert plan_move(placed(world), "a", Disaster(("b",), "0s", reason)) is not None
    world.commit("a", move="disaster", declared_down=("b",), allow_data_loss=0.0, reason=reason)


def test_attack_a19_a_failback_before_the_old_site_has_returned_is_undone_by_the_commands_that_the_hold_names() -> None:
    """The failback takes the consent away, and to the active site none can be given."""
    world = World()
    world.until(lambda: world.is_active("a"), what="a active")
    world.passes(3)
    world.array.link = False
    world.passes(2)
    world.kill_site("a")
    dark = {"override_fence": "power is cut", "reason": "fire", "allow_data_loss": "unknown", "allow_discard": ("a",)}
    world.commit("b", move="disaster", declared_down=("a",), **dark)
    world.until(lambda: bool(world.apis["b"].running()), what="b starting")
    world.commit("a")
    world.revive("a")
    world.until(lambda: holds(world, "a") == ["NeedsDiscard"], what="the hold")
    world.until(lambda: world.apis["b"].running() == ["db", "svc"], what="b runs on")
    process = world.controllers["a"]
    assert process is not None
    assert process.outcome is not None
    assert process.outcome.holds[0].lifted_by == (
        "siteshift failover ledger --to b, then: siteshift allow-discard ledger --site a"
    )
    move = plan_move(placed(world), "b")
    assert move is not None
    world.commit("b")
    commit(world, allow_discard(placed(world), ["a"]))
    world.until(lambda: world.last("a") in ("Demoted@5", "Passive@5", "Superseded@5"), what="a at rest")
    world.until(lambda: world.is_active("b"), what="b active")
    world.commit("a")
    world.until(lambda: world.is_active("a"), what="a active again")
