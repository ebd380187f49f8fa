"""The table of states as data: whole, reachable, and never without a way out."""

from __future__ import annotations

import itertools

from reconciler.failover.protocol.decide import ACTIONS
from reconciler.failover.protocol.table import TRANSITIONS, Action, Asked
from reconciler.failover.protocol.values import Step


def test_every_step_has_an_answer_to_everything_that_can_be_asked() -> None:
    assert set(TRANSITIONS) == set(itertools.product(Step, Asked))


def test_every_action_of_the_table_has_its_function_and_the_other_way_round() -> None:
    assert set(ACTIONS) == set(Action) == {cell.action for cell in TRANSITIONS.values()}


def test_every_step_is_reached_from_the_first_one() -> None:
    found, edge = {Step.PASSIVE}, {Step.PASSIVE}
    while edge:
        edge = {then for (step, _), cell in TRANSITIONS.items() if step in edge for then in cell.then} - found
        found |= edge
    assert found == set(Step)


def test_nothing_leads_to_a_start_but_by_way_of_promoting() -> None:
    leading = {step for (step, _), cell in TRANSITIONS.items() if Step.STARTING in cell.then}
    assert leading == {Step.PROMOTING}


def test_nothing_after_the_point_of_no_return_leads_back_but_by_promoting() -> None:
    for asked in Asked:
        assert TRANSITIONS[Step.DEMOTED, asked].then <= {Step.PROMOTING, Step.PASSIVE, Step.STOPPING}


def test_who_is_asked_to_stop_never_goes_towards_a_start() -> None:
    for step in Step:
        assert not TRANSITIONS[step, Asked.STOP].then & {Step.PROMOTING, Step.STARTING, Step.ACTIVE}


def test_nothing_asked_changes_no_step() -> None:
    assert all(not TRANSITIONS[step, Asked.NOTHING].then for step in Step)
