"""The numbered values of one model, and everything that a site can know, made from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

from model.numbers import Numbered
from model.values import (
    BUSY,
    CLOSED,
    GROUP,
    LEASE,
    NOTHING,
    NOW,
    STILL,
    VM,
    Beat,
    Bounds,
    Commit,
    Local,
    Spot,
    State,
    View,
    World,
)
from reconciler.failover.protocol.knowledge import Knowledge, Limits
from reconciler.failover.protocol.values import (
    Ack,
    Gate,
    Heartbeat,
    History,
    LeaseFacts,
    Listing,
    Observation,
    Placed,
    Reading,
    Running,
    SiteSeen,
)
from reconciler.fleet.model import Application, Placement, Replication
from reconciler.replica import Replica, ReplicaRole, Sync

LIMITS = Limits(1, 2, 4, 1, 0.5, 6, 1, 1, 10, 1)
LONG_AGO, THEN, LATER = 0.0, 100.0, 200.0
"""A moment before a site was declared down, the moment at which this process saw that, and one after it."""


class Always(Mapping[str, float]):
    """Every wait has lasted long enough for the hold that follows it."""

    def __getitem__(self, key: str) -> float:
        return LONG_AGO

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


ALWAYS = Always()


class Tables:
    """All values of one model under their numbers."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds, self.names = bounds, bounds.sites
        self.everybody = range(len(bounds.sites))
        self.commits: Numbered[Commit] = Numbered()
        self.branches: Numbered[tuple[int, ...]] = Numbered()
        self.acks: Numbered[Ack] = Numbered()
        self.beats: Numbered[Beat] = Numbered()
        self.views: Numbered[View] = Numbered()
        self.locals: Numbered[Local] = Numbered()
        self.spots: Numbered[Spot] = Numbered()
        self.worlds: Numbered[World] = Numbered()
        self._shown: Numbered[tuple[object, ...]] = Numbered()
        self._storage: Numbered[tuple[object, ...]] = Numbered()
        self._git: Numbered[tuple[object, ...]] = Numbered()
        self.git, self.shown, self.storage = cache(self._of_git), cache(self._of_shown), cache(self._of_storage)

    def first(self) -> State:
        """Nothing has happened yet: the first placement is at the first site."""
        placed = self.commits.number(Commit(1, Placement(self.names[0], 1, "planned", "p")))
        beat = self.beats.number(Beat(False, ReplicaRole.SECONDARY, (False,) * len(self.names)))
        world = self.worlds.number(World(self.branches.number((placed,))))
        spot = self.spots.number(Spot(self.locals.number(Local()), NOTHING, NOTHING, beat))
        return (world, *(spot for _ in self.names))

    def world(self, state: State) -> World:
        """What belongs to no site."""
        return self.worlds.values[state[0]]

    def spot(self, state: State, index: int) -> Spot:
        """One site's numbers."""
        return self.spots.values[state[index + 1]]

    def local(self, state: State, index: int) -> Local:
        """One site's cluster."""
        return self.locals.values[self.spots.values[state[index + 1]].local]

    def _of_git(self, world: int) -> int:
        """What of a world a list shows."""
        each = self.worlds[world]
        return self._git.number((each.branch, each.stale))

    def _of_shown(self, spot: int) -> int:
        """What of a site others can see in a list."""
        local, _, ack, beat = self.spots[spot]
        return self._shown.number((ack, beat, self.locals[local].alive, self.locals[local].cut))

    def _of_storage(self, spot: int) -> int:
        """What of a site another site's replica depends on."""
        site = self.locals[self.spots[spot].local]
        return self._storage.number((site.wrote, site.asked, site.alive))

    def stored(self, state: State, index: int) -> Iterator[int]:
        """One site, and of the others what its replica depends on."""
        for other in self.everybody:
            yield state[other + 1] if other == index else self.storage(state[other + 1])

    def placements(self, branch: int) -> tuple[Commit, ...]:
        """The commits of a branch, oldest first."""
        return tuple(self.commits.values[number] for number in self.branches.values[branch])

    def replica(self, state: State, index: int) -> tuple[tuple[int, ...], bool]:
        """The sites whose replicas hold what this one holds, and whether this one can be told to be in sync: with the
        primary's where there is one, else with any other's."""
        wrote = self.local(state, index).wrote
        others = [(other, self.local(state, other)) for other in self.everybody if other != index]
        peers = tuple(other for other, each in others if each.alive and each.wrote == wrote)
        primaries = [other for other, each in others if each.asked is ReplicaRole.PRIMARY]
        return peers, bool(peers) and all(other in peers for other in primaries)

    def knowledge(self, index: int, site: Local, view: View, peers: tuple[int, ...], in_sync: bool) -> Knowledge:
        """What a site knows at a step: its cluster now, and Git as it listed it."""
        commits = self.placements(view.branch)
        head = f"head-{view.branch}"
        seen = {name: self._seen(view, other, commits) for other, name in enumerate(self.names)}
        replica = Replica(
            site.asked,
            Sync.IN_SYNC if in_sync or site.asked is ReplicaRole.PRIMARY else Sync.BROKEN,
            site.asked,
            peers=tuple(self.names[each] for each in peers),
        )
        reading = Reading(Observation(NOW, (BUSY,) if site.runs else (STILL,), (VM,) if site.runs else ()), replica)
        earlier = replace(reading, observation=replace(reading.observation, at=NOW - 5))
        closed = site.permit == CLOSED
        fence = self.bounds.lease
        return Knowledge(
            site=self.names[index],
            cluster=f"uid-{self.names[index]}",
            application=self.application(commits[-1].placement),
            limits=LIMITS,
            now=NOW,
            server_time=NOW,
            history=self._history(site, commits, head),
            listing=Listing(head, NOW, view.fresh, seen, value=str(view.acks[index])),
            journal=site.journal,
            permit=site.permit,
            gate=Gate(site.permit is not None, {"https://x": True} if closed else {}, NOW - 100 if closed else None),
            readings=(earlier, reading) if site.reads else (reading,),
            voided=site.voided,
            lease=LeaseFacts(2 * LEASE.time, 2 * LEASE.time) if site.cut and fence else LeaseFacts(0.0, 0.0),
            waiting=ALWAYS,
            step_since=LONG_AGO,
            declared_since={
                name: NOW if each not in view.silent and each not in view.spoken else THEN
                for each, name in enumerate(self.names)
            },
        )

    def application(self, placement: Placement) -> Application:
        """The definition, which never changes, at a placement."""
        return Application(
            "ledger",
            "apps/ledger",
            tuple(self.names),
            self.names[0],
            placement,
            replication=Replication("csi-addons", (GROUP,)),
            lease=LEASE if self.bounds.lease else None,
        )

    def _history(self, site: Local, commits: tuple[Commit, ...], head: str) -> History:
        line = frozenset(each.name for each in commits)
        mark = site.journal.commit
        names = [each.name for each in commits]
        placed = tuple(
            Placed(each.name, each.placement, before.name if before else "")
            for before, each in zip((None, *commits), commits, strict=False)
        )
        if not mark:
            return History(head, placed[-1:], line=line)
        if mark not in names:
            return History(head, placed[-1:], rewound=True, line=line)
        at = names.index(mark)
        return History(head, placed[at + 1 :] or placed[at:], commits[at].placement, line=line)

    def _seen(self, view: View, other: int, commits: tuple[Commit, ...]) -> SiteSeen:
        beat = self.beats.values[view.beats[other]]
        heartbeat = Heartbeat(
            1,
            f"uid-{self.names[other]}",
            1,
            echo={name: int(heard) for name, heard in zip(self.names, beat.echo, strict=True)},
            applications={"ledger": Running(beat.runs, beat.role, 0.0, LEASE if self.bounds.lease else None)},
        )
        ack = self.acks.values[view.acks[other]] if view.acks[other] != NOTHING else None
        placement = next((each.placement for each in commits if ack and each.name == ack.commit), None)
        moved = NOW if other not in view.silent else LATER if other in view.spoken else LONG_AGO
        distrust = "its ref went back" if other in view.distrusted else ""
        return SiteSeen(ack, distrust, placement is not None, placement, heartbeat, moved, NOW, moved, True)
