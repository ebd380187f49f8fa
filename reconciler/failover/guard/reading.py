"""Reads what the guard judges, again and again, in a thread of its own: a read that hangs keeps no judgement waiting.

Judgements go on with what was read last; a lease runs out also while nothing can be read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.clock import Clock
from reconciler.errors import ClusterError, NotFound
from reconciler.failover.admission import permits
from reconciler.failover.execute.record import Record, Records
from reconciler.objects import SYSTEM_NAMESPACE

if TYPE_CHECKING:
    from reconciler.cluster.client import Cluster

SITE_RECORD, ACCEPTED = "siteshift-site", "accepted"
"""The ConfigMap of the site, and its key: when a heartbeat was last accepted, by the API server's clock."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All records as they were listed, and when the list began, by the guard's clock. `accepted`: when a heartbeat was
    last accepted, None where that cannot be read."""

    began: float
    records: Mapping[str, Record] = field(default_factory=dict)
    accepted: float | None = None


class Reader:
    """`latest` is the newest snapshot, None until there is one. `failed` is told what cannot be read ("": it can)."""

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        failed: Callable[[str], None],
        wake: threading.Event,
        stop: threading.Event,
    ) -> None:
        self._cluster = cluster
        self._clock = clock
        self._records = Records(cluster)
        self._failed = failed
        self._wake, self._stop = wake, stop
        self.latest: Snapshot | None = None

    def run(self, period: Callable[[], float]) -> None:
        """Read until the end; `period`: seconds between two readings."""
        while not self._stop.is_set():
            try:
                self.latest = self.read()
                self._failed("")
                self._wake.set()
            except ClusterError as error:
                self._failed(str(error))
            self._clock.wait(self._stop, period())

    def read(self) -> Snapshot:
        """One reading, its two requests at once. Raises ClusterError."""
        began = self._clock.monotonic()
        with ThreadPoolExecutor(max_workers=2) as pool:
            records, accepted = pool.submit(self._records.list), pool.submit(self._accepted)
            return Snapshot(began, records.result(), accepted.result())

    def _accepted(self) -> float | None:
        try:
            found = self._cluster.get("v1", "ConfigMap", SYSTEM_NAMESPACE, SITE_RECORD)
        except NotFound:
            return None
        text = (found.get("data") or {}).get(ACCEPTED, "")
        try:
            return float(text)
        except ValueError:
            return permits.seconds_of(text)
