"""The guard as a program: looks at every application's record again and again, until it is told to end.

Four threads, and one more for each application while something is done for it. Nothing waits for another: reading hangs
without keeping a judgement waiting, one application's trouble is its own, and the gate's check keeps nobody from
stopping. Only renewals and the counter are for the guard that holds the guards' Lease; every guard closes and stops.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from reconciler.clock import Clock
from reconciler.cluster.leadership import Leadership
from reconciler.errors import ClusterError, Conflict
from reconciler.failover.execute.guard_record import GuardRecord
from reconciler.failover.guard.application import Application, Log
from reconciler.failover.guard.decide import Verdict
from reconciler.failover.guard.gate_check import GateCheck
from reconciler.failover.guard.reading import Reader, Snapshot
from reconciler.fleet.times import GUARD_COUNT, GUARD_PERIOD

if TYPE_CHECKING:
    from reconciler.cluster.client import Cluster

LEASE_NAME = "siteshift-guard"
LEASE_SECONDS = 15.0
GATE_PERIOD = 10.0
"""Seconds between two comparisons of the gate, at most."""

LAST_WORK = 5.0
"""Seconds that what is being done may still take at the end."""


class Guard:
    """One site's guard. `cluster` must have short timeouts and no tries beyond the first: the guard looks again."""

    def __init__(self, cluster: Cluster, identity: str, clock: Clock, log: Log) -> None:
        self._cluster = cluster
        self._clock = clock
        self._log = log
        self._stop, self._wake = threading.Event(), threading.Event()
        self._leadership = Leadership(cluster, identity, duration=LEASE_SECONDS, clock=clock, name=LEASE_NAME)
        self._reader = Reader(cluster, clock, self._unreadable, self._wake, self._stop)
        self._gate = GateCheck(cluster, clock, log)
        self._record = GuardRecord(cluster)
        self._applications: dict[str, Application] = {}
        self._verdicts: Mapping[str, Verdict] = {}
        self._looked = False

    def stop(self) -> None:
        """Ask it to end. Safe to call from a signal handler."""
        self._stop.set()
        self._wake.set()

    def run(self) -> None:
        """Guard until `stop`."""
        jobs: Mapping[str, Callable[[], None]] = {
            "reading": lambda: self._reader.run(self._period),
            "counting": lambda: self._repeat("counting", self._count, lambda: min(GUARD_COUNT, 2 * self._period())),
            "gate": lambda: self._repeat("gate", self._check_gate, lambda: min(GATE_PERIOD, 10 * self._period())),
        }
        self._log.say("guard-started", "guards this site")
        for name, job in jobs.items():
            threading.Thread(target=job, name=f"guard {name}", daemon=True).start()
        while not self._stop.is_set():
            self._clock.wait(self._wake, self._period())
            self._wake.clear()
            if not self._stop.is_set() and self._reader.latest is not None:
                self._look(self._reader.latest)
        for each in self._applications.values():
            each.join(LAST_WORK)
        self._leadership.release()
        self._log.say("guard-ended", "was told to end")

    def _look(self, snapshot: Snapshot) -> None:
        """Judge every application; trouble of one is its own."""
        try:
            server_time = self._cluster.server_time()
        except ClusterError as error:
            self._unreadable(str(error))
            return
        verdicts = {}
        for name, record in snapshot.records.items():
            application = self._applications.get(name)
            if application is None:
                application = Application(name, self._cluster, self._clock, self._log, self._leads)
                self._applications[name] = application
            try:
                verdicts[name] = application.look(snapshot, record, server_time)
            except Exception as error:
                # Whatever is wrong with one record, the others are looked at.
                self._log.change("guard-failed", name, f"{type(error).__name__}: {error}", application=name)
        self._verdicts = verdicts
        self._looked = True

    def _leads(self) -> bool:
        return self._leadership.held

    def _period(self) -> float:
        """Seconds between two looks: some in each permit and lease."""
        latest = self._reader.latest
        cards = [each.card for each in latest.records.values() if each.card] if latest else []
        leases = [lease.time / 10 for card in cards for lease in card.leases if lease is not None]
        return max(0.1, min([GUARD_PERIOD, *(card.permit / 8 for card in cards), *leases]))

    def _repeat(self, name: str, job: Callable[[], None], period: Callable[[], float]) -> None:
        while not self._stop.is_set():
            try:
                job()
                self._log.change("guard-failed", name, "")
            except Conflict:
                pass  # somebody else wrote: the next time
            except ClusterError as error:
                self._log.change("guard-failed", name, str(error))
            self._clock.wait(self._stop, period())

    def _count(self) -> None:
        """Hold the guards' Lease, and count while looks are made."""
        looked, self._looked = self._looked, False
        if not (self._leadership.renew() and looked):
            return
        alarms: dict[str, Mapping[str, str]] = {n: each.alarms for n, each in self._verdicts.items() if each.alarms}
        if site := self._gate.alarms():
            alarms[""] = site
        self._record.say({name: each.obeys for name, each in self._verdicts.items()}, alarms)

    def _check_gate(self) -> None:
        latest = self._reader.latest
        if latest is not None:
            self._gate.check(latest.records)

    def _unreadable(self, because: str) -> None:
        self._log.change("cluster-unreachable", "guard", because)
