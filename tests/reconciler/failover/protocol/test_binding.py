"""P19: whose cluster this is, and whether it remembers all that it ever said."""

from __future__ import annotations

import pytest

from reconciler.failover.protocol.binding import Bound, OwnWords, restored, unbound
from reconciler.failover.protocol.values import Ack, AckState, Heartbeat
from reconciler.fleet.model import Rebind


def words(cluster: str = "new", counter: int = 5, echo: int = 0, sequence: int = 0) -> OwnWords:
    ack = Ack("ledger", "b", 1, "c", cluster, AckState.PASSIVE, sequence=sequence)
    return OwnWords(Heartbeat(counter, cluster), {"ledger": ack} if sequence else {}, echo)


BOUND, MOVED, MENDED = Bound("bank", "b", "new", 5), Rebind("old", "new", "fire"), Rebind("new", "new", "etcd", 9)
ACK_ALONE = OwnWords(None, words("old", sequence=1).acks)


@pytest.mark.parametrize(
    ("bound", "said", "rebind", "why"),
    [
        (None, OwnWords(), None, ""),
        (None, words(), None, ""),
        (BOUND, words(), None, ""),
        (BOUND, OwnWords(), None, ""),
        (None, words("old"), None, "site b is bound to cluster old, and this is cluster new"),
        (None, ACK_ALONE, None, "site b is bound to cluster old, and this is cluster new"),
        (BOUND, words("old"), None, "site b is bound to cluster old, and this is cluster new"),
        (Bound("bank", "b", "old"), OwnWords(), None, "site b is bound to cluster old, and this is cluster new"),
        (Bound("bank", "b", "old"), words(), None, "site b is bound to cluster old, and this is cluster new"),
        (Bound("bank", "a", "new"), OwnWords(), None, "cluster new is bound to site a of fleet bank"),
        (Bound("shop", "b", "new"), words(), MOVED, "cluster new is bound to site b of fleet shop"),
        (None, words("old"), MOVED, ""),
        (None, words("new"), MOVED, ""),
        (BOUND, words("old"), MOVED, ""),
        (None, words("third"), MOVED, "cluster third spoke for it last"),
        (None, words("old"), Rebind("old", "other", "x"), "site b is bound to cluster other by siteshift.yaml"),
        (BOUND, words("new"), MENDED, ""),
    ],
)
def test_a_cluster_is_bound_to_one_site_and_a_site_to_one_cluster(
    bound: Bound | None, said: OwnWords, rebind: Rebind | None, why: str
) -> None:
    found = unbound(bound, "new", "bank", "b", said, rebind)
    assert (found == "") is (why == "")
    assert why in found
    assert not found or "siteshift rebind b" in found or "point it at another cluster" in found


@pytest.mark.parametrize(
    ("bound", "said", "journal", "rebind", "why"),
    [
        (BOUND, words(), 0, None, ""),
        (BOUND, words(counter=4, sequence=3), 3, None, ""),
        (BOUND, words(sequence=3), 4, None, ""),
        (BOUND, words(sequence=3), 0, None, ""),
        (None, OwnWords(), 0, None, ""),
        (None, words("old"), 0, MOVED, ""),
        (None, words(), 0, None, "has forgotten it"),
        (None, words(), 0, MOVED, "has forgotten it"),
        (BOUND, words(counter=6), 9, None, "cluster new counts 5 heartbeats, and its refs say 6"),
        (BOUND, words(counter=3, echo=6), 9, None, "cluster new counts 5 heartbeats, and its refs say 6"),
        (BOUND, words(sequence=3), 2, None, "the journal of ledger is at entry 2, and its ack at 3"),
        (BOUND, words(counter=9, sequence=3), 2, MENDED, ""),
        (BOUND, words(counter=10), 2, MENDED, "cluster new counts 5 heartbeats, and its refs say 10"),
        (None, words(counter=9), 2, MENDED, ""),
        (Bound("bank", "b", "new", 10, {"ledger": 3}), words(counter=10, sequence=3), 2, MENDED, ""),
        (Bound("bank", "b", "new", 10, {"ledger": 3}), words(counter=10, sequence=4), 2, MENDED, "is at entry 3"),
    ],
)
def test_a_cluster_that_forgot_what_it_said_was_restored(
    bound: Bound | None, said: OwnWords, journal: int, rebind: Rebind | None, why: str
) -> None:
    found = restored(bound, "new", "b", said, {"ledger": journal} if journal else {}, rebind)
    assert (found == "") is (why == "")
    assert why in found
