"""What a controller's process remembers of one application between passes. Losing it costs time, never safety."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.failover.execute.admission_gate import AdmissionGate
from reconciler.failover.execute.fenced_writer import Entry, FencedWriter
from reconciler.failover.execute.observe import Workload
from reconciler.failover.execute.placement_history import PlacementHistory
from reconciler.failover.protocol.decisions import Decision, Hold, State, Wait
from reconciler.failover.protocol.table import RUNS
from reconciler.failover.protocol.values import (
    Journal,
    Listing,
    Observation,
    Permit,
    Step,
)
from reconciler.fleet.model import Application, Fleet, Role
from reconciler.replica import Replica


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a pass came to. `effective_role`: what the generic apply renders; `run`: workloads may be started through
    the start gate (`run_standby`: those of a hot passive site); `changed`: something was written, look again soon;
    `exposure`: seconds since the last sync, for the heartbeat, where this site is active."""

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


@dataclass(frozen=True, slots=True)
class Task:
    """What one pass is about: an application as the fleet has it, and its workloads as rendered for the active role."""

    fleet: Fleet
    application: Application
    workloads: tuple[Workload, ...]
    namespaces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the cluster, and the journal entry under which it was made."""

    sequence: int
    observation: Observation
    replica: Replica

    def differs(self, other: Reading) -> bool:
        """Whether the two readings show different things."""
        return (self.observation.running, self.observation.objects, self.replica.role, self.replica.sync) != (
            other.observation.running,
            other.observation.objects,
            other.replica.role,
            other.replica.sync,
        )


@dataclass(slots=True)
class Memory:
    """One application's memory. `lock` guards all of it, and every write to the cluster made for the application."""

    lock: threading.RLock
    hand: FencedWriter
    keeper: AdmissionGate
    walker: PlacementHistory
    task: Task | None = None
    entry: Entry | None = None
    step: Step | None = None
    step_since: float = 0.0
    reading: Reading | None = None
    permit: Permit | None = None
    voided_under: int = -1
    closed_since: float | None = None
    refused: Mapping[str, bool | None] = field(default_factory=dict)
    waiting: dict[str, float] = field(default_factory=dict)
    lease_looked: bool = False
    lease_ran_out: bool = False
    decision: Decision | None = None
    outcome: Outcome | None = None
    decided_on: tuple[Listing | None, Application] | None = None
    looked_at: float = float("-inf")
    clock_offset: float | None = None
    push_needed_since: float = float("-inf")

    def before(self, reading: Reading, spacing: float) -> Reading | None:
        """The reading that makes this one the second of two in a row: under the same entry, and not so close that both
        saw the same moment. Keeps what later readings will need."""
        last = self.reading
        if last is None or last.sequence != reading.sequence:
            self.reading = reading
            return None
        if reading.observation.at - last.observation.at >= spacing:
            self.reading = reading
            return last
        if reading.differs(last):
            self.reading = reading
        return None

    @property
    def running(self) -> bool:
        """Whether the journal says that this site may hold a permit."""
        return self.entry is not None and self.entry.journal.step in RUNS


def task_of(fleet: Fleet, application: Application, workloads: Sequence[Workload], namespaces: tuple[str, ...]) -> Task:
    """A pass's task, with workloads that no caller can change under it."""
    return Task(fleet, application, tuple(workloads), namespaces)
