"""The state of the whole model as one hashable value, and the steps that lead from one to the next.

A site reads its cluster at each step; what it knows of Git is what it listed last. A step may end before its effects,
or before its ack: the process died there. Storage is one number a replica: the last write that it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from reconciler.failover.protocol.decide import decide
from reconciler.failover.protocol.decisions import Decision, EnsurePrimary, EnsureSecondary, Stop, VoidOlderVersions
from reconciler.failover.protocol.knowledge import Knowledge, Limits
from reconciler.failover.protocol.values import (
    Ack,
    Gate,
    Heartbeat,
    History,
    Journal,
    LeaseFacts,
    Listing,
    Observation,
    Permit,
    Placed,
    Reading,
    Running,
    SiteSeen,
    StartObject,
)
from reconciler.fleet.model import Application, Group, Placement, Replication
from reconciler.objects import Ref
from reconciler.replica import Replica, ReplicaRole, Sync

VM = Ref("kubevirt.io", "VirtualMachine", "bank", "db")
GROUP = Group("VolumeReplication", "ledger", "bank")
NOW = 1e6
LIMITS = Limits(1, 2, 4, 1, 0.5, 6, 1, 1e9, 10, 1e9)
OPEN, LAPSED, CLOSED = Permit(0.0, 2 * NOW), Permit(0.0, 1.0), Permit(9e9, 0.0)
STILL, BUSY = StartObject(VM, "10", True), StartObject(VM, "10", False, True, True)


class NoEvidence(dict[str, Any]):
    """In place of an ack's evidence, which decides nothing: empty, and so it can be hashed."""

    def __hash__(self) -> int:  # type: ignore[override]
        return 0


NO_EVIDENCE = NoEvidence()

FIRST_JOURNAL = Journal()


@dataclass(frozen=True, slots=True)
class View:
    """What a site listed last: the length of the branch, and the number of each ref's value."""

    commits: int
    acks: tuple[int, ...]
    beats: tuple[tuple[bool, ReplicaRole, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class SiteState:
    """`reads`: readings under the present entry, at most one more counts; `wrote`: the writes that the replica holds,
    in their order; `counter`: how many heartbeats were pushed since the permit lapsed (0 or 1)."""

    journal: Journal = FIRST_JOURNAL
    permit: Permit | None = None
    runs: bool = False
    asked: ReplicaRole = ReplicaRole.SECONDARY
    wrote: tuple[int, ...] = ()
    reads: int = 0
    voided: bool = False
    view: View | None = None
    alive: bool = True
    counter: int = 1


@dataclass(frozen=True, slots=True)
class State:
    """`acks`: each site's ref, all values that it ever had; `newest`: the last write of the application; `excepted`:
    the sites that a disaster epoch declared down while they ran, and that have not stopped since."""

    commits: tuple[Placement, ...]
    sites: tuple[SiteState, ...]
    acks: tuple[tuple[Ack, ...], ...]
    beats: tuple[tuple[bool, ReplicaRole, tuple[int, ...]], ...]
    newest: int = 0
    excepted: frozenset[int] = frozenset()


def begin(names: str) -> State:
    """Nothing has happened yet: the first placement is at the first site."""
    quiet = (False, ReplicaRole.SECONDARY, (0,) * len(names))
    return State(
        (Placement(names[0], 1, "planned", "p"),),
        tuple(SiteState() for _ in names),
        tuple(() for _ in names),
        tuple(quiet for _ in names),
    )


class Model:
    """The steps of a model with these sites (one letter each)."""

    def __init__(self, names: str, *, commits: int, writes: int, crashes: bool) -> None:
        self.names, self._commits, self._writes, self._crashes = names, commits, writes, crashes

    def steps(self, state: State) -> Iterator[tuple[str, State]]:
        """Every step that may come next, with its name."""
        for index in range(len(self.names)):
            yield from self.site_steps(state, index)
            if self._crashes:
                yield from self.misfortunes(state, index)
        if len(state.commits) < self._commits:
            yield from self.committed(state)

    def site_steps(self, state: State, index: int) -> Iterator[tuple[str, State]]:
        """What a site does by itself."""
        site, name = state.sites[index], self.names[index]
        if not site.alive:
            return
        yield f"{name} lists", self._listed(state, index)
        if site.view is not None:
            yield from self._stepped(state, index)
        if site.runs and state.newest < self._writes:
            yield f"{name} writes", self._written(state, index)

    def misfortunes(self, state: State, index: int) -> Iterator[tuple[str, State]]:
        """What may befall a site, and its return."""
        site, name = state.sites[index], self.names[index]
        if not site.alive:
            permit = LAPSED if site.permit == OPEN else site.permit
            yield f"{name} returns", _with(state, index, replace(site, alive=True, permit=permit, counter=0))
            return
        yield f"{name}: a new process", _with(state, index, _forgetful(site))
        if site.permit == OPEN:
            yield f"{name}: the permit lapses", _with(state, index, replace(site, permit=LAPSED, counter=0))
        off = replace(_forgetful(site), alive=False, runs=False)
        yield f"{name} loses power", replace(_with(state, index, off), excepted=state.excepted - {index})

    def committed(self, state: State) -> Iterator[tuple[str, State]]:
        """What people may commit next."""
        last = state.commits[-1]
        for index, name in enumerate(self.names):
            epoch = last.epoch + 1
            planned = Placement(name, epoch, "planned", "p", allow_discard=tuple(set(self.names) - {name}))
            yield f"commit {epoch}: planned to {name}", replace(state, commits=(*state.commits, planned))
            others = tuple(each for each in self.names if each != name)
            disaster = Placement(name, epoch, "disaster", "p", others, "unknown", "fire", "dark", allow_discard=others)
            lost = frozenset(i for i, each in enumerate(state.sites) if each.runs and i != index)
            yield (
                f"commit {epoch}: disaster to {name}",
                replace(state, commits=(*state.commits, disaster), excepted=state.excepted | lost),
            )

    def _listed(self, state: State, index: int) -> State:
        """A heartbeat is pushed, then everything is listed."""
        site = replace(state.sites[index], counter=1)
        echo = tuple(each.counter for each in state.sites)
        beats = tuple((site.runs, site.asked, echo) if i == index else each for i, each in enumerate(state.beats))
        view = View(len(state.commits), tuple(map(len, state.acks)), beats)
        return _with(replace(state, beats=beats), index, replace(site, view=view))

    def _written(self, state: State, index: int) -> State:
        """One write, shipped at once to every replica that follows."""
        newest = state.newest + 1
        before = state.sites[index].wrote
        sites = tuple(
            replace(each, wrote=(*each.wrote, newest)) if other == index or _follows(each, before) else each
            for other, each in enumerate(state.sites)
        )
        return replace(state, sites=sites, newest=newest)

    def knowledge(self, state: State, index: int) -> Knowledge:
        """What a site knows at a step: its cluster now, and Git as it listed it."""
        site, view = state.sites[index], state.sites[index].view
        assert view is not None
        commits = state.commits[: view.commits]
        placed = tuple(
            Placed(f"commit-{each.epoch}", each, f"commit-{each.epoch - 1}" if each.epoch > 1 else "")
            for each in commits
            if each.epoch >= site.journal.epoch
        )
        base = next((each for each in commits if each.epoch == site.journal.epoch), None)
        head = f"head-{view.commits}"
        sites = {name: self._seen(state, view, other) for other, name in enumerate(self.names)}
        reading = Reading(
            Observation(NOW, (BUSY,) if site.runs else (STILL,), (VM,) if site.runs else ()), self.replica(state, index)
        )
        earlier = replace(reading, observation=replace(reading.observation, at=NOW - 5))
        newest = commits[-1]
        application = Application(
            "ledger",
            "apps/ledger",
            tuple(self.names),
            self.names[0],
            newest,
            replication=Replication("csi-addons", (GROUP,)),
        )
        closed = site.permit == CLOSED
        return Knowledge(
            site=self.names[index],
            cluster=f"uid-{self.names[index]}",
            application=application,
            limits=LIMITS,
            now=NOW,
            server_time=NOW,
            history=History(head, placed, base if site.journal.commit else None),
            listing=Listing(head, NOW, True, sites, counter=0, value=str(view.acks[index])),
            journal=site.journal,
            permit=site.permit,
            gate=Gate(site.permit is not None, {"https://x": True} if closed else {}, NOW - 100 if closed else None),
            readings=(earlier, reading) if site.reads else (reading,),
            voided=site.voided,
            lease=LeaseFacts(0.0, 0.0),
            step_since=NOW,
            declared_since=dict.fromkeys(self.names, 0.0),
        )

    def replica(self, state: State, index: int) -> Replica:
        """A secondary is in sync once it holds what the replica that was last primary holds."""
        site = state.sites[index]
        peers = tuple(name for name in self.names if name != self.names[index])
        if site.asked is ReplicaRole.PRIMARY:
            return Replica(site.asked, Sync.IN_SYNC, site.asked, exposure=0.0, peers=peers)
        # A pair of replicas: with the other one away nobody can say that this one is complete.
        others = [each for other, each in enumerate(state.sites) if other != index]
        complete = all(each.alive and each.wrote == site.wrote for each in others)
        return Replica(site.asked, Sync.IN_SYNC if complete else Sync.BROKEN, site.asked, peers=peers)

    def _seen(self, state: State, view: View, other: int) -> SiteSeen:
        values = state.acks[other][: view.acks[other]]
        runs, role, echo = view.beats[other]
        heartbeat = Heartbeat(
            1,
            f"uid-{self.names[other]}",
            1,
            echo=dict(zip(self.names, echo, strict=True)),
            applications={"ledger": Running(runs, role, 0.0, None)},
        )
        ack = values[-1] if values else None
        placement = next((each for each in state.commits if ack and each.epoch == ack.epoch), None)
        return SiteSeen(ack, "", placement is not None, placement, heartbeat, NOW, NOW, NOW, True)

    def _stepped(self, state: State, index: int) -> Iterator[tuple[str, State]]:
        name = self.names[index]
        decision = decide(self.knowledge(state, index))
        words = f"{name}: {_words(decision)}"
        entered = self._entered(state, index, decision)
        if self._crashes and decision.works and entered != state:
            yield f"{words}, dies after the journal", _with(entered, index, _forgetful(entered.sites[index]))
        done = self._affected(entered, index, decision)
        if self._crashes and decision.ack is not None:
            yield f"{words}, dies before the ack", _with(done, index, _forgetful(done.sites[index]))
        done = self._said(done, index, decision)
        if done != state:
            yield words, done

    def step_whole(self, state: State, index: int) -> State:
        """One step of a site that nothing interrupts."""
        decision = decide(self.knowledge(state, index))
        done = self._affected(self._entered(state, index, decision), index, decision)
        return self._said(done, index, decision)

    def _entered(self, state: State, index: int, decision: Decision) -> State:
        site = state.sites[index]
        if decision.entry is not None:
            site = replace(site, journal=_plain(decision.entry), reads=0, voided=False)
        else:
            site = replace(site, reads=1)
        if decision.permit == "close":
            site = replace(site, permit=CLOSED)
        elif decision.permit == "open":
            site = replace(site, permit=OPEN)
        return _with(state, index, site)

    def _affected(self, state: State, index: int, decision: Decision) -> State:
        for effect in decision.effects:
            site = state.sites[index]
            if isinstance(effect, Stop):
                state = _with(state, index, replace(site, runs=False))
                state = replace(state, excepted=state.excepted - {index})
            elif isinstance(effect, EnsurePrimary):
                state = _with(state, index, replace(site, asked=ReplicaRole.PRIMARY))
            elif isinstance(effect, EnsureSecondary):
                state = _with(state, index, replace(site, asked=ReplicaRole.SECONDARY))
                if effect.discard_local:
                    state = self._overwritten(state, index)
            elif isinstance(effect, VoidOlderVersions):
                state = _with(state, index, replace(site, voided=True))
        site = state.sites[index]
        if decision.run and not site.runs and site.permit == OPEN:
            state = _with(state, index, replace(site, runs=True))
        return state

    def _overwritten(self, state: State, index: int) -> State:
        """The replica takes what the primary holds."""
        primary = next(
            (
                each
                for other, each in enumerate(state.sites)
                if other != index and each.asked is ReplicaRole.PRIMARY and each.alive
            ),
            None,
        )
        if primary is None:
            return state
        return _with(state, index, replace(state.sites[index], wrote=primary.wrote))

    def _said(self, state: State, index: int, decision: Decision) -> State:
        if decision.ack is None or decision.expects != str(len(state.acks[index])):
            return state
        values = (*state.acks[index], replace(decision.ack, evidence=NO_EVIDENCE))
        acks = tuple(values if other == index else each for other, each in enumerate(state.acks))
        return replace(state, acks=acks)


def _plain(journal: Journal) -> Journal:
    return replace(journal, since=0.0)


def _with(state: State, index: int, site: SiteState) -> State:
    return replace(state, sites=tuple(site if other == index else each for other, each in enumerate(state.sites)))


def _words(decision: Decision) -> str:
    effects = " ".join(type(each).__name__ for each in decision.effects)
    parts = [decision.entry.step.value if decision.entry else "", decision.permit or "", effects]
    parts += [f"says {decision.ack.state.value}" if decision.ack else ""]
    parts += [each.reason for each in decision.holds] + [each.because for each in decision.waits]
    return " ".join(filter(None, parts)) or "keeps"


def _forgetful(site: SiteState) -> SiteState:
    """What a new process knows: what lies in the cluster."""
    return replace(site, view=None, reads=0, voided=False)


def _follows(site: SiteState, before: tuple[int, ...]) -> bool:
    return site.alive and site.asked is ReplicaRole.SECONDARY and site.wrote == before
