"""Permits: windows of whole seconds that end by themselves, or that no time satisfies."""

from __future__ import annotations

import pytest

from reconciler.failover.admission import permits
from reconciler.failover.protocol.values import Permit

NOW = 1_795_334_400.25


def test_a_permit_reaches_from_now_to_its_length() -> None:
    assert permits.permit_of(permits.opened({}, NOW, 4)) == Permit(NOW - 0.25, NOW + 3.75)


def test_no_permit_reaches_beyond_the_lease() -> None:
    data = permits.opened({}, NOW, 60, NOW + 5)
    assert permits.permit_of(data).until == NOW - 0.25 + 5
    assert permits.renewed(data, NOW + 4, 60, NOW + 5) is None


@pytest.mark.parametrize(
    ("later", "renews"),
    [(2, True), (0.5, False), (4, False), (900, False), (-3600, False)],
    ids=["due", "too early", "over", "long over", "the clock went back"],
)
def test_a_permit_is_renewed_while_it_is_valid_and_once_a_quarter_is_over(later: float, renews: bool) -> None:
    data = permits.opened({}, NOW, 4)
    assert (permits.renewed(data, NOW + later, 4) is not None) is renews


def test_a_closed_permit_is_satisfied_by_no_time_and_never_renewed() -> None:
    closed = permits.closed(permits.opened({}, NOW, 60))
    permit = permits.permit_of(closed)
    assert permit.closed
    for time in (0.0, NOW, NOW + 1e9, permit.since, permit.until, permit.since + 1):
        assert not permits.is_valid(permit, time)
        assert permits.renewed(closed, time, 60) is None


def test_closing_and_opening_end_a_promotions_window() -> None:
    window = permits.promotion(permits.closed({}), NOW, NOW + 2, "nonce")
    for data in (permits.closed(window), permits.opened(window, NOW, 4)):
        assert not {permits.NONCE, permits.PROMOTE_FROM, permits.PROMOTE_UNTIL} & set(data)


@pytest.mark.parametrize(
    "data",
    [{}, {"from": "x", "until": "y"}, {"until": "2099-01-01T00:00:00Z"}, {"from": "1970", "until": "9999-01-01"}],
    ids=["nothing", "no times", "no beginning", "no time zone"],
)
def test_what_cannot_be_read_admits_nothing(data: dict[str, str]) -> None:
    assert not permits.is_valid(permits.permit_of(data), NOW)
