"""The table as data: whole, reachable, its names registered, and never without a way out."""

from __future__ import annotations

import itertools
import re

from reconciler.failover.protocol.decide import ACTIONS, REGISTERED
from reconciler.failover.protocol.registry import CONDITIONS, FACTS
from reconciler.failover.protocol.table import TABLE, Asked, Rule
from reconciler.failover.protocol.values import Step

RULES = [rule for rules in TABLE.values() for rule in rules]


def going(step: Step, asked: Asked) -> set[Step]:
    return {then for rule in TABLE[step, asked] for then in rule.then}


def test_every_step_has_an_answer_to_everything_that_can_be_asked() -> None:
    assert set(TABLE) == set(itertools.product(Step, Asked))


def test_every_name_of_the_table_is_registered_and_every_registered_name_is_used() -> None:
    assert REGISTERED
    facts = {name.removeprefix("not ") for rule in RULES for name in rule.when}
    conditions = {name for rule in RULES for name in rule.needs}
    assert facts == set(FACTS)
    assert conditions | {"gate_refuses"} == set(CONDITIONS), "gate_refuses is a part of no_writers and nothing_here"
    assert {name for rule in RULES for name in (rule.do, rule.blocked or "nothing")} == set(ACTIONS)


def test_every_cell_ends_with_a_rule_that_always_fits() -> None:
    for cell, rules in TABLE.items():
        last = rules[-1]
        opposite = {tuple(name for name in rule.when) for rule in rules}
        assert not last.when or any(not facts for facts in opposite), cell


def test_every_rule_cites_the_rules_that_ask_for_it() -> None:
    assert [rule.name for rule in RULES if not re.fullmatch(r"([PI]\d+|A)( ([PI]\d+|A))*", rule.rules)] == []


def test_every_step_is_reached_from_the_first_one() -> None:
    found, edge = {Step.PASSIVE}, {Step.PASSIVE}
    while edge:
        edge = {then for step in edge for asked in Asked for then in going(step, asked)} - found
        found |= edge
    assert found == set(Step)


def test_nothing_leads_to_a_start_but_by_way_of_promoting() -> None:
    leading = {step for (step, _), rules in TABLE.items() if any(Step.STARTING in rule.then for rule in rules)}
    assert leading - {Step.STARTING, Step.ACTIVE} == {Step.PROMOTING}


def proofs(rules: tuple[Rule, ...]) -> list[set[str]]:
    promoting = [rule for rule in rules if rule.do in ("promise", "call_driver") and "driver_called" not in rule.when]
    return [set(rule.needs) for rule in promoting]


def test_every_way_to_a_promotion_needs_freshness_and_the_proof_of_the_sources() -> None:
    for rules in TABLE.values():
        for needs in proofs(rules):
            assert "fresh" in needs
            assert {"sources_done", "data_proven"} <= needs or {"declared_and_fenced", "loss_allowed"} <= needs


def test_every_way_past_the_point_of_no_return_needs_the_proof_that_nothing_writes() -> None:
    for rule in RULES:
        if Step.DEMOTED in rule.then or Step.RESYNCING in rule.then or Step.DEMOTING in rule.then:
            assert "no_writers" in rule.needs


def test_nothing_after_the_point_of_no_return_leads_back_but_by_promoting() -> None:
    for asked in Asked:
        assert going(Step.DEMOTED, asked) <= {Step.PROMOTING, Step.PASSIVE, Step.STOPPING}


def test_who_is_asked_to_stop_never_goes_towards_a_start() -> None:
    for step, asked in itertools.product(Step, (Asked.STOP, Asked.CLOSE, Asked.NOTHING)):
        assert not going(step, asked) & {Step.PROMOTING, Step.STARTING, Step.ACTIVE}


def test_a_stop_needs_nobody() -> None:
    """I4: no condition stands before a stop that is asked for at once."""
    for step in (Step.STARTING, Step.ACTIVE):
        assert [rule.needs for rule in TABLE[step, Asked.STOP]] == [()]


def test_holding_still_and_doing_nothing_change_no_step() -> None:
    assert all(not going(step, asked) for step in Step for asked in (Asked.HOLD, Asked.NOTHING, Asked.CLOSE))
