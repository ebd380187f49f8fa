"""P6, P8, P14, P15: what a listing proves, what a push rests on, and what happens when the server forgets."""

from __future__ import annotations

import pytest

from reconciler.errors import ClusterError, PushRefused, SourceError
from reconciler.failover.protocol.documents import read_heartbeat, write_ack
from reconciler.failover.protocol.values import Ack, AckState, Running
from reconciler.fleet.model import Placement
from reconciler.git.memory import Commit, MemoryRepository
from reconciler.replica import ReplicaRole

from .publishing import ACKS_OF_A, ACKS_OF_B, BEATS_OF_A, BEATS_OF_B, Sites, ack


@pytest.fixture
def sites() -> Sites:
    return Sites()


def test_only_a_list_after_an_accepted_push_is_a_proof(sites: Sites) -> None:
    assert not sites.a.fetch().proven
    assert sites.a.accepted_at is None
    assert sites.a.heartbeat({}, 0).proven
    assert sites.a.accepted_at == sites.clock.now
    assert sites.records["a"].accepted == [1000.0]


def test_a_proof_stays_one_while_nothing_changes_and_grows_old(sites: Sites) -> None:
    sites.a.heartbeat({}, 0)
    proven = sites.clock.now
    sites.clock.now += 7
    again = sites.a.fetch()
    assert (again.proven, again.at) == (True, proven)
    sites.server.commit({"x": b"2"})
    later = sites.a.fetch()
    assert (later.proven, later.at) == (False, sites.clock.now)


def test_an_accepted_ack_proves_freshness_and_is_no_sign_of_life_for_a_lease(sites: Sites) -> None:
    sites.a.fetch()
    assert sites.a.push(ack("a", AckState.PASSIVE), None).proven
    assert sites.a.accepted_at is None


def test_a_refused_push_proves_nothing_and_keeps_what_was_listed(sites: Sites) -> None:
    listing, accepted = sites.a.heartbeat({}, 0), sites.a.accepted_at
    sites.clock.now += 5
    sites.server.fails = "gone"
    with pytest.raises(SourceError):
        sites.a.heartbeat({}, 0)
    assert (sites.a.latest, sites.a.accepted_at) == (listing, accepted)


def test_an_accepted_push_counts_although_nothing_can_be_read_after_it(
    sites: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites.a.fetch()

    def fetch(self: MemoryRepository, refs: object = ()) -> None:
        raise SourceError("cut off")

    monkeypatch.setattr(MemoryRepository, "fetch", fetch)
    with pytest.raises(SourceError, match="cut off"):
        sites.a.heartbeat({}, 0)
    assert sites.a.accepted_at == sites.clock.now
    assert sites.records["a"].accepted == [1000.0]


def test_a_counter_is_written_in_the_cluster_before_it_is_pushed(sites: Sites) -> None:
    sites.a.heartbeat({}, 0)
    before = dict(sites.server.refs)
    sites.records["a"].fails = True
    with pytest.raises(ClusterError):
        sites.a.heartbeat({}, 0)
    assert sites.server.refs == before
    sites.records["a"].fails = False
    sites.server.fails = "gone"
    with pytest.raises(SourceError):
        sites.a.heartbeat({}, 0)
    sites.server.fails = None
    assert sites.process("a").heartbeat({}, 0).counter == 3


def test_a_heartbeat_says_what_this_site_knows(sites: Sites) -> None:
    sites.b.heartbeat({}, 0)
    sites.b.heartbeat({}, 0)
    sites.a.fetch()
    sites.say(sites.a, ack("a", AckState.PASSIVE))
    running = {"ledger": Running(True, ReplicaRole.PRIMARY, 3.0)}
    listing = sites.a.heartbeat(running, 9)
    said = read_heartbeat(sites.server.commits[sites.server.refs[BEATS_OF_A]].files["heartbeat.json"], "x")
    assert (said.counter, said.cluster, said.guard, said.echo) == (1, "uid-a", 9, {"b": 2})
    assert (said.ack_head, said.branch_head) == (sites.server.refs[ACKS_OF_A], listing.head)
    assert said.applications == running


def test_a_heartbeat_whose_answer_was_lost_is_followed_by_the_next(sites: Sites) -> None:
    sites.a.heartbeat({}, 0)
    successor = sites.process("a")
    successor.heartbeat({}, 0)
    assert sites.a.heartbeat({}, 0).counter == 3


def test_a_heartbeat_of_a_rival_is_not_replaced(sites: Sites) -> None:
    sites.a.heartbeat({}, 0)
    clone = sites.process("a")
    clone._record = type(sites.records["a"])("uid-x", "a", counter=50)
    clone.heartbeat({}, 0)
    with pytest.raises(PushRefused):
        sites.a.heartbeat({}, 0)


def test_a_server_that_refuses_to_replace_heartbeats_gets_them_appended(sites: Sites) -> None:
    sites.server.keeps_history = True
    first = sites.a.heartbeat({}, 0)
    second = sites.a.heartbeat({}, 0)
    assert (first.counter, second.counter, second.proven) == (1, 2, True)
    assert sites.server.commits[sites.server.refs[BEATS_OF_A]].parents


def test_each_application_has_its_own_words_on_one_ref(sites: Sites) -> None:
    sites.say(sites.b, ack("b", AckState.PASSIVE))
    sites.say(sites.b, ack("b", AckState.ACTIVE, "payments", 4))
    sites.a.fetch()
    ledger, payments = sites.a.of("ledger"), sites.a.of("payments")
    assert ledger is not None
    assert payments is not None
    assert ledger.sites["b"].ack == ack("b", AckState.PASSIVE)
    assert payments.sites["b"].ack == ack("b", AckState.ACTIVE, "payments", 4)
    assert ledger.sites.keys() == {"a", "b"}


def test_what_the_branch_says_of_an_ack_is_filled_in_by_who_knows_the_branch(sites: Sites) -> None:
    sites.say(sites.b, ack("b", AckState.PASSIVE))
    head, placement = sites.a.fetch().head, Placement("b", 1, "planned", "p")
    asked: list[tuple[Ack, str]] = []

    def place(said: Ack, head: str) -> tuple[bool, Placement]:
        asked.append((said, head))
        return True, placement

    listing = sites.a.of("ledger", place)
    assert listing is not None
    assert (listing.sites["b"].on_branch, listing.sites["b"].placement) == (True, placement)
    assert not listing.sites["a"].on_branch
    assert asked == [(ack("b", AckState.PASSIVE), head)]


def test_a_push_rests_on_the_value_that_the_decision_saw(sites: Sites) -> None:
    sites.say(sites.a, ack("a", AckState.PASSIVE))
    seen = sites.a.fetch().value
    paused = sites.process("a")
    assert paused.fetch().value == seen
    sites.say(sites.a, ack("a", AckState.READY, sequence=2))
    for publisher in (paused, sites.a):
        with pytest.raises(PushRefused):
            publisher.push(ack("a", AckState.FAILED, sequence=3), seen)
    sites.a.fetch()
    assert sites.a.own_words().acks == {"ledger": ack("a", AckState.READY, sequence=2)}


def test_a_push_of_another_application_by_this_process_does_not_void_a_decision(sites: Sites) -> None:
    sites.say(sites.a, ack("a", AckState.PASSIVE))
    seen = sites.a.fetch().value
    sites.a.push(ack("a", AckState.PASSIVE, "payments"), seen)
    sites.a.push(ack("a", AckState.READY, sequence=2), seen)
    assert sites.a.own_words().acks == {
        "ledger": ack("a", AckState.READY, sequence=2),
        "payments": ack("a", AckState.PASSIVE, "payments"),
    }
    with pytest.raises(PushRefused):
        sites.a.push(ack("a", AckState.FAILED, sequence=3), seen)


def test_an_ack_of_a_lower_sequence_is_refused_by_the_pusher_itself(sites: Sites) -> None:
    sites.say(sites.a, ack("a", AckState.READY, sequence=5))
    successor = sites.process("a")
    value = successor.fetch().value
    with pytest.raises(PushRefused, match="has sequence 5 for ledger, this ack has 4"):
        successor.push(ack("a", AckState.FAILED, sequence=4), value)
    assert sites.server.refs[ACKS_OF_A] == value


def test_a_look_for_news_reads_nothing(sites: Sites) -> None:
    assert sites.a.changed()
    sites.a.fetch()
    assert not sites.a.changed()
    sites.b.heartbeat({}, 0)
    assert sites.a.changed()
    assert sites.a.of("ledger").sites["b"].heartbeat is None  # type: ignore[union-attr]


@pytest.mark.parametrize("lost", ["older", "gone"])
@pytest.mark.parametrize("mirror", ["kept", "gone"])
def test_a_server_restored_from_a_backup_is_told_again_at_once(sites: Sites, lost: str, mirror: str) -> None:
    sites.say(sites.b, ack("b", AckState.PASSIVE))
    sites.b.heartbeat({}, 0)
    backup = dict(sites.server.refs)
    sites.say(sites.b, ack("b", AckState.ACTIVE, epoch=2, sequence=2))
    sites.b.heartbeat({}, 4)
    sites.a.fetch()
    for ref in (ACKS_OF_B, BEATS_OF_B):
        sites.server.refs.pop(ref)
        if lost == "older":
            sites.server.refs[ref] = backup[ref]
    sites.a.fetch()
    assert sites.a.of("ledger").sites["b"].distrust or lost == "gone"  # type: ignore[union-attr]
    if mirror == "gone":
        assert isinstance(sites.b.repository, MemoryRepository)
        sites.b.repository._commits = {}
    listing = sites.b.fetch()
    assert (listing.diverged, sites.b.own_words().acks) == (
        "",
        {"ledger": ack("b", AckState.ACTIVE, epoch=2, sequence=2)},
    )
    beat = sites.b.own_words().heartbeat
    assert beat is not None
    assert (beat.counter, beat.guard) == (3, 4)
    sites.a.fetch()
    seen = sites.a.of("ledger").sites["b"]  # type: ignore[union-attr]
    assert (seen.distrust, seen.ack) == ("", ack("b", AckState.ACTIVE, epoch=2, sequence=2))


def test_an_own_ref_that_somebody_else_wrote_is_reported_by_the_second_listing(sites: Sites) -> None:
    sites.say(sites.a, ack("a", AckState.PASSIVE, sequence=3))
    forged = {"ledger.json": write_ack(ack("a", AckState.ACTIVE, sequence=9, cluster="uid-x"))}
    sites.server.refs[ACKS_OF_A] = sites.server.add(Commit(forged, "forged"))
    assert sites.a.fetch().diverged == ""
    value = sites.server.refs[ACKS_OF_A]
    assert f"is at {value[:12]}, which this site did not push" in sites.a.fetch().diverged
    assert sites.server.refs[ACKS_OF_A] == value


def test_a_push_whose_answer_was_lost_is_recognised(sites: Sites) -> None:
    sites.say(sites.a, ack("a", AckState.PASSIVE))
    sites.say(sites.process("a"), ack("a", AckState.READY, sequence=2))
    for _ in range(2):
        assert sites.a.fetch().diverged == ""
    sites.say(sites.a, ack("a", AckState.FAILED, sequence=3))
    assert sites.a.own_words().acks["ledger"].state is AckState.FAILED


def test_another_site_is_bound_to_the_cluster_that_it_was_first_heard_from(sites: Sites) -> None:
    sites.b.heartbeat({}, 0)
    sites.a.fetch()
    assert sites.records["a"].clusters == {"b": "uid-b"}
    sites.records["b"].cluster = "uid-x"
    sites.process("b").heartbeat({}, 0)
    sites.a.fetch()
    assert sites.records["a"].clusters == {"b": "uid-b"}
    seen = sites.a.of("ledger").sites["b"]  # type: ignore[union-attr]
    assert seen.distrust == "its heartbeat is from cluster uid-x, and the site is bound to uid-b"
    sites.records["a"].clusters["b"] = "uid-x"  # as a commit that rebinds the site does
    sites.a.fetch()
    assert sites.a.of("ledger").sites["b"].distrust == ""  # type: ignore[union-attr]
