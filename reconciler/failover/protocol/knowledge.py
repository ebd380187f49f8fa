"""Everything that one site knows about one application in one pass, as one value: what `decide` is asked with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.failover.protocol.values import (
    Gate,
    History,
    Journal,
    LeaseFacts,
    Listing,
    Observation,
    Permit,
    Reading,
)
from reconciler.fleet.model import Application
from reconciler.replica import Replica


@dataclass(frozen=True, slots=True)
class Limits:
    """The times that bound the protocol, in seconds; names as in the protocol: `tolerance` is σ, `stop` how long a stop
    may take (T_stop), `guard` is T_guard, `promotion` a promotion, `readiness` a start; `silence` is T_fence for sites
    once declared down where there is no lease."""

    poll: float
    freshness: float
    permit: float
    request_timeout: float
    tolerance: float
    stop: float
    guard: float
    promotion: float
    silence: float
    readiness: float


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything that is known about one application at this site in one pass.

    `application` is its definition: the pinned one during a move, the newest one otherwise; `newer_definition`: whether
    the newest one differs; `other_driver`: the driver that the newest one names while another holds the data (P12; "":
    none). `readings` are those under the present journal entry, oldest first: proof that is asked for
    twice needs two of them. `voided`: every role object, start object and the record was written once under this very
    entry (P10). `waiting` maps a wait's key to when it began. `unfit`: what a target lacks. `lease`: P6, None where no
    heartbeat can be told of yet. `restored`: why this cluster is taken for a restored or cloned one (P19; "": it is
    not). `unbound`: why this cluster is not this site's (P19; "": it is). `broken`: why the newest definition cannot be
    acted on (P21; "": it can). `declared_since`: when this process first saw each declared-down site's epoch.
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
    readings: tuple[Reading, ...] = ()
    newer_definition: bool = False
    other_driver: str = ""
    voided: bool = False
    lease: LeaseFacts | None = None
    unfit: tuple[str, ...] = ()
    restored: str = ""
    unbound: str = ""
    waiting: Mapping[str, float] = field(default_factory=dict)
    step_since: float = 0.0
    declared_since: Mapping[str, float] = field(default_factory=dict)

    @property
    def last(self) -> Reading | None:
        """The newest reading."""
        return self.readings[-1] if self.readings else None

    @property
    def observation(self) -> Observation | None:
        """What ran in the newest reading."""
        return self.readings[-1].observation if self.readings else None

    @property
    def replica(self) -> Replica | None:
        """This site's replica in the newest reading."""
        return self.readings[-1].replica if self.readings else None
