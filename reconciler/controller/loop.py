"""The controller of one site: what wakes it, what runs beside it, and how it ends.

Three threads: this one makes passes; one speaks with Git once a poll; one renews permits and the site's Lease and
checks the applications' leases, and nothing else may hold it up. A pass is made when something changed, and in between
only as often as time itself can change an answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.clock import Clock
from reconciler.controller import bootstrap
from reconciler.controller.applying import Applier
from reconciler.controller.desired import Desired, Revision
from reconciler.controller.leader import Leadership
from reconciler.controller.passes import Passes, PassReport
from reconciler.controller.pruning import Pruner
from reconciler.controller.reporting import Reporter
from reconciler.controller.starting import Starter
from reconciler.errors import ClusterError, SiteshiftError, SourceError
from reconciler.fleet.model import Fleet
from reconciler.status.log import Log

if TYPE_CHECKING:
    from reconciler.cluster import Caches, Cluster
    from reconciler.controller.carry_out import Mover
    from reconciler.controller.carry_out_publish import Publisher

SETTLE = 0.03
"""Changes that come this close together, in seconds, are looked at in one pass."""

BUSY = 0.5
"""How often a pass looks at the time while something is waited for, in seconds."""

RENEWALS = 4
"""Permits and the Lease are renewed so often within the time that a permit lasts."""

RETRY = 1.0
"""How long to wait before a failed beginning is tried again, in seconds."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a controller is made of, for one site; `fleet` is the one that it begins with."""

    site: str
    fleet: Fleet
    cluster: Cluster
    caches: Caches
    publisher: Publisher
    mover: Mover
    leadership: Leadership
    desired: Desired
    log: Log
    clock: Clock


class Controller:
    """Keeps one site as Git says until it is told to stop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._applier = Applier(parts.cluster, parts.caches, parts.clock)
        self._passes = Passes(
            parts.site, parts.desired, self._applier, Starter(parts.caches, parts.clock), parts.clock, parts.mover
        )
        self._pruner = Pruner(parts.cluster, parts.caches, self._applier, parts.log)
        self._reporter = Reporter(parts.site, parts.cluster, parts.log)
        self._exposures: dict[str, float] = {}
        self._fleet = parts.fleet
        self._stop = threading.Event()

    def stop(self) -> None:
        """End at the next safe point; may be called from a signal handler or another thread."""
        self._stop.set()
        self._parts.caches.changed.set()

    def run(self) -> None:
        """Work until `stop`. Gives the Lease back and ends all watches."""
        parts = self._parts
        if not self._begin():
            return
        beside = [
            threading.Thread(target=self._speak_with_git, name="git", daemon=True),
            threading.Thread(target=self._keep_rights, name="rights", daemon=True),
        ]
        for thread in beside:
            thread.start()
        try:
            revision: Revision | None = None
            while not self._stop.is_set():
                revision = self._revision(revision)
                if revision is not None:
                    self._fleet = revision.fleet
                    self._wait(self._pass(revision), revision)
                elif parts.clock.wait(parts.caches.changed, RETRY):
                    parts.caches.drain()
        finally:
            self._stop.set()
            for thread in beside:
                thread.join()
            parts.leadership.release()
            parts.caches.stop()
            parts.log.say("stopped", "the Lease is given back; what runs goes on")

    def _begin(self) -> bool:
        """Become the site's one controller, with everything in the cluster that it needs."""
        parts = self._parts

        def prepare() -> bool:
            bootstrap.ensure_namespace(parts.cluster)
            if not parts.leadership.renew():
                parts.log.change("standby", "lease", f"{parts.leadership.holder or 'another'} holds the site's Lease")
                return False
            bootstrap.ensure(parts.cluster)
            self._passes.platform.completed = self._reporter.completed_payload()
            return True

        return self._until(prepare)

    def _until(self, attempt: Callable[[], bool]) -> bool:
        while not self._stop.is_set():
            try:
                if attempt():
                    return True
            except (SiteshiftError, OSError) as error:
                self._parts.log.change("failed", "begin", str(error))
            self._parts.clock.wait(self._stop, RETRY)
        return False

    def _revision(self, last: Revision | None) -> Revision | None:
        """The newest commit's fleet, or the one before while the newest cannot be acted on."""
        latest = self._parts.publisher.latest
        if latest is None or (last is not None and latest.head == last.commit):
            return last
        try:
            revision = self._parts.desired.at(latest.head)
        except SiteshiftError as error:
            self._parts.log.change("fleet-invalid", latest.head, str(error), revision=latest.head[:7])
            return last
        self._parts.log.say("revision", "acting on it", revision=revision.commit[:7])
        return revision

    def _pass(self, revision: Revision) -> PassReport | None:
        parts = self._parts
        if not parts.leadership.held:
            parts.log.change("standby", "lease", "the site's Lease is not held: nothing is started or changed")
            return None
        parts.log.change("standby", "lease", "")
        parts.caches.drain()
        try:
            report = self._passes.run(revision, lambda: self._overtaken(revision))
            self._exposures = {
                unit.name: unit.outcome.exposure
                for unit in report.applications
                if unit.outcome is not None and unit.outcome.exposure is not None
            }
            self._pruner.prune(report)
            self._reporter.report(report)
        except ClusterError as error:
            parts.log.change("cluster-unreachable", "api", str(error))
            return None
        parts.log.change("cluster-unreachable", "api", "")
        return report

    def _overtaken(self, revision: Revision) -> bool:
        latest = self._parts.publisher.latest
        return self._stop.is_set() or (latest is not None and latest.head != revision.commit)

    def _wait(self, report: PassReport | None, revision: Revision) -> None:
        poll = revision.fleet.poll
        if report is not None and report.changed:
            pause = 0.0
        elif report is None or not report.quiet:
            pause = min(BUSY, poll)
        else:
            pause = poll
        if self._parts.clock.wait(self._parts.caches.changed, pause) and not self._stop.is_set():
            self._parts.clock.wait(self._stop, SETTLE)

    def _speak_with_git(self) -> None:
        parts = self._parts
        while not self._stop.is_set():
            before = parts.publisher.latest
            try:
                if parts.leadership.held:
                    parts.publisher.heartbeat(dict(self._exposures))
                else:
                    parts.publisher.fetch()
                parts.log.change("git-unreachable", "git", "")
            except SourceError as error:
                parts.log.change("git-unreachable", "git", str(error))
                self._only_read()
            after = parts.publisher.latest
            if after is not None and (before is None or (after.head, after.acks) != (before.head, before.acks)):
                parts.caches.changed.set()
            parts.clock.wait(self._stop, self._fleet.poll)

    def _only_read(self) -> None:
        """A site that may not push still sees what is asked of it: a stop must reach it."""
        with suppress(SourceError):
            self._parts.publisher.fetch()

    def _keep_rights(self) -> None:
        parts = self._parts
        while not self._stop.is_set():
            try:
                if parts.leadership.renew():
                    parts.mover.check_leases()
                    parts.mover.renew_permits()
            except ClusterError as error:
                parts.log.change("failed", "rights", str(error))
            parts.clock.wait(self._stop, self._fleet.permit / RENEWALS)
