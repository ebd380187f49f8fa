"""P6, P7, P10, P16 and I5: leases, permits that lapsed, what is said at rest, and a steady fleet; site a tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from one_site import (
    BUSY,
    FIRST,
    LEASE,
    NOW,
    PRIMARY,
    QUIET,
    SECONDARY,
    SERVER,
    ack,
    journal,
    kinds,
    knows,
    listing,
    placement,
    reached,
    readings_of,
    reasons,
    seen,
)

from reconciler.failover.protocol.decide import decide
from reconciler.failover.protocol.decisions import Decision
from reconciler.failover.protocol.lease import is_over, named, obeyed
from reconciler.failover.protocol.values import (
    AckState,
    Gate,
    Journal,
    Lapse,
    LeaseFacts,
    Listing,
    Permit,
    Promotion,
    Step,
)
from reconciler.replica import ReplicaRole, Sync

SHORT, LONG = LEASE, replace(LEASE, time=50, fence_after=120)
STAYS = placement("a", 1)
OWN = ack("a", AckState.ACTIVE, 1, promotion=FIRST)
AWAY = ack("b", AckState.PASSIVE, 1)
RAN_OUT = Permit(SERVER - 60, SERVER - 10)


# P6


@pytest.mark.parametrize(
    ("counted", "recorded", "over"),
    [(4.9, 4.9, False), (5.0, 1.0, True), (1.0, 5.0, True), (None, 4.9, False), (None, 5.0, True), (1.0, None, True)],
    ids=["young", "by this process", "by the cluster's clock", "a new process", "a new process, late", "unreadable"],
)
def test_the_larger_age_counts_and_what_cannot_be_told_has_run_out(
    counted: float | None, recorded: float | None, over: bool
) -> None:
    assert is_over((LEASE,), LeaseFacts(counted, recorded)) is over
    assert is_over((LEASE,), None)
    assert not is_over((None,), LeaseFacts(None, None)), "keep never runs out"


def test_while_the_lease_changes_the_shorter_is_obeyed_and_the_longer_named() -> None:
    assert (obeyed((SHORT, LONG)), named((SHORT, LONG))) == (SHORT, LONG)
    assert (obeyed((None, SHORT)), named((None, SHORT))) == (SHORT, None)
    assert (obeyed((None,)), named((None,)), named(())) == (None, None, None)


@pytest.mark.parametrize("step", [Step.STARTING, Step.ACTIVE])
def test_a_lease_that_ran_out_stops_without_git(step: Step) -> None:
    k = knows(journal(step, leases=(LEASE,)), STAYS, lease=LeaseFacts(6.0, 6.0))
    decision = decide(replace(k, listing=None, history=None))
    assert (reached(decision), decision.permit, decision.ack) == (Step.STOPPING, "close", None)
    assert decision.entry is not None
    assert decision.entry.stopped_for == "Lease"


def test_a_lease_holds_while_it_is_promoted_and_while_it_stops() -> None:
    late = LeaseFacts(6.0, 6.0)
    told = journal(Step.PROMOTING, promotion=Promotion(1, 49), leases=(LEASE,), called=True)
    assert reached(decide(knows(told, STAYS, replica=PRIMARY, lease=late))) is Step.STOPPING
    demoting = journal(Step.DEMOTING, leases=(LEASE,))
    cut_off = replace(knows(demoting, STAYS, replica=PRIMARY, lease=late), listing=None)
    assert kinds(decide(cut_off))[0] == "EnsureSecondary", "no final sync: it does not wait for the array"
    stopping = journal(Step.STOPPING, leases=(LEASE,))
    assert kinds(decide(replace(knows(stopping, STAYS, observation=BUSY, lease=late), listing=None))) == ["Stop"]


@pytest.mark.parametrize("step", [Step.STOPPING, Step.DEMOTING])
def test_what_the_guard_stopped_opens_only_after_the_proven_end(step: Step) -> None:
    told = journal(step, stopped_for="Lease")
    assert reached(decide(knows(told, STAYS, OWN, AWAY))) not in (Step.PROMOTING, Step.STARTING, Step.ACTIVE)
    held = decide(knows(journal(Step.ACTIVE, stopped_for="Lease"), STAYS, OWN, AWAY))
    assert (held.run, reached(held)) == (False, Step.STOPPING)
    done = decide(knows(journal(Step.DEMOTING, stopped_for="Lease"), STAYS, OWN, AWAY, voided=True)).entry
    assert done is not None
    assert (done.step, done.stopped_for) == (Step.DEMOTED, "")


@pytest.mark.parametrize(
    ("step", "placed", "takes"),
    [
        (Step.DEMOTING, placement("a", 2), True),
        (Step.STOPPING, placement("a", 2), False),
        (Step.DEMOTING, placement("b", 2), False),
    ],
    ids=["people name it anew", "something may still write", "people name another"],
)
def test_what_the_guard_stopped_is_taken_up_by_a_newer_epoch_once_nothing_writes(
    step: Step, placed: Any, takes: bool
) -> None:
    told = journal(step, stopped_for="Lease", leases=(LEASE,))
    entry = decide(knows(told, placed, OWN, AWAY, replica=replace(SECONDARY, sync=Sync.BROKEN))).entry
    assert (entry is not None and entry.step is Step.PROMOTING) is takes
    if takes:
        assert entry is not None
        assert entry.stopped_for == ""
    late = LeaseFacts(50.0, 50.0)
    assert reached(decide(knows(told, placed, OWN, AWAY, lease=late))) is not Step.PROMOTING


def test_a_site_that_its_lease_stopped_is_promoted_again_at_the_same_epoch_as_a_new_promotion() -> None:
    told = decide(knows(journal(Step.DEMOTING, stopped_for="Lease"), STAYS, OWN, AWAY, voided=True)).entry
    assert told is not None
    assert not told.primary_since
    own = ack("a", AckState.READY, 1, settled=AckState.DEMOTED, promotion=told.promotion)
    noted = decide(knows(told, STAYS, listing=listing(own, AWAY, counter=7))).entry
    assert noted is not None
    assert (noted.step, noted.lapse) == (Step.DEMOTED, Lapse(7, 1))

    def again(echo: int, **more: Any) -> Decision:
        sites = {"a": seen(own, "a"), "b": seen(AWAY, echo={"a": echo}, **more)}
        return decide(knows(noted, STAYS, listing=listing(sites=sites)))

    entry = again(8).entry
    assert entry is not None
    assert (entry.step, entry.promotion, entry.primary_since) == (Step.PROMOTING, Promotion(1, 53), True)
    assert entry.lapse is None
    assert again(7).entry is None, "the other site may have been told to run it, and the server has forgotten it"
    assert again(8, running=True).entry is None


def test_a_site_that_stopped_itself_is_promoted_without_an_echo_by_a_newer_epoch() -> None:
    told = journal(Step.DEMOTED, promotion=FIRST, settled=AckState.DEMOTED, lapse=Lapse(7, 1))
    marked = decide(knows(told, placement("a", 2), OWN, AWAY)).entry
    assert marked is not None
    assert marked.lapse is None
    own = ack("a", AckState.READY, 2, settled=AckState.DEMOTED, promotion=FIRST)
    assert reached(decide(knows(marked, placement("a", 2), own, AWAY))) is Step.PROMOTING


def heartbeat_of_a(lease: Any) -> Listing:
    return listing(sites={"a": seen(OWN, "a", running=True, lease=lease), "b": seen(AWAY)})


@pytest.mark.parametrize(
    ("now", "wanted", "beat", "then"),
    [
        ((), SHORT, None, (SHORT,)),
        ((SHORT,), LONG, SHORT, (SHORT, LONG)),
        ((SHORT, LONG), LONG, SHORT, None),
        ((SHORT, LONG), LONG, LONG, (LONG,)),
        ((LONG,), SHORT, LONG, (LONG, SHORT)),
        ((LONG, SHORT), SHORT, LONG, (SHORT,)),
        ((SHORT, LONG), None, SHORT, (SHORT, LONG, None)),
        ((SHORT, None), None, SHORT, None),
        ((SHORT, None), None, None, (None,)),
    ],
    ids=[
        "first",
        "longer",
        "not named yet",
        "named",
        "shorter",
        "the longer is named still",
        "twice",
        "keep, not named",
        "keep, named",
    ],
)
def test_a_changed_lease_is_in_force_beside_the_old_one_until_the_longest_was_named(
    now: tuple[Any, ...], wanted: Any, beat: Any, then: tuple[Any, ...] | None
) -> None:
    k = knows(journal(Step.ACTIVE, leases=now), STAYS, listing=heartbeat_of_a(beat), lease_of=wanted)
    entry = decide(k).entry
    assert (entry.leases if entry else None) == then


# P7


def test_a_permit_that_ran_out_is_noted_with_the_counter_that_an_echo_must_exceed() -> None:
    k = knows(journal(Step.ACTIVE), STAYS, permit=RAN_OUT, listing=listing(OWN, AWAY, counter=41))
    decision = decide(k)
    assert decision.entry is not None
    assert (decision.entry.lapse, decision.permit, decision.run) == (Lapse(41, 1), None, False)


ECHOES: dict[str, tuple[dict[str, Any], bool]] = {
    "a newer counter, nothing there": ({"echo": {"a": 42}}, True),
    "the counter of the lapse": ({"echo": {"a": 41}}, False),
    "no echo": ({}, False),
    "distrusted": ({"echo": {"a": 42}, "distrust": "another cluster"}, False),
    "it runs there": ({"echo": {"a": 42}, "running": True}, False),
    "its replica is primary": ({"echo": {"a": 42}, "role": ReplicaRole.PRIMARY}, False),
}


@pytest.mark.parametrize(("more", "opens"), ECHOES.values(), ids=ECHOES.keys())
def test_a_permit_that_lapsed_opens_only_on_every_other_sites_echo(more: dict[str, Any], opens: bool) -> None:
    told = journal(Step.ACTIVE, lapse=Lapse(41, 1))
    sites = {"a": seen(OWN, "a"), "b": seen(AWAY, **more)}
    decision = decide(knows(told, STAYS, permit=RAN_OUT, listing=listing(sites=sites)))
    assert (decision.permit == "open") is opens
    stale = decide(knows(told, STAYS, permit=RAN_OUT, listing=listing(sites=sites, age=3.0)))
    assert stale.permit is None


@pytest.mark.parametrize(
    ("newest", "opens"),
    [
        (placement("a", 2, "disaster", declared_down=("b",)), True),
        (placement("a", 2, "disaster"), False),
        (placement("a", 2), False),
    ],
    ids=["declares it down", "declares nobody", "planned"],
)
def test_a_later_epoch_that_declares_the_silent_ones_down_opens_a_lapsed_permit(newest: Any, opens: bool) -> None:
    told = journal(Step.ACTIVE, 2, lapse=Lapse(41, 1))
    own = ack("a", AckState.ACTIVE, 2, promotion=FIRST)
    decision = decide(knows(told, newest, own, AWAY, permit=RAN_OUT))
    assert (decision.permit == "open") is opens


def test_a_source_that_waits_for_its_target_may_open_a_lapsed_permit_too() -> None:
    told = journal(Step.ACTIVE, lapse=Lapse(41, 1))
    sites = {"a": seen(OWN, "a"), "b": seen(AWAY, echo={"a": 42})}
    decision = decide(knows(told, placement("b", 2), permit=RAN_OUT, listing=listing(sites=sites)))
    assert decision.permit == "open"


def test_a_gate_that_changed_is_put_back_in_place() -> None:
    assert kinds(decide(knows(journal(Step.ACTIVE), STAYS, OWN, AWAY, gate=Gate(False)))) == ["InstallGate"]
    resting = decide(knows(journal(Step.PASSIVE), placement("b", 1), gate=Gate(False)))
    assert (resting.permit, kinds(resting)) == ("close", ["InstallGate"])


# P9


def test_a_stop_that_takes_too_long_is_a_named_hold_and_goes_on() -> None:
    k = knows(journal(Step.STOPPING, 2), placement("b", 2), observation=BUSY, step_since=NOW - 100)
    decision = decide(k)
    assert (reasons(decision), kinds(decision)) == (["StopTakesTooLong"], ["Stop"])


# At rest


@pytest.mark.parametrize("voided", [False, True])
def test_nothing_is_said_before_older_versions_are_void(voided: bool) -> None:
    decision = decide(knows(journal(Step.PASSIVE), placement("b", 1), voided=voided))
    assert kinds(decision) == ([] if voided else ["VoidOlderVersions"])
    assert (decision.ack is not None) is voided
    if voided:
        assert decision.entry is not None
        assert decision.entry.settled is AckState.PASSIVE


@pytest.mark.parametrize(
    "more",
    [
        {"gate": Gate(True, {"https://a": None})},
        {"readings": readings_of(QUIET, SECONDARY)[1:]},
        {"replica": replace(SECONDARY, role=ReplicaRole.UNKNOWN)},
        {"observation": None},
    ],
    ids=["a silent API server", "read once", "unknown role", "not read"],
)
def test_a_site_says_that_nothing_is_here_only_with_proof(more: dict[str, Any]) -> None:
    assert decide(knows(journal(Step.PASSIVE), placement("b", 1), voided=True, **more)).ack is None


def test_a_former_primary_says_it_only_a_request_timeout_after_its_gate_closed() -> None:
    told = journal(Step.DEMOTED, 2, promotion=FIRST, demotion=None, settled=None)
    just_closed = Gate(True, {"https://a": True}, NOW - 0.5)
    assert decide(knows(told, placement("b", 2), voided=True, gate=just_closed)).ack is None


@pytest.mark.parametrize("active", ["a", "b"], ids=["active", "passive"])
def test_a_steady_site_has_nothing_to_do(active: str) -> None:
    if active == "a":
        decision = decide(knows(journal(Step.ACTIVE), STAYS, OWN, AWAY))
    else:
        told = journal(Step.PASSIVE, settled=AckState.PASSIVE)
        decision = decide(knows(told, placement("b", 1), ack("a", AckState.PASSIVE, 1)))
    assert (decision.works, decision.waits, decision.holds) == (False, (), ())


def test_a_replica_that_is_no_primary_any_more_is_shown_and_never_forced() -> None:
    decision = decide(knows(journal(Step.ACTIVE), STAYS, OWN, AWAY, replica=SECONDARY))
    assert (reasons(decision), decision.works, decision.run) == (["NotPrimary"], False, True)


def test_the_effective_role_is_active_until_demoted_and_passive_until_promoted() -> None:
    for step in (Step.ACTIVE, Step.STOPPING, Step.DEMOTING):
        assert decide(knows(journal(step, 2), placement("b", 2))).effective_role == "active"
    for step in (Step.PASSIVE, Step.PROMOTING):
        assert decide(knows(journal(step, 2), placement("a", 2))).effective_role == "passive"


def test_what_runs_at_a_first_placement_is_adopted_and_never_stopped() -> None:
    told = Journal(1, 1, "commit-1", leases=(None,))
    facts: dict[str, Any] = {"observation": BUSY, "permit": None, "gate": Gate(False), "replica": PRIMARY}
    promised = decide(knows(told, STAYS, AWAY, **facts))
    assert (reached(promised), promised.effects, promised.permit) == (Step.PROMOTING, (), None)
    assert promised.entry is not None
    own = ack("a", AckState.PROMOTING, 1, promotion=promised.entry.promotion)
    noted = decide(knows(promised.entry, STAYS, own, AWAY, **facts)).entry
    assert noted is not None
    opened = decide(knows(noted, STAYS, own, AWAY, **facts))
    assert (reached(opened), opened.permit, kinds(opened)) == (Step.STARTING, "open", ["InstallGate"])


def test_what_runs_where_the_first_placement_does_not_want_it_is_held_up_to_people() -> None:
    told = Journal(1, 1, "commit-1", leases=(None,))
    decision = decide(knows(told, placement("b", 1), observation=BUSY))
    assert (reasons(decision), decision.works) == (["RunsHere"], False)
    primary = decide(knows(told, placement("b", 1), replica=PRIMARY))
    assert (reasons(primary), primary.works) == (["PrimaryHere"], False)


def test_what_is_started_by_hand_where_the_site_has_said_that_nothing_runs_is_stopped() -> None:
    own = ack("a", AckState.PASSIVE, 1)
    told = journal(Step.PASSIVE, settled=AckState.PASSIVE)
    assert kinds(decide(knows(told, placement("b", 1), own, observation=BUSY))) == ["Stop"]


def test_a_replica_that_is_promoted_by_hand_at_a_former_primary_is_given_up_again_after_two_readings() -> None:
    told = journal(Step.DEMOTED, 2, promotion=FIRST, settled=AckState.DEMOTED)
    own = ack("a", AckState.DEMOTED, 2, promotion=FIRST)
    once = decide(knows(told, placement("b", 2), own, readings=readings_of(QUIET, SECONDARY, PRIMARY)))
    assert once.entry is None
    again = decide(knows(told, placement("b", 2), own, replica=PRIMARY)).entry
    assert again is not None
    assert again.step is Step.STOPPING
