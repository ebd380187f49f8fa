"""Both sites with the Git server between them, and what can only be said of both together."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from testbed.client import eventually
from testbed.processes import Port, Process
from testbed.two_sites.fleet import APPS, NAMES, Repository, git_environment
from testbed.two_sites.site import INSTANCE, POD, Site, ended, siteshift

from sandbox.simulation.ledger import lost_records

PATIENCE = 240.0
"""Seconds that a move may take on a busy machine before a test gives up."""

CALM = 2.0
"""Seconds without any write after which an application is taken to rest."""


class TwoSites:
    """Sites a and b, the Git server between them, and the fleet repository that they follow."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder = folder
        self._port = Port()
        remote = f"http://127.0.0.1:{self._port}/fleet.git"
        self.git = Process(
            "Git server",
            [
                *(sys.executable, "-m", "sandbox.gitserver"),
                *("--root", folder / "git", "--port", str(self._port)),
            ],
            log=folder / "git.log",
        )
        self.fleet = Repository(folder / "fleet", remote)
        self.placed: dict[str, int] = {}
        """Where in each site's store the first placements were done."""
        self.a, self.b = (Site(name, folder / name, binaries, remote, folder / "arrays") for name in NAMES)

    @property
    def sites(self) -> tuple[Site, Site]:
        """Both."""
        return self.a, self.b

    @property
    def processes(self) -> list[Process]:
        """Everything, for the logs of a failed test."""
        return [self.git, *self.a.processes, *self.b.processes]

    def start(self) -> TwoSites:
        """Start the Git server, push the fleet, start both sites, and wait for the first placements."""
        bare = self.folder / "git" / "fleet.git"
        bare.mkdir(parents=True)
        Repository(bare, "").git("init", "--quiet", "--bare", "--initial-branch=main")
        self.git.start().wait_until(lambda: b"http" in self.git.log.read_bytes())
        self.fleet.create()
        for step in (Site.begin, Site.go_on, Site.finish):
            for site in self.sites:
                step(site)
        for app in APPS:
            self.wait_active(app.name, app.active)
        self.placed = {site.name: site.last() for site in self.sites}
        return self

    def site(self, name: str) -> Site:
        """One of them."""
        return {site.name: site for site in self.sites}[name]

    def close(self) -> None:
        """End everything."""
        for site in self.sites:
            site.close()
        self.git.kill()
        self._port.release()

    def siteshift(self, *arguments: str) -> Process:
        """Run a command of the fleet's operator to its end."""
        process = Process(
            "siteshift",
            [siteshift(), *arguments, "--fleet", self.fleet.folder],
            log=self.folder / "operator.log",
            environment={**git_environment(), "HOME": str(self.folder)},
        )
        code = process.start().wait()
        assert code == 0, f"siteshift {' '.join(arguments)}: exit code {code}\n{process.tail()}"
        return process

    def where(self, app: str) -> tuple[Site, Site]:
        """The site where an application is active by its placement, and the other one."""
        at_a = "active: a\n" in self.fleet.read(f"apps/{app}/placement.yaml")
        return (self.a, self.b) if at_a else (self.b, self.a)

    def wait_active(self, app: str, at: str) -> None:
        """Until the application runs at one site, which has said so on its ref, and rests at the other."""
        active, passive = (self.a, self.b) if at == "a" else (self.b, self.a)
        self.wait(active, f"{app} runs there", lambda: active.runs(app))
        self.wait(active, f"it has said so of {app}", lambda: '"Active"' in self.fleet.ack(active.name, app))
        self.wait(passive, f"{app} rests there", lambda: passive.rests(app))

    def wait(self, site: Site, what: str, check: Callable[[], object]) -> None:
        """Until something is true of a site; the error shows the end of its controller's log."""
        eventually(f"at {site.name}: {what}", check, seconds=PATIENCE, detail=site.controller.tail)

    def calm(self, *apps: str) -> dict[tuple[str, str], dict[str, str]]:
        """The versions of all objects of some applications at both sites, once nothing writes to them any more."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            before = self.versions(*apps)
            time.sleep(CALM)
            if self.versions(*apps) == before:
                return before
        raise AssertionError(f"{', '.join(apps)} never came to rest")

    def versions(self, *apps: str) -> dict[tuple[str, str], dict[str, str]]:
        """The versions of all objects of some applications at both sites."""
        return {(site.name, app): site.versions(app) for site in self.sites for app in apps}

    def never_ran_twice(self, app: str) -> None:
        """From the histories of both sites: there was no moment with instances of the application at both."""
        alive: dict[str, set[str]] = {name: set() for name in NAMES}
        dead: set[str] = set()
        for _, site, kind, item in sorted(self._lives(app), key=lambda event: event[0]):
            if kind == "DIED":
                dead |= alive[site]
                alive[site].clear()
            elif kind == "DELETED" or ended(item):
                alive[site].discard(item["metadata"]["uid"])
            elif item["metadata"]["uid"] not in dead:
                alive[site].add(item["metadata"]["uid"])
            assert not all(alive.values()), f"{app} ran at both sites: {alive}"
        assert any(kind == "ADDED" for _, _, kind, _ in self._lives(app)), f"no life of {app} was recorded"

    def lost(self, app: str, surviving: Site) -> int:
        """How many records that guests were told are safe, at any time, the surviving copy does not hold."""
        arrays = [site.array for site in self.sites]
        return len(lost_records(f"{app}-data", surviving=surviving.array, arrays=arrays))

    def _lives(self, app: str) -> list[tuple[float, str, str, dict[str, object]]]:
        """Births and ends of the application's instances and pods at both sites, and the deaths of whole sites."""
        lives = [
            (when, site.name, kind, item)
            for site in self.sites
            for when, kind, item in site.events(INSTANCE, POD, app=app)
        ]
        return lives + [(when, site.name, "DIED", {}) for site in self.sites for when in site.deaths]
