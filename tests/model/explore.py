"""Looks at every state that a model can reach, breadth first, and tells the shortest way to one that breaks a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from model.rest import Settling
from model.rules import Rule
from model.values import State
from model.world import Model


@dataclass(frozen=True, slots=True)
class Explored:
    """All states that were looked at, each with the one before it (None: the first); by how many `steps`; whether those
    were all; what is wrong with the first that breaks a rule, and the way to it."""

    found: Mapping[State, State | None]
    steps: int
    whole: bool
    broken: str = ""
    way: tuple[str, ...] = ()

    @property
    def states(self) -> int:
        """How many were looked at."""
        return len(self.found)

    def way_to(self, model: Model, state: State) -> tuple[str, ...]:
        """The names of the steps that lead to a state."""
        names: list[str] = []
        while (before := self.found[state]) is not None:
            names.append(next(name for name, then in model.steps(before) if then == state))
            state = before
        return tuple(reversed(names))


def explore(
    model: Model, rules: tuple[Rule, ...], *, most: int, told: Callable[[int, int], None] = lambda *_: None
) -> Explored:
    """Everything reachable, but no more than `most` states. `told`: is called after each round with how many
    states were found so far and how many are new."""
    first = begin(model)
    found: dict[State, State | None] = {first: None}
    edge, steps = [first], 0
    while edge:
        after: list[State] = []
        for state in edge:
            for _, then in model.steps(state):
                steps += 1
                if then in found:
                    continue
                found[then] = state
                after.append(then)
                for rule in rules:
                    if broken := rule(model, then):
                        way = Explored(found, steps, False).way_to(model, then)
                        return Explored(found, steps, False, broken, way)
            if len(found) > most:
                return Explored(found, steps, False)
        told(len(found), len(after))
        edge = after
    return Explored(found, steps, True)


def begin(model: Model) -> State:
    """The first state: nothing has happened yet, or the first placement is at rest."""
    first = model.tables.first()
    return Settling(model).end(first) if model.bounds.settled else first
