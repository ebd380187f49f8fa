"""Random stories under a seeded scheduler that kills, pauses, delays and cuts off controllers between any two requests.

I1 is looked at in every moment. When the chaos ends every story must converge at the site that Git names last, and a
story without a disaster must not have lost a record. A seed that fails is a test case for ever.
"""

from __future__ import annotations

import pytest
from two_sites.world import LEASE, World


def _settle(world: World) -> None:
    """The chaos is over: everything is there, and Git names one site last."""
    world.chaos = 0.0
    world.cut.clear()
    for site in sorted(world.dead):
        world.revive(site)
    for site in ("a", "b"):
        world.controllers[site] = world.process(site)


def _complete(world: World, site: str) -> bool:
    return set(range(1, world.array.written + 1)) == set(world.array.copies[site])


@pytest.mark.parametrize("seed", range(40))
def test_planned_moves_under_chaos_keep_one_writer_and_every_record(seed: int) -> None:
    world = World(seed=seed, chaos=0.02, lease=None if seed % 3 == 0 else LEASE)
    target = "a"
    for _ in range(world.random.randrange(2, 7)):
        world.passes(world.random.choice((0.3, 1, 2, 4, 8, 30)))
        if world.random.random() < 0.7:
            target = "b" if target == "a" else "a"
            world.commit(target)
        if world.random.random() < 0.3:
            world.cut.symmetric_difference_update({world.random.choice("ab")})
    _settle(world)
    world.until(lambda: world.is_active(target), 200, f"{target} active")
    assert _complete(world, target)


@pytest.mark.parametrize("seed", range(40))
def test_disasters_under_chaos_keep_one_writer_and_come_to_rest(seed: int) -> None:
    world = World(seed=1000 + seed, chaos=0.02)
    target = "a"
    for _ in range(world.random.randrange(2, 6)):
        world.passes(world.random.choice((0.5, 2, 5, 10, 20, 40)))
        what = world.random.random()
        other = "b" if target == "a" else "a"
        if what < 0.4 and not world.dead:
            if world.random.random() < 0.7:
                world.kill_site(target)
            else:
                world.cut.add(target)
            world.passes(world.random.uniform(0.5, 5))
            world.commit(
                other,
                move="disaster",
                declared_down=(target,),
                allow_data_loss="unknown",
                allow_discard=(target,),
                reason="fire",
            )
            target = other
        elif what < 0.6:
            target = other
            world.commit(target)
        elif what < 0.8:
            world.cut.clear()
            for site in sorted(world.dead):
                world.revive(site)
    _settle(world)
    newest = "b" if target == "a" else "a"
    world.passes(5)
    world.commit(target, allow_discard=(newest,))
    world.until(lambda: world.is_active(target), 300, f"{target} active")
    world.until(lambda: world.last(newest).startswith(("Demoted", "Passive", "Superseded")), 100, f"{newest} passive")
