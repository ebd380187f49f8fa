"""What the tests start never outlives them, and says why it did not start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from testbed.client import eventually
from testbed.processes import Port, Process, StartError

FAMILY = "sleep 600 & echo $! > child; echo ready; wait"
"""A program with a child of its own, whose number it writes down."""


def alive(pid: int) -> bool:
    try:
        return " Z " not in f" {Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]} "
    except FileNotFoundError:
        return False


def test_a_kill_reaches_the_children_too(tmp_path: Path) -> None:
    process = Process("family", ["sh", "-c", FAMILY], log=tmp_path / "log", folder=tmp_path)
    process.start().wait_until(lambda: "ready" in process.log.read_text())
    child = int((tmp_path / "child").read_text())
    assert alive(child)
    process.kill()
    eventually("the child is gone", lambda: not alive(child), seconds=10)


def test_a_program_dies_with_the_test_run(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, sys; from testbed.processes import Process;"
        "p = Process('sleep', ['sleep', '600'], log=pathlib.Path('log')).start(); print(p.pid, flush=True); os._exit(1)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    printed = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    ).stdout
    eventually("the orphan is gone", lambda: not alive(int(printed)), seconds=10)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param("echo no such flag; exit 3", r"exit code 3(.|\n)*no such flag", id="ended"),
        pytest.param("echo still thinking; sleep 600", r"not ready after(.|\n)*still thinking", id="not-ready"),
    ],
)
def test_a_failed_start_shows_the_log(tmp_path: Path, script: str, said: str) -> None:
    process = Process("broken", ["sh", "-c", script], log=tmp_path / "log").start()
    try:
        with pytest.raises(StartError, match=said):
            process.wait_until(lambda: False, seconds=1.0)
    finally:
        process.kill()


def test_no_port_is_handed_out_twice() -> None:
    ports = [Port() for _ in range(20)]
    assert len({port.number for port in ports}) == 20
    for port in ports:
        port.release()
