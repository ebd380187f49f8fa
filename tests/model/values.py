"""What a state of the model is made of: the world, and for each site its cluster, its view of Git and its two refs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from reconciler.failover.protocol.values import Journal, Permit, StartObject
from reconciler.fleet.model import Group, Lease, Placement
from reconciler.objects import Ref
from reconciler.replica import ReplicaRole

VM = Ref("kubevirt.io", "VirtualMachine", "bank", "db")
GROUP = Group("VolumeReplication", "ledger", "bank")
LEASE = Lease(60.0, 600.0)
NOW = 1e6
"""The moment of every step: time is left out."""

OPEN, LAPSED, CLOSED = Permit(0.0, 2 * NOW), Permit(0.0, 1.0), Permit(9e9, 0.0)
STILL, BUSY = StartObject(VM, "10", True), StartObject(VM, "10", False, True, True)

State = tuple[int, ...]
"""The number of the world, then the number of each site's spot."""

NOTHING = -1
"""In a spot: no view, or no ack yet."""


FIRST_JOURNAL = Journal()


class NoEvidence(dict[str, Any]):
    """In place of an ack's evidence, which decides nothing: empty, and so it can be hashed."""

    def __hash__(self) -> int:  # type: ignore[override]
        return 0


NO_EVIDENCE = NoEvidence()


class Beat(NamedTuple):
    """What a heartbeat says. `echo`: for each site, whether a counter was seen that it pushed since it last noted that
    its right to run had ended; for the site itself, whether this heartbeat is such a one."""

    runs: bool
    role: ReplicaRole
    echo: tuple[bool, ...]


class View(NamedTuple):
    """What a process listed last: numbers of the branch, of each site's ack and of each site's heartbeat.

    `silent`: the sites that gave no sign of life for T_fence; `spoken`: those that gave one since this process saw that
    they were declared down; `distrusted`: those whose ref went back. `fresh`: the list is within the freshness limit.
    """

    branch: int
    acks: tuple[int, ...]
    beats: tuple[int, ...]
    silent: frozenset[int] = frozenset()
    spoken: frozenset[int] = frozenset()
    distrusted: frozenset[int] = frozenset()
    fresh: bool = True


class Spot(NamedTuple):
    """One site: numbers of its cluster, of its process's view, and of the values of its refs."""

    local: int
    view: int
    ack: int
    beat: int


@dataclass(frozen=True, slots=True)
class Local:
    """What lies in a site's cluster, and in the memory of its process. `wrote`: the writes that the replica holds, in
    their order; `reads`: readings under the present entry (a second one counts, a third adds nothing); `cut`: no
    request has reached Git for as long as any deadline lasts; `said`: the ack that this process pushed last."""

    journal: Journal = FIRST_JOURNAL
    permit: Permit | None = None
    runs: bool = False
    asked: ReplicaRole = ReplicaRole.SECONDARY
    wrote: tuple[int, ...] = ()
    reads: int = 0
    voided: bool = False
    alive: bool = True
    cut: bool = False
    said: int = NOTHING


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup of the Git server holds: the branch, and each site's refs."""

    branch: int
    acks: tuple[int, ...]
    beats: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class World:
    """What belongs to no site. `commits`: how many were ever made; `newest`: the last write of the application;
    `truth`: the writes that nobody has given up; `holder`: the site that was made primary last; `excepted`: sites that
    a disaster epoch declared down while they might run, and that have not stopped since (I1); `spent`: misfortunes so
    far; `backup`: what a restore would bring back; `stale`: refs that a restore put back and whose sites have not
    spoken since."""

    branch: int
    commits: int = 1
    newest: int = 0
    truth: tuple[int, ...] = ()
    holder: int = NOTHING
    excepted: frozenset[int] = frozenset()
    spent: int = 0
    restores: int = 0
    backup: Backup | None = None
    stale: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Commit:
    """A placement on the branch. `serial` tells commits apart that say the same."""

    serial: int
    placement: Placement

    @property
    def name(self) -> str:
        """Its id."""
        return f"commit-{self.serial}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may happen: commits of people (the first placement included), writes of the application, misfortunes
    (a process or a site lost, a site cut off, an answer lost), and restores of the Git server. `lease`: whether the
    application stops where its site is cut off, or people override the fence; `settled`: everything begins with the
    first placement at rest; `targets`: the sites that people move it to ("": all; where two sites are equal, the moves
    to one of them show what those to the other do)."""

    sites: str
    commits: int
    writes: int = 0
    misfortunes: int = 0
    restores: int = 0
    lease: bool = False
    nowhere: bool = False
    targets: str = ""
    settled: bool = False
