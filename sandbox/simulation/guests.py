"""The guests inside running instances: each writes numbered records to its disks, as a database writes its log.

A record counts as acknowledged once the array took it. A guest whose disk refuses a write stops with an I/O error.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from reconciler.clock import Clock, SystemClock
from sandbox.simulation.array import Array, NotWritableError
from sandbox.simulation.ledger import Ledger, Record, number_of
from sandbox.simulation.settings import Settings

SHORTEST_TICK = 0.02
"""Seconds between two rounds of writes at least, however high the rate."""


@dataclass(slots=True)
class Guest:
    """One guest that is switched on. `numbers` holds the next record's number of each disk, once it has booted."""

    disks: tuple[str, ...]
    numbers: dict[str, int] = field(default_factory=dict)
    problem: str = ""


class Guests:
    """The guests of one site, by their instance's uid. `troubled` is called when one met an I/O error."""

    def __init__(
        self,
        array: Array,
        ledger: Ledger,
        site: str,
        settings: Callable[[], Settings],
        *,
        troubled: Callable[[str], None],
        clock: Clock | None = None,
    ) -> None:
        self._array, self._ledger, self._site = array, ledger, site
        self._settings = settings
        self._troubled = troubled
        self._clock = clock or SystemClock()
        self._guests: dict[str, Guest] = {}
        self._lock = threading.Lock()

    def switch_on(self, uid: str, disks: Iterable[str]) -> None:
        """Power on: the disks are in use from now on."""
        guest = Guest(tuple(disks))
        with self._lock:
            if uid in self._guests:
                return
            self._guests[uid] = guest
        for disk in guest.disks:
            self._array.attach(disk)

    def boot(self, uid: str) -> None:
        """The guest has booted: it goes on after the last record that its disks hold."""
        with self._lock:
            guest = self._guests.get(uid)
        if guest is not None and not guest.numbers:
            guest.numbers = {disk: number_of(self._array.last_line(disk)) + 1 for disk in guest.disks}

    def switch_off(self, uid: str) -> None:
        """Power off: nothing is written after this returns."""
        with self._lock:
            guest = self._guests.pop(uid, None)
        for disk in guest.disks if guest is not None else ():
            self._array.detach(disk)

    def is_on(self, uid: str) -> bool:
        """Whether this process runs the guest."""
        with self._lock:
            return uid in self._guests

    def problem(self, uid: str) -> str:
        """The I/O error that stopped the guest; empty if it is well."""
        with self._lock:
            guest = self._guests.get(uid)
        return guest.problem if guest is not None else ""

    def run(self, stopping: threading.Event) -> None:
        """Write at the set rate until told to stop."""
        due = self._clock.monotonic()
        while not stopping.is_set():
            rate = self._settings().write_rate
            tick = max(SHORTEST_TICK, 1 / rate) if rate else 1.0
            due = max(due + tick, self._clock.monotonic())
            if self._clock.wait(stopping, max(0.0, due - self._clock.monotonic())):
                return
            if rate:
                self.write_round(max(1, round(rate * tick)))

    def write_round(self, records: int = 1) -> None:
        """Each guest writes so many records to each of its disks."""
        with self._lock:
            troubled = [uid for uid, guest in self._guests.items() if not self._write(uid, guest, records)]
        for uid in troubled:
            self._troubled(uid)

    def _write(self, uid: str, guest: Guest, records: int) -> bool:
        """Whether all went well, or the trouble is old."""
        if guest.problem:
            return True
        for disk, number in guest.numbers.items():
            for n in range(number, number + records):
                line = Record(n, self._site, time.time(), uid).to_line()
                try:
                    self._array.write(disk, line)
                except NotWritableError as error:
                    guest.problem = str(error)
                    return False
                except OSError as error:
                    guest.problem = f"the array failed: {error}"
                    print(f"simulation: {guest.problem}", file=sys.stderr, flush=True)
                    return False
                self._ledger.acknowledge(disk, line)
                guest.numbers[disk] = n + 1
        return True
