"""How old the last accepted heartbeat is (P6): by this process's own count and by the cluster's clock, never by trust.

What is missing, unreadable, in the future, or earlier than what was there before, tells no age, and a lease without an
age has run out. The clock of the count runs in suspend.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.failover.protocol.values import LeaseFacts

TOLERANCE = 2.0
"""Seconds by which a moment may lie ahead of the API server's clock as it is known here: dates are whole seconds, and
the API servers of one cluster may lie apart."""


@dataclass(frozen=True, slots=True)
class Count:
    """What this process saw of the last accepted heartbeat. `accepted`: by the API server's clock (None: nothing that
    could be read yet); `at`: when that was, by this process's own clock (None: not known)."""

    accepted: float | None = None
    at: float | None = None


def counted(before: Count, accepted: float | None, server_time: float, now: float) -> Count:
    """The count after one look. `accepted`: what the cluster says, None where it cannot be read.

    A moment that is first seen is as old as the cluster's clock says; one that went back is no new heartbeat.
    """
    if accepted is None or (before.accepted is not None and accepted <= before.accepted):
        return before
    return Count(accepted, now - max(0.0, server_time - accepted))


def ages(count: Count, accepted: float | None, floor: float | None, server_time: float, now: float) -> LeaseFacts:
    """Both ages in seconds. `floor`: the moment as of the last renewal of the permit; an earlier one tells nothing."""
    floors = [each for each in (floor, count.accepted) if each is not None]
    readable = (
        accepted is not None
        and accepted <= server_time + TOLERANCE
        and all(accepted >= each - TOLERANCE for each in floors)
    )
    return LeaseFacts(
        counted=None if count.at is None else now - count.at,
        recorded=max(0.0, server_time - accepted) if readable and accepted is not None else None,
    )


def ends(time: float, facts: LeaseFacts, server_time: float) -> float:
    """When a lease of so many seconds ends, by the API server's clock; a lease without an age has ended."""
    if facts.recorded is None:
        return server_time
    return server_time + time - max(facts.recorded, facts.counted or 0.0)
