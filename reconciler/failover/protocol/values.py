"""What one site can know about one application: the input of `protocol.decide`, as frozen values.

Times called `at` and `since` are seconds of this process's monotonic clock; `server_time` and the times of a permit are
seconds since 1970 by the site's own API server. The two are never compared with each other, nor with another machine's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from reconciler.fleet.model import Application, Placement, Role
from reconciler.objects import Ref
from reconciler.replica import Replica


class Step(Enum):
    """What the journal says that this site is doing with the application: the intent, written before any effect."""

    PASSIVE = "Passive"
    PROMOTING = "Promoting"
    STARTING = "Starting"
    ACTIVE = "Active"
    STOPPING = "Stopping"
    DEMOTING = "Demoting"
    RESYNCING = "Resyncing"
    DEMOTED = "Demoted"


class AckState(Enum):
    """What a site says about an application on its ack ref."""

    PASSIVE = "Passive"
    READY = "Ready"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    DEMOTED = "Demoted"
    PROMOTING = "Promoting"
    ACTIVE = "Active"
    SUPERSEDED = "Superseded"
    FAILED = "Failed"


SETTLING = frozenset({AckState.PROMOTING, AckState.ACTIVE, AckState.PASSIVE, AckState.DEMOTED, AckState.SUPERSEDED})
"""The words that answer P4; the others say nothing about who may be writing."""

GIVEN_UP = frozenset({AckState.PASSIVE, AckState.DEMOTED, AckState.SUPERSEDED})
"""The answers to P4 that let a taker promote."""


@dataclass(frozen=True, slots=True)
class Demotion:
    """A proven end of being primary: `primary` is the epoch of the promotion that it ended, `complete` the sites whose
    copies were proven complete, `token` the barrier that a taker can consume instead."""

    primary: int
    epoch: int
    complete: tuple[str, ...] = ()
    token: str | None = None


@dataclass(frozen=True, slots=True)
class StopOrder:
    """A disaster epoch that named another site: this site must stop, whatever newer epochs say (P3)."""

    epoch: int
    site: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """P1: the branch went back or an epoch did not follow; `acceptRewind` must name both commits."""

    rewound_from: str
    rewound_to: str
    because: str


@dataclass(frozen=True, slots=True)
class Journal:
    """The high-water mark and the journal of one application at this site; a new entry has a higher `sequence`.

    `primary` is the epoch of the last promotion that was begun here (0: never), `before` what it was before that one;
    `role` the effective role (P16); `loss` the seconds of data given up when it was judged with a disaster promotion;
    `down` the sites that an epoch acted on here declared down; `since` when this step began, by the API server.
    """

    sequence: int = 0
    epoch: int = 0
    commit: str = ""
    step: Step = Step.PASSIVE
    role: Role = "passive"
    primary: int = 0
    before: int = 0
    demotion: Demotion | None = None
    token: str | None = None
    stop_orders: tuple[StopOrder, ...] = ()
    discard: bool = False
    freeze: Freeze | None = None
    loss: float | Literal["unknown"] | None = None
    down: tuple[str, ...] = ()
    skipped: tuple[int, ...] = ()
    superseded: tuple[int, ...] = ()
    since: float = 0.0

    @property
    def primary_since(self) -> bool:
        """Whether this site was primary, or began to be, since its last proven demotion."""
        return self.primary > (self.demotion.primary if self.demotion else 0)


@dataclass(frozen=True, slots=True)
class Ack:
    """What a site has said about an application. `settled` is its last word among those that answer P4."""

    application: str
    site: str
    epoch: int
    commit: str
    cluster: str
    state: AckState
    settled: AckState | None = None
    primary: int = 0
    demotion: Demotion | None = None
    sequence: int = 0
    token: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sign:
    """A site's heartbeat as this process saw it. `since`: when it, and `ack_since`: when the site's ack ref was last
    seen to move, or first looked for; `witnessed`: whether this process ever saw the heartbeat move."""

    counter: int
    exposures: Mapping[str, float]
    since: float
    ack_since: float
    witnessed: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """The branch and all refs of the Git server as it listed them at `at`.

    `proven`: it was made after this process's push was accepted by that very server (P8); else it is only a fetch.
    `distrusted`: sites whose ack ref did not descend from the one seen before, or whose ack cannot be read.
    """

    head: str
    at: float
    proven: bool
    acks: Mapping[str, Ack] = field(default_factory=dict)
    signs: Mapping[str, Sign] = field(default_factory=dict)
    distrusted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Placed:
    """A placement on the branch, at the first commit (along first parents) that had it so."""

    commit: str
    placement: Placement


@dataclass(frozen=True, slots=True)
class History:
    """The placements after the mark's commit, oldest first, up to `head`; a file that was changed and says the same
    appears again. `base` is the placement at the mark's commit; without a mark, `placements` is the head's alone.

    `rewound`: the head does not descend from the mark's commit; then too `placements` is the head's alone. `line` are
    the latest commits of the branch along first parents, for `acceptRewind`.
    """

    head: str
    placements: tuple[Placed, ...]
    base: Placement | None = None
    rewound: bool = False
    line: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StartObject:
    """An object with a start field, as the cluster has it. `stopped`: its start field says so and nothing asks for a
    start; `runs`: something of it still runs; `ready`: it runs and is ready (one that is rendered and not in the
    cluster yet is stopped and not ready)."""

    ref: Ref
    run_level: str
    stopped: bool
    runs: bool = False
    ready: bool = False
    standby: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """What runs, by consistent lists that began at `at`: objects with start fields, instances, pods that use the
    application's volumes or may write, and attachments of its volumes. A failed read is no observation at all."""

    at: float
    objects: tuple[StartObject, ...] = ()
    instances: tuple[Ref, ...] = ()
    pods: tuple[Ref, ...] = ()
    attachments: tuple[Ref, ...] = ()

    @property
    def running(self) -> tuple[Ref, ...]:
        """Everything that may write or holds a volume."""
        return self.instances + self.pods + self.attachments


@dataclass(frozen=True, slots=True)
class Permit:
    """The window in which starts are admitted, by the API server's clock; `accepted` is when a push was last accepted,
    `withdrawn` when the gate was last closed."""

    since: float
    until: float
    accepted: float | None = None
    withdrawn: float | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """What is known of the gate: whether its policies are there, what each API server answered to a dry run (None: it
    was not asked in this pass), and since when all of them refuse (this process's clock)."""

    installed: bool
    refused: Mapping[str, bool | None] = field(default_factory=dict)
    closed_since: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The times that bound the protocol, in seconds; names as on the protocol page: `tolerance` is σ, `stop` how long
    a stop may take, `promotion` a promotion, `readiness` a start; `fence` is T_fence for sites once declared down where
    there is no lease."""

    poll: float
    freshness: float
    permit: float
    request_timeout: float
    tolerance: float
    stop: float
    promotion: float
    fence: float
    readiness: float


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything that is known about one application at this site in one pass.

    `before` and `replica_before` are the previous pass's readings under the same journal entry: proof that is asked
    for twice needs both. `voided`: every role object, start object and the permit was written once under this very
    entry (P10). `waiting` maps a wait's key to when it began. `unfit` says what a taker lacks. `lease_over`: P6.
    """

    site: str
    cluster: str
    application: Application
    limits: Limits
    now: float
    server_time: float
    history: History | None
    listing: Listing | None
    journal: Journal
    permit: Permit | None
    gate: Gate
    observation: Observation | None
    replica: Replica | None
    before: Observation | None = None
    replica_before: Replica | None = None
    voided: bool = False
    lease_over: bool = False
    unfit: tuple[str, ...] = ()
    waiting: Mapping[str, float] = field(default_factory=dict)
    step_since: float = 0.0
