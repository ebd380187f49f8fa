"""P6: when a site that is alone must stop, and how long another site must wait until it surely has.

A lease is `Lease(time, fence_after)`, or None for `keep`: such a site keeps running when it is alone. While a commit
changes the lease two are in force: the shorter is obeyed, the longer is named to others.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.failover.protocol.values import LeaseFacts
from reconciler.fleet.model import Lease


def obeyed(leases: Iterable[Lease | None]) -> Lease | None:
    """The shortest lease in force; None: keep running."""
    return min((each for each in leases if each is not None), key=lambda each: each.time, default=None)


def named(leases: Iterable[Lease | None]) -> Lease | None:
    """What heartbeats and acks name: the lease whose end others may count on last; None where one of them is `keep`."""
    leases = tuple(leases)
    if not leases or None in leases:
        return None
    return max((each for each in leases if each is not None), key=lambda each: each.fence_after)


def is_over(leases: Iterable[Lease | None], facts: LeaseFacts | None) -> bool:
    """Whether the obeyed lease has run out: the larger of the two ages counts, and what cannot be told has run out."""
    lease = obeyed(leases)
    if lease is None:
        return False
    if facts is None or facts.recorded is None:
        return True
    return max(facts.recorded, facts.counted or 0.0) >= lease.time
