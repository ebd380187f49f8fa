"""P2, P3, P4, P8: a planned move, condition by condition; site a tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from one_site import (
    BUSY,
    CLOSED,
    DB,
    DIVERGED,
    FIRST,
    NOW,
    PRIMARY,
    QUIET,
    REFUSING,
    SECONDARY,
    SERVER,
    SVC,
    ack,
    given,
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
from reconciler.failover.protocol.decisions import State, Stop
from reconciler.failover.protocol.values import (
    Ack,
    AckState,
    Demotion,
    Gate,
    Observation,
    Promotion,
    Reading,
    StartObject,
    Step,
)
from reconciler.replica import Replica

READY = ack("b", AckState.READY, 2, settled=AckState.PASSIVE)
MOVE = placement("b", 2)


# P2


def test_the_source_stops_nothing_before_the_target_is_ready() -> None:
    waiting = decide(knows(journal(Step.ACTIVE), MOVE, ack("b", AckState.PASSIVE, 1)))
    assert (waiting.state, waiting.run, waiting.works) == (State.MOVING, True, False)
    begun = decide(knows(journal(Step.ACTIVE), MOVE, READY))
    assert begun.entry is not None
    assert (begun.entry.step, begun.entry.epoch, begun.permit, begun.run) == (Step.STOPPING, 2, "close", False)
    assert begun.ack is not None
    assert (begun.ack.state, begun.ack.settled) == (AckState.STOPPING, AckState.ACTIVE)


@pytest.mark.parametrize(
    ("word", "more"),
    [
        (ack("b", AckState.READY, 1, settled=AckState.PASSIVE), {}),
        (READY, {"heartbeat_since": NOW - 4}),
        (READY, {"witnessed": False}),
        (READY, {"distrust": "its acks went back"}),
        (READY, {"on_branch": False}),
        (READY, {"placement": placement("b", 1)}),
        (ack("b", AckState.FAILED, 2, settled=AckState.PASSIVE), {}),
        (None, {}),
    ],
    ids=[
        "of another epoch",
        "beside a dead heartbeat",
        "never seen to live",
        "on a distrusted ref",
        "of another branch",
        "another epoch at its commit",
        "failed since",
        "not said",
    ],
)
def test_no_other_word_than_a_living_ready_for_this_epoch_stops_anybody(word: Ack | None, more: dict[str, Any]) -> None:
    decision = decide(knows(journal(Step.ACTIVE), MOVE, listing=listing(sites={"b": seen(word, **more)})))
    assert (decision.state in (State.MOVING, State.HELD), decision.entry, decision.permit) == (True, None, None)
    assert decision.run


def test_a_target_says_ready_when_it_follows_and_nothing_is_here() -> None:
    newest = placement("a", 2)
    told = journal(Step.PASSIVE, 2, settled=AckState.PASSIVE)
    active = ack("b", AckState.ACTIVE, 1, promotion=FIRST)
    decision = decide(knows(told, newest, active))
    assert decision.ack is not None
    assert (decision.ack.state, decision.ack.settled, decision.expects) == (AckState.READY, AckState.PASSIVE, "own")


@pytest.mark.parametrize(
    "more",
    [
        {"readings": readings_of(QUIET, SECONDARY, DIVERGED)},
        {"readings": readings_of(QUIET, DIVERGED, SECONDARY)},
        {"readings": readings_of(QUIET, SECONDARY)[1:]},
        {"readings": ()},
        {"sites": {"b": seen(ack("b", AckState.ACTIVE, 1, promotion=FIRST), running=True, exposure=31.0)}},
        {"gate": Gate(True, {"https://a": False})},
        {"gate": Gate(False)},
    ],
    ids=["not in sync", "flapping", "read once", "not read", "beyond the RPO", "gate open", "no gate"],
)
def test_ready_is_not_said_without_its_proof(more: dict[str, Any]) -> None:
    sites = more.pop("sites", {"b": seen(ack("b", AckState.ACTIVE, 1, promotion=FIRST), running=True)})
    told = journal(Step.PASSIVE, 2, settled=AckState.PASSIVE)
    decision = decide(knows(told, placement("a", 2), listing=listing(sites=sites), **more))
    assert decision.ack is None


def test_ready_is_said_anew_as_failed_when_it_stops_being_true() -> None:
    own = ack("a", AckState.READY, 2, settled=AckState.PASSIVE)
    active = ack("b", AckState.ACTIVE, 1, promotion=FIRST)
    told = journal(Step.PASSIVE, 2, settled=AckState.PASSIVE)
    fits = decide(knows(told, placement("a", 2), own, active))
    assert (fits.state, fits.ack) == (State.READY, None)
    lost = decide(knows(told, placement("a", 2), own, active, replica=DIVERGED))
    assert lost.ack is not None
    assert lost.ack.state is AckState.FAILED


def test_a_target_that_does_not_fit_says_so_and_promotes_nothing() -> None:
    told = journal(Step.PASSIVE, 2, settled=AckState.PASSIVE)
    gone = ack("b", AckState.DEMOTED, 2, **given())
    decision = decide(knows(told, placement("a", 2), gone, unfit=("claim bank/data is not bound",)))
    assert (reasons(decision), decision.entry) == (["NotFit"], None)
    assert decision.ack is not None
    assert decision.ack.evidence == {"reason": "claim bank/data is not bound"}


# P3


def test_stops_go_in_reverse_run_level_order() -> None:
    both = tuple(StartObject(ref, level, stopped=False, runs=True) for ref, level in ((DB, "10"), (SVC, "50")))
    told = journal(Step.STOPPING, 2)

    def stops(*objects: StartObject, left: tuple[Any, ...]) -> Any:
        observation = Observation(NOW, objects, instances=left)
        return decide(knows(told, MOVE, observation=observation)).effects

    assert stops(*both, left=(DB, SVC)) == (Stop((SVC,)),)
    assert stops(both[0], replace(both[1], stopped=True), left=(DB, SVC)) == ()
    assert stops(both[0], replace(both[1], stopped=True, runs=False), left=(DB,)) == (Stop((DB,)),)


NO_WRITERS = {
    "gate open at one server": {"gate": Gate(True, {"https://a": True, "https://b": False})},
    "one server silent": {"gate": Gate(True, {"https://a": True, "https://b": None})},
    "gate closed a moment ago": {"gate": Gate(True, {"https://a": True}, NOW - 0.5)},
    "gate's policies changed": {"gate": replace(REFUSING, installed=False)},
    "permit open": {"permit": replace(CLOSED, since=0.0, until=SERVER)},
    "a pod": {"observation": replace(QUIET, pods=(DB,))},
    "an attachment": {"observation": replace(QUIET, attachments=(DB,))},
    "an instance": {"observation": replace(QUIET, instances=(DB,))},
    "it would start": {"observation": replace(QUIET, objects=(StartObject(DB, "10", stopped=False),))},
    "not readable": {"observation": None},
    "read once": {"readings": readings_of(QUIET, SECONDARY)[1:]},
    "read twice at one moment": {
        "readings": (Reading(replace(QUIET, at=NOW - 0.1), SECONDARY), Reading(QUIET, SECONDARY))
    },
    "ran a moment ago": {"readings": (Reading(replace(BUSY, at=NOW - 1), SECONDARY), Reading(QUIET, SECONDARY))},
    "first read too early": {
        "gate": Gate(True, {"https://a": True}, NOW - 1.5),
        "readings": (Reading(replace(QUIET, at=NOW - 1), SECONDARY), Reading(QUIET, SECONDARY)),
    },
}


@pytest.mark.parametrize("more", NO_WRITERS.values(), ids=NO_WRITERS.keys())
@pytest.mark.parametrize("step", [Step.STOPPING, Step.DEMOTING])
def test_without_the_whole_proof_nothing_is_demoted(step: Step, more: dict[str, Any]) -> None:
    decision = decide(knows(journal(step, 2), MOVE, READY, voided=True, **more))
    assert reached(decision) not in (Step.DEMOTED, *((Step.DEMOTING,) if step is Step.STOPPING else ()))
    assert decision.ack is None or decision.ack.state not in (AckState.DEMOTED, AckState.STOPPED)


def test_a_silent_api_server_becomes_a_hold_with_its_way_out() -> None:
    silent = Gate(True, {"https://a": True, "https://b": None})
    decision = decide(knows(journal(Step.STOPPING, 2), MOVE, gate=silent, step_since=NOW - 5))
    assert reasons(decision) == ["ApiServerSilent"]
    assert "https://b" in decision.holds[0].message


def test_the_proof_leads_to_final_sync_secondary_voiding_journal_and_ack_in_this_order() -> None:
    begun = decide(knows(journal(Step.STOPPING, 2), MOVE, READY, replica=PRIMARY))
    assert reached(begun) is Step.DEMOTING
    told = journal(Step.DEMOTING, 2)
    assert kinds(decide(knows(told, MOVE, READY, replica=PRIMARY))) == ["FinalSync", "EnsureSecondary"]
    assert kinds(decide(knows(told, MOVE, READY))) == ["VoidOlderVersions"]
    done = decide(knows(told, MOVE, READY, voided=True))
    assert done.entry is not None
    assert done.ack is not None
    assert (done.entry.step, done.entry.role, done.effects) == (Step.DEMOTED, "passive", ())
    assert (done.ack.state, done.ack.settled) == (AckState.DEMOTED, AckState.DEMOTED)
    assert done.ack.demotion == Demotion(FIRST, 2, 51, ("b",))


@pytest.mark.parametrize(
    "replicas",
    [(SECONDARY, DIVERGED), (DIVERGED, SECONDARY)],
    ids=["not in sync", "was not"],
)
def test_a_flapping_replica_proves_nothing(replicas: tuple[Replica, Replica]) -> None:
    k = knows(journal(Step.DEMOTING, 2), MOVE, READY, voided=True, readings=readings_of(QUIET, *replicas))
    assert decide(k).entry is None


def test_in_sync_with_another_replica_than_the_targets_is_no_proof_but_a_barrier_token_is() -> None:
    unnamed = replace(SECONDARY, peers=("c",))
    assert reasons(decide(knows(journal(Step.DEMOTING, 2), MOVE, READY, replica=unnamed))) == ["NotTheTargetsReplica"]
    token = replace(unnamed, token="t9")
    decision = decide(knows(journal(Step.DEMOTING, 2), MOVE, READY, replica=token, voided=True))
    assert decision.ack is not None
    assert decision.ack.demotion is not None
    assert decision.ack.demotion.token == "t9"


def test_a_replica_that_never_is_in_sync_becomes_a_hold() -> None:
    k = knows(journal(Step.DEMOTING, 2), MOVE, READY, replica=DIVERGED)
    (waiting,) = decide(k).waits
    late = decide(replace(k, waiting={waiting.key: NOW - 100}))
    assert reasons(late) == ["NotInSync"]


def test_what_comes_back_while_it_is_demoted_is_stopped_again() -> None:
    decision = decide(knows(journal(Step.DEMOTING, 2), MOVE, READY, observation=BUSY))
    assert (reached(decision), decision.permit) == (Step.STOPPING, "close")


@pytest.mark.parametrize("step", [Step.STOPPING, Step.DEMOTING])
def test_taking_back_before_the_point_of_no_return_needs_p4(step: Step) -> None:
    told, back = journal(step, 2), placement("a", 3)
    superseded = ack("b", AckState.SUPERSEDED, 3)
    assert reached(decide(knows(told, back, superseded))) is Step.PROMOTING
    promoting = ack("b", AckState.PROMOTING, 2, promotion=Promotion(2, 8))
    refused = decide(knows(told, back, promoting))
    assert reached(refused) is not Step.PROMOTING
