"""The inequalities between a fleet's times without which the protocol's promises do not hold.

They are those of the failover protocol, with its symbols in the messages' words. All times are seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.fleet.durations import show
from reconciler.fleet.model import Application, Fleet, Lease

CLOCK_RATE_ERROR = 0.01
"""ρ: how much faster or slower one machine's clock may run than another's."""

CLOCK_TOLERANCE = 0.5
"""σ: how far the clocks inside one cluster may lie apart."""

GIT_ROUND_TRIP_LEAST = 0.1
"""No push and list over a network is counted on to be quicker than this."""

REQUEST_TIMEOUT_LEAST = 1.0
"""No API server is run with a shorter one: a planned move must outwait the requests that were under way."""

FORCED_STOP = 1.0
"""What killing a workload and detaching its volumes take after its grace period."""


GUARD_TIMEOUT = 5.0
"""Seconds after which the guard takes an API server that does not answer for silent."""

GUARD_PERIOD = 1.0
"""Seconds between two looks of the guard at its records and clocks, at most."""

GUARD_COUNT = 5.0
"""Seconds between two counts of a living guard, at most."""

GUARD_ANSWERS = 8
"""How many answers of the API server the guard needs one after the other, from a lease's end or a stop order to the
last stopped value, for `GUARD_AT_ONCE` objects; the benchmark of the guard measures it."""

GUARD_AT_ONCE = 32
"""How many objects of one application the guard stops at once."""

GUARD_ANSWERS_MORE = 3
"""How many answers each further `GUARD_AT_ONCE` objects need."""


@dataclass(frozen=True, slots=True)
class TimeProblem:
    """An inequality that does not hold: at which field of the fleet's or the application's spec."""

    field: tuple[str, ...]
    message: str
    hint: str


def git_round_trip(fleet: Fleet) -> float:
    """T_git: what one push and one list may take, a quarter of the poll interval."""
    return max(GIT_ROUND_TRIP_LEAST, fleet.poll / 4)


def guard_time(fleet: Fleet, objects: int = 1) -> float:
    """T_guard: the longest that the guard needs to close the gate of an application and stop its objects, whatever else
    hangs, with an API server that takes as long as it may for every answer. All guards of a site close and stop: a
    change of their leader takes nothing."""
    answers = GUARD_ANSWERS + GUARD_ANSWERS_MORE * (max(0, objects - 1) // GUARD_AT_ONCE)
    return 2 * GUARD_PERIOD + answers * min(GUARD_TIMEOUT, fleet.request_timeout)


def of_fleet(fleet: Fleet) -> Iterator[TimeProblem]:
    """Inequalities 1 and 2."""
    if fleet.request_timeout < REQUEST_TIMEOUT_LEAST:
        why = "how long the API servers themselves let one request run (60s unless they were told otherwise)"
        yield _too_short(("requestTimeout",), fleet.request_timeout, REQUEST_TIMEOUT_LEAST, why)
    trip = git_round_trip(fleet)
    for name, value in (("poll", fleet.poll), ("freshness", fleet.freshness)):
        if value < 2 * trip:
            yield _too_short((name,), value, 2 * trip, f"twice what a push and a list may take ({show(trip)})")
    if fleet.freshness >= fleet.permit:
        yield TimeProblem(
            ("freshness",),
            f"spec.freshness is {show(fleet.freshness)}, expected less than spec.permit ({show(fleet.permit)})",
            "a proof must not be trusted for longer than a permit",
        )
    if fleet.permit < 3 * fleet.poll:
        why = f"three renewals, one with each poll ({show(fleet.poll)})"
        yield _too_short(("permit",), fleet.permit, 3 * fleet.poll, why)
    if fleet.permit < 4 * CLOCK_TOLERANCE:
        why = f"four times the tolerance of a cluster's clocks ({show(CLOCK_TOLERANCE)})"
        yield _too_short(("permit",), fleet.permit, 4 * CLOCK_TOLERANCE, why)


def of_lease(fleet: Fleet, lease: Lease, longest_stop: float = 0.0, objects: int = 1) -> Iterator[TimeProblem]:
    """Inequalities 3 to 5 for an application with a lease; `longest_stop` is T_stop, as far as it is known, `objects`
    how many it starts."""
    trip = git_round_trip(fleet)
    least = 3 * fleet.poll + trip
    if lease.time < least:
        why = f"three polls ({show(fleet.poll)} each) and a push and a list ({show(trip)})"
        yield _too_short(("lease", "time"), lease.time, least, why)
    if lease.time < fleet.permit:
        yield _too_short(("lease", "time"), lease.time, fleet.permit, "the fleet's permit")
    needed = least_fence_time(fleet, lease, longest_stop, objects)
    if lease.fence_after < needed:
        stop = max(longest_stop, CLOCK_TOLERANCE + fleet.request_timeout)
        why = (
            f"the lease ({show(lease.time)}), the guard ({show(guard_time(fleet, objects))}), the longest stop"
            f" ({show(stop)}), a demotion ({show(fleet.request_timeout)}) and one poll ({show(fleet.poll)}), with room"
            " for clocks"
        )
        yield _too_short(("lease", "fenceAfter"), lease.fence_after, needed, why)


def least_fence_time(fleet: Fleet, lease: Lease, longest_stop: float, objects: int = 1) -> float:
    """T_fence of inequality 5: after it a silent site has surely stopped and demoted by itself.

    A demotion is one request to the API server, and the margin is one poll: a heartbeat that was under way.
    """
    stop = max(longest_stop, CLOCK_TOLERANCE + fleet.request_timeout)
    lasted = (lease.time + guard_time(fleet, objects) + stop) * (1 + CLOCK_RATE_ERROR)
    return (lasted + fleet.request_timeout + fleet.poll) / (1 - CLOCK_RATE_ERROR)


def least_data_loss(
    fleet: Fleet, application: Application, longest_stop: float = 0.0, objects: int = 1
) -> float | None:
    """Inequality 6: what a disaster move must allow at least so that it can pass; None where nothing is replicated."""
    rpo = application.replication.rpo
    if rpo is None:
        return None
    if application.lease is None:
        return rpo
    return rpo + fleet.poll + application.lease.time + guard_time(fleet, objects) + longest_stop


def _too_short(field: tuple[str, ...], value: float, least: float, why: str) -> TimeProblem:
    return TimeProblem(
        field,
        f"spec.{'.'.join(field)} is {show(value)}, expected at least {show(least)}",
        f"that is {why}",
    )
