"""What one site can know about one application: the input of `decide`, as frozen values.

Three clocks, never compared with each other nor with another machine's: `at`, `since`, `now` are seconds of this
process's monotonic clock; `server_time` and the times of a permit are seconds since 1970 by the site's own API server;
counters and sequences are numbers that only grow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from reconciler.fleet.model import Lease, Placement, Role
from reconciler.objects import Ref
from reconciler.replica import Replica, ReplicaRole


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
    PROMOTED = "Promoted"
    ACTIVE = "Active"
    SUPERSEDED = "Superseded"
    FAILED = "Failed"


PROMOTION_STATES = frozenset({AckState.PROMOTING, AckState.PROMOTED, AckState.ACTIVE})
"""What only the target of an epoch says."""

GIVEN_UP = frozenset({AckState.PASSIVE, AckState.DEMOTED, AckState.SUPERSEDED})
"""The answers to P4 that let a target promote."""

SETTLING = PROMOTION_STATES | GIVEN_UP
"""The states that answer P4; the others say nothing about who may be writing."""


@dataclass(frozen=True, slots=True, order=True)
class Promotion:
    """A promotion that was begun: its epoch orders promotions of all sites, the sequence of the journal those of one
    site at one epoch (a site whose lease ran out may be promoted again at the same epoch)."""

    epoch: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Demotion:
    """A proven end of being primary. `ended`: the promotion that it ended (None: this site never was promoted);
    `sequence`: of the journal entry "demoted"; `complete`: the sites whose replicas were proven complete; `token`: the
    barrier that a target can consume instead."""

    ended: Promotion | None
    epoch: int
    sequence: int
    complete: tuple[str, ...] = ()
    token: str | None = None


@dataclass(frozen=True, slots=True)
class StopOrder:
    """A disaster epoch that names another site: this site must stop, whatever newer epochs say (P3). Known by its
    commit, not by its number."""

    commit: str
    epoch: int
    site: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """P1: the branch went back or an epoch did not follow. `last`: the commit last acted on; `to`: the commit that does
    not follow it."""

    last: str
    to: str
    because: str


@dataclass(frozen=True, slots=True)
class Lapse:
    """A permit that ran out while the application was to run: this site's counter and epoch at that moment. It opens
    again only on an echo of a higher counter, or by a higher epoch (P7)."""

    counter: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Journal:
    """The high-water mark and the journal of one application at this site; a new entry has a higher `sequence`.

    `promotion` is the last one that was begun here, `before` what that was before this one. `role` is the effective
    role (P16). `definition` is the commit whose definition a move acts on (P12; "": the one that the mark's commit
    has). `stopped_for`: why the guard stopped the application ("": it did not); while it stands nothing opens.
    `loss`: seconds of data given up, judged before the forced call that was accepted; `called`: whether the driver was
    called for this promotion. `down`: sites that an epoch acted on here declared down and that have not spoken since.
    `settled`: what this site last proved among the states that answer P4; `leases`: those in force, the old and the new
    one while they change (P6, None: `keep`). `lapse`: when the permit ran out unasked (P7). `since`: when this step
    began, by the API server.
    """

    sequence: int = 0
    epoch: int = 0
    commit: str = ""
    step: Step = Step.PASSIVE
    role: Role = "passive"
    promotion: Promotion | None = None
    before: Promotion | None = None
    demotion: Demotion | None = None
    definition: str = ""
    stop_orders: tuple[StopOrder, ...] = ()
    stopped_for: str = ""
    discard: bool = False
    freeze: Freeze | None = None
    loss: float | Literal["unknown"] | None = None
    called: bool = False
    down: tuple[str, ...] = ()
    skipped: tuple[int, ...] = ()
    superseded: tuple[int, ...] = ()
    settled: AckState | None = None
    leases: tuple[Lease | None, ...] = ()
    lapse: Lapse | None = None
    since: float = 0.0

    @property
    def primary_since(self) -> bool:
        """Whether this site was primary, or began to be, since its last proven demotion."""
        if self.promotion is None:
            return False
        return self.demotion is None or self.demotion.sequence < self.promotion.sequence


@dataclass(frozen=True, slots=True)
class Ack:
    """What a site has said about an application: a function of its journal. `settled` is its last word among those that
    answer P4; `lease` the one that this site obeys for it (None: it keeps running when it is alone); `superseded`: the
    overtaken epochs that named this site."""

    application: str
    site: str
    epoch: int
    commit: str
    cluster: str
    state: AckState
    settled: AckState | None = None
    promotion: Promotion | None = None
    demotion: Demotion | None = None
    sequence: int = 0
    lease: Lease | None = None
    superseded: tuple[int, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Running:
    """What a heartbeat says of one application: whether anything of it runs, the role of the replica, the seconds since
    its last sync by the site's own clock (None: unknown), the lease that the site's guard obeys (None: none)."""

    running: bool
    role: ReplicaRole
    exposure: float | None = None
    lease: Lease | None = None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A site's sign of life. `counter` and `guard` (the guard's own count) never fall; `ack_head`: the value of the
    site's own ack ref; `branch_head`: the commit that it last saw; `echo`: the other sites' counters as it last saw
    them."""

    counter: int
    cluster: str
    guard: int = 0
    ack_head: str = ""
    branch_head: str = ""
    echo: Mapping[str, int] = field(default_factory=dict)
    applications: Mapping[str, Running] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SiteSeen:
    """One site's refs as this process sees them, for one application.

    `ack`: the last one that could be read. `distrust`: why nothing that this site says is trusted ("": it is), whether
    its ref went back, cannot be read, or comes from another cluster. `on_branch`: whether the ack's commit is an
    ancestor of the branch's head; `placement`: what that commit says of the application. `heartbeat_since` and
    `ack_since`: when the ref was last seen to move, or first looked for; `witnessed`: whether this process ever saw the
    heartbeat move; `guard_since`: when the guard's counter last moved with it.
    """

    ack: Ack | None = None
    distrust: str = ""
    on_branch: bool = False
    placement: Placement | None = None
    heartbeat: Heartbeat | None = None
    heartbeat_since: float = 0.0
    guard_since: float = 0.0
    ack_since: float = 0.0
    witnessed: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """The branch and the sites' refs as one server listed them at `at`, this site's own included.

    `proven`: it was made after this process's push was accepted by that very server (P8); else it is only a fetch.
    `counter`: this site's own heartbeat counter as that server has it. `value`: the commit of this site's own ack ref:
    what a push of a decision made on this listing expects. `diverged`: why that ref is not what this site last pushed,
    nor anything that came before it ("": it is); then the application freezes (P14).
    """

    head: str
    at: float
    proven: bool
    sites: Mapping[str, SiteSeen] = field(default_factory=dict)
    counter: int = 0
    value: str | None = None
    diverged: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A placement on the branch, at the first commit (along first parents) that had it so. `parent`: the commit before
    that one ("": there is none), whose definition a move acts on."""

    commit: str
    placement: Placement
    parent: str = ""


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
class Reading:
    """One reading of the cluster under the present journal entry: what runs, and this site's replica."""

    observation: Observation
    replica: Replica

    @property
    def at(self) -> float:
        """When it began (monotonic)."""
        return self.observation.at


@dataclass(frozen=True, slots=True)
class Permit:
    """The window in which starts are admitted, by the API server's clock: closed is a window that no time satisfies."""

    since: float
    until: float

    @property
    def closed(self) -> bool:
        """Whether no time satisfies the window."""
        return self.since >= self.until


@dataclass(frozen=True, slots=True)
class Gate:
    """What is known of the gate. `installed`: policies and bindings are there and as they should be; `answers`: what
    each API server ever seen answered to a dry run (True: the gate refused it; False: it was admitted; None: no answer,
    or one from which nothing follows); `closed_since`: since when all of them refuse (monotonic)."""

    installed: bool
    answers: Mapping[str, bool | None] = field(default_factory=dict)
    closed_since: float | None = None


@dataclass(frozen=True, slots=True)
class LeaseFacts:
    """How long ago a heartbeat of this site was last accepted, in seconds: as this process counts it (None: it saw
    none), and by the cluster's clock (None: missing, unreadable, in the future, or earlier than the last renewal)."""

    counted: float | None
    recorded: float | None
