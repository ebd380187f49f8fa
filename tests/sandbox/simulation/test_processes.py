"""Processes with an owner: they come up, end together, and do not outlive the owner's death by SIGKILL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.processes import Processes, ProcessFailedError

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_process_is_ready_when_it_says_so(tmp_path: Path) -> None:
    with Processes() as processes:
        process = processes.start("sleeper", python(SLEEPER), tmp_path / "log")
        assert process.wait_line(lambda line: line == "up", 30) == "up"
        assert process.running
    assert process.exit_code == -signal.SIGKILL


def test_a_process_that_ends_early_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with Processes() as processes:
        process = processes.start("broken", python("raise SystemExit('no port')"), tmp_path / "log")
        with pytest.raises(ProcessFailedError, match="broken ended with 1: no port"):
            process.wait_line(lambda line: line == "up", 30)


def test_output_of_an_earlier_run_is_not_taken_for_news(tmp_path: Path) -> None:
    with Processes() as processes:
        first = processes.start("first", python(SLEEPER), tmp_path / "log")
        first.wait_line(lambda line: line == "up", 30)
        processes.stop(first)
        second = processes.start("second", python("pass"), tmp_path / "log")
        with pytest.raises(ProcessFailedError):
            second.wait_line(lambda line: line == "up", 30)


def test_stopping_kills_what_does_not_listen(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEPER
    with Processes() as processes:
        process = processes.start("deaf", python(deaf), tmp_path / "log")
        process.wait_line(lambda line: line == "up", 30)
        processes.stop(process, patience=0.1)
        assert process.exit_code == -signal.SIGKILL


def test_nothing_outlives_an_owner_that_was_killed(tmp_path: Path) -> None:
    owner = f"""
import sys, time
from pathlib import Path
from sandbox.processes import Processes
processes = Processes()
process = processes.start("sleeper", {python(SLEEPER)!r}, Path({str(tmp_path / "log")!r}))
process.wait_line(lambda line: line == "up", 30)
print(process.pid, processes._guardian.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen(python(owner), stdout=subprocess.PIPE, text=True) as popen:
        assert popen.stdout is not None
        child, guardian = map(int, popen.stdout.readline().split())
        assert alive(child)
        popen.kill()
    wait_until(lambda: not alive(child) and not alive(guardian))


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its new parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(found.stdout.strip()) and not found.stdout.strip().startswith("Z")


def wait_until(happened: Callable[[], bool]) -> None:
    for _ in range(600):
        if happened():
            return
        time.sleep(0.05)
    pytest.fail("it did not happen")
