"""Everything that the demo runs: two embedded sites with their controllers, a Git server, and the operator's clone.

All of it lies in one folder and in processes that end with this one, however it ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from reconciler.errors import SiteshiftError
from sandbox.demo import fleet
from sandbox.demo.checker import files
from sandbox.demo.checker.observer import Key, Observer
from sandbox.demo.checker.words import Words
from sandbox.gitserver import GitServer, git_environment
from sandbox.kubeconfigs import write_kubeconfig
from sandbox.processes import Processes
from sandbox.site import API, SIMULATION, Site

SITES = ("a", "b")
CONTROLLER = "controller"
REPOSITORY = "fleet.git"

LATENCIES = {"guest_boot": 0.8, "guest_stop": 0.2, "report_interval": 1.0, "replication_interval": 0.5}
"""Of the simulated sites, in seconds."""

Answer = TypeVar("Answer")


class Background(Generic[Answer]):
    """Work in a thread of its own, so that whoever waits can draw, check and be interrupted meanwhile."""

    def __init__(self, work: Callable[[], Answer]) -> None:
        self._work = work
        self._answer: list[Answer] = []
        self._error: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return not self._thread.is_alive()

    def answer(self) -> Answer:
        """What it came to, or its error."""
        if self._error:
            raise self._error[0]
        return self._answer[0]

    def _run(self) -> None:
        try:
            self._answer.append(self._work())
        except BaseException as error:
            self._error.append(error)


class World:
    """The sites, the Git server and the clone, in `folder`. `processes` ends whatever was started."""

    def __init__(self, folder: Path, processes: Processes) -> None:
        self.folder = folder
        self.clone = folder / "fleet"
        self.logs = folder / "logs"
        self._processes = processes
        folders = {name: folder / "sites" / name for name in SITES}
        self.sites = {
            name: Site(
                name,
                folders[name],
                processes,
                peers={peer: path for peer, path in folders.items() if peer != name},
                settings=LATENCIES,
            )
            for name in SITES
        }
        self.observers: dict[str, Observer] = {}
        self.levels: dict[Key, int] = {}
        self.logs.mkdir(parents=True)
        (folder / "git").mkdir()
        self.git = GitServer(folder / "git")
        self.url = ""
        self.words: Words | None = None

    def make_fleet(self) -> None:
        """The fleet repository as the operator's clone has it, committed and pushed; it must be valid."""
        fleet.make(self.clone)
        self.levels = files.run_levels(self.clone)
        self.url = self.git.start().create(REPOSITORY)
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("config", "user.name", "Operator")
        self._git("config", "user.email", "operator@example.com")
        self._git("remote", "add", "origin", self.url)
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "Begin: ledger and orders at a, catalog and payments at b")
        self.operator("validate")
        self._git("push", "--quiet", "--set-upstream", "origin", "main")
        self.words = Words(self.folder / "git" / REPOSITORY, SITES)

    def start_site(self, name: str) -> None:
        """Start a site's API server and simulation from what is in its folder."""
        self.sites[name].start()

    def observe(self, name: str) -> Observer:
        """Begin to watch a site; once is enough, also if the site is killed and returns."""
        site = self.sites[name]
        config = json.loads(site.kubeconfig("checker").read_text())
        authority = config["clusters"][0]["cluster"]["certificate-authority"]
        observer = Observer(name, site.url, config["users"][0]["user"]["token"], authority)
        self.observers[name] = observer
        observer.start()
        return observer

    def start_controller(self, name: str) -> None:
        """Start a site's controller by the documented command."""
        site = self.sites[name]
        kubeconfig = write_kubeconfig(site.folder / "kubeconfig", {name: site.kubeconfig("controller")})
        command = [*siteshift(), "run", "--site", name, "--fleet-url", self.url]
        command += ["--kubeconfig", str(kubeconfig), "--context", name, "--state", str(site.folder / "state")]
        site.run(CONTROLLER, [*command, "--log-format", "json"], environment=self._environment())

    def operator(self, *words: str) -> str:
        """Run a command of the fleet's operator in the clone; what it printed. Raises SiteshiftError if it fails."""
        command = [*siteshift(), *words, "--fleet", str(self.clone)]
        log = self.logs / "operator.log"
        process = self._processes.start("siteshift", command, log, environment=self._environment())
        while not process.reap(0.1):
            pass
        if process.exit_code != 0:
            raise SiteshiftError(f"siteshift {' '.join(words)} ended with {process.exit_code}:\n{process.output()}")
        return process.output()

    def alive(self, name: str) -> bool:
        """Whether a site's API server runs."""
        try:
            return self.sites[name].process(API).running
        except KeyError:
            return False

    def broken(self) -> list[str]:
        """Processes that have ended although nobody ended them, with what they said last."""
        return [
            f"{process.name} has ended with {process.exit_code}: {' '.join(process.output().splitlines()[-2:])}"
            for site in self.sites.values()
            for process in site.processes
            if not process.running
        ]

    def pids(self, name: str) -> tuple[int, ...]:
        """The process ids of everything that makes up a site."""
        return tuple(self.sites[name].process(part).pid for part in (API, SIMULATION, CONTROLLER))

    def stop(self) -> None:
        """Stop watching and serving; the processes are ended by their owner."""
        for observer in self.observers.values():
            observer.stop()
        self.git.stop()

    def _git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.clone), *words],
            env=git_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SiteshiftError(f"git {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def _environment(self) -> dict[str, str]:
        """Nothing of the user's own reaches a command: no Git configuration, no proxy, no options."""
        own = {name: "" for name in os.environ if name.startswith("SITESHIFT_")}
        home = {"HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder), "XDG_CACHE_HOME": str(self.folder)}
        return {**git_environment(), **own, **home, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def siteshift() -> Sequence[str]:
    """The installed command beside this Python, or the same by its module."""
    installed = Path(sys.executable).parent / "siteshift"
    return (str(installed),) if installed.exists() else (sys.executable, "-m", "reconciler.cli.main")
