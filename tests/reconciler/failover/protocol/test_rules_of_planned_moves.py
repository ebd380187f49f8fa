"""Epochs, giving up, planned promotion (P1–P4): a test, or a table of them, for each rule; site a tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.failover.protocol.decide import decide
from reconciler.failover.protocol.decisions import (
    CloseGate,
    EnsurePrimary,
    EnsureSecondary,
    FinalSync,
    State,
    Stop,
    VoidOlderVersions,
)
from reconciler.failover.protocol.values import (
    AckState,
    Demotion,
    Gate,
    Observation,
    Permit,
    StartObject,
    Step,
    StopOrder,
)
from reconciler.fleet.model import Rewind
from reconciler.objects import Ref
from reconciler.replica import Replica, ReplicaRole, Sync

NOW, SERVER = 1000.0, 5_000_000.0
DB = Ref("kubevirt.io", "VirtualMachine", "bank", "db")
SVC = Ref("kubevirt.io", "VirtualMachine", "bank", "svc")
PRIMARY = Replica(ReplicaRole.PRIMARY, Sync.IN_SYNC, ReplicaRole.PRIMARY, exposure=1.0, peers=("b",))
SECONDARY = Replica(ReplicaRole.SECONDARY, Sync.IN_SYNC, ReplicaRole.SECONDARY, peers=("b",))
DIVERGED = Replica(ReplicaRole.SECONDARY, Sync.BROKEN, ReplicaRole.SECONDARY, peers=("b",))
GIVEN = Demotion(1, 2, ("a",))


def reasons(decision: Any) -> list[str]:
    return [each.reason for each in decision.holds]


def kinds(decision: Any) -> list[type]:
    return [type(each) for each in decision.effects]


# P1


@pytest.mark.parametrize(
    ("epochs", "frozen"),
    [([2], False), ([2, 3, 4], False), ([3], True), ([2, 4], True), ([0], True)],
    ids=["next", "each by one", "jumps at once", "jumps on the way", "falls"],
)
def test_p1_an_epoch_that_does_not_follow_freezes(telling: Any, epochs: list[int], frozen: bool) -> None:
    placements = [telling.placement("a", epoch) for epoch in epochs]
    k = telling.knows(
        telling.journal(Step.ACTIVE),
        placements[-1],
        history=telling.history(*placements, base=telling.placement("a", 1)),
    )
    decision = decide(k)
    assert (decision.state is State.FROZEN) is frozen
    assert frozen is (not decision.run)


def test_p1_a_rewound_branch_freezes_until_both_commits_are_named(telling: Any) -> None:
    back = telling.placement("a", 1)
    rewound = replace(telling.history(back), rewound=True, head="bbbbbbbbbb", line=frozenset({"bbbbbbbbbb"}))
    journal = replace(telling.journal(Step.ACTIVE), commit="aaaaaaaaaa")
    frozen = decide(telling.knows(journal, back, history=rewound))
    assert reasons(frozen) == ["Frozen"]
    assert "acceptRewind: {from: aaaaaaaaaa, to: bbbbbbbbbb}" in frozen.holds[0].lifted_by
    accepted = replace(back, epoch=2, accept_rewind=Rewind("aaaaaaa", "bbbbbbb"))
    lifted = replace(telling.history(accepted), rewound=True, line=frozenset({"bbbbbbbbbb"}))
    decision = decide(telling.knows(frozen.entry, accepted, history=lifted))
    assert decision.entry is not None
    assert (decision.entry.epoch, decision.entry.freeze, decision.entry.step) == (2, None, Step.ACTIVE)


def test_p1_skipped_epochs_are_journaled(telling: Any) -> None:
    three = telling.placement("b", 3)
    history = telling.history(telling.placement("a", 2), three)
    decision = decide(telling.knows(telling.journal(Step.PASSIVE), three, history=history))
    assert decision.entry is not None
    assert (decision.entry.epoch, decision.entry.skipped, decision.entry.superseded) == (3, (2,), (2,))


# P2


def test_p2_the_giver_stops_nothing_before_the_taker_is_ready(telling: Any) -> None:
    move = telling.placement("b", 2)
    waiting = decide(telling.knows(telling.journal(Step.ACTIVE), move, telling.ack("b", AckState.PASSIVE, 1)))
    assert (waiting.state, waiting.run, waiting.works) == (State.MOVING, True, False)
    ready = telling.ack("b", AckState.READY, 2, settled=AckState.PASSIVE)
    begun = decide(telling.knows(telling.journal(Step.ACTIVE), move, ready))
    assert begun.entry is not None
    assert (begun.entry.step, begun.entry.epoch, kinds(begun), begun.run) == (Step.STOPPING, 2, [CloseGate], False)


def test_p2_a_ready_of_another_epoch_stops_nobody(telling: Any) -> None:
    old = telling.ack("b", AckState.READY, 2, settled=AckState.PASSIVE)
    history = telling.history(telling.placement("b", 2), telling.placement("a", 3), telling.placement("b", 4))
    k = telling.knows(telling.journal(Step.ACTIVE), telling.placement("b", 4), old, history=history)
    assert decide(k).state is State.MOVING


@pytest.mark.parametrize("listed", [True, False], ids=["with Git", "without Git"])
def test_p2_a_disaster_epoch_stops_at_once(telling: Any, listed: bool) -> None:
    move = telling.placement("b", 2, "disaster", declared_down=("a",))
    k = telling.knows(telling.journal(Step.ACTIVE), move)
    decision = decide(k if listed else replace(k, listing=None))
    assert decision.entry is not None
    assert (decision.entry.step, decision.entry.stop_orders) == (Step.STOPPING, (StopOrder(2, "b"),))
    assert kinds(decision) == [CloseGate]
    assert decision.ack is None, "no push may hold a stop up"


# P3


def test_p3_stops_in_reverse_run_level_order(telling: Any) -> None:
    move = telling.placement("b", 2)
    both = tuple(StartObject(ref, level, stopped=False, runs=True) for ref, level in ((DB, "10"), (SVC, "50")))
    k = telling.knows(telling.journal(Step.STOPPING, 2), move, observation=Observation(NOW, both, instances=(DB, SVC)))
    assert decide(k).effects == (Stop((SVC,)),)
    leaving = (both[0], replace(both[1], stopped=True))
    assert decide(replace(k, observation=Observation(NOW, leaving, instances=(DB, SVC)))).effects == ()
    gone = (both[0], replace(both[1], stopped=True, runs=False))
    assert decide(replace(k, observation=Observation(NOW, gone, instances=(DB,)))).effects == (Stop((DB,)),)


@pytest.mark.parametrize(
    "more",
    [
        {"gate": Gate(True, {"https://a": False})},
        {"gate": Gate(True, {"https://a": True}, NOW - 0.5)},
        {"observation": Observation(NOW, pods=(DB,))},
        {"observation": Observation(NOW, attachments=(DB,))},
        {"observation": None},
        {"before": None},
        {"before": Observation(NOW - 1, instances=(DB,))},
        {"before": Observation(NOW - 19.5)},
    ],
    ids=[
        "gate not closed everywhere",
        "a create may still be stored",
        "a pod",
        "an attachment",
        "not readable",
        "read once",
        "ran a moment ago",
        "read too early",
    ],
)
def test_p3_and_p7_without_the_whole_proof_nothing_is_demoted(telling: Any, more: dict[str, Any]) -> None:
    just_now = Permit(SERVER - 60, SERVER - 60, withdrawn=SERVER + 10)
    k = telling.knows(telling.journal(Step.STOPPING, 2), telling.placement("b", 2), permit=just_now, **more)
    decision = decide(k)
    assert decision.entry is None or decision.entry.step is not Step.DEMOTING
    assert decision.waits


def test_p3_the_proof_leads_to_final_sync_secondary_voiding_journal_and_ack_in_this_order(telling: Any) -> None:
    move = telling.placement("b", 2)
    begun = decide(telling.knows(telling.journal(Step.STOPPING, 2), move, replica=PRIMARY))
    assert begun.entry is not None
    assert begun.entry.step is Step.DEMOTING
    journal = telling.journal(Step.DEMOTING, 2, primary=1)
    assert kinds(decide(telling.knows(journal, move, replica=PRIMARY))) == [FinalSync, EnsureSecondary]
    assert kinds(decide(telling.knows(journal, move))) == [VoidOlderVersions]
    done = decide(telling.knows(journal, move, voided=True))
    assert done.entry is not None
    assert done.ack is not None
    assert (done.entry.step, done.entry.role, done.effects) == (Step.DEMOTED, "passive", ())
    assert (done.ack.state, done.ack.demotion) == (AckState.DEMOTED, Demotion(1, 2, ("b",)))


@pytest.mark.parametrize(
    "replicas",
    [(DIVERGED, SECONDARY), (SECONDARY, DIVERGED), (SECONDARY, None)],
    ids=["not in sync", "was not", "read once"],
)
def test_p3_a_flapping_copy_proves_nothing(telling: Any, replicas: tuple[Any, Any]) -> None:
    k = telling.knows(
        telling.journal(Step.DEMOTING, 2, primary=1),
        telling.placement("b", 2),
        voided=True,
        replica=replicas[0],
        replica_before=replicas[1],
    )
    assert decide(k).entry is None


def test_p3_in_sync_with_another_copy_than_the_takers_is_no_proof(telling: Any) -> None:
    unnamed = replace(SECONDARY, peers=())
    k = telling.knows(telling.journal(Step.DEMOTING, 2, primary=1), telling.placement("b", 2), replica=unnamed)
    assert reasons(decide(k)) == ["NotTheTakersCopy"]


def test_p3_a_skipped_disaster_binds_although_the_newest_epoch_names_this_site(telling: Any) -> None:
    lost, again = telling.placement("b", 2, "disaster"), telling.placement("a", 3)
    k = telling.knows(telling.journal(Step.ACTIVE), again, history=telling.history(lost, again))
    decision = decide(k)
    assert decision.entry is not None
    assert (decision.entry.step, decision.entry.stop_orders) == (Step.STOPPING, (StopOrder(2, "b"),))
    passed_by = telling.ack("b", AckState.SUPERSEDED, 3)
    assert decide(replace(k, listing=telling.listing(passed_by))).entry.stop_orders == ()


def test_p3_taking_back_before_the_point_of_no_return_needs_p4(telling: Any) -> None:
    journal = telling.journal(Step.STOPPING, 2, primary=1)
    back = telling.placement("a", 3)
    promoting = telling.ack("b", AckState.PROMOTING, 2, primary=2)
    assert decide(telling.knows(journal, back, telling.ack("b", AckState.SUPERSEDED, 3))).entry.step is Step.PROMOTING
    refused = decide(telling.knows(journal, back, promoting))
    assert refused.entry is None or refused.entry.step is not Step.PROMOTING


# P4


@pytest.mark.parametrize(
    ("ack", "promises"),
    [
        (("Demoted", {"primary": 1, "demotion": GIVEN}), True),
        (("Passive", {"primary": 1, "demotion": GIVEN}), True),
        (("Superseded", {}), True),
        (("Active", {"primary": 1}), False),
        (("Promoting", {"primary": 1}), False),
        (("Stopped", {"primary": 1, "settled": AckState.ACTIVE}), False),
        (("Demoted", {"primary": 1, "demotion": Demotion(1, 2, ("c",))}), False),
        (("Demoted", {"primary": 2, "demotion": GIVEN}), False),
        (None, False),
    ],
    ids=[
        "demoted",
        "passive with its proof",
        "superseded",
        "active",
        "promoting",
        "stopped only",
        "another copy",
        "an older proof",
        "no word",
    ],
)
def test_p4_planned_promotion(telling: Any, ack: tuple[str, dict[str, Any]] | None, promises: bool) -> None:
    given = [telling.ack("b", AckState(ack[0]), 2, **ack[1])] if ack else []
    ready = telling.ack("a", AckState.READY, 2, settled=AckState.PASSIVE, sequence=5)
    decision = decide(telling.knows(telling.journal(Step.PASSIVE, 2), telling.placement("a", 2), ready, *given))
    promised = decision.entry is not None and decision.entry.step is Step.PROMOTING
    assert promised is promises
    assert promised is (decision.ack is not None and decision.ack.state is AckState.PROMOTING)
    assert not any(isinstance(each, EnsurePrimary) for each in decision.effects), "never before another list"


def test_p4_a_silent_site_is_named_with_its_ways_out(telling: Any) -> None:
    ready = telling.ack("a", AckState.READY, 1, settled=None, sequence=5)
    decision = decide(telling.knows(telling.journal(Step.PASSIVE, 1), telling.placement("a", 1), ready))
    assert reasons(decision) == ["SiteSilent"]
    assert "spec.sites" in decision.holds[0].lifted_by


@pytest.mark.parametrize(
    ("own", "proven", "age", "calls"),
    [
        ("Promoting", True, 0.5, True),
        ("Ready", True, 0.5, False),
        ("Promoting", False, 0.5, False),
        ("Promoting", True, 3, False),
    ],
    ids=["listed after its push", "not said yet", "only fetched", "listed too long ago"],
)
def test_p4_and_p8_the_driver_is_called_only_after_a_fresh_list_that_has_promoting(
    telling: Any, own: str, proven: bool, age: float, calls: bool
) -> None:
    journal = telling.journal(Step.PROMOTING, 2, primary=2)
    acks = (
        telling.ack("a", AckState(own), 2, primary=2, sequence=5),
        telling.ack("b", AckState.DEMOTED, 2, primary=1, demotion=GIVEN),
    )
    k = telling.knows(journal, telling.placement("a", 2), listing=telling.listing(*acks, proven=proven, age=age))
    effects = decide(k).effects
    assert [type(each) for each in effects] == ([EnsurePrimary] if calls else [])
    if calls:
        assert effects == (EnsurePrimary("planned", 2, by=NOW - age + 2),)


def test_p4_a_newer_epoch_for_another_site_undoes_what_was_not_begun(telling: Any) -> None:
    journal = telling.journal(Step.PROMOTING, 2, primary=2)
    newer = telling.placement("b", 3)
    assert kinds(decide(telling.knows(journal, newer))) == [VoidOlderVersions]
    undone = decide(telling.knows(journal, newer, voided=True)).entry
    assert undone is not None
    assert (undone.step, undone.primary, undone.superseded) == (Step.PASSIVE, 0, (2,))
    begun = decide(telling.knows(journal, newer, voided=True, replica=PRIMARY)).entry
    assert begun is not None
    assert begun.step is Step.STOPPING
