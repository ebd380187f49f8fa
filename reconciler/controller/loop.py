"""The controller of one site: what wakes it, what runs beside it, and how it ends.

Three threads: this one makes passes; one speaks with Git once a poll, and every second while a move is under way; one
renews the site's Lease. What stops applications is the guard, a process of its own. A pass is made when something
changed, and in between only as often as time itself can change an answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from reconciler.clock import Clock
from reconciler.cluster.leadership import Leadership
from reconciler.controller import bootstrap, remote
from reconciler.controller.acting import Definitions
from reconciler.controller.applying import Applier
from reconciler.controller.desired import Desired, Revision, unit_keys
from reconciler.controller.passes import Passes, PassReport, Platform
from reconciler.controller.pruning import Pruner
from reconciler.controller.reporting import Reporter
from reconciler.controller.speaking import Speaker, is_moving
from reconciler.controller.starting import Starter
from reconciler.errors import ClusterError, InputErrors, SiteshiftError, SourceError, unexpected
from reconciler.git.credentials import mask
from reconciler.status.log import Log

if TYPE_CHECKING:
    from reconciler.cluster import Caches, Cluster
    from reconciler.failover.execute.knowing import Around
    from reconciler.failover.execute.mover import Mover

SETTLE = 0.03
"""Changes that come this close together, in seconds, are looked at in one pass."""

BUSY = 0.25
"""How often a pass looks at the time while something is waited for, in seconds."""

RENEWALS = 4
"""The Lease is renewed so often within the time that it lasts."""

MOVING = 1.0
"""How often the server is asked whether anything is new while a move is under way, in seconds: one cheap request."""

RETRY = 1.0
"""How long to wait before a failed beginning is tried again, in seconds."""


Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a controller is made of, for one site; `revision` is the one that it begins with, `bound_url` the Git server
    that people have pointed the site at ("": that of the command line)."""

    site: str
    revision: Revision
    cluster: Cluster
    caches: Caches
    around: Around
    mover: Mover
    leadership: Leadership
    desired: Desired
    bound_url: str = ""


class Controller:
    """Keeps one site as Git says until it is told to stop. `assemble` is tried until it answers."""

    def __init__(self, assemble: Callable[[], Parts], log: Log, clock: Clock) -> None:
        self._assemble = assemble
        self._log = log
        self._clock = clock
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._parts: Parts | None = None

    def stop(self) -> None:
        """End at the next safe point; may be called from a signal handler or another thread."""
        self._stop.set()
        self._ended.set()
        if self._parts is not None:
            self._parts.caches.changed.set()

    def run(self) -> None:
        """Work until `stop`; anew where people have pointed the site at another Git server meanwhile."""
        while not self._stop.is_set():
            self._ended = threading.Event()
            parts = self._until(self._assemble)
            if parts is not None:
                self._work(parts)

    def _work(self, parts: Parts) -> None:
        """Work with these parts until it ends. Gives the Lease back and ends all watches."""
        self._parts = parts
        ended = self._ended
        try:
            if self._until(lambda: self._begin(parts)):
                self._log.say("started", f"{parts.site} of fleet {parts.revision.fleet.name}")
                if self._stop.is_set():
                    ended.set()
                _Work(parts, self._log, self._clock, ended).run()
        except BaseException:
            self._stop.set()
            raise
        finally:
            ended.set()
            parts.leadership.release()
            parts.caches.stop()
            parts.desired.close()
            self._log.say("stopped", "the Lease is given back; what runs goes on")

    def _begin(self, parts: Parts) -> bool:
        """Become the site's one controller, with everything in the cluster that it needs."""
        bootstrap.ensure_namespace(parts.cluster)
        if not parts.leadership.renew():
            self._log.change("standby", "lease", f"{parts.leadership.holder or 'another'} holds the site's Lease")
            return False
        bootstrap.ensure(parts.cluster)
        return True

    def _until(self, attempt: Callable[[], Answer]) -> Answer | None:
        """Try until there is an answer that counts; None when it was told to stop."""
        while not self._stop.is_set():
            try:
                answer = attempt()
            except (ClusterError, SourceError, InputErrors) as error:
                self._log.change("failed", "begin", str(error))
            else:
                if answer:
                    return answer
            self._clock.wait(self._stop, RETRY)
        return None


class _Work:
    """The threads of a controller that holds the Lease."""

    def __init__(self, parts: Parts, log: Log, clock: Clock, stop: threading.Event) -> None:
        self._parts = parts
        self._log = log
        self._clock = clock
        self._stop = stop
        self._fleet = parts.revision.fleet
        self._speaker = Speaker(parts.around, parts.mover)
        self._moving = False
        self._refused = ""
        self._reported = ""
        self._seeded = False
        self._reporter = Reporter(parts.site, parts.cluster, log)
        applier = Applier(parts.cluster, parts.caches, clock)
        starter = Starter(parts.caches, clock, self._fleet.starts, log)
        platform = Platform(self._reporter.completed_payload())
        self._pruner = Pruner(parts.cluster, parts.caches, applier, log)
        definitions = Definitions(parts.site, parts.desired, parts.mover)
        self._passes = Passes(
            parts.site, parts.desired, applier, starter, self._pruner, parts.mover, definitions, platform
        )

    def run(self) -> None:
        """Pass after pass, until it is told to stop."""
        beside = [
            threading.Thread(target=self._speak_with_git, name="git", daemon=True),
            threading.Thread(target=self._keep_lease, name="lease", daemon=True),
        ]
        for thread in beside:
            thread.start()
        revision = self._parts.revision
        while not self._stop.is_set():
            revision = self._revision(revision)
            self._fleet = revision.fleet
            self._wait(self._pass(revision), revision)
        for thread in beside:
            thread.join()

    def _revision(self, last: Revision) -> Revision:
        """The newest commit's fleet, or the one before while the newest cannot be acted on."""
        latest = self._parts.around.publisher.latest
        if latest is None or latest.head == last.commit:
            return last
        try:
            revision = self._parts.desired.at(latest.head)
        except SiteshiftError as error:
            self._log.change("fleet-invalid", latest.head, str(error), revision=latest.head[:7])
            self._refused = latest.head
            return last
        self._log.say("revision", "acting on it", revision=revision.commit[:7])
        return revision

    def _pass(self, revision: Revision) -> PassReport | None:
        parts = self._parts
        if not parts.leadership.held:
            self._log.change("standby", "lease", "the site's Lease is not held: nothing is started or changed")
            return None
        self._log.change("standby", "lease", "")
        parts.caches.drain()
        try:
            if not self._seeded:
                self._passes.territory.seed(self._pruner.namespaces())
                self._seeded = True
            report = self._passes.run(revision, lambda: self._overtaken(revision))
            self._moving = any(unit.outcome is not None and is_moving(unit.outcome) for unit in report.applications)
            self._reporter.report(report)
            if self._reported != revision.commit:
                self._pruner.report_unmanaged(unit_keys(revision))
                self._reported = revision.commit
        except ClusterError as error:
            self._log.change("cluster-unreachable", "api", str(error))
            return None
        except Exception as error:
            self._bug("pass", error)
            return None
        self._log.change("cluster-unreachable", "api", "")
        self._log.change("failed", "pass", "")
        return report

    def _bug(self, where: str, error: Exception) -> None:
        """Say what nobody foresaw. A thread that dies of it would be missed by everything that it does beside: leases
        that are kept, stops that reach a site, the other applications."""
        what = unexpected(error)
        self._log.change("failed", where, what)

    def _overtaken(self, revision: Revision) -> bool:
        """Whether there is something newer to act on than what a pass is about; a commit that is wrong is not."""
        latest = self._parts.around.publisher.latest
        return self._stop.is_set() or (latest is not None and latest.head not in (revision.commit, self._refused))

    def _wait(self, report: PassReport | None, revision: Revision) -> None:
        poll = revision.fleet.poll
        if report is not None and report.changed:
            pause = 0.0
        elif report is None or not report.quiet:
            pause = min(BUSY, poll)
        else:
            pause = poll
        if self._clock.wait(self._parts.caches.changed, pause) and not self._stop.is_set():
            self._clock.wait(self._stop, SETTLE)

    def _speak_with_git(self) -> None:
        parts = self._parts
        while not self._stop.is_set():
            before, failed = self._heard(), False
            try:
                self._speaker.speak(self._fleet, leads=parts.leadership.held, moving=self._moving)
                self._log.change("git-unreachable", "git", "")
            except SourceError as error:
                failed = True
                self._log.change("git-unreachable", "git", str(error))
            except ClusterError as error:
                failed = True
                self._log.change("cluster-unreachable", "site", str(error))
            except Exception as error:
                failed = True
                self._bug("git", error)
            else:
                self._log.change("cluster-unreachable", "site", "")
            if self._heard() != before or self._is_pointed_elsewhere():
                parts.caches.changed.set()
            self._rest(failed or not parts.leadership.held)

    def _is_pointed_elsewhere(self) -> bool:
        """Whether people have pointed the site at another Git server (P14): then all of this begins anew."""
        try:
            url = remote.bound_url(self._parts.cluster, self._parts.site)
        except ClusterError:
            return False  # said by whoever needs the cluster next
        if url == self._parts.bound_url:
            return False
        self._log.say("remote", f"the Git server is {mask(url) or 'that of --fleet-url'} from now on")
        self._stop.set()
        return True

    def _rest(self, failed: bool) -> None:
        """Wait for the next poll. A move that begins meanwhile, or news for the other sites, does not wait for it: it
        would cost each of them a poll. A server that answers nobody is not asked any sooner for the news."""
        began = self._clock.monotonic()
        while not self._clock.wait(self._stop, min(MOVING, self._fleet.poll)):
            over = self._clock.monotonic() - began >= self._fleet.poll
            if over or self._moving or (not failed and self._speaker.has_news()):
                return

    def _heard(self) -> tuple[object, ...]:
        """What Git says that a pass could act on: the branch's head and every site's word about each application."""
        publisher = self._parts.around.publisher
        latest = publisher.latest
        if latest is None:
            return ()
        listings = (publisher.of(application.name) for application in self._fleet.applications)
        words = [(seen.ack, seen.distrust) for each in listings if each is not None for seen in each.sites.values()]
        return (latest.head, latest.proven, *words)

    def _keep_lease(self) -> None:
        """The site's one controller holds a Lease (P15)."""
        leadership = self._parts.leadership
        while not self._stop.is_set():
            try:
                leadership.renew()
            except ClusterError as error:
                self._log.change("failed", "lease", str(error))
            except Exception as error:
                self._bug("lease", error)
            else:
                self._log.change("failed", "lease", "")
            self._clock.wait(self._stop, leadership.duration / RENEWALS)
