"""Permits: windows of whole seconds that only ever end by themselves or by a past `until`."""

from __future__ import annotations

import pytest

from reconciler.failover.admission import permits

NOW = 1_795_334_400.25


def test_a_permit_reaches_from_now_to_its_length() -> None:
    permit = permits.permit_of(permits.opened({}, NOW, 4, None, None))
    assert (permit.since, permit.until, permit.withdrawn) == (NOW - 0.25, NOW + 3.75, None)


def test_no_permit_reaches_beyond_the_lease() -> None:
    data = permits.opened({}, NOW, 60, NOW + 5, NOW)
    assert permits.permit_of(data).until == NOW - 0.25 + 5
    assert permits.renewed(data, NOW + 2, 60, NOW + 5, NOW) is None


@pytest.mark.parametrize(("later", "renews"), [(2, True), (4, False), (900, False)], ids=["valid", "over", "long over"])
def test_only_a_valid_permit_is_renewed(later: float, renews: bool) -> None:
    data = permits.opened({}, NOW, 4, None, None)
    assert (permits.renewed(data, NOW + later, 4, None, None) is not None) is renews


def test_a_closed_permit_is_never_renewed_and_closing_twice_changes_nothing() -> None:
    closed = permits.closed(permits.opened({}, NOW, 60, None, None), NOW + 1)
    assert permits.renewed(closed, NOW + 1, 60, None, None) is None
    assert permits.closed(closed, NOW + 9) == closed


def test_withdrawn_is_when_the_permit_would_have_ended_by_itself() -> None:
    closed = permits.permit_of(permits.closed(permits.opened({}, NOW, 60, None, None), NOW + 1))
    assert closed.until <= NOW + 1
    assert closed.withdrawn == NOW - 0.25 + 60


def test_closing_and_opening_end_a_promotions_window() -> None:
    window = permits.promotion(permits.closed({}, NOW), NOW, 2, "nonce")
    for data in (permits.closed(window, NOW), permits.opened(window, NOW, 4, None, None)):
        assert not {permits.NONCE, permits.PROMOTE_FROM, permits.PROMOTE_UNTIL} & set(data)


@pytest.mark.parametrize("data", [{}, {"from": "x", "until": "y"}, {"until": "2099-01-01T00:00:00Z"}])
def test_what_cannot_be_read_admits_nothing(data: dict[str, str]) -> None:
    permit = permits.permit_of(data)
    assert not permit.since <= NOW < permit.until
