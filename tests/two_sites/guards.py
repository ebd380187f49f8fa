"""The guard of a site in a story: it looks again and again, at its own API alone, and can be paused."""

from __future__ import annotations

import threading
from typing import Any, cast

from reconciler.clock import Clock
from reconciler.cluster import Cluster
from reconciler.failover.execute.guard_record import GuardRecord
from reconciler.failover.guard.application import Application as GuardedApplication
from reconciler.failover.guard.reading import Reader
from two_sites.api import Api

GUARD_LOOKS = 0.5
"""How often a guard looks, in seconds."""


class GuardProcess:
    """The guard of a site: it needs its own API and nothing else; it can be paused."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self.paused = False
        self._api, self._clock = cast(Cluster, api), clock
        self._reader = Reader(self._api, clock, lambda _: None, threading.Event(), threading.Event())
        self._word = GuardRecord(self._api)
        self._log = Silent()
        self._applications: dict[str, GuardedApplication] = {}
        self._next = 0.0

    def tick(self) -> None:
        """One look, where it is due."""
        now = self._clock.monotonic()
        if self.paused or now < self._next:
            return
        self._next = now + GUARD_LOOKS
        snapshot, obeys = self._reader.read(), {}
        for name, record in snapshot.records.items():
            if name not in self._applications:
                clock = self._clock
                self._applications[name] = GuardedApplication(name, self._api, clock, self._log, lambda: True)
            guarded = self._applications[name]
            obeys[name] = guarded.look(snapshot, record, self._api.server_time()).obeys
            guarded.join(10.0)
        self._word.say(obeys, {})


class Silent:
    """A log that nobody reads."""

    def say(self, event: str, message: str, **fields: Any) -> None:
        pass

    def change(self, event: str, subject: str, message: str, **fields: Any) -> None:
        pass
