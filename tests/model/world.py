"""The steps that lead from one state of the model to the next: what sites do, what befalls them, what people commit.

A site reads its cluster at each step; what it knows of Git is what it listed last. A step may end before its effects,
or before its process learns that its ack was taken: it died there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from model import effects
from model.people import commits_of_people
from model.tables import Tables
from model.values import (
    CLOSED,
    LAPSED,
    NOTHING,
    OPEN,
    Backup,
    Beat,
    Bounds,
    Local,
    Spot,
    State,
    View,
    World,
)
from reconciler.failover.protocol.case import MAY_BE_WRITING, RESTS, RUNS
from reconciler.failover.protocol.decide import decide
from reconciler.failover.protocol.decisions import (
    EnsurePrimary,
    EnsureSecondary,
    Hold,
    Stop,
)
from reconciler.failover.protocol.values import Step
from reconciler.replica import ReplicaRole

Named = tuple[str, State]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step changes. `spot`: the number of the site afterwards; `dies`: the process is gone; the rest is what
    it means for others: it `said` something, it `rests` or stopped what ran, the driver was called (`promoted`)
    or `forced`, the replica is `overwritten`, the end of the right to run was `noted`."""

    words: str
    spot: int
    dies: bool = False
    said: bool = False
    rests: bool = False
    promoted: bool = False
    forced: bool = False
    overwritten: bool = False
    noted: bool = False
    holds: tuple[Hold, ...] = ()


class Model:
    """The steps within these bounds. What a site does is computed once for everything that it can know."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds, self.names = bounds, bounds.sites
        self.tables = Tables(bounds)
        self._outcomes: dict[tuple[int, ...], tuple[Outcome, ...]] = {}
        self._declared = cache(self._declared_down)
        self._lists: dict[tuple[int, ...], int] = {}

    def steps(self, state: State) -> Iterator[Named]:
        """Every step that may come next, with its name."""
        world = self.tables.world(state)
        for index in self.tables.everybody:
            yield from self.site_steps(state, index)
            yield from self.returns(state, index)
            if world.spent < self.bounds.misfortunes:
                yield from self.misfortunes(state, index)
        if world.commits < self.bounds.commits:
            yield from commits_of_people(self.tables, state)
        if world.backup is not None and world.restores < self.bounds.restores:
            yield "Git is restored", self._restored(state, world, world.backup)

    def site_steps(self, state: State, index: int) -> Iterator[Named]:
        """What a site does by itself."""
        spot = self.tables.spot(state, index)
        site, name = self.tables.locals[spot.local], self.names[index]
        if not site.alive:
            return
        yield f"{name} lists", self.listed(state, index)
        if spot.view != NOTHING:
            world = self.tables.world(state)
            for outcome in self.outcomes(state, index):
                if not outcome.dies:
                    yield outcome.words, self._done(state, index, outcome)
                elif world.spent < self.bounds.misfortunes:
                    yield outcome.words, self._spent(self._done(state, index, outcome))
        if site.runs and self.tables.world(state).newest < self.bounds.writes:
            yield f"{name} writes", self._written(state, index)
        copied = self.copied(state, index)
        if copied != state:
            yield f"{name} catches up", copied

    def step(self, state: State, index: int) -> tuple[State, tuple[Hold, ...]]:
        """One step of a site that nothing interrupts, and the holds that it shows."""
        outcome = self.outcomes(state, index)[-1]
        return self._done(state, index, outcome), outcome.holds

    def misfortunes(self, state: State, index: int) -> Iterator[Named]:
        """What may befall a site."""
        spot = self.tables.spot(state, index)
        site, name = self.tables.locals[spot.local], self.names[index]
        if not site.alive:
            return
        new = replace(site, reads=0, voided=False, said=NOTHING)
        yield f"{name}: a new process", self._spent(self._with(state, index, new, view=NOTHING))
        if site.permit == OPEN:
            yield f"{name}: the permit lapses", self._spent(self._with(state, index, replace(site, permit=LAPSED)))
        off = replace(new, alive=False, runs=False)
        yield f"{name} loses power", self._spent(self._stopped(self._with(state, index, off, view=NOTHING), index))
        if not site.cut:
            yield f"{name} is cut off", self._spent(self._cut(state, index))

    def returns(self, state: State, index: int) -> Iterator[Named]:
        """A site that lost power is back, and nothing of the application runs there."""
        site = self.tables.local(state, index)
        if not site.alive:
            permit = LAPSED if site.permit == OPEN else site.permit
            yield f"{self.names[index]} returns", self._with(state, index, replace(site, alive=True, permit=permit))

    def listed(self, state: State, index: int) -> State:
        """The last ack is said again where the server lost it, a heartbeat is pushed, then everything is listed."""
        shown = self.tables.shown
        key = (index, state[index + 1], self.tables.git(state[0]), *(shown(spot) for spot in state[1:]))
        spot = self._lists.get(key)
        if spot is None:
            spot = self._lists[key] = self._listed(state, index)
        then = _placed(state, index, spot)
        return self._spoke(then, index) if self.tables.spots[spot].ack != self.tables.spot(state, index).ack else then

    def _listed(self, state: State, index: int) -> int:
        tables, spot = self.tables, self.tables.spot(state, index)
        site = tables.locals[spot.local]
        if site.said not in (NOTHING, spot.ack) and index in tables.world(state).stale:
            spot = spot._replace(ack=site.said)
        before = None if spot.view == NOTHING else tables.views[spot.view]
        spots = [tables.spot(state, other) for other in tables.everybody]
        heard = [{tables.beats[each.beat].echo[other]} for other, each in enumerate(spots)]
        for other in tables.everybody if before else ():
            heard[other].add(tables.beats[before.beats[other]].echo[other])
        echo = tuple(other == index or True in heard[other] for other in tables.everybody)
        spots[index] = spot._replace(beat=tables.beats.number(Beat(site.runs, site.asked, echo)))
        view = tables.views.number(self._viewed(state, index, spots, before))
        local = tables.locals.number(replace(site, cut=False)) if site.cut else spot.local
        return tables.spots.number(spots[index]._replace(local=local, view=view))

    def _viewed(self, state: State, index: int, spots: list[Spot], before: View | None) -> View:
        tables, world = self.tables, self.tables.world(state)
        acks = tuple(each.ack for each in spots)
        others = [other for other in tables.everybody if other != index]
        silent = frozenset(other for other in others if not (site := tables.local(state, other)).alive or site.cut)
        spoken: frozenset[int] = frozenset()
        distrusted: frozenset[int] = frozenset()
        if before is not None:
            spoken = frozenset(
                other
                for other in others
                if (declared := self._declared(world.branch, other))
                and declared == self._declared(before.branch, other)
                if other in before.spoken or other not in silent
            )
            distrusted = frozenset(
                other
                for other in world.stale.intersection(others)
                if other in before.distrusted or before.acks[other] != acks[other]
            )
        return View(world.branch, acks, tuple(each.beat for each in spots), silent, spoken, distrusted)

    def _declared_down(self, branch: int, index: int) -> int:
        """The last commit that declares a site down; 0 where none does."""
        found = [
            each.serial for each in self.tables.placements(branch) if self.names[index] in each.placement.declared_down
        ]
        return max(found, default=0)

    def outcomes(self, state: State, index: int) -> tuple[Outcome, ...]:
        """How the next step of a site may end; the last one is that nothing interrupts it."""
        key = (index, *self.tables.stored(state, index))
        found = self._outcomes.get(key)
        if found is None:
            peers, in_sync = self.tables.replica(state, index)
            found = self._outcomes[key] = tuple(self._decided(self.tables.spot(state, index), index, peers, in_sync))
        return found

    def _decided(self, spot: Spot, index: int, peers: tuple[int, ...], in_sync: bool) -> Iterator[Outcome]:
        site, view = self.tables.locals[spot.local], self.tables.views[spot.view]
        decision = decide(self.tables.knowledge(index, site, view, peers, in_sync))
        words = f"{self.names[index]}: {effects.words(decision)}"
        entered = effects.entered(site, decision)
        kinds = {type(each) for each in decision.effects}
        what = {
            "rests": Stop in kinds or entered.journal.step in RESTS,
            "promoted": EnsurePrimary in kinds,
            "forced": any(isinstance(each, EnsurePrimary) and each.force for each in decision.effects),
            "overwritten": any(isinstance(each, EnsureSecondary) and each.discard_local for each in decision.effects),
            "noted": entered.journal.lapse is not None and site.journal.lapse is None,
        }

        def outcome(how: str, local: Local, ack: int, dies: bool, **more: Any) -> Outcome:
            number = self.tables.spots.number(Spot(self._number(local), NOTHING if dies else spot.view, ack, spot.beat))
            return Outcome(words + how, number, dies=dies, **more)

        if decision.works and entered != site:
            yield outcome(", dies after the journal", effects.forgetful(entered), spot.ack, True, noted=what["noted"])
        done, ack = effects.affected(entered, decision), spot.ack
        if decision.ack is not None and decision.expects == str(spot.ack):
            ack = self.tables.acks.number(effects.said(decision.ack, done.journal))
            yield outcome(", dies before the ack", effects.forgetful(done), spot.ack, True, **what)
            yield outcome(", dies after the ack", effects.forgetful(done), ack, True, said=True, **what)
            done = replace(done, said=ack)
        yield outcome("", done, ack, False, said=ack != spot.ack, holds=decision.holds, **what)

    def _number(self, site: Local) -> int:
        return self.tables.locals.number(site)

    def _done(self, state: State, index: int, outcome: Outcome) -> State:
        world = self.tables.world(state)
        then = _placed(state, index, outcome.spot)
        if outcome.overwritten:
            then = self._overwritten(then, index)
        if outcome.said and index in world.stale:
            then = self._spoke(then, index)
        if outcome.rests and index in world.excepted:
            then = self._stopped(then, index)
        if outcome.promoted:
            world = self.tables.world(then)
            truth = self.tables.local(then, index).wrote if outcome.forced else world.truth
            then = self._in_world(then, replace(world, holder=index, truth=truth))
        return self._noted(then, index) if outcome.noted else then

    def _noted(self, state: State, index: int) -> State:
        """From here on only counters that are pushed later count as an echo."""
        tables = self.tables

        @cache
        def beat(number: int) -> int:
            was = tables.beats[number]
            echo = tuple(heard and other != index for other, heard in enumerate(was.echo))
            return tables.beats.number(was._replace(echo=echo))

        @cache
        def view(number: int) -> int:
            was = tables.views[number]
            return tables.views.number(was._replace(beats=tuple(map(beat, was.beats))))

        for other in tables.everybody:
            spot = tables.spot(state, other)
            seen = spot.view if spot.view == NOTHING else view(spot.view)
            state = _placed(state, other, tables.spots.number(spot._replace(view=seen, beat=beat(spot.beat))))
        world = tables.world(state)
        if world.backup is None:
            return state
        backup = replace(world.backup, beats=tuple(map(beat, world.backup.beats)))
        return self._in_world(state, replace(world, backup=backup))

    def _overwritten(self, state: State, index: int) -> State:
        """The replica takes what the primary holds."""
        site = self.tables.local(state, index)
        for other in self.tables.everybody:
            each = self.tables.local(state, other)
            if other != index and each.asked is ReplicaRole.PRIMARY and each.alive:
                return self._with(state, index, replace(site, wrote=each.wrote))
        return state

    def copied(self, state: State, index: int) -> State:
        """A replica that has fallen behind, and wrote nothing of its own, takes what the primary wrote since."""
        site = self.tables.local(state, index)
        if site.asked is not ReplicaRole.SECONDARY or site.wrote == self.tables.world(state).truth:
            return state
        for other in self.tables.everybody:
            each = self.tables.local(state, other)
            ahead = len(each.wrote) > len(site.wrote) and each.wrote[: len(site.wrote)] == site.wrote
            if other != index and each.asked is ReplicaRole.PRIMARY and each.alive and ahead:
                return self._with(state, index, replace(site, wrote=each.wrote))
        return state

    def _written(self, state: State, index: int) -> State:
        """One write, shipped at once to every replica that follows."""
        world = self.tables.world(state)
        newest, before = world.newest + 1, self.tables.local(state, index).wrote
        for other in self.tables.everybody:
            each = self.tables.local(state, other)
            follows = each.alive and each.asked is ReplicaRole.SECONDARY and each.wrote == before
            if other == index or follows:
                state = self._with(state, other, replace(each, wrote=(*each.wrote, newest)))
        # Who writes after another site was made primary writes what people have given up.
        truth = (*world.truth, newest) if world.holder == index else world.truth
        return self._in_world(state, replace(world, newest=newest, truth=truth))

    def _cut(self, state: State, index: int) -> State:
        """No request reaches Git for as long as any deadline lasts; with a lease the guard has stopped it by then."""
        site, spot = self.tables.local(state, index), self.tables.spot(state, index)
        site = replace(site, cut=True)
        if self.bounds.lease and site.journal.step in MAY_BE_WRITING:
            step = Step.STOPPING if site.journal.step in {Step.PROMOTING, *RUNS} else site.journal.step
            journal = replace(site.journal, step=step, stopped_for="Lease")
            site = replace(site, journal=journal, permit=CLOSED, runs=False, reads=0, voided=False)
        view = spot.view
        if view != NOTHING:
            view = self.tables.views.number(self.tables.views[view]._replace(fresh=False))
        return self._with(state, index, site, view=view)

    def _restored(self, state: State, world: World, backup: Backup) -> State:
        """The server has an older branch and older refs."""
        lost = set()
        for other in self.tables.everybody:
            spot = self.tables.spot(state, other)
            lost |= {other} if spot.ack != backup.acks[other] else set()
            older = spot._replace(ack=backup.acks[other], beat=backup.beats[other])
            state = _placed(state, other, self.tables.spots.number(older))
        stale = frozenset(lost)
        then = replace(world, branch=backup.branch, restores=world.restores + 1, backup=None, stale=stale)
        return self._in_world(state, then)

    def _spoke(self, state: State, index: int) -> State:
        world = self.tables.world(state)
        return self._in_world(state, replace(world, stale=world.stale - {index})) if index in world.stale else state

    def _stopped(self, state: State, index: int) -> State:
        world = self.tables.world(state)
        if index not in world.excepted:
            return state
        return self._in_world(state, replace(world, excepted=world.excepted - {index}))

    def _spent(self, state: State) -> State:
        world = self.tables.world(state)
        return self._in_world(state, replace(world, spent=world.spent + 1))

    def _in_world(self, state: State, world: World) -> State:
        return (self.tables.worlds.number(world), *state[1:])

    def _with(self, state: State, index: int, site: Local, view: int | None = None) -> State:
        spot = self.tables.spot(state, index)
        then = Spot(self._number(site), spot.view if view is None else view, spot.ack, spot.beat)
        return _placed(state, index, self.tables.spots.number(then))


def _placed(state: State, index: int, spot: int) -> State:
    return (*state[: index + 1], spot, *state[index + 2 :])
