"""P4, P8, P9: what a planned promotion needs, and what undoes it; site a tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from one_site import (
    BUSY,
    FIRST,
    NOW,
    PRIMARY,
    SECONDARY,
    SERVER,
    ack,
    given,
    journal,
    kinds,
    knows,
    listing,
    placement,
    reached,
    reasons,
    seen,
)

from reconciler.failover.protocol.decide import decide
from reconciler.failover.protocol.decisions import EnsurePrimary
from reconciler.failover.protocol.values import (
    Ack,
    AckState,
    Demotion,
    Promotion,
    Step,
)
from reconciler.replica import ReplicaRole

P4_WORDS: dict[str, tuple[Ack | None, dict[str, Any], bool]] = {
    "demoted": (ack("b", AckState.DEMOTED, 2, **given()), {}, True),
    "passive with its proof": (ack("b", AckState.PASSIVE, 2, **given()), {}, True),
    "superseded": (ack("b", AckState.SUPERSEDED, 2), {}, True),
    "active": (ack("b", AckState.ACTIVE, 2, promotion=FIRST), {}, False),
    "promoted": (ack("b", AckState.PROMOTED, 2, promotion=FIRST), {}, False),
    "promoting": (ack("b", AckState.PROMOTING, 2, promotion=FIRST), {}, False),
    "stopped only": (ack("b", AckState.STOPPED, 2, promotion=FIRST, settled=AckState.ACTIVE), {}, False),
    "stopping": (ack("b", AckState.STOPPING, 2, promotion=FIRST, settled=AckState.ACTIVE), {}, False),
    "ready, and never at rest": (ack("b", AckState.READY, 2), {}, False),
    "another replica": (ack("b", AckState.DEMOTED, 2, **given(complete=("c",))), {}, False),
    "no replica": (ack("b", AckState.DEMOTED, 2, **given(complete=())), {}, False),
    "the proof of an older promotion": (
        ack("b", AckState.DEMOTED, 2, promotion=Promotion(2, 44), demotion=Demotion(FIRST, 2, 40, ("a",))),
        {},
        False,
    ),
    "the proof of the same epoch's first promotion": (
        ack("b", AckState.DEMOTED, 2, promotion=Promotion(1, 41), demotion=Demotion(FIRST, 2, 40, ("a",))),
        {},
        False,
    ),
    "no word": (None, {}, False),
    "distrusted": (ack("b", AckState.DEMOTED, 2, **given()), {"distrust": "another cluster"}, False),
    "not on the branch": (ack("b", AckState.DEMOTED, 2, **given()), {"on_branch": False}, False),
    "its heartbeat says running": (ack("b", AckState.DEMOTED, 2, **given()), {"running": True}, False),
    "its heartbeat says primary": (ack("b", AckState.DEMOTED, 2, **given()), {"role": ReplicaRole.PRIMARY}, False),
}


@pytest.mark.parametrize(("word", "more", "promises"), P4_WORDS.values(), ids=P4_WORDS.keys())
def test_what_a_planned_promotion_needs_of_the_source(word: Ack | None, more: dict[str, Any], promises: bool) -> None:
    own = ack("a", AckState.READY, 2, settled=AckState.PASSIVE)
    sites = {"a": seen(own, "a"), "b": seen(word, **more)}
    told = journal(Step.PASSIVE, 2, settled=AckState.PASSIVE)
    decision = decide(knows(told, placement("a", 2), listing=listing(sites=sites)))
    promised = reached(decision) is Step.PROMOTING
    assert promised is promises
    assert promised is (decision.ack is not None and decision.ack.state is AckState.PROMOTING)
    assert "EnsurePrimary" not in kinds(decision), "never before another list"


def test_a_barrier_token_that_this_replica_has_reached_is_proof() -> None:
    own = ack("a", AckState.READY, 2, settled=AckState.PASSIVE)
    word = ack("b", AckState.DEMOTED, 2, **given(complete=(), token="t9"))
    told = journal(Step.PASSIVE, 2, settled=AckState.PASSIVE)
    for token, promises in (("t9", True), ("t8", False), (None, False)):
        k = knows(told, placement("a", 2), own, word, replica=replace(SECONDARY, token=token))
        assert (reached(decide(k)) is Step.PROMOTING) is promises


def test_a_third_site_that_carries_the_application_must_answer() -> None:
    own = ack("a", AckState.READY, 2, settled=AckState.PASSIVE)
    gone = ack("b", AckState.DEMOTED, 2, **given())
    told = journal(Step.PASSIVE, 2, settled=AckState.PASSIVE)
    silent = decide(knows(told, placement("a", 2), own, gone, carried_by=("a", "b", "c")))
    assert (reasons(silent), silent.entry) == (["SiteSilent"], None)
    answered = knows(told, placement("a", 2), own, gone, ack("c", AckState.PASSIVE, 1), carried_by=("a", "b", "c"))
    assert reached(decide(answered)) is Step.PROMOTING


def test_a_site_that_was_taken_out_of_the_list_is_waited_for_until_it_has_given_up() -> None:
    own = ack("a", AckState.READY, 2, settled=AckState.PASSIVE)
    gone, left = ack("b", AckState.DEMOTED, 2, **given()), ack("c", AckState.PROMOTED, 1, promotion=Promotion(1, 9))
    told = journal(Step.PASSIVE, 2, settled=AckState.PASSIVE)
    assert decide(knows(told, placement("a", 2), own, gone, left)).entry is None


@pytest.mark.parametrize(
    ("own", "proven", "age", "head", "calls"),
    [
        (ack("a", AckState.PROMOTING, 2, promotion=Promotion(2, 49)), True, 0.5, "head", True),
        (ack("a", AckState.PROMOTING, 2, promotion=Promotion(2, 20)), True, 0.5, "head", False),
        (ack("a", AckState.READY, 2, settled=AckState.PASSIVE), True, 0.5, "head", False),
        (ack("a", AckState.PROMOTING, 2, promotion=Promotion(2, 49)), False, 0.5, "head", False),
        (ack("a", AckState.PROMOTING, 2, promotion=Promotion(2, 49)), True, 3, "head", False),
        (ack("a", AckState.PROMOTING, 2, promotion=Promotion(2, 49)), True, 0.5, "newer", False),
    ],
    ids=[
        "listed after its push",
        "an older promotion",
        "not said yet",
        "only fetched",
        "listed too long ago",
        "a newer head",
    ],
)
def test_the_driver_is_called_only_after_a_fresh_list_that_has_this_very_promoting(
    own: Ack, proven: bool, age: float, head: str, calls: bool
) -> None:
    told = journal(Step.PROMOTING, 2, promotion=Promotion(2, 49), settled=AckState.PROMOTING)
    gone = ack("b", AckState.DEMOTED, 2, **given())
    listed = replace(listing(own, gone, proven=proven, age=age), head=head)
    effects = decide(knows(told, placement("a", 2), listing=listed)).effects
    expected = EnsurePrimary(False, 2, SERVER - age + 2, NOW - age + 2)
    assert effects == ((expected,) if calls else ())


@pytest.mark.parametrize("called", [False, True])
def test_a_primary_replica_opens_the_permit_once_the_call_is_noted(called: bool) -> None:
    own = ack("a", AckState.PROMOTING, 2, promotion=Promotion(2, 49))
    gone = ack("b", AckState.DEMOTED, 2, **given())
    told = journal(Step.PROMOTING, 2, promotion=Promotion(2, 49), settled=AckState.PROMOTING, called=called)
    decision = decide(knows(told, placement("a", 2), own, gone, replica=PRIMARY))
    assert decision.entry is not None
    if not called:
        assert (decision.entry.called, decision.entry.step, decision.permit) == (True, Step.PROMOTING, None)
    else:
        assert (decision.entry.step, decision.permit, decision.entry.role) == (Step.STARTING, "open", "active")
        assert decision.ack is not None
        assert decision.ack.state is AckState.PROMOTED


def test_promoted_is_said_before_everything_has_started_and_active_after_it() -> None:
    own = ack("a", AckState.PROMOTING, 1, promotion=FIRST)
    starting = decide(knows(journal(Step.STARTING), placement("a", 1), own))
    assert starting.ack is not None
    assert starting.ack.state is AckState.PROMOTED
    promoted = ack("a", AckState.PROMOTED, 1, promotion=FIRST)
    unready = replace(BUSY, objects=(replace(BUSY.objects[0], ready=False), BUSY.objects[1]))
    waiting = decide(knows(journal(Step.STARTING), placement("a", 1), promoted, observation=unready))
    assert (waiting.entry, waiting.run, len(waiting.waits)) == (None, True, 1)
    assert reached(decide(knows(journal(Step.STARTING), placement("a", 1), promoted))) is Step.ACTIVE


def test_a_start_that_takes_too_long_is_a_hold_and_goes_on() -> None:
    promoted = ack("a", AckState.PROMOTED, 1, promotion=FIRST)
    unready = replace(BUSY, objects=(replace(BUSY.objects[0], ready=False),))
    k = knows(journal(Step.STARTING), placement("a", 1), promoted, observation=unready, step_since=NOW - 100)
    decision = decide(k)
    assert (reasons(decision), decision.run) == (["NotReadyInTime"], True)


def test_an_epoch_for_another_site_undoes_what_was_not_begun() -> None:
    told = journal(Step.PROMOTING, 2, promotion=Promotion(2, 49), settled=AckState.PROMOTING)
    newer = placement("b", 3)
    assert kinds(decide(knows(told, newer))) == ["VoidOlderVersions"]
    undone = decide(knows(told, newer, voided=True)).entry
    assert undone is not None
    assert (undone.step, undone.promotion, undone.superseded) == (Step.PASSIVE, None, (2,))


@pytest.mark.parametrize(
    ("told", "more"),
    [
        ({}, {"replica": PRIMARY}),
        ({}, {"replica": replace(SECONDARY, asked=ReplicaRole.PRIMARY)}),
        ({}, {"replica": replace(SECONDARY, asked=ReplicaRole.UNKNOWN)}),
        ({"called": True}, {}),
        ({"before": FIRST}, {}),
        ({}, {"observation": BUSY}),
    ],
    ids=["is primary", "was told so", "half told", "the driver was called", "was primary before", "runs"],
)
def test_what_was_begun_is_given_up_as_any_source_does(told: dict[str, Any], more: dict[str, Any]) -> None:
    promoting = journal(Step.PROMOTING, 2, promotion=Promotion(2, 49), settled=AckState.PROMOTING, **told)
    ready = ack("b", AckState.READY, 3, settled=AckState.PASSIVE)
    decision = decide(knows(promoting, placement("b", 3), ready, voided=True, **more))
    assert reached(decision) is Step.STOPPING


def test_a_promotion_that_takes_too_long_is_a_hold() -> None:
    own = ack("a", AckState.PROMOTING, 2, promotion=Promotion(2, 49))
    told = journal(Step.PROMOTING, 2, promotion=Promotion(2, 49), called=True)
    k = knows(told, placement("a", 2), own, ack("b", AckState.DEMOTED, 2, **given()), step_since=NOW - 100)
    assert reasons(decide(k)) == ["PromotionTakesTooLong"]


# Three sites: the one that an earlier disaster declared down


def third(silent: float, *, since: float = 60.0, told: Any = None, acked: bool = True) -> Any:
    """Epoch 1 made c primary and epoch 2, a disaster that declared c down, b; epoch 3 plans a, which tells."""
    told = told or journal(Step.PASSIVE, 3, settled=AckState.PASSIVE, down=("c",))
    own = ack("a", AckState.READY if acked else AckState.PASSIVE, told.epoch, settled=AckState.PASSIVE)
    runs = ack("b", AckState.ACTIVE, 2, promotion=Promotion(2, 30))
    lost = ack("c", AckState.ACTIVE, 1, promotion=FIRST)
    dark = seen(lost, "c", heartbeat_since=NOW - silent, ack_since=NOW - silent, running=True)
    sites = {"a": seen(own, "a"), "b": seen(runs, running=True, exposure=1.0), "c": dark}
    return knows(
        told,
        placement("a", 3),
        listing=listing(sites=sites),
        carried_by=("a", "b", "c"),
        declared_since={"c": NOW - since},
    )


def test_attack_a_third_site_that_is_lost_stops_nobody_for_a_target_that_could_not_go_on() -> None:
    """The source stops as soon as the target says Ready: it must not be said while P4 cannot hold."""
    spoken = decide(third(2.0, acked=False))
    assert (spoken.ack, spoken.entry) == (None, None)
    silent = decide(third(60.0, acked=False))
    assert silent.ack is not None
    assert silent.ack.state is AckState.READY
    unknown = decide(third(60.0, acked=False, told=journal(Step.PASSIVE, 3, settled=AckState.PASSIVE)))
    assert (unknown.ack, reasons(unknown)) == (None, ["SiteSilent"])
    assert "--declare-down c" in unknown.holds[0].lifted_by


def test_a_site_that_spoke_after_it_was_declared_down_is_no_exception_when_it_is_silent_again() -> None:
    assert decide(third(30.0, since=60.0, acked=False)).ack is None


# P9, I3: a planned epoch overtakes a disaster's to the same site


BEGUN = journal(Step.PROMOTING, 2, promotion=Promotion(2, 51))
RUNNING = ack("b", AckState.ACTIVE, 1, promotion=FIRST)


@pytest.mark.parametrize(
    ("more", "step", "hold"),
    [
        ({"voided": True}, Step.PASSIVE, []),
        ({}, None, []),
        ({"readings": (), "replica": None}, None, []),
        ({"replica": PRIMARY}, None, []),
        ({"replica": PRIMARY, "step_since": NOW - 61}, None, ["PromotionBegun"]),
        ({"listing": listing(ack("b", AckState.DEMOTED, 3, **given()))}, Step.PROMOTING, []),
    ],
    ids=["nothing was begun", "not voided yet", "not read", "just begun", "begun long ago", "the source gave up"],
)
def test_a_planned_epoch_waits_for_no_source_that_waits_for_it(
    more: dict[str, Any], step: Any, hold: list[str]
) -> None:
    decision = decide(knows(BEGUN, placement("a", 3), RUNNING, **more))
    assert (reached(decision), reasons(decision)) == (step, hold)
    assert "EnsurePrimary" not in kinds(decision)


def test_what_the_last_primary_will_never_prove_is_a_hold_with_the_way_back() -> None:
    word = ack("b", AckState.DEMOTED, 2, **given(complete=()))
    own = ack("a", AckState.READY, 2, settled=AckState.PASSIVE)
    told = journal(Step.PASSIVE, 2, settled=AckState.PASSIVE)
    k = knows(told, placement("a", 2), listing=listing(sites={"a": seen(own, "a"), "b": seen(word)}))
    assert reasons(decide(k)) == ["NotProven"]
    assert decide(k).holds[0].lifted_by.startswith("siteshift failover ledger --to b")
    for undecided in (given(complete=(), token="t9"), {"promotion": FIRST}):
        unproven = ack("b", AckState.PASSIVE, 2, **undecided)
        waiting = replace(k, listing=listing(sites={"a": seen(own, "a"), "b": seen(unproven)}))
        assert (reasons(decide(waiting)), reached(decide(waiting))) == ([], None)
