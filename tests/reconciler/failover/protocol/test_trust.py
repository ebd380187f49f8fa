"""What a site's refs may be believed for: every combination of what can be wrong, permits and forbids."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from reconciler.failover.protocol.trust import (
    ack_distrust,
    fell,
    forbidding,
    heartbeat_distrust,
    implausible,
    permitting,
    went_back,
)
from reconciler.failover.protocol.values import PROMOTION_STATES, Ack, AckState, Heartbeat, SiteSeen
from reconciler.fleet.model import Placement

ACK = Ack("ledger", "b", 3, "c" * 40, "uid-b", AckState.PASSIVE, sequence=5)
PLACEMENTS = {
    "none": None,
    "another epoch": Placement("b", 2, "planned", "p"),
    "this site": Placement("b", 3, "planned", "p"),
    "another site": Placement("a", 3, "planned", "p"),
    "no site": Placement("none", 3, "planned", "p"),
}
CASES = list(product(AckState, ("", "why"), (True, False), PLACEMENTS))


@pytest.mark.parametrize(("state", "distrust", "on_branch", "placement"), CASES)
def test_an_ack_permits_only_what_is_trusted_and_plausible_and_always_forbids(
    state: AckState, distrust: str, on_branch: bool, placement: str
) -> None:
    ack = replace(ACK, state=state)
    seen = SiteSeen(ack, distrust, on_branch, PLACEMENTS[placement])
    names = ("this site",) if state in PROMOTION_STATES else ("this site", "another site", "no site")
    plausible = on_branch and placement in names
    assert (implausible(seen, "b") == "") is plausible
    assert permitting(seen, "b") == (ack if plausible and not distrust else None)
    assert forbidding(seen) == ack


def test_a_site_that_said_nothing_neither_permits_nor_forbids() -> None:
    assert (implausible(SiteSeen(), "b"), permitting(SiteSeen(), "b"), forbidding(SiteSeen())) == ("", None, None)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (SiteSeen(ACK), f"its ack names commit {'c' * 12}, which is not on the branch"),
        (SiteSeen(ACK, on_branch=True), f"its ack says epoch 3, and commit {'c' * 12} has no placement"),
        (
            SiteSeen(ACK, on_branch=True, placement=PLACEMENTS["another epoch"]),
            f"its ack says epoch 3, and commit {'c' * 12} has epoch 2",
        ),
        (
            SiteSeen(replace(ACK, state=AckState.ACTIVE), on_branch=True, placement=PLACEMENTS["another site"]),
            "its ack says Active, and epoch 3 names a",
        ),
    ],
)
def test_an_implausible_ack_says_why(seen: SiteSeen, said: str) -> None:
    assert implausible(seen, "b") == said


@pytest.mark.parametrize(
    ("ack", "bound", "said"),
    [
        (ACK, "uid-b", ""),
        (ACK, "", ""),
        (replace(ACK, site="a"), "uid-b", "its ack of ledger says that it is from a"),
        (replace(ACK, application="payments"), "uid-b", "its ack of ledger speaks of payments"),
        (ACK, "uid-x", "its ack of ledger is from cluster uid-b, and the site is bound to uid-x"),
        (replace(ACK, cluster=""), "uid-b", "its ack of ledger is from cluster -, and the site is bound to uid-b"),
    ],
)
def test_an_ack_of_somebody_else_is_distrusted(ack: Ack, bound: str, said: str) -> None:
    assert ack_distrust(ack, "b", "ledger", bound) == said


@pytest.mark.parametrize(
    ("counter", "cluster", "bound", "highest", "said"),
    [
        (5, "uid-b", "uid-b", 5, ""),
        (5, "uid-b", "", 0, ""),
        (5, "uid-b", "uid-x", 0, "its heartbeat is from cluster uid-b, and the site is bound to uid-x"),
        (5, "", "uid-b", 0, "its heartbeat is from cluster -, and the site is bound to uid-b"),
        (4, "uid-b", "uid-b", 5, "the counter of its heartbeat fell from 5 to 4"),
    ],
)
def test_a_heartbeat_of_another_cluster_or_of_the_past_is_distrusted(
    counter: int, cluster: str, bound: str, highest: int, said: str
) -> None:
    assert heartbeat_distrust(Heartbeat(counter, cluster), bound, highest) == said


@pytest.mark.parametrize(
    ("before", "now", "why"),
    [
        (None, None, ""),
        (None, ACK, ""),
        (ACK, ACK, ""),
        (ACK, replace(ACK, state=AckState.FAILED), ""),
        (ACK, replace(ACK, sequence=6), ""),
        (ACK, replace(ACK, sequence=4), "the sequence of its ack of ledger fell from 5 to 4"),
        (ACK, None, "its ack of ledger is gone"),
    ],
)
def test_the_sequence_of_an_ack_never_falls(before: Ack | None, now: Ack | None, why: str) -> None:
    assert fell(before, now) == why


OTHER = replace(ACK, application="payments")


@pytest.mark.parametrize(
    ("now", "follows"),
    [
        ({"ledger": ACK, "payments": OTHER}, True),
        ({"ledger": replace(ACK, sequence=6, state=AckState.ACTIVE), "payments": OTHER}, True),
        ({"ledger": ACK, "payments": OTHER, "new": replace(ACK, application="new")}, True),
        ({"ledger": ACK}, False),
        ({"ledger": replace(ACK, sequence=4), "payments": OTHER}, False),
        ({"ledger": replace(ACK, state=AckState.ACTIVE), "payments": OTHER}, False),
    ],
)
def test_acks_without_their_history_are_followed_only_by_the_same_or_by_later_ones(
    now: dict[str, Ack], follows: bool
) -> None:
    why = went_back({"ledger": ACK, "payments": OTHER}, now)
    assert (why == "") is follows
    assert follows or "went back" in why
