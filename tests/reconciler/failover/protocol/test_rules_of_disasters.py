"""Disasters, lease, gate, ownership (P5–P16): a test, or a table of them, for each rule; site a tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.failover.protocol.decide import decide
from reconciler.failover.protocol.decisions import (
    CloseGate,
    EnsureSecondary,
    InstallGate,
    OpenPermit,
    Stop,
    VoidOlderVersions,
)
from reconciler.failover.protocol.values import (
    AckState,
    Demotion,
    Gate,
    Observation,
    Permit,
    Sign,
    StartObject,
    Step,
    StopOrder,
)
from reconciler.objects import Ref
from reconciler.replica import Replica, ReplicaRole, Sync

NOW, SERVER = 1000.0, 5_000_000.0
DB = Ref("kubevirt.io", "VirtualMachine", "bank", "db")
PRIMARY = Replica(ReplicaRole.PRIMARY, Sync.IN_SYNC, ReplicaRole.PRIMARY, exposure=1.0, peers=("b",))
DIVERGED = Replica(ReplicaRole.SECONDARY, Sync.BROKEN, ReplicaRole.SECONDARY, peers=("b",))
GIVEN = Demotion(1, 2, ("a",))


def reasons(decision: Any) -> list[str]:
    return [each.reason for each in decision.holds]


def kinds(decision: Any) -> list[type]:
    return [type(each) for each in decision.effects]


# P5


def disaster(telling: Any, silent: float = 20.0, **more: Any) -> Any:
    """Site b was active and is declared down; a is named."""
    exposed = more.pop("exposed", 3.0)
    placement = telling.placement(
        "a", 2, "disaster", **({"declared_down": ("b",), "allow_data_loss": 60.0} | more.pop("says", {}))
    )
    signs = {"b": Sign(9, {} if exposed is None else {"ledger": exposed}, NOW - silent, NOW - silent, True)}
    acks = (more.pop("ack", telling.ack("b", AckState.ACTIVE, 1, primary=1)),)
    listing = telling.listing(*acks, signs=signs)
    return telling.knows(telling.journal(Step.PASSIVE, 2), placement, listing=listing, **more)


@pytest.mark.parametrize(
    ("told", "hold"),
    [
        ({}, None),
        ({"says": {"declared_down": ()}}, "NotDeclaredDown"),
        ({"lease": None}, "NotFenced"),
        ({"lease": None, "says": {"override_fence": "dark, by phone", "reason": "fire"}}, None),
        ({"says": {"allow_data_loss": None}}, "DataLoss"),
        ({"says": {"allow_data_loss": 5.0}}, "DataLoss"),
        ({"exposed": None}, "DataLoss"),
        ({"exposed": None, "says": {"allow_data_loss": "unknown"}}, None),
    ],
    ids=[
        "all said",
        "not declared",
        "no lease",
        "override",
        "nothing allowed",
        "too much",
        "unknown",
        "unknown allowed",
    ],
)
def test_p5_disaster_promotion(telling: Any, lease: Any, told: dict[str, Any], hold: str | None) -> None:
    decision = decide(disaster(telling, **({"lease": lease} | told)))
    assert reasons(decision) == ([hold] if hold else [])
    assert (decision.entry is not None and decision.entry.step is Step.PROMOTING) is (hold is None)


def test_p5_a_young_heartbeat_is_waited_out_with_its_end_told(telling: Any, lease: Any) -> None:
    decision = decide(disaster(telling, silent=4.0, lease=lease))
    assert decision.entry is None
    assert [(each.since, each.at_most) for each in decision.waits] == [(NOW - 4, 12)]


def test_p5_the_loss_is_the_exposure_and_at_most_the_lease_and_the_longest_stop(telling: Any, lease: Any) -> None:
    entry = decide(disaster(telling, silent=5000.0, lease=lease)).entry
    assert entry is not None
    assert entry.loss == 3.0 + 5 + 6


def test_p5_nothing_is_lost_where_the_last_proof_is_held(telling: Any, lease: Any) -> None:
    gone = telling.ack("b", AckState.DEMOTED, 1, primary=1, demotion=GIVEN)
    entry = decide(disaster(telling, silent=1.0, lease=lease, ack=gone, says={"allow_data_loss": None})).entry
    assert entry is not None
    assert entry.loss == 0.0


# P6


def test_p6_a_lease_that_ran_out_stops_without_git(telling: Any, lease: Any) -> None:
    k = telling.knows(telling.journal(Step.ACTIVE), telling.placement("a", 1), lease=lease, lease_over=True)
    decision = decide(replace(k, listing=None))
    assert decision.entry is not None
    assert (decision.entry.step, kinds(decision), decision.ack) == (Step.STOPPING, [CloseGate], None)
    demoting = telling.knows(telling.journal(Step.DEMOTING), telling.placement("a", 1), lease=lease, lease_over=True)
    assert kinds(decide(replace(demoting, listing=None, replica=PRIMARY))) == [EnsureSecondary]


# P7


@pytest.mark.parametrize(("age", "effects"), [(0.5, [OpenPermit, InstallGate]), (3.0, [])], ids=["fresh", "stale"])
def test_p7_a_permit_that_ran_out_needs_freshness(telling: Any, age: float, effects: list[type]) -> None:
    active = telling.ack("a", AckState.ACTIVE, 1, primary=1, sequence=5)
    k = telling.knows(
        telling.journal(Step.ACTIVE),
        telling.placement("a", 1),
        permit=Permit(SERVER - 60, SERVER - 10),
        listing=telling.listing(active, age=age),
    )
    decision = decide(k)
    assert (kinds(decision), decision.run) == (effects, False)


def test_p7_a_returning_site_closes_its_gate_before_anything_else(telling: Any) -> None:
    move = telling.placement("b", 2, "disaster")
    ran_out = Permit(SERVER - 900, SERVER - 800)
    assert kinds(decide(telling.knows(telling.journal(Step.STOPPING, 2), move, permit=ran_out)))[0] is CloseGate


def test_p7_the_withdrawn_time_closes_a_gate_whose_servers_do_not_answer(telling: Any) -> None:
    silent = Gate(True, {"https://a": None})
    over = Permit(SERVER - 60, SERVER - 60, withdrawn=SERVER - 10)
    k = telling.knows(telling.journal(Step.STOPPING, 2), telling.placement("b", 2), gate=silent, permit=over)
    assert decide(k).entry is not None
    assert decide(replace(k, permit=replace(over, withdrawn=SERVER - 0.4))).entry is None


# P9


def test_p9_a_stop_that_takes_too_long_is_a_named_hold_and_goes_on(telling: Any) -> None:
    stuck = Observation(NOW, (StartObject(DB, "10", stopped=True, runs=True),), instances=(DB,))
    k = telling.knows(
        telling.journal(Step.STOPPING, 2), telling.placement("b", 2), observation=stuck, step_since=NOW - 100
    )
    assert reasons(decide(k)) == ["StopTakesTooLong"]


# P10


@pytest.mark.parametrize("voided", [False, True], ids=["not voided", "voided"])
def test_p10_nothing_is_said_before_older_versions_are_void(telling: Any, voided: bool) -> None:
    decision = decide(telling.knows(telling.journal(Step.PASSIVE, 1), telling.placement("b", 1), voided=voided))
    assert (kinds(decision), decision.ack is not None) == (([], True) if voided else ([VoidOlderVersions], False))


# P13


@pytest.mark.parametrize("consent", [False, True], ids=["no consent", "allowDiscard"])
def test_p13_a_returning_copy_is_overwritten_only_with_consent(telling: Any, consent: bool) -> None:
    move = telling.placement("b", 2, "disaster", allow_discard=("a",) if consent else ())
    ahead = telling.ack("b", AckState.ACTIVE, 2, primary=2)
    stopped = telling.ack("a", AckState.STOPPED, 2, settled=AckState.ACTIVE, primary=1, sequence=5)
    journal = telling.journal(Step.DEMOTING, 2, primary=1, stop_orders=(StopOrder(2, "b"),))
    decision = decide(telling.knows(journal, move, ahead, stopped, replica=DIVERGED))
    assert reasons(decision) == ([] if consent else ["NeedsDiscard"])
    assert decision.effects == ((EnsureSecondary(discard_local=True),) if consent else ())


def test_p13_nothing_is_discarded_while_the_other_side_only_promises(telling: Any) -> None:
    move = telling.placement("b", 2, "disaster", allow_discard=("a",))
    promising = telling.ack("b", AckState.PROMOTING, 2, primary=2)
    stopped = telling.ack("a", AckState.STOPPED, 2, settled=AckState.ACTIVE, primary=1, sequence=5)
    journal = telling.journal(Step.DEMOTING, 2, primary=1, stop_orders=(StopOrder(2, "b"),))
    decision = decide(telling.knows(journal, move, promising, stopped, replica=DIVERGED))
    assert decision.effects == ()


# P15, P16


def test_p16_a_giver_is_active_until_demoted_and_a_taker_passive_until_promoted(telling: Any) -> None:
    move = telling.placement("b", 2)
    for step in (Step.ACTIVE, Step.STOPPING, Step.DEMOTING):
        assert decide(telling.knows(telling.journal(step, 2), move)).effective_role == "active"
    taking = telling.placement("a", 2)
    for step in (Step.PASSIVE, Step.PROMOTING):
        assert decide(telling.knows(telling.journal(step, 2), taking)).effective_role == "passive"


# I5, the mark, adoption


@pytest.mark.parametrize("active", ["a", "b"], ids=["active", "passive"])
def test_i5_a_steady_site_has_nothing_to_do(telling: Any, active: str) -> None:
    step, word = (Step.ACTIVE, AckState.ACTIVE) if active == "a" else (Step.PASSIVE, AckState.PASSIVE)
    own = telling.ack("a", word, 1, primary=int(active == "a"), sequence=5)
    decision = decide(telling.knows(telling.journal(step), telling.placement(active, 1), own))
    assert (decision.works, decision.waits, decision.holds) == (False, (), ())


def test_a_rebuilt_cluster_goes_on_from_its_own_ack_and_begins_with_stopping(telling: Any) -> None:
    own = telling.ack("a", AckState.ACTIVE, 4, primary=4, sequence=70)
    decision = decide(telling.knows(telling.journal(Step.PASSIVE, 1), telling.placement("a", 4), own))
    assert decision.entry is not None
    assert (decision.entry.epoch, decision.entry.step, decision.entry.sequence) == (4, Step.STOPPING, 71)


def test_what_runs_at_a_first_placement_is_adopted_and_never_stopped(telling: Any) -> None:
    running = Observation(NOW, (StartObject(DB, "10", False, True, True),), instances=(DB,))
    k = telling.knows(
        replace(telling.journal(Step.PASSIVE, 1), commit="c"),
        telling.placement("a", 1),
        telling.ack("a", AckState.READY, 1, settled=None, sequence=5),
        telling.ack("b", AckState.PASSIVE, 1),
        observation=running,
        before=running,
        permit=None,
        gate=Gate(False),
        replica=PRIMARY,
    )
    promised = decide(k)
    assert (promised.effects, promised.ack is not None) == ((), True)
    said = telling.ack("a", AckState.PROMOTING, 1, primary=1, sequence=6)
    listing = telling.listing(said, telling.ack("b", AckState.PASSIVE, 1))
    opened = decide(replace(k, journal=promised.entry, listing=listing))
    assert kinds(opened) == [OpenPermit, InstallGate], "the permit before the gate that asks for it"


def test_what_runs_where_the_first_placement_does_not_want_it_is_held_up_to_people(telling: Any) -> None:
    running = Observation(NOW, (StartObject(DB, "10", False, True, True),), instances=(DB,))
    decision = decide(telling.knows(telling.journal(Step.PASSIVE, 1), telling.placement("b", 1), observation=running))
    assert (reasons(decision), decision.works) == (["RunsHere"], False)


def test_what_is_started_by_hand_where_the_site_has_said_that_nothing_runs_is_stopped(telling: Any) -> None:
    running = Observation(NOW, (StartObject(DB, "10", False, True, True),), instances=(DB,))
    k = telling.knows(telling.journal(Step.PASSIVE, 1), telling.placement("b", 1), observation=running)
    said = telling.listing(telling.ack("a", AckState.PASSIVE, 1))
    assert kinds(decide(replace(k, listing=said))) == [Stop]
