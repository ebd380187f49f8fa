"""P5: how much data a forced promotion of this replica would lose now, in seconds of writes. Never judged too small."""

from __future__ import annotations

from typing import Literal

from reconciler.failover.protocol.case import Case
from reconciler.failover.protocol.promotions import data_is_here, last_primary
from reconciler.failover.protocol.values import Step

Loss = float | Literal["unknown"]


def loss_of(case: Case) -> Loss:
    """The exposure in the last heartbeat of the site that was last primary, plus the time since that heartbeat: with an
    obeyed lease at most until it has stopped; a silence that this process did not see begin counts whole. What is lost
    with a replica that was being overwritten cannot be told, and a promotion that began so does not learn it later."""
    last = last_primary(case)
    if last is None or data_is_here(case):
        return 0.0
    journal = case.journal
    if journal.step is Step.RESYNCING or (journal.step is Step.PROMOTING and journal.loss == "unknown"):
        return "unknown"
    seen = case.seen(last[0])
    running = seen.heartbeat.applications.get(case.k.application.name) if seen.heartbeat else None
    if running is None or running.exposure is None:
        return "unknown"
    limits = case.k.limits
    longest = running.lease.time + limits.guard + limits.stop if running.lease else None
    if not seen.witnessed:
        return running.exposure + longest if longest is not None else "unknown"
    silent = case.k.now - seen.heartbeat_since
    return running.exposure + (silent if longest is None else min(silent, longest))
