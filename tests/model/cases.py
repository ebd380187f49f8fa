"""The bounds within which every state is looked at: a few for each run of the tests, larger ones for `make model`."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from model.explore import Explored, explore
from model.rest import Settling, all_return
from model.rules import EVERY_RULE
from model.values import Bounds
from model.world import Model

PAGE = Path(__file__).resolve().parents[2] / "docs" / "failover-proof.md"

ALWAYS: dict[str, Bounds] = {
    "first placement, one misfortune": Bounds("ab", 1, misfortunes=1),
    "one move, writes": Bounds("ab", 2, writes=1, nowhere=True, settled=True),
    "one move, a lease, one misfortune": Bounds("ab", 2, misfortunes=1, lease=True, settled=True),
    "one move, Git restored once": Bounds("ab", 2, restores=1, settled=True),
    "three sites, one move, a lease": Bounds("abc", 2, lease=True, settled=True, targets="b"),
}
"""What every run of the tests looks at."""

LARGE: dict[str, Bounds] = {
    "first placement, two misfortunes, a lease": Bounds("ab", 1, misfortunes=2, lease=True),
    "one move from the very beginning": Bounds("ab", 2),
    "one move, writes, Git restored once": Bounds("ab", 2, writes=1, restores=1, nowhere=True, settled=True),
    "one move, writes, one misfortune": Bounds("ab", 2, writes=1, misfortunes=1, settled=True),
    "one move, writes, a lease, one misfortune": Bounds("ab", 2, writes=1, misfortunes=1, lease=True, settled=True),
    "two moves": Bounds("ab", 3, settled=True),
    "two moves, writes, a lease": Bounds("ab", 3, writes=1, lease=True, settled=True),
    "two moves, a lease, Git restored once": Bounds("ab", 3, restores=1, lease=True, settled=True),
    "three sites, one move": Bounds("abc", 2, settled=True, targets="b"),
}
"""What `make model` looks at besides."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What was found within some bounds. `ends`: in how many different states the sites come to stand still; `stuck`:
    why there is no way to rest from some state, and the way to it ("": from every state there is one)."""

    bounds: Bounds
    explored: Explored
    ends: int
    stuck: str = ""

    @property
    def row(self) -> str:
        """The line of the page."""
        each = self.bounds
        has = [f"{each.writes} write"] if each.writes else []
        has += [f"{each.misfortunes} misfortune" + "s" * (each.misfortunes > 1)] if each.misfortunes else []
        has += ["a lease"] if each.lease else []
        has += [f"{each.restores} restore of Git"] if each.restores else []
        has += ["`active: none`"] if each.nowhere else []
        has += [f"moves to {', '.join(each.targets)}"] if each.targets else []
        begins = "at rest" if each.settled else "empty"
        counts = f"{self.explored.states:,} | {self.explored.steps:,}"
        return f"| {len(each.sites)} | {begins} | {each.commits} | {', '.join(has)} | {counts} |"


@contextmanager
def _without_collector() -> Iterator[None]:
    """Millions of small tuples without a cycle: looking for cycles among them takes a third of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def proven(bounds: Bounds, *, most: int, told: Callable[[int, int], None] = lambda *_: None) -> Proven:
    """Every state within the bounds: I1 and I2 in each (see `rules`), and I3: with every site back, and with the lost
    ones away, time or the named commands lead to rest."""
    with _without_collector():
        model = Model(bounds)
        explored = explore(model, EVERY_RULE, most=most, told=told)
        settling = Settling(model)
        for state in explored.found if explored.whole else ():
            for whole in {state, all_return(model, state)}:
                if stuck := settling.stuck(whole):
                    way = "\n".join(explored.way_to(model, state))
                    return Proven(bounds, explored, settling.ends, f"{stuck}\n{way}")
        return Proven(bounds, explored, settling.ends)
