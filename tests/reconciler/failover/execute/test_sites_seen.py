"""Silence and distrust: what one process has seen move, and that one site's trouble is its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.failover.protocol.documents import write_ack, write_heartbeat
from reconciler.failover.protocol.values import AckState, Heartbeat, SiteSeen
from reconciler.git.memory import Commit

from .publishing import ACKS_OF_B, BEATS_OF_B, Sites, ack


@pytest.fixture
def sites() -> Sites:
    return Sites()


def seen(sites: Sites, application: str = "ledger", site: str = "b") -> SiteSeen:
    """What a knows of a site after a fetch."""
    sites.a.fetch()
    listing = sites.a.of(application)
    assert listing is not None
    return listing.sites[site]


def put(sites: Sites, ref: str, files: dict[str, bytes], *parents: str) -> None:
    sites.server.refs[ref] = sites.server.add(Commit(files, "put", parents))


def test_silence_is_counted_from_the_first_look_and_from_each_move(sites: Sites) -> None:
    sites.b.heartbeat({}, 0)
    sites.clock.now += 100
    first = seen(sites)
    assert (first.heartbeat_since, first.ack_since, first.witnessed) == (sites.clock.now, sites.clock.now, False)
    sites.clock.now += 10
    assert seen(sites).heartbeat_since == first.heartbeat_since
    sites.b.heartbeat({}, 0)
    moved = seen(sites)
    assert (moved.heartbeat_since, moved.ack_since, moved.witnessed) == (sites.clock.now, first.ack_since, True)
    sites.clock.now += 10
    sites.say(sites.b, ack("b", AckState.PASSIVE))
    assert (seen(sites).heartbeat_since, seen(sites).ack_since) == (moved.heartbeat_since, sites.clock.now)


def test_a_guard_that_stands_still_is_told_apart_from_its_site(sites: Sites) -> None:
    sites.b.heartbeat({}, 1)
    first = seen(sites).guard_since
    sites.clock.now += 10
    sites.b.heartbeat({}, 1)
    assert (seen(sites).guard_since, seen(sites).heartbeat_since) == (first, sites.clock.now)
    sites.b.heartbeat({}, 2)
    assert seen(sites).guard_since == sites.clock.now


def test_a_heartbeat_that_says_nothing_is_a_sign_of_life_of_a_site_that_is_not_trusted(sites: Sites) -> None:
    sites.b.heartbeat({}, 1)
    before = seen(sites)
    sites.clock.now += 10
    put(sites, BEATS_OF_B, {"other": b""})
    after = seen(sites)
    assert (after.heartbeat_since, after.heartbeat) == (sites.clock.now, before.heartbeat)
    assert after.distrust == f"its heartbeat {sites.server.refs[BEATS_OF_B][:7]} holds no heartbeat.json"


def _older_heartbeat(sites: Sites) -> None:
    put(sites, BEATS_OF_B, {"heartbeat.json": write_heartbeat(Heartbeat(1, "uid-b"))})


def _other_cluster(sites: Sites) -> None:
    put(sites, BEATS_OF_B, {"heartbeat.json": write_heartbeat(Heartbeat(9, "uid-x"))})


def _infinite_heartbeat(sites: Sites) -> None:
    put(sites, BEATS_OF_B, {"heartbeat.json": b'{"version": 2, "counter": 1e999}'})


def _heartbeat_not_taken_in(sites: Sites) -> None:
    _other_cluster(sites)
    sites.server.broken[BEATS_OF_B] = "70000 parents"


def _acks_not_taken_in(sites: Sites) -> None:
    put(sites, ACKS_OF_B, {})
    sites.server.broken[ACKS_OF_B] = "70000 parents"


def _acks_gone(sites: Sites) -> None:
    del sites.server.refs[ACKS_OF_B]


def _acks_rewritten(sites: Sites) -> None:
    files = {"ledger.json": write_ack(ack("b", AckState.ACTIVE, sequence=2))}
    put(sites, ACKS_OF_B, {**sites.server.commits[sites.server.refs[ACKS_OF_B]].files, **files})


WHOLE_SITE: dict[str, tuple[Callable[[Sites], None], str]] = {
    "heartbeat of the past": (_older_heartbeat, "the counter of its heartbeat fell from 2 to 1"),
    "another cluster": (_other_cluster, "its heartbeat is from cluster uid-x, and the site is bound to uid-b"),
    "1e999": (_infinite_heartbeat, "its heartbeat cannot be read: heartbeat.json of "),
    "heartbeat over a limit": (_heartbeat_not_taken_in, f"its heartbeat is not taken in: {BEATS_OF_B}: 70000 parents"),
    "acks over a limit": (_acks_not_taken_in, f"its acks are not taken in: {ACKS_OF_B}: 70000 parents"),
    "acks gone": (_acks_gone, "its ack ref is gone"),
    "acks rewritten": (_acks_rewritten, "the history of its acks went back"),
}


@pytest.mark.parametrize(("harm", "said"), WHOLE_SITE.values(), ids=WHOLE_SITE.keys())
def test_what_is_wrong_with_a_site_distrusts_it_alone_until_it_is_mended(
    sites: Sites, harm: Callable[[Sites], None], said: str
) -> None:
    for _ in range(2):
        sites.b.heartbeat({}, 0)
    sites.say(sites.b, ack("b", AckState.PASSIVE, sequence=2))
    sites.say(sites.b, ack("b", AckState.PASSIVE, "payments", sequence=2))
    sites.a.heartbeat({}, 0)
    good = dict(sites.server.refs)
    assert seen(sites).distrust == ""
    harm(sites)
    for application in ("ledger", "payments"):
        found = seen(sites, application)
        assert found.distrust.startswith(said)
        assert found.ack is not None
        assert "\n" not in found.distrust
    assert sites.a.heartbeat({}, 0).proven
    assert seen(sites, site="a").distrust == ""
    sites.server.broken.clear()
    sites.server.refs |= {ref: good[ref] for ref in (ACKS_OF_B, BEATS_OF_B)}
    assert seen(sites).distrust == ""


ONE_APPLICATION = {
    "no JSON": (b"{", "its ack of payments cannot be read: payments.json of "),
    "another site": (write_ack(ack("a", AckState.ACTIVE, "payments", sequence=9)), "says that it is from a"),
    "another application": (write_ack(ack("b", AckState.ACTIVE, sequence=9)), "its ack of payments speaks of ledger"),
    "another cluster": (
        write_ack(ack("b", AckState.ACTIVE, "payments", sequence=9, cluster="uid-x")),
        "is from cluster uid-x, and the site is bound to uid-b",
    ),
    "lower sequence": (write_ack(ack("b", AckState.ACTIVE, "payments")), "of payments fell from 2 to 1"),
}


@pytest.mark.parametrize(("content", "said"), ONE_APPLICATION.values(), ids=ONE_APPLICATION.keys())
def test_an_ack_that_is_wrong_is_distrusted_for_its_application_alone(sites: Sites, content: bytes, said: str) -> None:
    sites.b.heartbeat({}, 0)
    sites.say(sites.b, ack("b", AckState.PASSIVE, sequence=2))
    sites.say(sites.b, ack("b", AckState.PASSIVE, "payments", sequence=2))
    assert seen(sites, "payments").distrust == ""
    before = sites.server.refs[ACKS_OF_B]
    put(sites, ACKS_OF_B, {**sites.server.commits[before].files, "payments.json": content}, before)
    assert said in seen(sites, "payments").distrust
    assert seen(sites, "payments").ack is not None
    assert seen(sites).distrust == ""
    good = {
        **sites.server.commits[before].files,
        "payments.json": write_ack(ack("b", AckState.READY, "payments", 1, 10)),
    }
    put(sites, ACKS_OF_B, good, sites.server.refs[ACKS_OF_B])
    assert seen(sites, "payments").distrust == ""


def test_an_ack_that_vanishes_from_its_ref_is_not_forgotten(sites: Sites) -> None:
    sites.say(sites.b, ack("b", AckState.ACTIVE, sequence=2))
    assert seen(sites).ack == ack("b", AckState.ACTIVE, sequence=2)
    put(sites, ACKS_OF_B, {}, sites.server.refs[ACKS_OF_B])
    found = seen(sites)
    assert (found.distrust, found.ack) == ("its ack of ledger is gone", ack("b", AckState.ACTIVE, sequence=2))


def test_what_an_untrusted_ack_forbids_is_seen(sites: Sites) -> None:
    sites.b.heartbeat({}, 0)
    sites.say(sites.b, ack("b", AckState.PASSIVE, sequence=2))
    assert seen(sites).distrust == ""
    forged = write_ack(ack("b", AckState.ACTIVE, sequence=9, cluster="uid-x"))
    put(sites, ACKS_OF_B, {"ledger.json": forged})
    found = seen(sites)
    assert found.distrust
    assert found.ack is not None
    assert found.ack.state is AckState.ACTIVE


def test_a_rebuilt_cluster_counts_anew_once_the_site_is_bound_to_it(sites: Sites) -> None:
    for _ in range(5):
        sites.b.heartbeat({}, 0)
    seen(sites)
    put(sites, BEATS_OF_B, {"heartbeat.json": write_heartbeat(Heartbeat(1, "uid-y"))})
    assert "bound to uid-b" in seen(sites).distrust
    sites.records["a"].clusters["b"] = "uid-y"
    found = seen(sites)
    assert (found.distrust, found.heartbeat) == ("", Heartbeat(1, "uid-y"))
    sites.records["a"].clusters["b"] = "uid-b"
    assert "bound to uid-b" in seen(sites).distrust


def test_files_that_are_no_acks_are_passed_over(sites: Sites) -> None:
    files = {"README": b"hello", "Ledger.json": b"{", "ledger.json/x": b"{"}
    put(sites, ACKS_OF_B, {**files, "payments.json": write_ack(ack("b", AckState.PASSIVE, "payments"))})
    assert (seen(sites).distrust, seen(sites).ack) == ("", None)
    assert seen(sites, "payments").ack == ack("b", AckState.PASSIVE, "payments")


def test_a_site_that_joins_the_fleet_is_seen_from_then_on(sites: Sites) -> None:
    sites.a.sites = ("a",)
    sites.a.fetch()
    sites.b.heartbeat({}, 0)
    assert sites.a.of("ledger").sites.keys() == {"a"}  # type: ignore[union-attr]
    sites.a.sites = ("a", "b")
    assert replace(seen(sites), heartbeat=None).witnessed is False
    assert seen(sites).heartbeat is not None
