"""P8 and the counting of silence: what a listing proves, and what this process has seen move."""

from __future__ import annotations

import pytest
from two_sites.world import Clock

from reconciler.errors import SourceError
from reconciler.failover.execute.publisher import Publisher
from reconciler.failover.protocol.values import Ack, AckState
from reconciler.fleet.model import Refs
from reconciler.git.memory import Commit, MemoryRepository, MemoryServer
from render.tree import MemoryTree

ACKS_OF_B = "refs/siteshift/acks/b"


def ack(site: str, state: AckState, application: str = "ledger", epoch: int = 1) -> Ack:
    return Ack(application, site, epoch, "c", "u", state, state)


class Sites:
    """Two sites' publishers at one server, and the clock of the first."""

    def __init__(self) -> None:
        self.server, self.clock = MemoryServer(), Clock()
        self.server.commit({"x": b""})
        self.a, self.b = (
            Publisher(MemoryRepository(self.server), site, ("a", "b"), Refs(), self.clock) for site in ("a", "b")
        )


@pytest.fixture
def sites() -> Sites:
    return Sites()


def test_only_a_list_after_an_accepted_push_is_a_proof(sites: Sites) -> None:
    assert not sites.a.fetch().proven
    assert sites.a.accepted_at is None
    assert sites.a.heartbeat({}).proven
    assert sites.a.accepted_at == sites.clock.now


def test_a_refused_push_proves_nothing_and_keeps_what_was_listed(sites: Sites) -> None:
    listing = sites.a.heartbeat({})
    accepted = sites.a.accepted_at
    sites.clock.now += 5
    sites.server.fails = "gone"
    with pytest.raises(SourceError):
        sites.a.heartbeat({})
    assert (sites.a.latest, sites.a.accepted_at) == (listing, accepted)


def test_each_application_has_its_own_words_on_one_ref(sites: Sites) -> None:
    sites.b.push(ack("b", AckState.PASSIVE))
    sites.b.push(ack("b", AckState.ACTIVE, "payments", 4))
    sites.a.fetch()
    ledger, payments = sites.a.of("ledger"), sites.a.of("payments")
    assert ledger is not None
    assert payments is not None
    assert (ledger.acks["b"].state, payments.acks["b"].epoch) == (AckState.PASSIVE, 4)


def test_silence_is_counted_from_the_first_look_and_from_each_move(sites: Sites) -> None:
    sites.b.heartbeat({"ledger": 3.0})
    sites.clock.now += 100
    first = sites.a.fetch().signs["b"]
    assert (first.since, first.witnessed, first.exposures) == (sites.clock.now, False, {"ledger": 3.0})
    sites.clock.now += 10
    assert sites.a.fetch().signs["b"].since == first.since
    sites.b.heartbeat({})
    moved = sites.a.fetch().signs["b"]
    assert (moved.since, moved.witnessed) == (sites.clock.now, True)


@pytest.mark.parametrize("how", ["rewritten", "gone"])
def test_acks_that_went_back_are_distrusted_until_they_go_on(sites: Sites, how: str) -> None:
    sites.b.push(ack("b", AckState.PASSIVE))
    sites.a.fetch()
    good = sites.server.refs.pop(ACKS_OF_B)
    if how == "rewritten":
        sites.server.refs[ACKS_OF_B] = sites.server.add(Commit(sites.server.commits[good].files, "forged"))
    assert sites.a.fetch().distrusted == {"b"}
    sites.server.refs[ACKS_OF_B] = sites.server.add(Commit(sites.server.commits[good].files, "next", (good,)))
    assert sites.a.fetch().distrusted == frozenset()


def test_an_ack_that_cannot_be_read_is_distrusted_for_its_application_alone(sites: Sites) -> None:
    sites.b.push(ack("b", AckState.PASSIVE))
    before = sites.server.refs[ACKS_OF_B]
    files = {**sites.server.commits[before].files, "payments.json": b"{"}
    sites.server.refs[ACKS_OF_B] = sites.server.add(Commit(files, "damaged", (before,)))
    sites.a.fetch()
    ledger, payments = sites.a.of("ledger"), sites.a.of("payments")
    assert ledger is not None
    assert payments is not None
    assert (ledger.distrusted, payments.distrusted) == (frozenset(), {"b"})


def test_a_server_restored_from_a_backup_takes_our_words_again(sites: Sites) -> None:
    sites.b.push(ack("b", AckState.PASSIVE))
    older = sites.server.refs[ACKS_OF_B]
    sites.b.push(ack("b", AckState.ACTIVE, epoch=2))
    sites.server.refs[ACKS_OF_B] = older
    sites.b.push(ack("b", AckState.ACTIVE, epoch=2))
    listing = sites.b.of("ledger")
    assert listing is not None
    assert listing.acks["b"].state is AckState.ACTIVE


def test_a_folder_in_place_of_an_ack_is_distrusted_for_its_application_alone(sites: Sites) -> None:
    sites.b.push(ack("b", AckState.PASSIVE))
    before = sites.server.refs[ACKS_OF_B]
    files = {**sites.server.commits[before].files, "payments.json/x": b"{}"}
    sites.server.refs[ACKS_OF_B] = sites.server.add(Commit(files, "damaged", (before,)))
    assert sites.a.heartbeat({}).proven
    payments = sites.a.of("payments")
    assert payments is not None
    assert payments.distrusted == {"b"}


def test_a_heartbeat_that_says_nothing_is_still_a_sign_of_life(sites: Sites) -> None:
    sites.b.heartbeat({"ledger": 3.0})
    sites.a.fetch()
    sites.clock.now += 10
    sites.server.refs["refs/siteshift/heartbeats/b"] = sites.server.add(Commit({"other": b""}, "damaged"))
    sign = sites.a.heartbeat({}).signs["b"]
    assert (sign.since, sign.exposures) == (sites.clock.now, {})


def test_what_is_no_commit_on_anothers_ref_is_distrusted_and_keeps_nobody_from_going_on(
    sites: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites.b.push(ack("b", AckState.PASSIVE))
    good, bad = sites.server.refs[ACKS_OF_B], sites.server.add(Commit({}, "a tag of a blob"))
    whole = MemoryRepository.tree

    def tree(self: MemoryRepository, commit: str) -> MemoryTree:
        if commit == bad:
            raise SourceError("no commit")
        return whole(self, commit)

    monkeypatch.setattr(MemoryRepository, "tree", tree)
    sites.server.refs[ACKS_OF_B] = bad
    listing = sites.a.heartbeat({})
    assert (listing.proven, listing.distrusted) == (True, {"b"})
    sites.server.refs[ACKS_OF_B] = good
    assert sites.a.fetch().distrusted == frozenset()
