"""When the site speaks on Git and when it only listens: a heartbeat once a poll, and at once when what it says of an
application changes, so that no move waits for a poll.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.failover.execute.guard_record import GuardRecord, GuardWord
from reconciler.failover.execute.knowing import Around
from reconciler.failover.execute.memory import Outcome
from reconciler.failover.execute.mover import STEADY, Mover
from reconciler.failover.protocol.decisions import State
from reconciler.failover.protocol.values import Running
from reconciler.fleet.model import Fleet
from reconciler.fleet.times import GUARD_COUNT

IN_MOTION = frozenset({State.MOVING, State.READY, State.WAITING})


def is_moving(outcome: Outcome) -> bool:
    """Whether an application is on its way, so that each second counts."""
    return outcome.journal.step not in STEADY or outcome.state in IN_MOTION


class Speaker:
    """What one site says and hears on Git; used by one thread."""

    def __init__(self, around: Around, mover: Mover) -> None:
        self._around = around
        self._mover = mover
        self._guard = GuardRecord(around.cluster)
        self._word: GuardWord | None = None
        self._counted_at = float("-inf")
        self._said: Mapping[str, tuple[bool, object]] = {}
        self._beat_at = float("-inf")

    def speak(self, fleet: Fleet, *, leads: bool, moving: bool) -> None:
        """Say and hear what is due. `leads`: this process holds the site's Lease. Raises SourceError, ClusterError."""
        publisher, now = self._around.publisher, self._around.clock.monotonic()
        publisher.sites = tuple(site.name for site in fleet.sites)
        publisher.signatures.keys = fleet.keys
        due = now - self._beat_at >= fleet.poll
        says = self._mover.says()
        if not due and _shown(says) == self._said and not (moving and publisher.changed()):
            return
        if not leads:
            publisher.fetch()
            return
        if publisher.latest is None or due:
            # A site that may not push still sees what is asked of it: a stop must reach it.
            publisher.fetch()
            self._around.site_record.judge(publisher.own_words(), self._mover.sequences(), fleet.sites)
        self._beat(says, now, fleet.poll)

    def has_news(self) -> bool:
        """Whether the site would say something else of an application than it said last."""
        return _shown(self._mover.says()) != self._said

    def _beat(self, says: Mapping[str, Running], now: float, poll: float) -> None:
        """A heartbeat names a lease only where a guard that lives says that it obeys it: this process saw its count
        move, within a poll or two counts. A count that it has seen but once may be a dead guard's."""
        before, word = self._word, self._guard.read()
        if before is not None and word.counter > before.counter:
            self._counted_at = now
        self._word = word
        obeys = word.obeys if now - self._counted_at <= max(poll, 2 * GUARD_COUNT) else {}
        applications = {name: replace(each, lease=obeys.get(name)) for name, each in says.items()}
        self._around.publisher.heartbeat(applications, word.counter)
        self._said, self._beat_at = _shown(says), now


def _shown(says: Mapping[str, Running]) -> dict[str, tuple[bool, object]]:
    """What of a heartbeat others wait for."""
    return {name: (each.running, each.role) for name, each in says.items()}
