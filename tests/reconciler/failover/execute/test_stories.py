"""The demo's story and its neighbours, told to two whole sites in one process; I1 is looked at in every moment."""

from __future__ import annotations

import pytest
from two_sites.world import World


def test_first_placement_starts_at_the_named_site_and_the_other_says_passive() -> None:
    world = World()
    world.until(lambda: world.is_active("a"), what="a active")
    assert world.last("b") == "Passive@1"
    assert world.apis["b"].running() == []


def test_planned_move_loses_nothing_and_ends_protected() -> None:
    world = World()
    world.until(lambda: world.is_active("a"), what="a active")
    world.passes(3)
    world.commit("b")
    world.until(lambda: world.is_active("b"), what="b active")
    assert world.last("a") == "Demoted@2"
    assert set(range(1, world.array.written + 1)) == set(world.array.copies["b"])


def test_disaster_return_and_failback() -> None:
    world = World()
    world.until(lambda: world.is_active("a"), what="a active")
    world.passes(3)
    world.kill_site("a")
    world.commit("b", move="disaster", declared_down=("a",), allow_data_loss=60.0, allow_discard=("a",), reason="fire")
    world.until(lambda: world.is_active("b"), what="b active")
    lost = set(range(1, world.array.written + 1)) - set(world.array.copies["b"])
    world.passes(10)
    refused = world.apis["a"].refusals
    world.revive("a")
    world.until(lambda: world.last("a") == "Demoted@2", what="a demoted")
    assert world.apis["a"].refusals > refused
    assert world.apis["a"].running() == []
    assert set(world.array.discarded.get("a", [])) <= lost
    world.until(lambda: world.array.in_sync("a"), what="in sync")
    world.commit("a")
    world.until(lambda: world.is_active("a"), what="a active again")
    assert world.last("b") == "Demoted@3"


@pytest.mark.parametrize("site", ["a", "b"])
def test_a_controller_killed_in_a_planned_move_goes_on_where_it_was(site: str) -> None:
    world = World(seed=1)
    world.until(lambda: world.is_active("a"), what="a active")
    world.commit("b")
    for _ in range(40):
        world.passes(0.5)
        world.controllers[site] = None
    world.until(lambda: world.is_active("b"), what="b active")
    assert set(range(1, world.array.written + 1)) == set(world.array.copies["b"])
