"""What a controller's process remembers of one application between passes. Losing it costs time, never safety."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.failover.execute.definition import Definition
from reconciler.failover.execute.placement_history import PlacementHistory
from reconciler.failover.execute.record import Record
from reconciler.failover.protocol.decisions import Decision, Hold, State, Wait
from reconciler.failover.protocol.values import Journal, Reading, Running, Step
from reconciler.fleet.model import Application, Fleet, Role

MOST_READINGS = 64
"""Readings kept under one journal entry: a proof needs two, a poll apart at most."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a pass came to. `effective_role`: what the generic apply renders; `run`: workloads may be started through
    the start gate (`run_standby`: those of a hot passive site); `changed`: something was written, look again soon;
    `says`: what the heartbeat says of the application, by a reading that began at `read_at` (monotonic); `exposure`:
    seconds since the last sync, where it is active here."""

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
    says: Running | None = None
    read_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Task:
    """What one pass is about: an application's definition, with the newest placement in it. `newer`: whether the newest
    commit defines it differently, `other_driver`: with a driver that does not hold the data (P12)."""

    fleet: Fleet
    application: Application
    definition: Definition
    newer: bool = False
    other_driver: str = ""


@dataclass(slots=True)
class Memory:
    """One application's memory. `sequence`: the journal entry under which `readings` were made; `declared`: the
    epoch that last declared a site down, as far as it is known, and when this process first saw it."""

    history: PlacementHistory
    record: Record | None = None
    sequence: int = -1
    readings: tuple[Reading, ...] = ()
    step: Step | None = None
    step_since: float = 0.0
    voided_under: int = -1
    closed_since: float | None = None
    answers: Mapping[str, bool | None] = field(default_factory=dict)
    waiting: dict[str, float] = field(default_factory=dict)
    declared: dict[str, tuple[int, float]] = field(default_factory=dict)
    decision: Decision | None = None
    outcome: Outcome | None = None
    decided_on: tuple[object, Application] | None = None
    looked_at: float = float("-inf")

    @property
    def journal(self) -> Journal | None:
        """The newest journal entry that was read or written."""
        return self.record.journal if self.record else None

    def note(self, sequence: int, reading: Reading) -> tuple[Reading, ...]:
        """Keep a reading; those made under another entry prove nothing any more."""
        known = self.readings if self.sequence == sequence else ()
        self.sequence, self.readings = sequence, (*known, reading)[-MOST_READINGS:]
        return self.readings
