"""What the guard does for one application: a pure function of its record, the clocks, and the age of the heartbeat.

Stopping needs a reason that can be read here: a lease that ran out, a stop order, a reason journaled before. Renewing
needs a right: a journal that says `Starting` or `Active`, and a permit that is valid by both clocks. Where neither can
be read, nothing is done and an alarm is raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from reconciler.failover.admission import permits
from reconciler.failover.execute.record import Record
from reconciler.failover.protocol import heartbeat_age
from reconciler.failover.protocol.card import StopCard
from reconciler.failover.protocol.lease import is_over, named, obeyed
from reconciler.failover.protocol.values import LeaseFacts, Step
from reconciler.fleet.model import Lease

RESTS = frozenset({Step.PASSIVE, Step.DEMOTED})
RUNS = frozenset({Step.STARTING, Step.ACTIVE})
INTERRUPTED = frozenset({Step.PROMOTING, Step.STARTING, Step.ACTIVE})
"""Steps that a stop turns into "stopping"; in later ones the stop is under way already."""

LEASE, STOP_ORDER = "Lease", "StopOrder"
"""Why the guard stops an application, as the journal and status have it."""

RECORD_DAMAGED, RECORD_MISSING, NO_AGE = "RecordDamaged", "RecordMissing", "HeartbeatAgeUnknown"
"""Names of alarms."""

LAPSED, LAPSED_BY_CLOCK = "PermitLapsed", "ClockWentBack"
"""Why the guard closes a permit that was renewed by nobody in time."""


class Act(Enum):
    """What is to be done; at most one thing in one look."""

    NOTHING = "nothing"

    RESTORE = "restore"
    """Write the record, which is missing, closed and with the copy of its card: without it not even a demotion passes
    the role gate."""

    RENEW = "renew"
    """Make the permit longer."""

    CLOSE = "close"
    """Close the gate: this site has no right to what the permit says."""

    HALT = "halt"
    """Journal the stop with its reason and close the gate in one write; then as `STOP`."""

    STOP = "stop"
    """Give every object its stopped value, and when nothing runs every replica the role secondary."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the guard knows of one application at one moment. `server_time`: by the API server's clock; `facts`: the age
    of the last accepted heartbeat; `left`: the seconds that the permit still lasts by this process's own count."""

    record: Record
    server_time: float
    facts: LeaseFacts
    left: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """`act` and why. `card`: what to stop by. `roles`: whether the role objects may be written too. `until`: no permit
    may reach beyond this (API server's clock). `obeys`: the lease that others may count on, None for `keep` and where
    none can be read. `alarms`: name → message."""

    act: Act
    reason: str = ""
    card: StopCard | None = None
    until: float | None = None
    obeys: Lease | None = None
    alarms: Mapping[str, str] = field(default_factory=dict)
    roles: bool = field(kw_only=True)


def decide(look: Look) -> Verdict:
    """What is to be done now."""
    record = look.record
    journal, card = record.journal, record.card or record.copy
    leases = _leases(record, card)
    alarms = _alarms(look, card, leases)
    obeys = named(leases) if record.journal is not None or record.card is not None else None

    def verdict(act: Act, reason: str = "", *, until: float | None = None) -> Verdict:
        # A replica that is being overwritten has its role from the consent that asked for it.
        roles = journal is None or journal.step is not Step.RESYNCING
        return Verdict(act, reason, card, until, obeys, alarms, roles=roles)

    reason = _must_stop(look, card, leases)
    if reason:
        return verdict(_how_to_stop(record, reason), reason)
    if not record.version:
        return verdict(Act.RESTORE if card else Act.NOTHING)
    if journal is None or record.permit.closed:
        return verdict(Act.NOTHING)
    if journal.step not in RUNS:
        return verdict(Act.CLOSE, f"the permit is open, and the journal says {journal.step.value}")
    if look.left <= 0:
        # Also where the window lies in the past: a clock that goes back would open it again.
        valid = permits.is_valid(record.permit, look.server_time)
        return verdict(Act.CLOSE, LAPSED_BY_CLOCK if valid else LAPSED)
    shortest = obeyed(leases)
    end = None if shortest is None else heartbeat_age.ends(shortest.time, look.facts, look.server_time)
    return verdict(Act.RENEW, until=end)


def _leases(record: Record, card: StopCard | None) -> tuple[Lease | None, ...]:
    """All that are in force by anything that can be read; `keep` where nothing can."""
    journaled = record.journal.leases if record.journal else ()
    return (*(card.leases if card else ()), *journaled)


def _must_stop(look: Look, card: StopCard | None, leases: tuple[Lease | None, ...]) -> str:
    journal = look.record.journal
    if journal is not None and journal.step in RESTS:
        return ""
    if journal is not None and journal.stopped_for:
        return journal.stopped_for
    if is_over(leases, look.facts):
        return LEASE
    orders = (*(journal.stop_orders if journal else ()), *(card.stop_orders if card else ()))
    return STOP_ORDER if orders else ""


def _how_to_stop(record: Record, reason: str) -> Act:
    journal = record.journal
    if journal is None:
        return Act.STOP if record.permit.closed else Act.HALT
    journaled = journal.step not in INTERRUPTED and (bool(journal.stopped_for) or reason == STOP_ORDER)
    return Act.STOP if journaled and record.permit.closed else Act.HALT


def _alarms(look: Look, card: StopCard | None, leases: tuple[Lease | None, ...]) -> dict[str, str]:
    record = look.record
    found = {}
    if not record.version and card is not None:
        found[RECORD_MISSING] = record.journal_damage
    elif record.damage:
        found[RECORD_DAMAGED] = record.damage
    if obeyed(leases) is not None and look.facts.recorded is None:
        found[NO_AGE] = "when a heartbeat was last accepted cannot be told: the lease counts as run out"
    return found
