"""The guard that `siteshift run` starts beside itself: a process of its own, which outlives a killed controller.

Its process id lies in the state folder: the next controller of the site ends it before it starts its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

AGAIN = 1.0
"""Seconds after which a guard that ended by itself is started again."""

LAST_WORK = 10.0
"""Seconds that a guard may take to end when it is told to."""


class GuardProcess:
    """Starts a guard, and starts it again when it ends by itself. `arguments`: those of `siteshift guard`."""

    def __init__(self, site: str, state: Path, arguments: Sequence[str]) -> None:
        self._command = [sys.executable, "-m", "reconciler.cli.main", "guard", "--site", site, *arguments]
        self._file = state / f"guard-{site}.pid"
        self._stop = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="guard", daemon=True)

    def start(self) -> None:
        """End the guard of an earlier controller, and start one."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        _end_earlier(self._file)
        self._thread.start()

    def stop(self) -> None:
        """End it: what runs in the cluster goes on as long as its permits last."""
        self._stop.set()
        child = self._child
        if child is not None and child.poll() is None:
            child.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                child.wait(LAST_WORK)
            if child.poll() is None:
                child.kill()
        self._thread.join()
        self._file.unlink(missing_ok=True)

    def _keep(self) -> None:
        while not self._stop.is_set():
            self._child = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
            self._file.write_text(f"{self._child.pid}\n")
            if self._stop.is_set():
                self._child.send_signal(signal.SIGTERM)
            self._child.wait()
            self._stop.wait(AGAIN)


def _end_earlier(file: Path) -> None:
    """Tell the guard that an earlier controller left behind to end, if it still is one."""
    try:
        pid = int(file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return
    if b"guard" in command and any(b"reconciler.cli.main" in word for word in command):
        with suppress(OSError):
            os.kill(pid, signal.SIGTERM)
