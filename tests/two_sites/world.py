"""Time, Git, two sites and chance: what a story is told in.

A `Process` is one controller process of a site; it can be killed between any two requests, paused in one while a
successor works, cut off from Git, and started again. Nothing here knows a rule of the protocol but what must hold.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

from reconciler.cluster import Cluster
from reconciler.controller.speaking import Speaker
from reconciler.errors import ClusterError, SourceError
from reconciler.failover.execute.definition import Definition, Workload
from reconciler.failover.execute.knowing import Around
from reconciler.failover.execute.memory import Outcome, Task
from reconciler.failover.execute.mover import Mover
from reconciler.failover.execute.publisher import Publisher
from reconciler.failover.execute.site_record import SiteRecord
from reconciler.fleet.model import Application, Fleet, Group, Lease, Placement, Refs, Replication, Site
from reconciler.git.memory import MemoryRepository, MemoryServer
from reconciler.objects import APPLICATION_LABEL, Manifest, Ref
from two_sites.api import VR, Api
from two_sites.array import Array
from two_sites.guards import GuardProcess

LEVELS = {"db": "10", "svc": "50"}
KINDS = (("kubevirt.io/v1", "VirtualMachine"),)
TICK = 0.1
LEASE = Lease(time=5.0, fence_after=60.0)


class Killed(BaseException):
    """The process is gone in the middle of what it did."""


class BrokenError(AssertionError):
    """An invariant does not hold."""


class Clock:
    """The one clock of a story."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, event: Any, seconds: float) -> bool:
        self.now += seconds
        return bool(event.is_set())


@dataclass
class Process:
    """One controller process: it forgets everything when it ends."""

    world: World
    site: str
    around: Around
    mover: Mover
    speaker: Speaker
    outcome: Outcome | None = None
    active: bool = False

    def pass_(self) -> Outcome | None:
        """What the controller's loop does once."""
        self.active = True
        try:
            return self._pass()
        finally:
            self.active = False

    def _pass(self) -> Outcome | None:
        world, api = self.world, self.world.apis[self.site]
        try:
            self.speaker.speak(world.fleet, leads=True, moving=True)
        except (SourceError, ClusterError) as error:
            world.say(f"{self.site}: {error}")
        latest = self.around.publisher.latest
        placement = world.placements.get(latest.head if latest else "", next(iter(world.placements.values())))
        application = replace(world.application, placement=placement)
        workloads = world.workloads(self.site)
        try:
            definition = Definition("", tuple(workloads), ("bank",), kinds=KINDS)
            outcome = self.mover.pass_(Task(world.fleet, application, definition))
            self.outcome = outcome
            if outcome.run:
                self._start(application, workloads)
        except (ClusterError, SourceError) as error:
            world.say(f"{self.site}: {error}")
            return None
        step = outcome.journal.step.value
        world.say(f"{self.site}: {step} e{outcome.epoch} {outcome.state.value} {api.running()} {_why(outcome)}")
        return outcome

    def _start(self, application: Application, workloads: list[Workload]) -> None:
        for level in sorted({each.run_level for each in workloads}):
            at_level = [each for each in workloads if each.run_level == level]
            for each in at_level:
                self.mover.start(application, each)
            if not all(each.ready for each in at_level):
                return


@dataclass
class World:
    """Two sites, a and b, and one application, ledger, with a database and a service."""

    seed: int = 0
    lease: Lease | None = LEASE
    chaos: float = 0.0
    kills: bool = True
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.array = Array(("a", "b"))
        self.server = MemoryServer()
        self.placements: dict[str, Placement] = {}
        self.story: list[str] = []
        self.cut: set[str] = set()
        self.paused = 0
        self.before_request: Callable[[str, str], None] = lambda site, verb: None
        self.may_both_run = False
        group = Group("VolumeReplication", "ledger", "bank")
        self.fleet = Fleet(
            name="bank",
            topology="symmetric",
            sites=(Site("a"), Site("b")),
            platform=(),
            applications=(),
            poll=1.0,
            freshness=2.0,
            permit=4.0,
            request_timeout=3.0,
        )
        self.commit("a")
        self.application = Application(
            name="ledger",
            folder="apps/ledger",
            sites=("a", "b"),
            home="a",
            placement=next(iter(self.placements.values())),
            replication=Replication("csi-addons", (group,), rpo=30.0),
            lease=self.lease,
        )
        self.apis = {site: self._api(site) for site in ("a", "b")}
        self.controllers: dict[str, Process | None] = {site: self.process(site) for site in ("a", "b")}
        self.guards = {site: GuardProcess(self.apis[site], self.clock) for site in ("a", "b")}
        self.dead: set[str] = set()
        self.due = {"a": 0.0, "b": 0.0}

    def _api(self, site: str) -> Api:
        api = Api(site, self.array, self.clock.monotonic, store_delay=2.9)
        for name in LEVELS:
            api._put(_machine(name))
        api._put(_replication())
        return api

    def process(self, site: str) -> Process:
        """A new controller process of a site."""
        repository = MemoryRepository(self.server)
        self._hook(repository, site)
        cluster = cast(Cluster, _Client(self.apis[site], lambda verb: self.reached(site, verb)))
        record = SiteRecord(cast(Cluster, self.apis[site]), "bank", site)
        publisher = Publisher(repository, site, ("a", "b"), Refs(), self.clock, record)

        def placement_at(commit: str, application: Application) -> Placement | None:
            return self.placements.get(commit)

        around = Around(site, cluster, publisher, record, self.clock, placement_at)
        mover = Mover(around)
        return Process(self, site, around, mover, Speaker(around, mover))

    def _hook(self, repository: MemoryRepository, site: str) -> None:
        reach = repository._reach

        def reached() -> None:
            self.reached(site)
            if site in self.cut:
                raise SourceError("the Git server cannot be reached")
            reach()

        repository._reach = reached  # type: ignore[method-assign]

    def commit(self, active: str, **changes: Any) -> str:
        """A person's commit that changes the placement; the epoch goes up by one unless it is given."""
        last = self.placements[self.server.refs["refs/heads/main"]] if self.placements else None
        epoch = changes.pop("epoch", (last.epoch + 1) if last else 1)
        placement = Placement(active=active, epoch=epoch, move=changes.pop("move", "planned"), path="p", **changes)
        commit = self.server.commit({"apps/ledger/placement.yaml": repr(placement).encode()})
        self.placements[commit] = placement
        self.say(f"commit e{epoch} {placement.move} to {active} {changes or ''}")
        return commit

    def workloads(self, site: str) -> list[Workload]:
        """The application's workloads as rendered, judged ready by what runs."""
        running = self.apis[site].running()
        return [
            Workload(
                Ref("kubevirt.io", "VirtualMachine", "bank", name),
                "kubevirt.io/v1",
                level,
                name,
                "Always",
                ready=name in running,
                grace=5.0,
            )
            for name, level in LEVELS.items()
        ]

    def say(self, text: str) -> None:
        self.story.append(f"{self.clock.now:8.1f} {text}")

    def reached(self, site: str, verb: str = "git") -> None:
        """Before every request of a process: chance may let time pass, others work, or the process die."""
        self.before_request(site, verb)
        if self.chaos == 0 or self.random.random() >= self.chaos:
            return
        dice = self.random.random()
        if dice < 0.55:
            self.tick(self.random.choice((1, 1, 2, 5)))
        elif dice < 0.85:
            other = "b" if site == "a" else "a"
            self.run(other)
        elif dice < 0.93 and self.kills:
            self.say(f"{site}: killed")
            self.controllers[site] = None
            raise Killed
        elif self.paused < 2:
            self.paused += 1
            # Paused here, while a successor works for a while; then this one goes on with what it was about to do.
            before, self.controllers[site] = self.controllers[site], self.process(site)
            self.say(f"{site}: paused, a successor begins")
            other = "b" if site == "a" else "a"
            for _ in range(self.random.choice((1, 3, 8, 30))):
                self.tick(self.random.choice((1, 4)))
                self.run(site)
                self.run(other)
            self.paused -= 1
            if self.random.random() < 0.5:
                self.controllers[site] = before

    def run(self, site: str) -> None:
        """One pass of a site, unless it is in one or dead."""
        if site in self.dead:
            return
        process = self.controllers[site]
        if process is None:
            process = self.controllers[site] = self.process(site)
        if process.active:
            return
        try:
            process.pass_()
        except Killed:
            process.active = False

    def tick(self, times: int = 1) -> None:
        """Time passes for everything but the controllers; the guards look once a second."""
        for _ in range(times):
            self.clock.now += TICK
            for site, guard in self.guards.items():
                if site not in self.dead:
                    guard.tick()
            for site, api in self.apis.items():
                if site not in self.dead:
                    api.tick()
            self.array.ship()
            self.check()

    def check(self) -> None:
        """I1: never writers at two sites."""
        running = {site: api.running() for site, api in self.apis.items() if site not in self.dead and api.running()}
        if len(running) > 1 and not self.may_both_run:
            raise BrokenError(f"seed {self.seed}: both sites run: {running}\n" + "\n".join(self.story[-80:]))

    def until(self, done: Callable[[], bool], seconds: float = 120.0, what: str = "it") -> None:
        """Let the story go on until something holds; fails with the story when it does not come."""
        end = self.clock.now + seconds
        while not done():
            if self.clock.now > end:
                raise BrokenError(f"seed {self.seed}: {what} did not come\n" + "\n".join(self.story[-60:]))
            self.tick(self.random.choice((1, 2, 3)) if self.chaos else 2)
            for site in sorted(self.due, key=lambda _: self.random.random()):
                if self.clock.now >= self.due[site]:
                    self.due[site] = self.clock.now + (self.random.uniform(0.2, 1.2) if self.chaos else 0.5)
                    self.run(site)

    def passes(self, seconds: float) -> None:
        """Let the story go on for so long."""
        end = self.clock.now + seconds
        self.until(lambda: self.clock.now >= end, seconds + 10)

    def kill_site(self, site: str) -> None:
        """Every process of a site ends at once; its store and its array stay."""
        self.say(f"{site}: SIGKILL")
        self.dead.add(site)
        self.controllers[site] = None
        self.array.link = False

    def revive(self, site: str) -> None:
        """The site comes back with the state that it had."""
        self.say(f"{site}: returns")
        self.dead.discard(site)
        self.array.link = True
        self.apis[site].power_lost()

    def state(self, site: str) -> str:
        """What a site last said about the application."""
        process = self.controllers["a" if site == "b" else "b"] or self.controllers[site]
        assert process is not None
        listing = process.around.publisher.of("ledger")
        ack = listing.sites[site].ack if listing else None
        return f"{ack.state.value}@{ack.epoch}" if ack else "-"

    def is_active(self, site: str) -> bool:
        """Whether a site says that it is active at the newest epoch, and everything runs there."""
        newest = self.placements[self.server.refs["refs/heads/main"]]
        process = self.controllers[site]
        said = process is not None and process.outcome is not None and process.outcome.journal.step.value == "Active"
        return said and self.apis[site].running() == sorted(LEVELS) and self.last(site) == f"Active@{newest.epoch}"

    def last(self, site: str) -> str:
        """The site's own ref on the server."""
        ref = self.server.refs.get(f"refs/siteshift/acks/{site}")
        if ref is None:
            return "-"
        document = json.loads(self.server.commits[ref].files["ledger.json"])
        return f"{document['state']}@{document['epoch']}"


def _why(outcome: Outcome) -> str:
    return "; ".join([each.because for each in outcome.waits] + [each.reason for each in outcome.holds])


class _Client:
    """One process's connection to an API: requests pass the hook first."""

    def __init__(self, api: Api, reached: Callable[[str], None]) -> None:
        self._api = api
        self._reached = reached

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._api, name)
        if not callable(found) or name == "server_time":
            return found

        def called(*args: Any, **options: Any) -> Any:
            self._reached(name)
            return found(*args, **options)

        return called


def _machine(name: str) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": "bank", "labels": {APPLICATION_LABEL: "ledger"}},
        "spec": {"runStrategy": "Halted", "template": {"spec": {}}},
    }


def _replication() -> Manifest:
    return {
        "apiVersion": VR,
        "kind": "VolumeReplication",
        "metadata": {"name": "ledger", "namespace": "bank", "labels": {APPLICATION_LABEL: "ledger"}},
        "spec": {"replicationState": "secondary", "autoResync": False},
    }
