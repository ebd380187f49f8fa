"""The guard of one application: its own memory, its own thread while something is to be done, its own trouble."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from reconciler.clock import Clock
from reconciler.errors import ClusterError, Conflict, SiteshiftError
from reconciler.failover.admission import permits
from reconciler.failover.execute.record import Record, Records
from reconciler.failover.guard import stopping
from reconciler.failover.guard.decide import Act, Look, Verdict, decide
from reconciler.failover.guard.reading import Snapshot
from reconciler.failover.protocol import heartbeat_age
from reconciler.failover.protocol.values import Promotion

if TYPE_CHECKING:
    from reconciler.cluster.client import Cluster

AGAIN = 2.0
"""Seconds after which a stop that goes on is looked at again: a controller of others may undo a stopped value."""

CLOCK_STEP = 5.0
"""Seconds by which a permit may seem to last longer than permits do before a clock is taken to have gone back."""


class Log(Protocol):
    """Where the guard says what it does."""

    def say(self, event: str, message: str, **fields: Any) -> None:
        """One event."""
        ...

    def change(self, event: str, subject: str, message: str, **fields: Any) -> None:
        """An event about a subject, unless it was said last; "" clears it."""
        ...


@dataclass(frozen=True, slots=True)
class Lasts:
    """A permit as this process counts it: its text, and when it ends by this process's clock."""

    until: str
    end: float


class Application:
    """One application. `look` is called from the guard's main thread alone, and returns at once."""

    def __init__(self, name: str, cluster: Cluster, clock: Clock, log: Log, leads: Callable[[], bool]) -> None:
        self._name = name
        self._cluster = cluster
        self._clock = clock
        self._log = log
        self._leads = leads
        self._records = Records(cluster)
        self._count = heartbeat_age.Count()
        self._promotion: Promotion | None = None
        self._lasts: Lasts | None = None
        self._threads: dict[bool, threading.Thread] = {}
        self._acted = float("-inf")
        self._stops_again = float("-inf")

    def look(self, snapshot: Snapshot, record: Record, server_time: float) -> Verdict:
        """Judge, and begin what is to be done unless something is under way."""
        now = self._clock.monotonic()
        promotion = record.journal.promotion if record.journal else self._promotion
        if promotion != self._promotion:
            # It rests on a heartbeat of its own: a clock that went back holds no earlier one against it for ever.
            self._promotion, self._count = promotion, heartbeat_age.Count()
        self._count = heartbeat_age.counted(self._count, snapshot.accepted, server_time, now)
        facts = heartbeat_age.ages(self._count, snapshot.accepted, record.accepted, server_time, now)
        verdict = decide(Look(record, server_time, facts, self._left(record, server_time, now)))
        self._log.change("guard-alarm", self._name, "; ".join(verdict.alarms.values()), application=self._name)
        # A snapshot from before the last act says nothing new; but one that never comes must not end all acting.
        stale = snapshot.began < self._acted and now - self._acted < AGAIN
        if verdict.act is not Act.NOTHING and not stale and self._is_due(verdict, now):
            self._begin(record, verdict, server_time)
        return verdict

    def _begin(self, record: Record, verdict: Verdict, server_time: float) -> None:
        """In a thread of its own, unless one of its kind is at work; a renewal under way keeps no stop waiting."""
        renews = verdict.act is Act.RENEW
        if any(each.is_alive() for kind, each in self._threads.items() if renews or kind == renews):
            return
        thread = threading.Thread(
            target=self._act, args=(record, verdict, server_time), name=f"guard {self._name}", daemon=True
        )
        self._threads[renews] = thread
        thread.start()

    def join(self, seconds: float) -> None:
        """Wait for what is being done."""
        for each in self._threads.values():
            each.join(seconds)

    def _is_due(self, verdict: Verdict, now: float) -> bool:
        if verdict.act is Act.RENEW:
            return self._leads()
        return verdict.act is not Act.STOP or now >= self._stops_again

    def _left(self, record: Record, server_time: float, now: float) -> float:
        """Seconds that the permit lasts by this process's own count. One that seems to last longer than permits do was
        opened in the future: the API server's clock went back, and it does not count."""
        text = record.data.get(permits.UNTIL, "")
        if self._lasts is None or self._lasts.until != text:
            length = record.card.permit if record.card else 0.0
            left = record.permit.until - server_time
            if self._lasts is None and left > length + CLOCK_STEP:
                left = 0.0
            self._lasts = Lasts(text, now + min(left, length))
        return self._lasts.end - now

    def _act(self, record: Record, verdict: Verdict, server_time: float) -> None:
        try:
            self._table(record, verdict, server_time)
        except Conflict as error:
            self._log.change("guard-failed", self._name, f"looks again: {error}", application=self._name)
        except SiteshiftError as error:
            self._log.change("guard-failed", self._name, str(error), application=self._name)
        finally:
            if verdict.act is not Act.RENEW:
                self._acted = self._clock.monotonic()

    def _table(self, record: Record, verdict: Verdict, server_time: float) -> None:
        if verdict.act is Act.RENEW:
            self._renew(record, verdict, server_time)
        elif verdict.act is Act.RESTORE:
            self._restore(record, verdict)
        elif verdict.act is Act.CLOSE:
            stopping.close(self._records, record)
            self._log.say("guard-closed", verdict.reason, application=self._name)
        else:
            self._stop(record, verdict, server_time)

    def _renew(self, record: Record, verdict: Verdict, server_time: float) -> None:
        length = verdict.card.permit if verdict.card else 0.0
        began, accepted = self._clock.monotonic(), self._count.accepted

        def longer(data: Mapping[str, str], now: float) -> permits.Data | None:
            window = permits.renewed(data, now, length, verdict.until) or _moved(data, now, length, verdict.until)
            if window is None or verdict.until is None or accepted is None:
                return window
            return window | {permits.ACCEPTED: permits.moment(accepted)}

        written = self._records.write(record, window=longer)
        if written.version != record.version:
            left = length if verdict.until is None else min(length, verdict.until - server_time)
            self._lasts = Lasts(written.data[permits.UNTIL], began + left)
        self._log.change("guard-failed", self._name, "", application=self._name)

    def _stop(self, record: Record, verdict: Verdict, server_time: float) -> None:
        entry: Record | None = record
        if not record.version:
            entry = self._closing(lambda: self._restore(record, verdict))
        elif verdict.act is Act.HALT:
            entry = self._closing(lambda: stopping.halt(self._records, record, verdict.reason, server_time))
        if verdict.card is None:
            return
        result = stopping.stop(self._cluster, entry, verdict.card, roles=verdict.roles)
        self._stops_again = self._clock.monotonic() + AGAIN
        for each in result.written:
            self._log.say("guard-stopped", f"{each} was given its safe value: {verdict.reason}", application=self._name)
        self._log.change("guard-failed", self._name, "; ".join(result.failed), application=self._name)

    def _closing(self, write: Callable[[], Record]) -> Record | None:
        """Close and journal; where that fails otherwise than by another's write: close as well as can be, and stop all
        the same, under no entry."""
        try:
            entry = write()
        except Conflict:
            raise
        except ClusterError as error:
            self._log.say("guard-failed", f"stops without an entry: {error}", application=self._name)
            try:
                stopping.close_regardless(self._cluster, self._name)
            except ClusterError as refused:
                self._log.say("guard-failed", f"the gate could not be closed: {refused}", application=self._name)
            return None
        self._log.say("guard-closed", "is stopped: its gate is closed", application=self._name)
        return entry

    def _restore(self, record: Record, verdict: Verdict) -> Record:
        written = self._records.write(record, card=verdict.card)
        self._log.say("guard-closed", "the record was missing: it is there again, closed", application=self._name)
        return written


def _moved(data: Mapping[str, str], now: float, length: float, until: float | None) -> permits.Data | None:
    """The window of a permit that lasts by this process's count, moved to where the API server's clock stepped to."""
    permit = permits.permit_of(data)
    stepped = not permits.is_valid(permit, now) or permit.until - now > length + CLOCK_STEP
    return permits.opened(data, now, length, until) if stepped and not permit.closed else None
