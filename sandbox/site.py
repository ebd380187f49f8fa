"""One embedded site: its API server, its simulation and whatever else runs there, begun, killed and begun again as one.

Everything that the site knows is in its folder, so that a site which was killed returns with the very state it had.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.processes import Process, Processes, ProcessFailedError
from sandbox.simulation.settings import write_settings

READY_WITHIN = 60.0
"""Seconds that a process of a site may take to come up; a busy machine is slow."""

API, SIMULATION = "apiserver", "simulation"


class Site:
    """The embedded site `name` in `folder`.

    `peers` are the folders of the other sites, whose arrays it replicates with; `settings` are latencies and faults of
    the simulation (fields of `simulation.settings.Settings`).
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        processes: Processes,
        *,
        peers: Mapping[str, Path] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.name, self.folder = name, folder
        self._processes = processes
        self._peers = dict(peers or {})
        self._running: dict[str, Process] = {}
        self.url = ""
        """The API server's address, once started; the same after each start."""
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        write_settings(self.settings, settings or {})

    @property
    def array(self) -> Path:
        """The folder of the site's storage array."""
        return self.folder / "array"

    @property
    def settings(self) -> Path:
        """The file of the simulation's latencies and faults; `simulation.settings.write_settings` changes it."""
        return self.folder / "settings.json"

    @property
    def audit_log(self) -> Path:
        """The API server's audit events, one JSON object a line."""
        return self.folder / "audit.log"

    def kubeconfig(self, user: str = "admin") -> Path:
        """A kubeconfig for one of the API server's users, once started."""
        return self.folder / "kubeconfigs" / f"{user}.kubeconfig"

    def start(self, *, simulation: bool = True) -> None:
        """Start the API server and the simulation from what is in the folder; returns when both are ready."""
        self.start_api()
        if simulation:
            self.start_simulation()

    def start_api(self) -> None:
        """Start the API server alone: at the port of before, if it ran before."""
        port_file = self.folder / "port"
        port = port_file.read_text() if port_file.exists() else "0"
        command = [sys.executable, "-m", "sandbox.apiserver", "--port", port]
        command += ["--data", str(self.folder / "store"), "--audit", str(self.audit_log)]
        command += ["--kubeconfig", str(self.kubeconfig().parent)]
        process = self.run(API, command)
        self.url = process.wait_line(lambda line: line.startswith("https://"), READY_WITHIN)
        port_file.write_text(self.url.rpartition(":")[2])

    def start_simulation(self) -> None:
        """Start the simulation alone, as an ordinary client of the API server."""
        command = [sys.executable, "-m", "sandbox.simulation", "--site", self.name]
        command += ["--kubeconfig", str(self.kubeconfig("simulation")), "--array", str(self.array)]
        command += ["--settings", str(self.settings)]
        for peer, folder in sorted(self._peers.items()):
            command += ["--peer", f"{peer}={folder / 'array'}"]
        self.run(SIMULATION, command).wait_line(lambda line: line == "ready", READY_WITHIN)

    def run(self, name: str, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Process:
        """Run a further process that belongs to the site, and dies with it."""
        running = self._running.get(name)
        if running is not None and running.running:
            raise ProcessFailedError(f"{name} of site {self.name} runs already")
        log = self.folder / "logs" / f"{name}.log"
        process = self._processes.start(f"{name} of site {self.name}", command, log, environment=environment)
        self._running[name] = process
        return process

    def process(self, name: str) -> Process:
        """One of the site's processes that was started."""
        return self._running[name]

    @property
    def processes(self) -> tuple[Process, ...]:
        """Everything that was started here and not ended by us."""
        return tuple(self._running.values())

    @property
    def running(self) -> bool:
        """Whether the site is up and all of it runs."""
        return API in self._running and all(process.running for process in self.processes)

    def change(self, **settings: Any) -> None:
        """Change latencies or faults of the running simulation; it follows within a second."""
        write_settings(self.settings, settings)

    def kill(self, *names: str) -> None:
        """SIGKILL to every process of the site, or to the named ones: as when the power goes."""
        self._processes.kill(*self._take(names))

    def stop(self, *names: str) -> None:
        """End every process of the site in order, or the named ones; the API server last."""
        chosen = self._take(names)
        api = [process for process in chosen if process.name.startswith(API)]
        self._processes.stop(*(process for process in chosen if process not in api))
        self._processes.stop(*api)

    def _take(self, names: Sequence[str]) -> list[Process]:
        return [self._running.pop(name) for name in names or list(self._running) if name in self._running]
