"""What one case of the matrix is made of: stories, or tests elsewhere, or the reason why nothing shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulation.stories import Action, Story, ends

EXECUTE = "tests/reconciler/failover/execute/"
PROTOCOL = "tests/reconciler/failover/protocol/"
GUARD = "tests/reconciler/failover/guard/"
TESTBED = "tests/testbed/two_sites/"


@dataclass(frozen=True)
class Case:
    """`stories` are told by `test_cases`; `tests` are `file::name`; `why` says why nothing shows it."""

    words: str
    stories: tuple[Story, ...] = ()
    tests: tuple[str, ...] = ()
    why: str = ""


def story(*actions: Any, sites: str = "ab", lease: bool = True, seed: str = "case") -> Story:
    """Actions as (at, kind, *given); all that lasts may last."""
    told = tuple(Action(float(at), kind, tuple(given)) for at, kind, *given in actions)
    return Story(seed, sites, lease, 0.08, (*told, Action(max(map(ends, told)), "wait")))


def seen(words: str, *tests: str) -> Case:
    """A case that tests elsewhere show."""
    return Case(words, tests=tests)


def told(words: str, *stories: Story, tests: tuple[str, ...] = ()) -> Case:
    """A case that stories show."""
    return Case(words, stories, tests)


def unseen(words: str, why: str) -> Case:
    """A case that nothing shows."""
    return Case(words, why=why)


TO_B = (20, "move", "ledger", "b")
FIRE = ("disaster", "ledger", "b", "unknown", False, False)
FIRE_AND_DISCARD = ("disaster", "ledger", "b", "unknown", True, True)
STEPS = (0.5, 3.0, 6.0, 11.0)
"""Seconds after the commit of a move that lie in each of its steps."""


def after(kind: str, *given: Any, steps: tuple[float, ...] = STEPS, **more: Any) -> tuple[Story, ...]:
    """One story a step of a planned move: something happens then."""
    return tuple(story(TO_B, (20 + step, kind, *given), **more) for step in steps)
