"""Facts and conditions have names, so that the table of the protocol can name them and a reader can check it.

A fact is a question with the answer yes or no: it chooses the row. A condition is what a row needs before anything is
done: it answers with the blockers that status shows, none if it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.failover.protocol.case import Case
from reconciler.failover.protocol.decisions import Blocker

Fact = Callable[[Case], bool]
Check = Callable[[Case], tuple[Blocker, ...]]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the protocol; `rules` are those that ask for it."""

    name: str
    rules: str
    says: str
    check: Check


FACTS: dict[str, Fact] = {}
CONDITIONS: dict[str, Condition] = {}


def fact(function: Fact) -> Fact:
    """Register a fact under its function's name."""
    FACTS[function.__name__] = function
    return function


def condition(rules: str) -> Callable[[Check], Check]:
    """Register a condition under its function's name; the first line of its docstring is what the page says."""

    def register(function: Check) -> Check:
        says = (function.__doc__ or "").strip().splitlines()[0]
        CONDITIONS[function.__name__] = Condition(function.__name__, rules, says, function)
        return function

    return register


def holds(name: str, case: Case) -> bool:
    """Whether a fact holds; `not x` is its opposite."""
    bare = name.removeprefix("not ")
    return FACTS[bare](case) is (bare == name)


def blockers(names: tuple[str, ...], case: Case) -> tuple[Blocker, ...]:
    """What keeps a row from being done: the blockers of all its conditions, in their order."""
    return tuple(blocker for name in names for blocker in CONDITIONS[name].check(case))
