"""Looks at every state that a model can reach, breadth first, and tells the shortest way to one that breaks a rule."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from model.world import Model, State, begin
from reconciler.failover.protocol.values import Journal, Promotion, Step

LIKELY = {"list": 0.4, "step": 0.5, "death": 0.03, "commit": 0.04, "misfortune": 0.03}
"""How likely each kind of step is in a walk by chance."""

ROUNDS, STEPS = 60, 3
"""How often each site lists and steps until everything must be at rest."""

Rule = Callable[[Model, State], str]
"""What is wrong with a state; "" if nothing is."""


@dataclass(frozen=True, slots=True)
class Explored:
    """How many states were looked at, whether those were all, and the way to the first one that breaks a rule."""

    states: int
    whole: bool
    broken: str = ""
    way: tuple[str, ...] = ()


def explore(model: Model, rules: tuple[Rule, ...], *, most: int) -> Explored:
    """Everything reachable, but no more than `most` states."""
    first = begin(model.names)
    came_from: dict[State, tuple[State | None, str]] = {canonical(first): (None, "")}
    waiting = deque([canonical(first)])
    while waiting:
        state = waiting.popleft()
        for name, then in model.steps(state):
            then = canonical(then)
            if then in came_from:
                continue
            came_from[then] = (state, name)
            broken = next(filter(None, (rule(model, then) for rule in rules)), "")
            if broken:
                return Explored(len(came_from), False, broken, _way(came_from, then))
            if len(came_from) >= most:
                return Explored(len(came_from), False)
            waiting.append(then)
    return Explored(len(came_from), True)


def _way(came_from: dict[State, tuple[State | None, str]], state: State) -> tuple[str, ...]:
    names: list[str] = []
    at: State | None = state
    while at is not None:
        at, name = came_from[at]
        names.append(name)
    return tuple(reversed(names[:-1]))


def canonical(state: State) -> State:
    """Two states that differ only by how large a site's numbers are, are one: its sequences are counted anew. Of each
    ref only the values that some site may still look at are kept."""
    needed = [
        min((each.view.acks[index] for each in state.sites if each.view), default=len(ack))
        for index, ack in enumerate(state.acks)
    ]
    sites, acks = list(state.sites), list(state.acks)
    for index, site in enumerate(state.sites):
        dropped = max(0, needed[index] - 1)
        kept = state.acks[index][dropped:]
        numbers = sorted({*_numbers(site.journal), *(n for ack in kept for n in _numbers(ack))})
        rank = {number: position for position, number in enumerate(numbers)}
        sites[index] = replace(sites[index], journal=_renumbered(site.journal, rank))
        acks[index] = tuple(_renumbered(ack, rank) for ack in kept)
        sites = [
            replace(each, view=replace(each.view, acks=_less(each.view.acks, index, dropped))) if each.view else each
            for each in sites
        ]
    return replace(state, sites=tuple(sites), acks=tuple(acks))


def _less(counts: tuple[int, ...], index: int, dropped: int) -> tuple[int, ...]:
    return tuple(count - dropped if at == index else count for at, count in enumerate(counts))


def _numbers(told: Journal) -> set[int]:
    found = {told.sequence}
    found |= {told.promotion.sequence} if told.promotion else set()
    found |= {told.before.sequence} if getattr(told, "before", None) else set()
    if told.demotion:
        found |= {told.demotion.sequence}
        found |= {told.demotion.ended.sequence} if told.demotion.ended else set()
    return found


def _renumbered(told: Journal, rank: dict[int, int]) -> Journal:
    changes: dict[str, object] = {"sequence": rank[told.sequence]}

    def moved(promotion: Promotion | None) -> Promotion | None:
        return promotion and replace(promotion, sequence=rank[promotion.sequence])

    changes["promotion"] = moved(told.promotion)
    if getattr(told, "before", None):
        changes["before"] = moved(told.before)
    if told.demotion:
        demotion = told.demotion
        changes["demotion"] = replace(demotion, sequence=rank[demotion.sequence], ended=moved(demotion.ended))
    return replace(told, **changes)


def walk(model: Model, rules: tuple[Rule, ...], *, seed: int, steps: int) -> Explored:
    """One way through the model by chance: longer than any that `explore` can look at whole."""
    chance = random.Random(seed)
    state = canonical(begin(model.names))
    way: list[str] = []
    for _ in range(steps):
        found = _some_steps(model, state, chance)
        if not found:
            continue
        name, then = chance.choice(found)
        state = canonical(then)
        way.append(name)
        broken = next(filter(None, (rule(model, state) for rule in rules)), "")
        if broken:
            return Explored(len(way), False, broken, tuple(way))
    stuck = "" if settles(model, state) else "no command of people leads to rest"
    return Explored(len(way), not stuck, stuck, tuple(way))


def _some_steps(model: Model, state: State, chance: random.Random) -> list[tuple[str, State]]:
    """The steps of one kind, of a site that chance names: mostly what it does by itself, from its list to its ack."""
    index = chance.randrange(len(model.names))
    kind = chance.choices(tuple(LIKELY), tuple(LIKELY.values()))[0]
    if kind == "commit":
        return list(model.committed(state))
    if kind == "misfortune":
        return list(model.misfortunes(state, index))
    steps = list(model.site_steps(state, index))
    if kind == "list":
        return steps[:1]
    return [each for each in steps[1:] if ("dies" in each[0]) is (kind == "death")]


def settles(model: Model, state: State) -> bool:
    """I3: once everybody is there, time, or one command of people, leads to rest."""
    for index, site in enumerate(state.sites):
        if not site.alive:
            state = next(then for _, then in model.misfortunes(state, index))
    return any(_rests(model, each) for each in (state, *(then for _, then in model.committed(state))))


def _rests(model: Model, state: State) -> bool:
    """Whether the sites come to rest by themselves: one runs it, at the newest epoch, and the others have given up."""
    for _ in range(ROUNDS):
        before = state
        for index in range(len(model.names)):
            for _ in range(STEPS):
                state = canonical(next(then for _, then in model.site_steps(state, index)))
                state = canonical(model.step_whole(state, index))
        if at_rest(model, state):
            return True
        if state == before:
            return False
    return False


def at_rest(model: Model, state: State) -> bool:
    """One site is active at the newest epoch, and no other one runs or is primary."""
    newest = state.commits[-1]
    for name, site in zip(model.names, state.sites, strict=True):
        if name == newest.active:
            if site.journal.step is not Step.ACTIVE or not site.runs or site.journal.epoch != newest.epoch:
                return False
        elif site.runs or site.journal.step not in (Step.PASSIVE, Step.DEMOTED):
            return False
    return True
