"""Real programs as child processes that are watched while they start and never outlive the test run.

Each is the leader of its own process group, is killed by the kernel when the test run dies, and leaves a log whose
end is part of every error message. Ports are reserved through locked files, so that test workers on one machine
never hand out the same one.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PORTS = range(20_000, 30_000)
"""Below the range that the kernel gives to outgoing connections."""

_SET_PARENT_DEATH_SIGNAL = 1
_LIBC = ctypes.CDLL(None)


class StartError(RuntimeError):
    """A program ended, or was not ready in time; the message ends with the end of its log."""


class Port:
    """A free loopback port that nobody else is handed until it is released."""

    def __init__(self) -> None:
        folder = Path(tempfile.gettempdir()) / f"siteshift-ports-{os.getuid()}"
        folder.mkdir(exist_ok=True)
        for number in random.sample(_PORTS, 200):
            lock = (folder / str(number)).open("w")
            if _lock(lock) and _is_free(number):
                self.number, self._lock = number, lock
                return
            lock.close()
        raise StartError("no free port found")

    def release(self) -> None:
        """Give the port back."""
        self._lock.close()

    def __str__(self) -> str:
        return str(self.number)


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_free(number: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True


class Process:
    """One running program. `log` is the file with everything that it printed."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | os.PathLike[str]],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = [os.fspath(part) for part in command]
        self._environment = dict(environment) if environment is not None else None
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The number of the running process."""
        assert self._child is not None, f"{self.name} was never started"
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return None if self._child is None else self._child.poll()

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> Process:
        """Start it; the log is appended to, so that a restart keeps what went before."""
        assert not self.running, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=self._folder,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        return self

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = 90.0) -> Process:
        """Ask `ready` again and again. Raises StartError when the program ends or the time is over."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise StartError(f"{self.name} ended with exit code {self.exit_code}\n{self.tail()}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} was not ready after {seconds:.0f} s\n{self.tail()}")
            time.sleep(0.05)
        return self

    def wait(self, *, seconds: float = 90.0) -> int:
        """Wait for its end; the exit code. Raises StartError when it still runs after so long."""
        assert self._child is not None, f"{self.name} was never started"
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise StartError(f"{self.name} still ran after {seconds:.0f} s\n{self.tail()}") from None

    def kill(self) -> None:
        """SIGKILL to the whole process group: no goodbye, as when a machine dies."""
        self._signal(signal.SIGKILL)
        if self._child is not None:
            self._child.wait()

    def pause(self) -> None:
        """SIGSTOP to the whole process group."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT to the whole process group."""
        self._signal(signal.SIGCONT)

    def interrupt(self) -> None:
        """SIGINT to the program alone, as Ctrl-C would."""
        if self.running:
            os.kill(self.pid, signal.SIGINT)

    def stop(self, *, seconds: float = 10.0) -> int | None:
        """SIGTERM to the whole group, SIGKILL to what is left after so long; the exit code of the leader."""
        self._signal(signal.SIGTERM)
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds)
        self.kill()
        return self.exit_code

    def tail(self, lines: int = 25) -> str:
        """The end of the log, with its path."""
        text = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join([f"--- end of {self.log}", *text[-lines:]])

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)


def _die_with_parent() -> None:
    _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
