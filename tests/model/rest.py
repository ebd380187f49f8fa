"""I3: from every state, time or the commands that the holds name lead to rest."""

from __future__ import annotations

from model.people import commands, obeyed
from model.values import NOTHING, State
from model.world import Model
from reconciler.failover.protocol.decisions import Hold
from reconciler.failover.protocol.values import Step
from reconciler.fleet.model import NOWHERE

STEPS = 3
"""How often a site steps between two lists."""

MOST_COMMANDS = 4
"""How many commands one after the other may be needed at most."""


class Settling:
    """Lets every site go on undisturbed. Where a state leads is computed once."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._ends: dict[State, State] = {}
        self._rests: dict[State, str] = {}

    @property
    def ends(self) -> int:
        """In how many different states the sites came to stand still."""
        return len(set(self._ends.values()))

    def end(self, state: State) -> State:
        """Where the sites come to stand still by themselves: those that are there go on, the others stay away."""
        way: list[State] = []
        while state not in self._ends:
            way.append(state)
            then = self._round(state)
            if then == state:
                self._ends[state] = state
            elif then in way:
                raise AssertionError(f"the sites go round in a circle: {way.index(then)} of {len(way)}")
            state = then
        end = self._ends[state]
        self._ends.update(dict.fromkeys(way, end))
        return end

    def stuck(self, state: State) -> str:
        """Why neither time nor the named commands lead to rest; "" if they do."""
        end = self.end(state)
        found = self._rests.get(end)
        if found is None:
            found = self._rests[end] = self._stuck(end, MOST_COMMANDS)
        return found

    def _stuck(self, end: State, left: int) -> str:
        if self.at_rest(end):
            return ""
        named = (*self.named(end), *self.disasters(end))
        if not named:
            return f"nobody runs it, and no command is named: {self.shown(end)}"
        why = f"none of its commands is carried out: {named}"
        for command in named if left else ():
            then = obeyed(self._model.tables, end, command)
            if then is None:
                continue
            why = self._stuck(self.end(then), left - 1)
            if not why:
                return ""
        return why if left else f"{MOST_COMMANDS} commands were not enough"

    def holds(self, state: State) -> tuple[tuple[str, Hold], ...]:
        """What the living sites show."""
        return tuple(
            (self._model.names[index], hold)
            for index in self._living(state)
            if self._model.tables.spot(state, index).view != NOTHING
            for hold in self._model.step(state, index)[1]
        )

    def named(self, state: State) -> tuple[str, ...]:
        """All commands that a state names."""
        return tuple(dict.fromkeys(each for _, hold in self.holds(state) for each in commands(hold.lifted_by)))

    def disasters(self, state: State) -> tuple[str, ...]:
        """What people command where a site is gone, without being told: a disaster move to one that is there."""
        living = [self._model.names[index] for index in self._living(state)]
        down = " ".join(name for name in self._model.names if name not in living)
        return tuple(f"failover ledger --to {name} --disaster --declare-down {down}" for name in living) if down else ()

    def shown(self, state: State) -> str:
        """A state as people see it."""
        tables = self._model.tables
        sites = [
            f"{name}: {tables.local(state, index).journal.step.value}" for index, name in enumerate(self._model.names)
        ]
        return ", ".join((*sites, *(f"{site} holds: {hold.reason}" for site, hold in self.holds(state))))

    def at_rest(self, state: State) -> bool:
        """The site that is named runs it at the newest epoch, and no other one that is there runs it or is primary."""
        tables = self._model.tables
        newest = tables.placements(tables.world(state).branch)[-1].placement
        for index in self._living(state):
            site = tables.local(state, index)
            if self._model.names[index] == newest.active:
                if site.journal.step is not Step.ACTIVE or not site.runs or site.journal.epoch != newest.epoch:
                    return False
            elif site.runs or site.journal.step not in (Step.PASSIVE, Step.DEMOTED):
                return False
        return newest.active == NOWHERE or tables.local(state, self._model.names.index(newest.active)).alive

    def _living(self, state: State) -> list[int]:
        return [index for index in self._model.tables.everybody if self._model.tables.local(state, index).alive]

    def _round(self, state: State) -> State:
        """Everybody lists, steps, and catches up, in turn."""
        for index in self._living(state):
            state = self._model.listed(state, index)
            for _ in range(STEPS):
                state = self._model.step(state, index)[0]
            state = self._model.copied(state, index)
        return state


def all_return(model: Model, state: State) -> State:
    """Every site that lost power is back."""
    for index in model.tables.everybody:
        for _, then in model.returns(state, index):
            state = then
    return state
