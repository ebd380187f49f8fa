"""Stories drawn from a seed: what people commit and what goes wrong, and when; then all is healed, and must rest.

A story is a list of values, so that it can be made shorter and told again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from reconciler.errors import FleetError
from simulation.faults import Faults
from simulation.fleet import LEASE
from simulation.invariants import Invariants
from simulation.operator import Operator
from simulation.world import THE_PRODUCT, BrokenError, Variant, World

BEGIN, END = 14.0, 150.0
"""Between which moments, in seconds, people act and things go wrong."""


@dataclass(frozen=True)
class Action:
    """What happens at a moment."""

    at: float
    kind: str
    given: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.at:7.1f} {self.kind}{self.given}"


@dataclass(frozen=True)
class Story:
    """One history, up to who runs next, which the seed draws. `fails`: at which request which process dies, is stopped
    or cut off is among the actions."""

    seed: str
    sites: str
    lease: bool
    switches: float
    actions: tuple[Action, ...]


LASTS = {"isolated": 2, "git": 2, "api": 2, "pause": 4, "kill": 4, "link": 0, "freeze": 1, "break": 1}
"""Kind → which of what it is given says for how many seconds it lasts."""


def ends(action: Action) -> float:
    """When what an action begins is over."""
    return action.at + (float(action.given[LASTS[action.kind]]) if action.kind in LASTS else 0.0)


Draw = Callable[[random.Random, str], tuple[Any, ...]]


def _site(r: random.Random, sites: str) -> str:
    return r.choice(sites)


def _some(r: random.Random, sites: str) -> str:
    return sites if r.random() < 0.3 else r.choice(sites)


def _name(r: random.Random) -> str:
    return "shop" if r.random() < 0.25 else "ledger"


def _time(r: random.Random) -> float:
    return round(r.choice((r.uniform(0.5, 6), r.uniform(5, 25), r.uniform(20, 90))), 1)


def _point(r: random.Random) -> tuple[str, int]:
    return r.choice(("any", "write", "wrote", "push", "pushed")), r.choice((1, 2, 3, 5, 8, 13, 30))


def _move(r: random.Random, sites: str) -> tuple[Any, ...]:
    name = _name(r)
    return name, r.choice(sites[:2] if name == "ledger" else sites)


def _disaster(r: random.Random, sites: str) -> tuple[Any, ...]:
    return *_move(r, sites), r.choice(("unknown", "unknown", "0s", "20s", "2m")), r.random() < 0.3, r.random() < 0.5


def _isolated(r: random.Random, sites: str) -> tuple[Any, ...]:
    name = r.choice(("ledger", "ledger", "ledger", "shop"))
    return name, r.choice(("refuse", "hang")), round(r.uniform(40, 100), 1), round(r.uniform(1, 12), 1)


DRAWS: dict[str, tuple[int, Draw]] = {
    "move": (30, _move),
    "disaster": (14, _disaster),
    "isolated": (12, _isolated),
    "nowhere": (2, lambda r, s: (_name(r),)),
    "suspend": (2, lambda r, s: (_name(r), r.random() < 0.5)),
    "sites": (3, lambda r, s: ("shop", "".join(sorted(r.sample(s, r.randint(1, len(s))))))),
    "define": (5, lambda r, s: (_name(r), "extra", r.choice((None, 5, 30, 60)))),
    "break": (3, lambda r, s: (_name(r), _time(r))),
    "rewind": (3, lambda r, s: (r.randint(1, 2),)),
    "kill": (14, lambda r, s: (_site(r, s), r.choice(("controller", "guard")), *_point(r), _time(r), r.random() < 0.7)),
    "pause": (18, lambda r, s: (_site(r, s), "controller", *_point(r), _time(r) + 2, r.random() < 0.5)),
    "pause guard": (3, lambda r, s: (_site(r, s), "guard", *_point(r), _time(r))),
    "git": (14, lambda r, s: (_some(r, s), r.choice(("refuse", "hang", "push", "heartbeats")), _time(r))),
    "api": (5, lambda r, s: (_site(r, s), r.choice(("refuse", "hang")), _time(r))),
    "lose": (10, lambda r, s: (_site(r, s), r.choice(("git", "git", "api")), r.choice((1, 1, 2, 3, 5)))),
    "freeze": (4, lambda r, s: (_site(r, s), _time(r))),
    "link": (6, lambda r, s: (_time(r),)),
    "backup": (4, lambda r, s: ()),
    "restore git": (4, lambda r, s: (r.random() < 0.4,)),
    "delete ref": (2, lambda r, s: (_site(r, s), r.choice(("acks", "heartbeats")))),
    "delete replication": (2, lambda r, s: (r.choice("ab"),)),
    "node": (5, lambda r, s: (_site(r, s),)),
    "clock": (3, lambda r, s: (_site(r, s), r.choice((-86400.0, -30.0, -3.0, 3.0, 30.0, 86400.0)))),
    "dark": (8, lambda r, s: (_site(r, s),)),
    "light": (6, lambda r, s: (_site(r, s), r.random() < 0.7)),
    "replace": (1, lambda r, s: (_site(r, s),)),
    "restore store": (1, lambda r, s: (_site(r, s),)),
}
"""Kind → how often it is drawn, and what it is given."""


def doing(people: Operator, faults: Faults) -> dict[str, Callable[..., None]]:
    """Kind → what does it."""
    return {
        "move": people.move,
        "disaster": lambda name, to, loss, override, discard: people.disaster(
            name, to, loss, override=override, discard=discard
        ),
        "wait": lambda: None,
        "isolated": lambda *given: isolate(people, faults, *given),
        "nowhere": people.nowhere,
        "suspend": lambda name, on: people.suspend(name, on=on),
        "sites": people.carried_by,
        "define": people.define,
        "break": people.break_file,
        "rewind": faults.rewind,
        "kill": faults.kill,
        "pause": faults.pause,
        "pause guard": faults.pause,
        "git": faults.git,
        "api": faults.api,
        "lose": faults.lose,
        "freeze": faults.freeze,
        "link": faults.link,
        "backup": faults.backup,
        "restore git": faults.restore_git,
        "delete ref": faults.delete_ref,
        "delete replication": faults.delete_replication,
        "node": faults.node,
        "clock": faults.clock,
        "dark": faults.darken,
        "light": lambda site, mirror: faults.light(site, mirror=mirror),
        "replace": faults.replace_cluster,
        "restore store": faults.restore_store,
    }


def isolate(people: Operator, faults: Faults, name: str, mode: str, seconds: float, later: float) -> None:
    """The active site lives and is cut off from Git; people declare it down without knowing, and wait for its lease."""
    world = people.world
    active = world.placement_spec(name)["active"]
    others = [each for each in world.application(name).sites if each != active]
    if active in world.sites and others:
        faults.git(active, mode, seconds)
        loss = "unknown"
        world.scheduler.at(
            world.scheduler.now + later,
            lambda: people.disaster(name, others[0], loss, override=False, discard=False),
        )


def draw(seed: str) -> Story:
    """The story of a seed."""
    r = random.Random(f"{seed} story")
    sites = "abc" if r.random() < 0.25 else "ab"
    kinds = list(DRAWS)
    weights = [DRAWS[each][0] for each in kinds]
    times = sorted(round(r.uniform(BEGIN, END * r.choice((0.3, 1.0))), 1) for _ in range(r.randint(3, 12)))
    actions = []
    for at in times:
        kind = r.choices(kinds, weights)[0]
        actions.append(Action(at, kind, DRAWS[kind][1](r, sites)))
    return Story(seed, sites, r.random() < 0.7, r.choice((0.02, 0.08, 0.2)), tuple(actions))


def tell(story: Story, variant: Variant = THE_PRODUCT) -> World:
    """Tell a story to its end; raises `BrokenError` where something does not hold."""
    lease = LEASE if story.lease else None
    world = World(story.seed, story.sites, lease, variant, story.switches)
    invariants = Invariants(world)
    with world.begun():
        people, faults = Operator(world, invariants), Faults(world, invariants)
        kinds = doing(people, faults)

        def act(action: Action) -> None:
            world.say(f"-- {action.kind}{action.given}")
            try:
                kinds[action.kind](*action.given)
            except FleetError as error:
                world.say(f"people are refused: {error}")

        for action in story.actions:
            world.scheduler.at(action.at, lambda action=action: act(action))  # type: ignore[misc]
        last = max((ends(each) if each.kind == "isolated" else each.at for each in story.actions), default=BEGIN)
        world.passes(last + 5)
        faults.heal()
        people.settle()
        check_records(world)
    return world


def check_records(world: World) -> None:
    """I2 at the end: every acknowledged record is at the active site, but for those that people gave up."""
    for name, array in world.arrays.items():
        active = world.placement_spec(name)["active"]
        if active != "none":
            missing = set(range(1, array.written + 1)) - set(array.copies[active]) - array.given_up
            if missing:
                world.broken(f"I2: {len(missing)} acknowledged records are not at {active}")


def failure(story: Story, variant: Variant = THE_PRODUCT) -> str:
    """How a story fails; "" where it does not."""
    try:
        tell(story, variant)
    except BrokenError as error:
        return str(error)
    return ""


def ending(seed: int) -> tuple[int, str]:
    """A seed, and how its story fails; what nobody foresaw is a failure too."""
    try:
        return seed, failure(draw(str(seed)))
    except Exception as error:
        return seed, f"{type(error).__name__}: {error}"


def shortened(story: Story, variant: Variant = THE_PRODUCT) -> tuple[Story, str]:
    """The story without every action that it does not need in order to fail, and how it fails then."""
    found = failure(story, variant)
    size = max(1, len(story.actions) // 2)
    while found:
        index, shorter = 0, False
        while index < len(story.actions):
            left = replace(story, actions=story.actions[:index] + story.actions[index + size :])
            again = failure(left, variant)
            if again:
                story, found, shorter = left, again, True
            else:
                index += size
        if size == 1 and not shorter:
            break
        size = max(1, size // 2)
    return story, found
