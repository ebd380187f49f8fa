"""P1, P3, P9, P12: what the commits since the mark ask for; site a tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from one_site import (
    FIRST,
    PRIMARY,
    ack,
    given,
    history,
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
from reconciler.failover.protocol.decisions import State
from reconciler.failover.protocol.values import AckState, Freeze, History, Journal, Placed, Promotion, Step, StopOrder
from reconciler.fleet.model import Rewind


@pytest.mark.parametrize(
    ("epochs", "frozen"),
    [([2], False), ([2, 3, 4], False), ([3], True), ([2, 4], True), ([0], True)],
    ids=["next", "each by one", "jumps at once", "jumps on the way", "falls"],
)
def test_an_epoch_that_does_not_follow_freezes(epochs: list[int], frozen: bool) -> None:
    placements = [placement("a", epoch) for epoch in epochs]
    k = knows(journal(Step.ACTIVE), placements[-1], history=history(*placements, base=placement("a", 1)))
    decision = decide(k)
    assert (decision.state is State.FROZEN) is frozen
    assert frozen is (not decision.run)
    assert decision.permit is None, "what a permit covers goes on"


def test_a_placement_that_changes_under_its_epoch_freezes() -> None:
    changed = placement("b", 1)
    k = knows(journal(Step.ACTIVE), changed, history=history(changed, base=placement("a", 1)))
    assert reasons(decide(k)) == ["Frozen"]


def rewound(newest: Any, **more: Any) -> Any:
    return replace(history(newest, base=placement("a", 5)), rewound=True, line=frozenset({"bbbbbbbbbb"}), **more)


MARKED = replace(journal(Step.ACTIVE, 5), commit="aaaaaaaaaa", promotion=Promotion(5, 3))


@pytest.mark.parametrize(
    ("epoch", "to", "marks", "lifted"),
    [
        (8, "bbbbbbb", ("aaaaaaa", "ccccccc"), True),
        (8, "bbbbbbb", ("aaaaaaa",), False),
        (8, "bbbbbbb", ("ccccccc",), False),
        (8, "ddddddd", ("aaaaaaa", "ccccccc"), False),
        (8, "bbbbbb", ("aaaaaaa", "ccccccc"), False),
        (7, "bbbbbbb", ("aaaaaaa", "ccccccc"), False),
        (6, "bbbbbbb", ("aaaaaaa", "ccccccc"), False),
    ],
    ids=["all marks", "not b's", "not ours", "another branch", "too short", "as said by b", "below what b said"],
)
def test_a_rewind_is_accepted_for_all_sites_at_once_above_everything_ever_said(
    epoch: int, to: str, marks: tuple[str, ...], lifted: bool
) -> None:
    newest = placement("a", epoch, accept_rewind=Rewind(to, marks))
    theirs = replace(ack("b", AckState.PASSIVE, 7), commit="cccccccccc")
    sites = {"b": seen(theirs, on_branch=False)}
    decision = decide(knows(MARKED, newest, history=rewound(newest), listing=listing(sites=sites)))
    if lifted:
        assert decision.entry is not None
        assert (decision.entry.epoch, decision.entry.freeze, decision.entry.step) == (epoch, None, Step.ACTIVE)
    else:
        assert reasons(decision) == ["Frozen"]
        assert "siteshift accept-rewind ledger" in decision.holds[0].lifted_by


def test_who_was_not_frozen_takes_the_epoch_of_an_accepted_rewind() -> None:
    newest = placement("a", 9, accept_rewind=Rewind("bbbbbbb", ("aaaaaaa",)))
    k = knows(journal(Step.ACTIVE), newest, history=history(newest, base=placement("a", 1)))
    entry = decide(k).entry
    assert entry is not None
    assert entry.epoch == 9


def test_a_frozen_application_obeys_a_stop_order_all_the_same() -> None:
    """Known by its commit: a disaster that reuses an epoch's number, on a branch that went back."""
    lost = placement("b", 5, "disaster", declared_down=("a",))
    decision = decide(knows(MARKED, lost, history=rewound(lost)))
    assert decision.entry is not None
    assert (reached(decision), decision.permit) == (Step.STOPPING, "close")
    assert decision.entry.stop_orders == (StopOrder("commit-5", 5, "b"),)


def test_a_frozen_site_goes_on_stopping_what_it_began_to_stop() -> None:
    running = knows(journal(Step.ACTIVE), placement("a", 1)).readings
    stopping = replace(MARKED, step=Step.STOPPING)
    newest = placement("a", 4)
    decision = decide(knows(stopping, newest, history=rewound(newest), readings=running))
    assert kinds(decision) == ["Stop"]


def test_skipped_epochs_are_journaled_and_the_site_that_they_named_says_superseded() -> None:
    three = placement("b", 3)
    told = journal(Step.PASSIVE)
    decision = decide(knows(told, three, history=history(placement("a", 2), three)))
    assert decision.entry is not None
    assert (decision.entry.epoch, decision.entry.skipped, decision.entry.superseded) == (3, (2,), (2,))


@pytest.mark.parametrize("newest", [placement("a", 3), placement("b", 3)], ids=["names this site", "planned away"])
def test_a_skipped_disaster_binds_whatever_the_newest_epoch_says(newest: Any) -> None:
    lost = placement("b", 2, "disaster")
    decision = decide(knows(journal(Step.ACTIVE), newest, history=history(lost, newest)))
    assert decision.entry is not None
    assert (decision.entry.step, decision.entry.stop_orders) == (
        Step.STOPPING,
        (StopOrder("commit-2", 2, "b"),),
    )


@pytest.mark.parametrize(
    ("word", "lifts"),
    [
        (ack("b", AckState.SUPERSEDED, 3, superseded=(2,)), True),
        (ack("b", AckState.PASSIVE, 3), True),
        (ack("b", AckState.SUPERSEDED, 2), False),
        (ack("b", AckState.PASSIVE, 3, promotion=Promotion(2, 7)), False),
        (ack("b", AckState.DEMOTED, 3), False),
        (ack("b", AckState.PROMOTING, 3), False),
    ],
    ids=["superseded", "passive since", "at that very epoch", "it was begun", "demoted", "promoting"],
)
def test_a_stop_order_is_lifted_only_by_the_site_that_it_named(word: Any, lifts: bool) -> None:
    newest = placement("a", 3)
    k = knows(journal(Step.ACTIVE), newest, word, history=history(placement("b", 2, "disaster"), newest))
    decision = decide(k)
    assert (reached(decision) is Step.STOPPING) is not lifts


@pytest.mark.parametrize(
    "more", [{"distrust": "it went back"}, {"on_branch": False}], ids=["distrusted", "implausible"]
)
def test_a_word_that_is_not_trusted_lifts_no_stop_order(more: dict[str, Any]) -> None:
    newest = placement("a", 3)
    sites = {"b": seen(ack("b", AckState.SUPERSEDED, 3), **more)}
    k = knows(
        journal(Step.ACTIVE),
        newest,
        listing=listing(sites=sites),
        history=history(placement("b", 2, "disaster"), newest),
    )
    assert reached(decide(k)) is Step.STOPPING


@pytest.mark.parametrize("step", [Step.STOPPING, Step.DEMOTING])
def test_people_lift_a_stop_order_in_favour_of_this_site_only_once_nothing_runs(step: Step) -> None:
    order = StopOrder("commit-2", 2, "b")
    told = journal(step, 3, stop_orders=(order,))
    home = placement(
        "a", 4, "disaster", declared_down=("b",), allow_data_loss="unknown", override_fence="dark", reason="x"
    )
    k = knows(told, home, ack("b", AckState.ACTIVE, 2, promotion=Promotion(2, 9)), history=history(home, base=None))
    entry = decide(k).entry
    assert (entry is not None and entry.stop_orders == ()) is (step is Step.DEMOTING)


def test_a_site_at_rest_gets_no_stop_order() -> None:
    lost = placement("b", 2, "disaster")
    decision = decide(knows(journal(Step.PASSIVE), lost, history=history(lost, base=placement("b", 1))))
    assert decision.entry is not None
    assert (decision.entry.step, decision.entry.stop_orders) == (Step.PASSIVE, ())


def test_the_definition_of_the_commit_before_the_epoch_is_pinned_while_it_moves() -> None:
    move = placement("b", 2)
    ready = ack("b", AckState.READY, 2, settled=AckState.PASSIVE)
    begun = decide(knows(journal(Step.ACTIVE), move, ready)).entry
    assert begun is not None
    assert (begun.step, begun.definition) == (Step.STOPPING, "before-2")
    done = decide(
        knows(replace(begun, step=Step.DEMOTING), move, ready, voided=True, history=history(move, base=move))
    ).entry
    assert done is not None
    assert (done.step, done.definition) == (Step.DEMOTED, "")
    target = decide(knows(journal(Step.PASSIVE), placement("a", 2))).entry
    assert target is not None
    assert target.definition == "before-2"


def test_a_first_placement_is_its_own_definition() -> None:
    first = Placed("commit-1", placement("a", 1))
    k = knows(Journal(leases=(None,)), first.placement, history=replace(history(first.placement), placements=(first,)))
    entry = decide(k).entry
    assert entry is not None
    assert (entry.epoch, entry.definition) == (1, "commit-1")


def test_a_newer_epoch_for_the_same_target_is_judged_anew_before_the_driver_was_called() -> None:
    told = journal(Step.PROMOTING, 2, promotion=Promotion(2, 49), settled=AckState.PROMOTING)
    again = placement("a", 3)
    gone = ack("b", AckState.DEMOTED, 2, **given())
    entry = decide(knows(told, again, gone)).entry
    assert entry is not None
    assert (entry.epoch, entry.promotion, entry.called) == (3, Promotion(3, 51), False)
    still_active = ack("b", AckState.ACTIVE, 2, promotion=FIRST)
    assert decide(knows(told, again, still_active)).entry is None


def test_a_newer_epoch_for_the_same_target_is_taken_over_after_the_driver_was_called() -> None:
    told = journal(Step.PROMOTING, 2, promotion=Promotion(2, 49), settled=AckState.PROMOTING, called=True)
    decision = decide(knows(told, placement("a", 3), replica=PRIMARY))
    assert decision.entry is not None
    assert (decision.entry.step, decision.entry.epoch, decision.entry.called) == (Step.PROMOTING, 3, True)


def test_an_epoch_for_another_site_makes_a_starting_site_a_source_at_once() -> None:
    decision = decide(
        knows(journal(Step.STARTING), placement("b", 2), ack("b", AckState.READY, 2, settled=AckState.PASSIVE))
    )
    assert reached(decision) is Step.STOPPING


def test_a_running_site_takes_over_a_newer_epoch_without_starting_anew() -> None:
    decision = decide(knows(journal(Step.ACTIVE), placement("a", 2)))
    assert decision.entry is not None
    assert (decision.entry.step, decision.entry.epoch, decision.run) == (Step.ACTIVE, 2, True)
    assert decision.entry.promotion == Promotion(2, 51), "a promotion's epoch orders promotions"


def test_an_application_that_is_to_run_nowhere_stops_without_a_target() -> None:
    decision = decide(knows(journal(Step.ACTIVE), placement("none", 2)))
    assert (reached(decision), decision.permit) == (Step.STOPPING, "close")


@pytest.mark.parametrize("asked", ["suspended", "blind"])
def test_a_site_that_is_suspended_or_blind_changes_nothing(asked: str) -> None:
    more: dict[str, Any] = {"suspended": True} if asked == "suspended" else {"history": None}
    for step in Step:
        decision = decide(knows(journal(step), placement("b", 2), **more))
        assert decision.entry is None
        assert decision.permit in (None, "close")
        assert not {"EnsurePrimary", "EnsureSecondary", "FinalSync"} & set(kinds(decision))
    assert decide(knows(journal(Step.ACTIVE), placement("a", 1), **more)).run is (asked == "blind")


def test_a_running_site_that_an_accepted_branch_does_not_name_follows_it_and_runs_on() -> None:
    frozen = Freeze("lostlost", "headhead", "the branch went back")
    told = journal(Step.ACTIVE, 2, commit="lostlost", freeze=frozen)
    newest = placement("b", 5, accept_rewind=Rewind("headhead", ("lostlost",)))
    line = History("head", (Placed("headhead", newest, "before"),), None, rewound=True, line=frozenset({"headhead"}))
    followed = decide(knows(told, newest, ack("b", AckState.PASSIVE, 1), history=line))
    assert followed.entry is not None
    assert (followed.entry.step, followed.entry.epoch, followed.entry.freeze) == (Step.ACTIVE, 5, None)
    assert followed.run
