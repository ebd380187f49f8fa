"""The edge of the failover protocol: reads what `moves.decide` needs to know, and carries out what it decides.

One call a pass and application. It never waits: what takes time is a state of the journal, found again in the next
pass or by the next process. The order of `Decision` is kept: journal entry, effects, ack.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.clock import Clock
from reconciler.fleet.model import Application, Fleet, Placement, Role
from reconciler.moves.decisions import Hold, State, Wait
from reconciler.moves.values import Journal
from reconciler.objects import Manifest, Ref

if TYPE_CHECKING:
    from reconciler.cluster import Cluster
    from reconciler.controller.carry_out_publish import Publisher


@dataclass(frozen=True, slots=True)
class Workload:
    """An object with a start field, as rendered for the active role: `start_value` is what its field shall be when it
    runs. `ready` is the caller's judgement of its health in this pass; `grace` how long it may take to stop."""

    ref: Ref
    api_version: str
    run_level: str
    component: str
    start_value: Any
    standby: bool = False
    ready: bool = False
    grace: float = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a pass came to. `effective_role`: what the generic apply renders; `run`: workloads may be started through
    the start gate (`run_standby`: those of a hot passive site); `changed`: something was written, look again soon."""

    effective_role: Role
    run: bool
    run_standby: bool
    state: State
    epoch: int
    waits: tuple[Wait, ...]
    holds: tuple[Hold, ...]
    changed: bool
    exposure: float | None
    journal: Journal


class Mover:
    """Carries out the protocol for all applications of one site. `placement_at(commit, application)` reads one
    application's placement at a commit (None: not there or not readable)."""

    def __init__(
        self,
        site: str,
        cluster: Cluster,
        publisher: Publisher,
        clock: Clock,
        placement_at: Callable[[str, Application], Placement | None],
    ) -> None: ...

    def pass_(self, fleet: Fleet, application: Application, workloads: Sequence[Workload]) -> Outcome:
        """Read, decide, carry out, until nothing more can be done now. Raises ClusterError or SourceError when what
        must be read cannot be; nothing is concluded from that."""
        raise NotImplementedError

    def start(self, application: Application, workload: Workload) -> bool:
        """Give one workload its start value, if the journal and the permit still allow it. True if it was written."""
        raise NotImplementedError

    def create(self, application: Application, manifest: Manifest) -> Manifest:
        """Create an object that has start or role fields, whole, with its stopped values, by the moves' manager."""
        raise NotImplementedError

    def renew_permits(self) -> None:
        """Renew the permits of what is active here; quick, for a thread of its own."""
        raise NotImplementedError

    def check_leases(self) -> None:
        """Stop what has outlived its lease; quick, for a thread of its own."""
        raise NotImplementedError
