"""The site's record in its cluster: bound at first contact, a counter that never falls, two writers, a restore."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from reconciler.cluster import Cluster
from reconciler.errors import NotFound, PushRefused
from reconciler.failover.execute.site_record import NAME, SiteRecord
from reconciler.failover.protocol.binding import OwnWords
from reconciler.failover.protocol.values import Ack, AckState, Heartbeat
from reconciler.fleet.model import Rebind, Site

SYSTEM = "siteshift-system"
SITES = (Site("a"), Site("b"))


def remove(cluster: Cluster) -> None:
    with suppress(NotFound):
        cluster.delete("v1", "ConfigMap", SYSTEM, NAME)


@pytest.fixture
def clean(cluster: Cluster) -> Iterator[Cluster]:
    remove(cluster)
    yield cluster
    remove(cluster)


def data(cluster: Cluster) -> dict[str, str]:
    found: dict[str, str] = cluster.get("v1", "ConfigMap", SYSTEM, NAME)["data"]
    return found


def write(cluster: Cluster, **changed: str) -> None:
    """What a restored etcd, or a person, does to the record."""
    cluster.patch("v1", "ConfigMap", SYSTEM, NAME, {"data": changed}, manager="person")


def ready(cluster: Cluster, words: OwnWords | None = None, *, fleet: str = "bank", site: str = "a") -> SiteRecord:
    record = SiteRecord(cluster, fleet, site)
    record.judge(words or OwnWords(), {}, SITES)
    return record


def test_a_cluster_is_bound_at_first_contact(clean: Cluster) -> None:
    record = ready(clean)
    uid = clean.get("v1", "Namespace", None, "kube-system")["metadata"]["uid"]
    assert (record.cluster, record.unbound, record.restored, record.accepted) == (uid, "", "", None)
    assert data(clean) == {"fleet": "bank", "site": "a", "clusterUID": uid, "counter": "0"}


@pytest.mark.parametrize(("fleet", "site"), [("bank", "b"), ("shop", "a")])
def test_a_bound_cluster_is_no_other_site(clean: Cluster, fleet: str, site: str) -> None:
    ready(clean)
    before = data(clean)
    other = ready(clean, fleet=fleet, site=site)
    assert "is bound to site a of fleet bank" in other.unbound
    with pytest.raises(PushRefused, match="is bound to site a of fleet bank"):
        other.reserve()
    assert data(clean) == before


def test_no_counter_is_given_out_before_it_is_known_whose_cluster_this_is(clean: Cluster) -> None:
    with pytest.raises(PushRefused, match="not known yet"):
        SiteRecord(clean, "bank", "a").reserve()


def test_a_counter_is_written_before_it_is_given_out_and_never_falls(clean: Cluster) -> None:
    record, successor = ready(clean), ready(clean)
    given = [record.reserve()[0], successor.reserve()[0], successor.reserve()[0], record.reserve()[0]]
    assert given == [1, 2, 3, 4]
    assert data(clean)["counter"] == "4"


def test_the_moment_of_the_last_accepted_heartbeat_is_kept(clean: Cluster) -> None:
    record = ready(clean)
    _, now = record.reserve()
    assert abs(now - clean.server_time()) < 30
    record.accept(now + 0.7)
    assert record.accepted == float(int(now + 0.7))
    assert ready(clean).accepted == record.accepted


def test_other_sites_are_bound_at_first_contact_or_by_a_commit(clean: Cluster) -> None:
    record = ready(clean)
    assert (record.bound("a"), record.bound("b")) == (record.cluster, "")
    record.meet("b", "uid-b")
    record.meet("b", "uid-x")
    assert (record.bound("b"), ready(clean).bound("b")) == ("uid-b", "uid-b")
    rebound = (Site("a"), Site("b", rebind=Rebind("uid-b", "uid-y", "fire")))
    record.judge(OwnWords(), {}, rebound)
    assert record.bound("b") == "uid-y"
    assert ready(clean).bound("b") == "uid-y"


def test_a_rebuilt_cluster_waits_for_a_commit_and_counts_on(clean: Cluster) -> None:
    said = OwnWords(Heartbeat(40, "uid-old"), echo=41)
    record = ready(clean, said)
    assert "site a is bound to cluster uid-old" in record.unbound
    with pytest.raises(NotFound):
        data(clean)
    record.judge(said, {}, (Site("a", rebind=Rebind("uid-old", record.cluster, "fire")), Site("b")))
    assert (record.unbound, record.restored) == ("", "")
    assert record.reserve()[0] == 42


def _counter_back(cluster: Cluster) -> None:
    write(cluster, counter="1")


def _counter_damaged(cluster: Cluster) -> None:
    write(cluster, counter="-1e9")


def _record_gone(cluster: Cluster) -> None:
    remove(cluster)


@pytest.mark.parametrize("harm", [_counter_back, _counter_damaged, _record_gone])
def test_a_restored_cluster_says_so_until_a_commit_takes_it_as_it_is(
    clean: Cluster, harm: Callable[[Cluster], Any]
) -> None:
    record = ready(clean)
    for _ in range(3):
        record.reserve()
    ack = Ack("ledger", "a", 1, "c", record.cluster, AckState.ACTIVE, sequence=7)
    said = OwnWords(Heartbeat(3, record.cluster), {"ledger": ack})
    harm(clean)
    for found in (SiteRecord(clean, "bank", "a"), record):
        found.judge(said, {"ledger": 7}, SITES)
        if found is record and not found.restored:  # it has not noticed yet: nothing was written since
            with pytest.raises(PushRefused, match="gave out 3 before"):
                found.reserve()
        assert found.restored
        with pytest.raises(PushRefused):
            found.reserve()
    stale = (Site("a", rebind=Rebind(record.cluster, record.cluster, "etcd", 2)), Site("b"))
    record.judge(said, {"ledger": 2}, stale)
    assert record.restored
    mended = (Site("a", rebind=Rebind(record.cluster, record.cluster, "etcd", 3)), Site("b"))
    record.judge(said, {"ledger": 2}, mended)
    assert record.restored == ""
    assert record.reserve()[0] == 4
    later = OwnWords(Heartbeat(4, record.cluster), {"ledger": ack})
    record.judge(later, {"ledger": 2}, mended)
    assert record.restored == ""


def test_a_standby_that_slept_is_not_taken_for_restored(clean: Cluster) -> None:
    standby, leader = ready(clean), ready(clean)
    for _ in range(5):
        leader.reserve()
    standby.judge(OwnWords(Heartbeat(5, leader.cluster)), {}, SITES)
    assert (standby.restored, standby.reserve()[0]) == ("", 6)
