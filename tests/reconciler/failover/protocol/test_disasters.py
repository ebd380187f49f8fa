"""P5, P13, P19: a disaster move and the site that returns from one; site a tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from one_site import (
    BUSY,
    CLOSED,
    DIVERGED,
    FIRST,
    LEASE,
    NOW,
    OPEN,
    PRIMARY,
    SECONDARY,
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
from reconciler.failover.protocol.decisions import EnsureSecondary
from reconciler.failover.protocol.values import AckState, Demotion, Gate, Promotion, Step, StopOrder
from reconciler.replica import ReplicaRole

GONE = ack("b", AckState.ACTIVE, 1, promotion=FIRST)
STOPPED = replace(GONE, state=AckState.STOPPED)
OVERRIDE = {"override_fence": "dark, by phone", "reason": "fire"}


def disaster(silent: float = 30.0, **more: Any) -> Any:
    """Site b was active, obeyed a lease and is declared down; a is named."""
    says = {"declared_down": ("b",), "allow_data_loss": 60.0} | more.pop("says", {})
    quiet = {"heartbeat_since": NOW - silent, "guard_since": NOW - silent, "ack_since": NOW - silent}
    beat = {"running": True, "exposure": 3.0, "lease": LEASE} | quiet | more.pop("seen", {})
    sites = {"b": seen(more.pop("ack", GONE), **beat)} | more.pop("sites", {})
    told = more.pop("told", journal(Step.PASSIVE, 2, settled=AckState.PASSIVE, leases=(more.get("lease_of"),)))
    return knows(told, placement("a", 2, "disaster", **says), listing=listing(sites=sites), **more)


CASES: dict[str, tuple[dict[str, Any], str | None]] = {
    "lease ran out": ({}, None),
    "not declared down": ({"says": {"declared_down": ()}}, "NotDeclaredDown"),
    "no lease acknowledged": ({"seen": {"lease": None}}, "NotFenced"),
    "the newest commit's lease was never acknowledged": ({"seen": {"lease": None}, "lease_of": LEASE}, "NotFenced"),
    "override": ({"seen": {"lease": None}, "says": OVERRIDE}, None),
    "override without a reason": ({"seen": {"lease": None}, "says": {"override_fence": "dark"}}, "NotFenced"),
    "distrusted": ({"seen": {"distrust": "another cluster"}}, "NotFenced"),
    "stopped by its own word": (
        {"silent": 1.0, "ack": STOPPED, "says": {"allow_data_loss": "unknown"}},
        None,
    ),
    "stopped on a distrusted ref": (
        {"ack": STOPPED, "seen": {"distrust": "it went back", "lease": None}},
        "NotFenced",
    ),
    "nothing allowed": ({"says": {"allow_data_loss": None}}, "DataLoss"),
    "too much": ({"says": {"allow_data_loss": 14.0}}, "DataLoss"),
    "just enough": ({"says": {"allow_data_loss": 15.0}}, None),
    "unknown": ({"seen": {"exposure": None}}, "DataLoss"),
    "unknown allowed": ({"seen": {"exposure": None}, "says": {"allow_data_loss": "unknown"}}, None),
    "a silence that nobody saw begin, without a lease": (
        {"seen": {"witnessed": False, "lease": None}, "says": OVERRIDE},
        "DataLoss",
    ),
    "it runs here": ({"observation": BUSY, "told": journal(Step.PASSIVE, 2, settled=AckState.PASSIVE)}, None),
}


@pytest.mark.parametrize(("more", "hold"), CASES.values(), ids=CASES.keys())
def test_what_a_disaster_promotion_needs(more: dict[str, Any], hold: str | None) -> None:
    decision = decide(disaster(**more))
    assert reasons(decision) == ([hold] if hold else [])
    runs_here = "observation" in more
    assert (reached(decision) is Step.PROMOTING) is (hold is None and not runs_here)


def test_the_lease_that_was_acknowledged_counts_and_not_the_newest_commits() -> None:
    shorter = replace(LEASE, time=1, fence_after=2)
    assert decide(disaster(silent=10.0, lease_of=shorter)).entry is None


@pytest.mark.parametrize(("age", "promotes"), [(0.5, True), (11.0, False)])
def test_a_silence_is_counted_only_up_to_the_last_list(age: float, promotes: bool) -> None:
    """Whoever cannot reach Git itself counts nobody's silence."""
    k = disaster(silent=30.0)
    assert k.listing is not None
    k = replace(k, listing=replace(k.listing, at=NOW - age))
    fenced = not any(wait.on == "heartbeat of b" for wait in decide(k).waits)
    assert fenced is promotes


def test_a_young_heartbeat_is_waited_out_with_its_end_told() -> None:
    decision = decide(disaster(silent=4.0))
    assert (decision.entry, [each.at_most for each in decision.waits]) == (None, [LEASE.fence_after])


@pytest.mark.parametrize(
    ("beat", "lost"),
    [
        ({}, 3.0 + 5 + 1 + 6),
        ({"lease": None}, 3.0 + 5000),
        ({"witnessed": False}, 3.0 + 5 + 1 + 6),
        ({"witnessed": False, "lease": None}, "unknown"),
        ({"exposure": None}, "unknown"),
    ],
    ids=[
        "until its lease has stopped it",
        "without a lease: all",
        "not witnessed: whole",
        "unknown",
        "no exposure",
    ],
)
def test_the_loss_is_never_judged_smaller_than_it_is(beat: dict[str, Any], lost: Any) -> None:
    says = OVERRIDE | {"allow_data_loss": "unknown"}
    entry = decide(disaster(silent=5000.0, seen=beat, says=says)).entry
    assert entry is not None
    assert entry.loss == lost


def test_nothing_is_lost_where_the_last_proof_is_held() -> None:
    proof = ack("b", AckState.DEMOTED, 1, **given())
    entry = decide(disaster(silent=1.0, ack=proof, seen={"running": False}, says={"allow_data_loss": None})).entry
    assert entry is not None
    assert entry.loss == 0.0


def test_the_loss_is_judged_anew_before_each_call_until_one_was_accepted() -> None:
    own = ack("a", AckState.PROMOTING, 2, promotion=Promotion(2, 49))
    told = journal(Step.PROMOTING, 2, promotion=Promotion(2, 49), settled=AckState.PROMOTING, loss=4.0)
    says = OVERRIDE | {"allow_data_loss": 20.0}
    beat = {"lease": None}
    sites = {"a": seen(own, "a")}
    assert kinds(decide(disaster(silent=10.0, told=told, seen=beat, says=says, sites=sites))) == ["EnsurePrimary"]
    grown = disaster(silent=40.0, told=told, seen=beat, says=says, sites=sites)
    assert (reasons(decide(grown)), kinds(decide(grown))) == (["DataLoss"], [])
    asked = replace(SECONDARY, asked=ReplicaRole.PRIMARY)
    noted = decide(disaster(silent=10.0, told=told, seen=beat, says=says, sites=sites, replica=asked)).entry
    assert noted is not None
    assert (noted.called, noted.loss) == (True, 13.0)
    accepted = replace(told, called=True)
    assert kinds(decide(disaster(silent=900.0, told=accepted, seen=beat, says=says, sites=sites))) == ["EnsurePrimary"]


def test_a_declared_down_site_stays_an_exception_only_while_it_is_silent() -> None:
    told = journal(Step.PASSIVE, 3, settled=AckState.PASSIVE, down=("c",))
    own = ack("a", AckState.READY, 3, settled=AckState.PASSIVE)
    gone = ack("b", AckState.DEMOTED, 3, **given())
    lost = ack("c", AckState.PROMOTED, 1, promotion=Promotion(1, 9))
    theirs = replace(gone, promotion=Promotion(2, 30), demotion=Demotion(Promotion(2, 30), 3, 40, ("a",)))

    def promotes(silent: float, declared: float | None, **beat: Any) -> bool:
        quiet = seen(lost, "c", heartbeat_since=NOW - silent, ack_since=NOW - silent, **beat)
        sites = {"a": seen(own, "a"), "b": seen(theirs), "c": quiet}
        since = {} if declared is None else {"c": NOW - declared}
        k = knows(
            told, placement("a", 3), listing=listing(sites=sites), carried_by=("a", "b", "c"), declared_since=since
        )
        return reached(decide(k)) is Step.PROMOTING

    assert promotes(60, 50)
    assert not promotes(60, 5), "not yet for T_fence since this process saw the epoch"
    assert not promotes(60, None), "counting begins anew with each process"
    assert not promotes(5, 50), "it has spoken again"
    assert promotes(60, 25, lease=LEASE)
    assert not promotes(60, 15, lease=LEASE), "its lease lasts longer than ten polls"


# The site that returns


def test_a_disaster_epoch_stops_at_once_with_or_without_git() -> None:
    move = placement("b", 2, "disaster", declared_down=("a",))
    k = knows(journal(Step.ACTIVE), move)
    for known in (k, replace(k, listing=None)):
        decision = decide(known)
        assert (reached(decision), decision.permit, decision.run) == (Step.STOPPING, "close", False)
    assert decide(replace(k, listing=None)).ack is None, "no push may hold a stop up"


def test_a_site_that_another_one_overtook_stops_and_a_forged_word_stops_nobody() -> None:
    later = ack("b", AckState.ACTIVE, 2, promotion=Promotion(2, 9))
    told, stays = journal(Step.ACTIVE, 2), placement("a", 2)
    true = listing(sites={"b": seen(later, placement=placement("b", 2))})
    assert reached(decide(knows(told, stays, listing=true))) is Step.STOPPING
    for forged in (
        seen(later, on_branch=False),
        seen(later, placement=placement("a", 2)),
        seen(later, placement=placement("b", 1)),
        seen(later, distrust="its acks went back"),
    ):
        decision = decide(knows(told, stays, listing=listing(sites={"b": forged})))
        assert (reached(decision), decision.run) == (None, True)


def returning(word: AckState, **more: Any) -> Any:
    consent = more.pop("consent", True)
    move = placement("b", 2, "disaster", allow_discard=("a",) if consent else ())
    promoted = ack("b", word, 2, promotion=Promotion(2, 9))
    stopped = ack("a", AckState.STOPPED, 2, settled=AckState.ACTIVE, promotion=FIRST)
    told = journal(Step.DEMOTING, 2, stop_orders=(StopOrder("commit-2", 2, "b"),), **more.pop("told", {}))
    return knows(told, move, promoted, stopped, **({"replica": DIVERGED} | more))


@pytest.mark.parametrize("word", [AckState.PROMOTED, AckState.ACTIVE])
def test_a_returning_replica_is_overwritten_only_with_consent_and_once_the_other_is_primary(word: AckState) -> None:
    assert decide(returning(word)).effects == (EnsureSecondary(discard_local=True),)
    refused = decide(returning(word, consent=False))
    assert (reasons(refused), refused.effects) == (["NeedsDiscard"], ())
    assert decide(returning(AckState.PROMOTING)).effects == (), "it only promises"


@pytest.mark.parametrize("more", [{"gate": Gate(True)}, {"observation": BUSY}], ids=["gate not proven", "it runs"])
def test_nothing_is_discarded_without_the_proof_that_nothing_writes(more: dict[str, Any]) -> None:
    assert EnsureSecondary(discard_local=True) not in decide(returning(AckState.ACTIVE, **more)).effects


def test_consent_belongs_to_its_epoch() -> None:
    later = placement("b", 3)
    told = journal(Step.DEMOTING, 3, stop_orders=(StopOrder("commit-2", 2, "b"),), discard=True)
    word = ack("b", AckState.ACTIVE, 3, promotion=Promotion(3, 12))
    own = ack("a", AckState.STOPPED, 3, settled=AckState.ACTIVE, promotion=FIRST)
    decision = decide(knows(told, later, word, own, replica=DIVERGED))
    assert (reasons(decision), decision.effects) == (["NeedsDiscard"], ())


def test_a_returning_site_says_stopped_where_the_array_cannot_prove_more() -> None:
    told = journal(Step.DEMOTING, 2, stop_orders=(StopOrder("commit-2", 2, "b"),))
    move = placement("b", 2, "disaster")
    k = knows(told, move, ack("b", AckState.PASSIVE, 1), replica=PRIMARY)
    assert kinds(decide(k)) == ["EnsureSecondary", "VoidOlderVersions"]
    said = decide(replace(k, voided=True)).ack
    assert said is not None
    assert (said.state, said.settled) == (AckState.STOPPED, AckState.ACTIVE)


def test_the_end_of_a_resynchronisation_proves_nothing_about_other_replicas() -> None:
    told = journal(Step.RESYNCING, 2, promotion=FIRST)
    move = placement("b", 2, "disaster", allow_discard=("a",))
    word = ack("b", AckState.ACTIVE, 2, promotion=Promotion(2, 9))
    done = decide(knows(told, move, word, voided=True)).entry
    assert done is not None
    assert (done.step, done.demotion) == (Step.DEMOTED, Demotion(FIRST, 2, 51, ()))
    assert EnsureSecondary(True) in decide(knows(told, move, word, replica=DIVERGED)).effects


def half_a_copy(**more: Any) -> Any:
    """Site a was being overwritten by b, which is lost; people go on with a."""
    told = journal(Step.RESYNCING, 3, promotion=FIRST, stop_orders=more.pop("orders", ()))
    gone = ack("b", AckState.ACTIVE, 2, promotion=Promotion(2, 9))
    lost = seen(gone, running=True, exposure=0.0, lease=LEASE, heartbeat_since=NOW - 30, guard_since=NOW - 30)
    says = {"declared_down": ("b",), "allow_data_loss": "unknown"} | more.pop("says", {})
    newest = placement("a", 3, "disaster", **says)
    return knows(told, newest, listing=listing(sites={"b": lost}), **({"replica": DIVERGED} | more))


@pytest.mark.parametrize(
    ("more", "step"),
    [
        ({}, Step.PROMOTING),
        ({"says": {"allow_data_loss": 1e9}}, None),
        ({"says": {"declared_down": ()}}, None),
        ({"observation": BUSY}, None),
        ({"replica": SECONDARY, "voided": True}, Step.DEMOTED),
    ],
    ids=["all is given", "how much is lost is not known", "not declared down", "something runs", "the copy is whole"],
)
def test_half_a_copy_is_gone_on_with_only_by_a_disaster_move_that_accepts_any_loss(more: Any, step: Any) -> None:
    """I3: the site that overwrote it may never come back."""
    assert reached(decide(half_a_copy(**more))) is step


def test_declaring_down_who_overwrote_it_lifts_the_stop_order_that_named_it() -> None:
    lifted = decide(half_a_copy(orders=(StopOrder("commit-2", 2, "b"),))).entry
    assert lifted is not None
    assert (lifted.step, lifted.stop_orders) == (Step.RESYNCING, ())


def test_a_promotion_of_half_a_copy_never_learns_how_much_was_lost() -> None:
    told = journal(Step.PROMOTING, 3, promotion=Promotion(3, 51), before=FIRST, loss="unknown", down=("b",))
    own = replace(ack("a", AckState.PROMOTING, 3, promotion=Promotion(3, 51)), settled=AckState.PROMOTING)
    for allowed, called in (("unknown", ["EnsurePrimary"]), (1e9, [])):
        k = half_a_copy(says={"allow_data_loss": allowed})
        sites = {**k.listing.sites, "a": seen(own, "a")}
        assert kinds(decide(replace(k, journal=told, listing=replace(k.listing, sites=sites)))) == called


# P19


def test_a_restored_cluster_closes_stops_and_says_only_that() -> None:
    behind = {"restored": "its counter is behind its own heartbeat"}
    own = ack("a", AckState.ACTIVE, 1, promotion=FIRST)
    k = knows(journal(Step.ACTIVE), placement("a", 1), own, permit=OPEN, **behind)
    assert (decide(k).permit, decide(k).run) == ("close", False)
    closed = replace(k, permit=CLOSED, gate=Gate(True))
    assert kinds(decide(closed)) == ["Stop"]
    still = knows(journal(Step.ACTIVE), placement("a", 1), own, permit=CLOSED, observation=None, **behind)
    said = decide(still)
    assert said.ack is not None
    assert (said.ack.state, said.entry) == (AckState.FAILED, None)


def test_what_has_been_said_of_a_failure_is_not_said_again() -> None:
    own = ack("a", AckState.FAILED, 1, promotion=FIRST)
    restored = knows(journal(Step.ACTIVE), placement("a", 1), own, permit=CLOSED, observation=None, restored="behind")
    unfit = knows(journal(Step.PASSIVE, 2), placement("a", 2), ack("a", AckState.FAILED, 2), unfit=("no class",))
    for k, reason in ((restored, "Restored"), (unfit, "NotFit")):
        assert (reasons(decide(k)), decide(k).ack) == ([reason], None)


def test_another_sites_cluster_is_not_touched() -> None:
    for step in Step:
        k = knows(journal(step), placement("b", 2, "disaster"), unbound="it is bound to site c", permit=OPEN)
        decision = decide(k)
        assert (decision.works, reasons(decision), decision.run) == (False, ["WrongCluster"], False)


def test_a_rebuilt_cluster_goes_on_from_its_own_ack_and_begins_with_stopping() -> None:
    own = ack("a", AckState.ACTIVE, 4, promotion=Promotion(4, 60), sequence=70)
    decision = decide(knows(journal(Step.PASSIVE, 1), placement("a", 4), own))
    assert decision.entry is not None
    assert (decision.entry.epoch, decision.entry.step, decision.entry.sequence) == (4, Step.STOPPING, 1070)
    assert decision.permit == "close"
    rested = ack("a", AckState.DEMOTED, 4, promotion=FIRST, demotion=Demotion(FIRST, 4, 69), sequence=70)
    assert reached(decide(knows(journal(Step.PASSIVE, 1), placement("b", 4), rested))) is Step.PASSIVE


def test_a_way_home_that_is_asked_for_too_early_is_held_with_a_way_out_that_can_be_committed() -> None:
    """An epoch that names this site cannot also let its replica be overwritten."""
    told = journal(Step.DEMOTING, 3, promotion=FIRST)
    word = ack("b", AckState.ACTIVE, 2, promotion=Promotion(2, 9))
    sites = {"b": seen(word, placement=placement("b", 2))}
    decision = decide(knows(told, placement("a", 3), listing=listing(sites=sites), replica=DIVERGED))
    assert reasons(decision)[-1] == "NeedsDiscard"
    assert decision.holds[-1].lifted_by.startswith("siteshift failover ledger --to b, then siteshift allow-discard")
