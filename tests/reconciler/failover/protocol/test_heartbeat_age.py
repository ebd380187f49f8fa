"""P6: the age of the last accepted heartbeat is the larger of two, and what tells no age has run out."""

from __future__ import annotations

import pytest

from reconciler.failover.protocol.heartbeat_age import Count, ages, counted, ends
from reconciler.failover.protocol.lease import is_over
from reconciler.failover.protocol.values import LeaseFacts
from reconciler.fleet.model import Lease

T = 1_795_334_400.0
"""A moment by the API server's clock; this process's own clock says 0 then."""

LEASE = Lease(60, 300)


def test_a_moment_that_is_seen_first_is_as_old_as_the_cluster_says() -> None:
    count = counted(Count(), T - 20, server_time=T, now=0.0)
    assert ages(count, T - 20, None, T, 0.0) == LeaseFacts(counted=20.0, recorded=20.0)


CLOCKS = {
    "both run": (30.0, 30.0, 30.0, 30.0, False),
    "both ran out": (61.0, 61.0, 61.0, 61.0, True),
    "the server's clock went back an hour": (61.0, -3540.0, 61.0, None, True),
    "the server's clock went back a little": (61.0, 20.0, 61.0, 20.0, True),
    "the server's clock jumped ahead": (1.0, 3600.0, 1.0, 3600.0, True),
    "25 ppm of drift": (50.0, 50.002, 50.0, 50.002, False),
}


@pytest.mark.parametrize(("own", "server", "by_count", "by_record", "over"), list(CLOCKS.values()), ids=list(CLOCKS))
def test_of_both_ages_the_larger_counts(
    own: float, server: float, by_count: float, by_record: float | None, over: bool
) -> None:
    count = counted(Count(), T, server_time=T, now=0.0)
    facts = ages(count, T, None, T + server, own)
    assert (facts.counted, facts.recorded) == (by_count, pytest.approx(by_record) if by_record is not None else None)
    assert is_over((LEASE,), facts) is over


NO_AGE = {
    "missing or unreadable": (None, None),
    "in the future": (T + 100, None),
    "earlier than the last renewal": (T - 5, T + 0.5),
}


@pytest.mark.parametrize(("accepted", "floor"), list(NO_AGE.values()), ids=list(NO_AGE))
def test_what_tells_no_age_has_run_out_but_never_for_keep(accepted: float | None, floor: float | None) -> None:
    facts = ages(counted(Count(), accepted, T, 0.0), accepted, floor, T, 0.0)
    assert facts.recorded is None
    assert is_over((LEASE,), facts)
    assert is_over((LEASE, None), facts), "the shortest of two is obeyed"
    assert not is_over((None,), facts)
    assert not is_over((), facts)


def test_a_moment_that_went_back_is_no_new_heartbeat() -> None:
    count = counted(Count(), T, T, 0.0)
    assert counted(count, T - 30, T + 10, 10.0) == count
    assert ages(count, T - 30, None, T + 10, 10.0).recorded is None


def test_a_newer_moment_begins_a_new_count() -> None:
    count = counted(counted(Count(), T, T, 0.0), T + 50, server_time=T + 55, now=55.0)
    assert ages(count, T + 50, T, T + 55, 55.0) == LeaseFacts(counted=5.0, recorded=5.0)


def test_a_lease_ends_by_the_larger_age() -> None:
    assert ends(60, LeaseFacts(counted=50, recorded=20), T) == T + 10
    assert ends(60, LeaseFacts(counted=None, recorded=20), T) == T + 40
    assert ends(60, LeaseFacts(counted=5, recorded=None), T) == T


@pytest.mark.parametrize(("ahead", "recorded"), [(1.0, 0.0), (2.0, 0.0), (2.5, None)])
def test_a_moment_may_lie_ahead_by_the_tolerance_and_no_more(ahead: float, recorded: float | None) -> None:
    assert ages(Count(), T + ahead, None, T, 0.0).recorded == recorded


@pytest.mark.parametrize(("behind", "recorded"), [(1.0, 11.0), (2.0, 12.0), (2.5, None)])
def test_a_moment_may_lie_before_the_last_renewal_by_the_tolerance_and_no_more(
    behind: float, recorded: float | None
) -> None:
    assert ages(Count(), T - behind, T, T + 10, 0.0).recorded == recorded


def test_the_same_moment_seen_again_does_not_begin_a_new_count_when_the_server_s_clock_went_back() -> None:
    count = counted(counted(Count(), T, T, 0.0), T, server_time=T + 1, now=50.0)
    assert ages(count, T, None, T + 1, 50.0) == LeaseFacts(counted=50.0, recorded=1.0)


def test_a_lease_without_a_count_ends_by_the_record_alone() -> None:
    assert ends(60, LeaseFacts(counted=None, recorded=0.25), T) == T + 59.75
