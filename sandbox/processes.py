"""Processes that belong to somebody: each in a group of its own, and none outlives the one who began it.

A guardian, a tiny process of its own session, holds a pipe to us and the list of our groups; when the pipe closes,
because we were killed even by SIGKILL, it ends them. That works wherever there are pipes and process groups.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from reconciler.errors import SiteshiftError

LOOK_INTERVAL = 0.02
"""Seconds between two looks at a process that is starting."""

GUARDIAN = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
groups = set()
for line in iter(sys.stdin.readline, ""):
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
"""


class ProcessFailedError(SiteshiftError):
    """A process did not come up."""


class Process:
    """One process with its group and its log."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: Path, offset: int) -> None:
        self.name, self.log = name, log
        self._popen = popen
        self._offset = offset

    @property
    def pid(self) -> int:
        """Its id, and that of its group."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs, negative for a signal."""
        return self._popen.poll()

    def output(self) -> str:
        """What it has written since it was started."""
        with self.log.open("rb") as log:
            log.seek(self._offset)
            return log.read().decode(errors="replace")

    def wait_line(self, wanted: Callable[[str], bool], timeout: float) -> str:
        """The first whole line of its output that is wanted. ProcessFailedError when it ends, or is too slow."""
        deadline = time.monotonic() + timeout
        while True:
            running = self.running
            for line in self.output().splitlines(keepends=True):
                if line.endswith("\n") and wanted(line.strip()):
                    return line.strip()
            if not running:
                raise ProcessFailedError(f"{self.name} ended with {self.exit_code}: {self._last_words()}")
            if time.monotonic() > deadline:
                raise ProcessFailedError(f"{self.name} was not ready after {timeout:g} s: {self._last_words()}")
            time.sleep(LOOK_INTERVAL)

    def signal(self, number: int) -> None:
        """Send a signal to its whole group; nothing if that is gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, number)

    def reap(self, timeout: float) -> bool:
        """Wait for its end, at most so many seconds; whether it has ended."""
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _last_words(self) -> str:
        lines = self.output().strip().splitlines()
        return lines[-1] if lines else f"it wrote nothing to {self.log.name}"


class Processes:
    """Starts processes and ends them. A context manager: whatever still runs at its end is killed."""

    def __init__(self) -> None:
        self._children: list[Process] = []
        self._guardian: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(
        self, name: str, command: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None
    ) -> Process:
        """Start a command in a group of its own; its output is appended to the log."""
        with self._lock, log.open("ab") as output:
            offset = output.tell()
            popen = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
            self._tell(f"+{popen.pid}")
            process = Process(name, popen, log, offset)
            self._children.append(process)
        return process

    def kill(self, *processes: Process) -> None:
        """SIGKILL to every process of these groups, all at once, and wait until they are gone."""
        for process in processes:
            process.signal(signal.SIGKILL)
        for process in processes:
            process.reap(30)
            self._forget(process)

    def stop(self, *processes: Process, patience: float = 5.0) -> None:
        """Ask these to end, wait so many seconds, then kill what is left."""
        for process in processes:
            process.signal(signal.SIGTERM)
        deadline = time.monotonic() + patience
        for process in processes:
            process.reap(max(0.0, deadline - time.monotonic()))
        self.kill(*processes)

    def close(self) -> None:
        """Kill what still runs and let the guardian go."""
        with self._lock:
            children = list(self._children)
        self.kill(*children)
        if self._guardian is not None:
            assert self._guardian.stdin is not None
            with contextlib.suppress(OSError):
                self._guardian.stdin.close()
            self._guardian.wait()
            self._guardian = None

    def _forget(self, process: Process) -> None:
        with self._lock:
            if process in self._children:
                self._children.remove(process)
                self._tell(f"-{process.pid}")

    def _tell(self, line: str) -> None:
        """Keep the guardian's list; it is started with the first process."""
        if self._guardian is None:
            command = [sys.executable, "-I", "-S", "-c", GUARDIAN]
            self._guardian = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        assert self._guardian.stdin is not None
        self._guardian.stdin.write(f"{line}\n".encode())
        self._guardian.stdin.flush()
