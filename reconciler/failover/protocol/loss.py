"""P5: how much data a forced promotion of this replica would lose now, in seconds of writes. Never judged too small."""

from __future__ import annotations

from typing import Literal

from reconciler.failover.protocol.case import Case
from reconciler.failover.protocol.promotions import data_is_here, last_primary

Loss = float | Literal["unknown"]


def loss_of(case: Case) -> Loss:
    """The exposure in the last heartbeat of the site that was last primary, plus the time since that heartbeat: with an
    obeyed lease at most until it has stopped; a silence that this process did not see begin counts whole."""
    last = last_primary(case)
    if last is None or data_is_here(case):
        return 0.0
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
