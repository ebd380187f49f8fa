"""The protocol's inequalities, at and just below each limit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.fleet import times
from reconciler.fleet.durations import seconds, show
from reconciler.fleet.model import Application, Fleet, Lease, Placement, Replication

USUAL = Fleet("bank", "symmetric", (), (), ())
SECONDS = replace(USUAL, poll=1.0, freshness=2.0, permit=4.0, request_timeout=1.0)
SECONDS_LEASE = Lease(5.0, 20.0)


def test_the_defaults_and_a_fleet_of_seconds_hold() -> None:
    assert list(times.of_fleet(USUAL)) == list(times.of_fleet(SECONDS)) == []
    assert list(times.of_lease(SECONDS, SECONDS_LEASE)) == []
    assert list(times.of_lease(USUAL, Lease(300.0, 1200.0))) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"poll": 0.19, "freshness": 1.0}, "poll"),
        ({"freshness": 0.49}, "freshness"),
        ({"freshness": 4.0}, "freshness"),
        ({"permit": 2.99, "freshness": 1.0}, "permit"),
        ({"permit": 1.99, "poll": 0.2, "freshness": 1.0}, "permit"),
    ],
    ids=[
        "poll below two round trips",
        "freshness below two",
        "freshness as long as a permit",
        "three renewals",
        "clocks",
    ],
)
def test_a_fleet_below_a_limit_is_told_which(changes: dict[str, float], field: str) -> None:
    problems = list(times.of_fleet(replace(SECONDS, **changes)))  # type: ignore[arg-type]
    assert [problem.field for problem in problems] == [(field,)]


@pytest.mark.parametrize(
    ("lease", "fields"),
    [
        (Lease(4.0, 20.0), []),
        (Lease(3.9, 20.0), ["time"]),
        (Lease(3.2, 20.0), ["time", "time"]),
        (Lease(5.0, 18.0), ["fenceAfter"]),
    ],
    ids=["enough", "shorter than a permit", "shorter than three polls", "the other side too early"],
)
def test_a_lease_below_a_limit_is_told_which(lease: Lease, fields: list[str]) -> None:
    assert [problem.field for problem in times.of_lease(SECONDS, lease)] == [("lease", field) for field in fields]


def test_the_least_fence_time_is_exactly_enough() -> None:
    least = times.least_fence_time(SECONDS, SECONDS_LEASE, 0.0)
    assert list(times.of_lease(SECONDS, Lease(5.0, least))) == []
    assert list(times.of_lease(SECONDS, Lease(5.0, least - 0.001)))


def test_a_slow_stop_lengthens_the_fence_time() -> None:
    quick, slow = (times.least_fence_time(SECONDS, SECONDS_LEASE, stop) for stop in (0.0, 31.0))
    assert slow - quick == pytest.approx(29.5 * 1.01 / 0.99)


def test_the_guard_s_time_grows_with_the_objects_and_not_beyond_its_own_patience() -> None:
    assert times.guard_time(SECONDS) == 2.0 + 8 * 1.0
    assert times.guard_time(USUAL) == 2.0 + 8 * 5.0, "an API server may take longer; the guard does not wait for it"
    assert times.guard_time(SECONDS, 32) == times.guard_time(SECONDS)
    assert times.guard_time(SECONDS, 33) == times.guard_time(SECONDS) + 3.0
    shorter, longer = (times.least_fence_time(SECONDS, SECONDS_LEASE, 0.0, objects) for objects in (1, 100))
    assert longer - shorter == pytest.approx(9.0 * 1.01 / 0.99)


def test_the_least_data_loss_counts_the_lease() -> None:
    placed = Placement("a", 1, "planned", "p")
    plain = Application("x", "apps/x", ("a", "b"), "a", placed, replication=Replication("csi-addons", (), 300.0))
    assert times.least_data_loss(SECONDS, plain) == 300.0
    assert times.least_data_loss(SECONDS, replace(plain, lease=SECONDS_LEASE), 2.0) == 318.0
    assert times.least_data_loss(SECONDS, replace(plain, replication=Replication())) is None


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("500ms", 0.5, "500ms"),
        ("30s", 30.0, "30s"),
        ("1.5s", 1.5, "1.5s"),
        ("90s", 90.0, "1m30s"),
        ("1h30m", 5400.0, "1h30m"),
        ("2d", 172800.0, "2d"),
        ("1d2h3m4s", 93784.0, "1d2h"),
    ],
)
def test_a_duration_is_read_and_shown(text: str, value: float, shown: str) -> None:
    assert seconds(text) == value
    assert show(value) == shown
