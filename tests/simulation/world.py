"""Sites with real controllers and guards, one Git server, the arrays between them, and everything that can go wrong.

Nothing here knows a rule of the protocol; what must hold is in `invariants`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from reconciler.controller import assemble as assembling
from reconciler.controller import loop
from reconciler.errors import FleetError
from reconciler.failover.execute.memory import Outcome
from reconciler.failover.guard.program import Guard
from reconciler.fleet.load import load_parts
from reconciler.fleet.model import Application, Fleet, Lease, Placement
from reconciler.git.memory import Commit, MemoryServer
from render.tree import MemoryTree
from simulation import fleet as files
from simulation.api import Api, Key
from simulation.array import Array
from simulation.assembling import assembled
from simulation.links import API_TIMEOUT, GUARD_TIMEOUT, Client, Log, Mirror
from simulation.platform import Platform
from simulation.scheduler import Process, Scheduler
from simulation.threads import MachineClock, installed

TICK = 0.25
"""Seconds between two moments of the sites' platforms and arrays."""

BRANCH = "refs/heads/main"
Mode = str
"""What is wrong with a link: "" (nothing), "refuse", "hang"; for Git also "push" and "heartbeats": no right to push."""


class BrokenError(AssertionError):
    """An invariant does not hold."""


@dataclass(frozen=True)
class Variant:
    """What is different from the product. `compares`: pushes and writes are by compare-and-swap (K); `changes`: module,
    name and value of what a mutant has in place of the product's own. `ignores`: how the invariants begin that are not
    looked at, so that what they only announce is seen."""

    name: str = "the product"
    compares: bool = True
    changes: tuple[tuple[Any, str, Any], ...] = ()
    ignores: tuple[str, ...] = ()


THE_PRODUCT = Variant()


@dataclass
class Controller:
    """One controller process and, once it has begun, its parts."""

    process: Process
    mirror: Mirror
    program: loop.Controller | None = None
    parts: loop.Parts | None = None


@dataclass
class Loss:
    """Records that a copy did not have when it took the lead, or was overwritten: whose, and how old they were."""

    application: str
    site: str
    how: str
    records: tuple[int, ...]
    oldest: float
    at: float


class World:
    """`sites` from a on; `lease` is ledger's. `random` is the story's, `scheduler.random` who runs next."""

    def __init__(
        self,
        seed: str = "0",
        sites: str = "ab",
        lease: Lease | None = files.LEASE,
        variant: Variant = THE_PRODUCT,
        switches: float = 0.08,
    ) -> None:
        self.seed, self.sites, self.variant = seed, tuple(sites), variant
        self.scheduler = Scheduler(f"{seed} schedule", switches)
        self.random = random.Random(f"{seed} world")
        self.story: list[str] = []
        self.server = MemoryServer()
        self.files: files.Files = {}
        self.lease = lease
        self.git: dict[str, Mode] = dict.fromkeys(self.sites, "")
        self.api: dict[str, Mode] = dict.fromkeys(self.sites, "")
        self.lost_answers: dict[tuple[str, str], int] = {}
        self.losses: list[Loss] = []
        self.checks: list[Callable[[], None]] = []
        self.on_push: list[Callable[[str, str, Commit], None]] = []
        self.on_write: list[Callable[[str, Key, Any, Any], None]] = []
        self.on_commit: list[Callable[[str], None]] = []
        self.arrays = {"ledger": Array("ledger", ("a", "b"), lambda: self.scheduler.now, self._lost)}
        self.apis = {site: self.new_api(site, "first") for site in self.sites}
        self.platforms = {site: self._platform(site) for site in self.sites}
        self.controllers: dict[str, Controller | None] = dict.fromkeys(self.sites)
        self.guards: dict[str, Process | None] = dict.fromkeys(self.sites)
        self.processes: list[Process] = []
        self.dark: set[str] = set()
        self.no_guard: set[str] = set()
        self.no_controller: set[str] = set()
        self._begun: list[Controller] = []
        self._numbers = 0

    # The world begins and ends

    @contextmanager
    def begun(self, placed: Mapping[str, str] | None = None) -> Iterator[World]:
        """The world, going: every site has a controller and a guard."""
        with installed(self.scheduler), assembled(self):
            active = placed or dict.fromkeys(files.LEVELS, "a")
            changes = files.files(self.sites, self.lease)
            for name, site in active.items():
                changes |= files.placement(name, {"active": site, "epoch": 1, "move": "planned"})
            self.commit(changes, "the first commit")
            for site in self.sites:
                self.start_controller(site)
                self.start_guard(site)
            self.scheduler.at(TICK, self._tick)
            try:
                yield self
            finally:
                self.scheduler.finish(self.processes)

    def new_api(self, site: str, uid: str) -> Api:
        """The API of a cluster that nobody has used yet."""
        names = {name: name for name in files.LEVELS}
        others = tuple(f"https://{site}-{number}" for number in (2, 3))
        api = Api(site, lambda: self.scheduler.now, names, f"https://{site}-1", others, uid)
        api.compares = self.variant.compares
        api.changed = self._written
        return api

    def _platform(self, site: str) -> Platform:
        return Platform(self.apis[site], self.arrays, self.scheduler.random, lambda: self.scheduler.now)

    # Processes

    def _process(self, kind: str, site: str) -> Process:
        self._numbers += 1
        drift = 1.0 + self.random.uniform(-0.01, 0.01)
        process = Process(f"{site} {kind} {self._numbers}", site, drift, self.random.uniform(0, 1000))
        self.processes = [each for each in self.processes if each.tasks]
        self.processes.append(process)
        return process

    def start_controller(self, site: str, *, mirror: bool = True) -> Controller:
        """A new controller process; with the mirror that the one before left, if there is one."""
        before = self.controllers[site]
        process = self._process("controller", site)
        controller = Controller(process, Mirror(self, process))
        if before is not None and mirror:
            controller.mirror.keep(before.mirror)
        self.controllers[site] = controller
        self._begun = [each for each in self._begun if not each.process.dead] + [controller]

        def work() -> None:
            log, clock = cast(Any, Log(process.name, self.say)), MachineClock(self.scheduler, process)
            settings = assembling.Settings(site, "memory", "main", Path("state"), None, None)

            def assemble() -> loop.Parts:
                controller.parts = assembling.assemble(settings, log, clock)
                return controller.parts

            controller.program = loop.Controller(assemble, log, clock)
            controller.program.run()

        self.scheduler.spawn("controller", process, work)
        return controller

    def start_guard(self, site: str) -> Process:
        """A new guard process."""
        process = self._process("guard", site)
        self.guards[site] = process

        def work() -> None:
            cluster, clock = Client(self, process, GUARD_TIMEOUT), MachineClock(self.scheduler, process)
            Guard(cast(Any, cluster), process.name, clock, Log(process.name, self.say)).run()

        self.scheduler.spawn("guard", process, work)
        return process

    def client(self) -> Client:
        """The connection of the process that runs now."""
        task = self.scheduler.current
        assert task is not None
        return Client(self, task.process, API_TIMEOUT)

    def controller_of(self, process: Process) -> Controller:
        """The controller that a process is."""
        return next(each for each in self._begun if each.process is process)

    # Time

    def _tick(self) -> None:
        """One moment of every platform and array; what must always hold is looked at."""
        for site, platform in self.platforms.items():
            platform.api = self.apis[site]
            platform.tick()
        for array in self.arrays.values():
            array.ship()
        for check in self.checks:
            check()
        self.scheduler.at(self.scheduler.now + TICK, self._tick)

    def passes(self, seconds: float) -> None:
        """Let the story go on for so long."""
        self.scheduler.run(self.scheduler.now + seconds)

    def until(self, done: Callable[[], bool], seconds: float = 200.0, what: str = "it") -> None:
        """Let the story go on until something holds; fails with the story when it does not come."""
        end = self.scheduler.now + seconds
        while not done():
            if self.scheduler.now >= end:
                self.broken(f"{what} did not come within {seconds:.0f}s")
            self.scheduler.run(min(end, self.scheduler.now + 2 * TICK))

    def say(self, text: str) -> None:
        """One line of the history."""
        if "a bug" in text:
            self.broken(text)
        self.story.append(f"{self.scheduler.now:8.2f} {text}")

    def broken(self, why: str) -> None:
        """An invariant does not hold: the story ends here."""
        if self.variant.ignores and why.startswith(self.variant.ignores):
            return
        raise BrokenError(f"seed {self.seed}: {why}\n" + "\n".join(self.story))

    # Links

    def git_mode(self, site: str) -> Mode:
        """What is wrong with a site's link to the Git server."""
        return self.git[site]

    def api_mode(self, process: Process) -> Mode:
        """What is wrong with a process's link to its API."""
        return "refuse" if process.site in self.dark else self.api[process.site]

    def loses_answer(self, site: str, which: str) -> bool:
        """Whether the answer to what was just done never comes."""
        left = self.lost_answers.get((site, which), 0)
        self.lost_answers[site, which] = max(0, left - 1)
        return left == 1

    def pushed(self, site: str, ref: str, commit: Commit) -> None:
        """A site's push was taken."""
        for each in self.on_push:
            each(site, ref, commit)

    def _written(self, site: str, key: Key, before: Any, now: Any) -> None:
        for each in self.on_write:
            each(site, key, before, now)

    def _lost(self, array: Array, site: str, how: str, records: tuple[int, ...]) -> None:
        oldest = self.scheduler.now - array.times[records[0] - 1] if records else 0.0
        loss = Loss(array.application, site, how, records, oldest, self.scheduler.now)
        self.say(f"{array.application}: {len(records)} records are {how} at {site}, the oldest {oldest:.1f}s old")
        self.losses.append(loss)

    # Git

    def commit(self, changes: Mapping[str, bytes | None], message: str) -> str:
        """A person's commit to the branch; None takes a file away."""
        kept = {name: content for name, content in (self.files | dict(changes)).items() if content is not None}
        self.files = cast(files.Files, kept)
        commit = self.server.commit(self.files, message)
        self.say(f"people commit: {message}")
        for each in self.on_commit:
            each(commit)
        return commit

    def place(self, name: str, **changes: Any) -> str:
        """Change an application's placement; its epoch goes up by one unless it is given."""
        spec = self.placement_spec(name)
        spec = {
            key: value for key, value in (spec | {"epoch": spec["epoch"] + 1} | changes).items() if value is not None
        }
        shown = {key: value for key, value in spec.items() if key not in ("active", "epoch", "move")}
        words = f"{name} e{spec['epoch']} {spec['move']} to {spec['active']} {shown or ''}".rstrip()
        return self.commit(files.placement(name, spec), words)

    @property
    def levels(self) -> dict[str, dict[str, int]]:
        """Application → its virtual machines with their run levels, as the branch has them."""
        return files.levels(self.files)

    def placement_spec(self, name: str) -> dict[str, Any]:
        """What the branch's placement says."""
        found: dict[str, Any] = json.loads(self.files[f"apps/{name}/placement.yaml"])["spec"]
        return found

    def fleet(self) -> Fleet:
        """The fleet as the branch has it."""
        return load_parts(MemoryTree(dict(self.files))).fleet

    def application(self, name: str) -> Application:
        """An application as the branch has it."""
        found = self.fleet().application(name)
        if found is None:
            raise FleetError(f"the files of {name} are wrong")
        return found

    def placement(self, name: str) -> Placement:
        """The newest placement."""
        return self.application(name).placement

    # What is seen from outside

    def outcome(self, site: str, name: str) -> Outcome | None:
        """What the site's controller last made of an application."""
        led = [each.parts for each in self.controllers_of(site) if each.parts and each.parts.leadership.held]
        memory = led[-1].mover._memories.get(name) if led else None
        return None if memory is None else memory.outcome

    def controllers_of(self, site: str) -> list[Controller]:
        """The controller processes of a site that live, the newest last."""
        return [each for each in self._begun if each.process.site == site and not each.process.dead]

    def holds(self, site: str, name: str = "ledger") -> list[str]:
        """The reasons of the holds at a site."""
        found = self.outcome(site, name)
        return [] if found is None else [each.reason for each in found.holds]

    def running(self, site: str, name: str = "ledger") -> list[str]:
        """The instances of an application that run at a site."""
        return sorted(self.platforms[site].running(name))

    def last(self, site: str, name: str = "ledger") -> str:
        """What the site's own ref says on the server."""
        value = self.server.refs.get(f"refs/siteshift/acks/{site}")
        content = None if value is None else self.server.commits[value].files.get(f"{name}.json")
        if content is None:
            return "-"
        document = json.loads(content)
        return f"{document['state']}@{document['epoch']}"

    def is_active(self, site: str, name: str = "ledger") -> bool:
        """Whether everything of an application runs at a site, and it says so for the newest epoch."""
        newest = self.placement_spec(name)["epoch"]
        return self.running(site, name) == sorted(self.levels[name]) and self.last(site, name) == f"Active@{newest}"

    def rests(self, site: str, name: str = "ledger") -> bool:
        """Whether a site says for the newest epoch that nothing of the application is there."""
        newest = self.placement_spec(name)["epoch"]
        return self.last(site, name) in {f"{word}@{newest}" for word in ("Passive", "Demoted", "Superseded")}
