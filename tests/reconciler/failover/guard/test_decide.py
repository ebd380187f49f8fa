"""P20 as a table: what the guard does for every step, with and without a right and a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.failover.admission import permits
from reconciler.failover.execute.record import Record
from reconciler.failover.guard.decide import (
    LAPSED,
    LAPSED_BY_CLOCK,
    LEASE,
    NO_AGE,
    RECORD_DAMAGED,
    RECORD_MISSING,
    STOP_ORDER,
    Act,
    Look,
    decide,
)
from reconciler.failover.protocol.card import StopCard
from reconciler.failover.protocol.values import Freeze, Journal, LeaseFacts, Step, StopOrder
from reconciler.fleet.model import Lease

T = 1_795_334_400.0
SHORT, LONG = Lease(60, 300), Lease(600, 1200)
ORDER = StopOrder("c9", 9, "b")
YOUNG, OLD, UNKNOWN = LeaseFacts(10, 10), LeaseFacts(61, 20), LeaseFacts(10, None)
CARD = StopCard("ledger", ("bank",), (), (), "none", (SHORT,))
RUNNING_STEPS = (Step.PROMOTING, Step.STARTING, Step.ACTIVE)
BUSY = tuple(each for each in Step if each not in (Step.PASSIVE, Step.DEMOTED))


def look(
    step: Step | None = Step.ACTIVE,
    *,
    is_open: bool = True,
    card: StopCard | None = CARD,
    copy: StopCard | None = CARD,
    facts: LeaseFacts = YOUNG,
    left: float = 60,
    version: str = "7",
    **journal: Any,
) -> Look:
    """`step` None: the journal cannot be read."""
    data = permits.opened({}, T - 60, 120) if is_open else permits.closed({})
    entry = None if step is None else Journal(sequence=3, step=step, **journal)
    damage = "" if step is not None else "journal.json: no JSON"
    record = Record("ledger", version, entry, damage, card, "" if card else "card.json: no JSON", copy, data)
    return Look(record, T, facts, left)


def act(*words: Any, **parts: Any) -> tuple[Act, str]:
    verdict = decide(look(*words, **parts))
    return verdict.act, verdict.reason


@pytest.mark.parametrize("step", BUSY)
@pytest.mark.parametrize("is_open", [True, False])
def test_a_lease_that_ran_out_stops_in_every_step_in_which_something_may_run(step: Step, is_open: bool) -> None:
    assert act(step, facts=OLD, is_open=is_open) == (Act.HALT, LEASE)
    assert act(step, facts=UNKNOWN, is_open=is_open) == (Act.HALT, LEASE)


@pytest.mark.parametrize("step", [Step.PASSIVE, Step.DEMOTED])
@pytest.mark.parametrize("facts", [YOUNG, OLD, UNKNOWN])
def test_at_rest_only_an_open_gate_is_wrong(step: Step, facts: LeaseFacts) -> None:
    assert act(step, facts=facts, is_open=False, stop_orders=(ORDER,)) == (Act.NOTHING, "")
    assert act(step, facts=facts)[0] is Act.CLOSE


@pytest.mark.parametrize("step", BUSY)
@pytest.mark.parametrize("where", ["journal", "card"])
def test_a_stop_order_is_obeyed_wherever_it_is_written(step: Step, where: str) -> None:
    parts: dict[str, Any] = {"stop_orders": (ORDER,)}
    if where == "card":
        parts = {"card": replace(CARD, stop_orders=(ORDER,))}
    expected = Act.HALT
    assert act(step, **parts) == (expected, STOP_ORDER)
    again = Act.STOP if step not in RUNNING_STEPS else Act.HALT
    assert act(step, is_open=False, **parts) == (again, STOP_ORDER)


@pytest.mark.parametrize("step", [Step.STOPPING, Step.DEMOTING, Step.RESYNCING])
def test_a_stop_whose_reason_is_journaled_goes_on(step: Step) -> None:
    assert act(step, is_open=False, stopped_for=LEASE) == (Act.STOP, LEASE)
    assert act(step, is_open=True, stopped_for=LEASE) == (Act.HALT, LEASE), "somebody opened the gate again"


@pytest.mark.parametrize("step", [Step.STOPPING, Step.DEMOTING, Step.RESYNCING])
def test_a_stop_of_a_planned_move_is_the_controller_s(step: Step) -> None:
    assert act(step, is_open=False) == (Act.NOTHING, "")


def test_a_replica_that_is_overwritten_by_consent_keeps_its_role() -> None:
    assert decide(look(Step.RESYNCING, is_open=False, stopped_for=LEASE)).roles is False
    assert decide(look(Step.DEMOTING, is_open=False, stopped_for=LEASE)).roles is True


@pytest.mark.parametrize("step", [Step.STARTING, Step.ACTIVE])
def test_a_valid_permit_is_renewed_until_the_lease_ends(step: Step) -> None:
    verdict = decide(look(step))
    assert (verdict.act, verdict.until) == (Act.RENEW, T + 50)
    assert decide(look(step, card=replace(CARD, leases=(None,)))).until is None


def test_attack_a16_a_frozen_application_s_permit_is_renewed() -> None:
    assert act(freeze=Freeze("a", "b", "the branch went back"))[0] is Act.RENEW


def test_attack_a17_drift_of_two_clocks_is_no_step() -> None:
    drifted = replace(look(card=replace(CARD, leases=(None,))), server_time=T + 2.2, left=60.0)
    assert decide(drifted).act is Act.RENEW


def test_attack_a08_no_clock_revives_a_permit() -> None:
    assert act(left=-1) == (Act.CLOSE, LAPSED_BY_CLOCK), "valid by the server's clock, over by this process's count"
    over = replace(look(left=-1), server_time=T + 3600)
    lapsed = decide(replace(over, facts=LeaseFacts(1, 1)))
    assert (lapsed.act, lapsed.reason) == (Act.CLOSE, LAPSED), "else a server's clock that goes back would open it"


@pytest.mark.parametrize(("left", "expected"), [(0.0, Act.CLOSE), (0.5, Act.RENEW)])
def test_a_permit_ends_at_its_end_by_this_process_s_count(left: float, expected: Act) -> None:
    assert act(left=left)[0] is expected


def test_an_application_that_nobody_knows_yet_is_left_alone() -> None:
    verdict = decide(look(Step.PASSIVE, version="", is_open=False, card=None, copy=None))
    assert (verdict.act, verdict.obeys) == (Act.NOTHING, None)
    empty = Look(Record("ledger", journal=Journal()), T, YOUNG, 0)
    assert (decide(empty).act, decide(empty).alarms) == (Act.NOTHING, {})


def test_a_step_of_the_server_s_clock_alone_ends_no_permit() -> None:
    jumped = replace(look(left=50, card=replace(CARD, leases=(None,))), server_time=T + 3600)
    assert decide(jumped).act is Act.RENEW


@pytest.mark.parametrize("step", [each for each in Step if each not in (Step.STARTING, Step.ACTIVE)])
def test_what_this_site_has_no_right_to_is_closed(step: Step) -> None:
    assert act(step)[0] is Act.CLOSE


@pytest.mark.parametrize("step", [Step.STARTING, Step.ACTIVE])
def test_a_closed_permit_is_left_closed(step: Step) -> None:
    assert act(step, is_open=False) == (Act.NOTHING, "")


LEASES = {
    "a shorter one comes": ((LONG, SHORT), LONG),
    "a longer one comes": ((SHORT, LONG), LONG),
    "fence comes": ((None, SHORT), None),
    "fence goes": ((SHORT, None), None),
}


@pytest.mark.parametrize(("leases", "named"), list(LEASES.values()), ids=list(LEASES))
def test_while_a_lease_changes_the_shortest_is_obeyed_and_the_longest_named(
    leases: tuple[Lease | None, ...], named: Lease | None
) -> None:
    verdict = decide(look(card=replace(CARD, leases=leases), facts=OLD))
    assert (verdict.act, verdict.obeys) == (Act.HALT, named)


def test_a_lease_in_the_journal_alone_is_obeyed_too() -> None:
    assert act(card=replace(CARD, leases=(None,)), leases=(SHORT,), facts=OLD) == (Act.HALT, LEASE)


class TestDamage:
    """A record that cannot be read, in part or at all."""

    def test_a_damaged_journal_is_no_right_and_an_alarm(self) -> None:
        verdict = decide(look(None))
        assert (verdict.act, list(verdict.alarms), verdict.obeys) == (Act.NOTHING, [RECORD_DAMAGED], SHORT)

    @pytest.mark.parametrize("parts", [{"facts": OLD}, {"card": replace(CARD, stop_orders=(ORDER,))}])
    def test_by_its_card_it_is_stopped_all_the_same(self, parts: dict[str, Any]) -> None:
        assert act(None, **parts)[0] is Act.HALT
        assert act(None, is_open=False, **parts)[0] is Act.STOP

    def test_a_damaged_card_is_replaced_by_its_copy(self) -> None:
        verdict = decide(look(card=None, facts=OLD))
        assert (verdict.act, verdict.card) == (Act.HALT, CARD)

    def test_a_lease_can_be_counted_on_while_the_journal_or_the_card_can_be_read(self) -> None:
        assert decide(look(card=None, leases=(LONG,))).obeys == LONG
        assert decide(look(None)).obeys == SHORT

    def test_with_both_damaged_the_copy_decides_and_no_lease_is_said(self) -> None:
        assert decide(look(None, card=None)).obeys is None
        assert act(None, card=None) == (Act.NOTHING, "")
        assert act(None, card=None, facts=OLD) == (Act.HALT, LEASE)
        assert act(None, card=None, copy=replace(CARD, leases=(None,)), facts=OLD) == (Act.NOTHING, "")

    def test_with_nothing_readable_nothing_is_done(self) -> None:
        verdict = decide(look(None, card=None, copy=None, facts=OLD))
        assert (verdict.act, verdict.obeys, list(verdict.alarms)) == (Act.NOTHING, None, [RECORD_DAMAGED])

    def test_a_missing_record_comes_back_closed_and_its_lease_is_obeyed(self) -> None:
        missing = {"version": "", "card": None, "is_open": False}
        verdict = decide(look(None, **missing))
        assert (verdict.act, verdict.card, list(verdict.alarms)) == (Act.RESTORE, CARD, [RECORD_MISSING])
        assert act(None, facts=OLD, **missing)[0] is Act.STOP

    def test_an_age_that_cannot_be_told_is_an_alarm_where_it_matters(self) -> None:
        assert NO_AGE in decide(look(facts=UNKNOWN)).alarms
        assert decide(look(facts=UNKNOWN, card=replace(CARD, leases=(None,)))).alarms == {}
