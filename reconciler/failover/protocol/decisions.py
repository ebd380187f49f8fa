"""What `decide` can answer: the work of one pass, in the order in which it must become durable."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from reconciler.failover.protocol.values import Ack, Journal
from reconciler.fleet.model import Role
from reconciler.objects import Ref


@dataclass(frozen=True, slots=True)
class InstallGate:
    """Put the gate's policies and this application's bindings in place; the record is there before."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Give these objects their stopped value."""

    refs: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class VoidOlderVersions:
    """Write once to each role object, start object and the record, so that nobody's older read can be written (P10)."""


@dataclass(frozen=True, slots=True)
class EnsurePrimary:
    """Make this replica the primary, inside a window of the role gate (P18) that ends at `until`, by the API server's
    clock; `by` is that moment by this process's clock. `force`: the move is a disaster move."""

    force: bool
    epoch: int
    until: float
    by: float


@dataclass(frozen=True, slots=True)
class FinalSync:
    """Ship what was written last, and take the barrier token."""


@dataclass(frozen=True, slots=True)
class EnsureSecondary:
    """Make this replica a secondary; `discard_local` lets it be overwritten by the primary's (P13)."""

    discard_local: bool = False


Effect = InstallGate | Stop | VoidOlderVersions | EnsurePrimary | FinalSync | EnsureSecondary


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that will come by itself: which object, why, since when (monotonic) and for how long at most."""

    on: str
    because: str
    since: float
    at_most: float | None = None

    @property
    def key(self) -> str:
        """What stays the same from pass to pass."""
        return f"{self.on}\n{self.because}"


@dataclass(frozen=True, slots=True)
class Hold:
    """Something that will not come by itself: its name, why, and the command that lifts it."""

    reason: str
    message: str
    lifted_by: str


Blocker = Wait | Hold


class State(Enum):
    """The one word that status shows for the application at this site."""

    PROTECTED = "Protected"
    ACTIVE = "Active"
    STARTING = "Starting"
    MOVING = "Moving"
    STOPPING = "Stopping"
    DEMOTING = "Demoting"
    DEMOTED = "Demoted"
    RESYNCING = "Resyncing"
    PROMOTING = "Promoting"
    READY = "Ready"
    WAITING = "Waiting"
    PASSIVE = "Passive"
    HELD = "Held"
    FROZEN = "Frozen"
    SUSPENDED = "Suspended"


@dataclass(frozen=True, slots=True)
class Decision:
    """The work of one pass. The order is a contract: `entry` and `permit` become durable in one write of the record
    before any of `effects` is tried; all of `effects` must have been accepted, in their order, before `ack` is pushed,
    which expects `expects` as the value of this site's own ack ref. What fails ends the pass.

    `permit`: "open" lets this site start the application from now on, "close" writes a window that no time satisfies,
    None leaves it. `effective_role` is what the generic apply renders (P16); `run`: workloads may be started through
    the start gate; `run_standby`: those of a hot passive site may.
    """

    effective_role: Role
    state: State
    run: bool = False
    run_standby: bool = False
    entry: Journal | None = None
    permit: Literal["open", "close"] | None = None
    effects: tuple[Effect, ...] = ()
    ack: Ack | None = None
    expects: str | None = None
    waits: tuple[Wait, ...] = ()
    holds: tuple[Hold, ...] = ()

    @property
    def works(self) -> bool:
        """Whether there is anything to carry out."""
        return self.entry is not None or self.permit is not None or bool(self.effects) or self.ack is not None
