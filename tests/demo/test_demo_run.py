"""The commands themselves: the whole demo as a person or a pipe runs it, its interruption, and the sandbox."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("demo")

PATIENCE = 600.0
"""Seconds until a run that does not end is a failure; the machine may do much else."""


class Run:
    """A siteshift command as a child, with its output in a file."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.output = folder / "output"
        with self.output.open("w") as stream:
            command = [sys.executable, "-m", "reconciler.cli.main", *words]
            self.process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    @property
    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, holds: Callable[[str], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds(self.text):
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.1)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    started: list[Run] = []

    def start(*words: str) -> Run:
        started.append(Run(tmp_path, *words))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def left_running(folder: Path) -> list[str]:
    """Processes whose command line names the folder."""
    shown = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if str(folder) in line and int(line.split()[0]) != os.getpid()]


def nothing_is_left(folder: Path) -> None:
    """What was killed by the guardian ends soon after; what was ended in order has ended."""
    deadline = time.monotonic() + PATIENCE
    while left := left_running(folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_the_whole_demo_is_observed(tmp_path: Path, run: Callable[..., Run]) -> None:
    world = tmp_path / "world"
    demo = run("demo", "--dir", str(world))
    assert demo.process.wait(PATIENCE) == 0, demo.text
    assert left_running(world) == []
    lines = demo.text.splitlines()
    assert "\x1b" not in demo.text, "a pipe gets plain lines"
    assert [line for line in lines if "FAILED" in line or "Traceback" in line] == []
    assert [line.split()[0] for line in lines if line[:1].isdigit()] == ["1", "2", "3", "4", "5", "6"]
    rows = {tuple(line.split()[:2]): line.split()[2:] for line in lines[-11:] if line[:1].islower()}
    assert len(rows) == 8
    assert rows["ledger", "a"][:2] == ["active", "3"]
    assert rows["ledger", "b"][:2] == ["passive", "3"]
    assert rows["orders", "b"][:2] == ["active", "2"]
    assert rows["orders", "a"][:2] == ["passive", "2"]
    assert (rows["ledger", "a"][-1], rows["ledger", "b"][-1]) == ("0", "0"), "planned moves lose nothing"


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGHUP, 130), (signal.SIGKILL, -signal.SIGKILL)],
    ids=lambda value: signal.Signals(value).name if isinstance(value, signal.Signals) else "",
)
def test_nothing_is_left_running_when_interrupted(
    tmp_path: Path, run: Callable[..., Run], number: signal.Signals, code: int
) -> None:
    world = tmp_path / "world"
    demo = run("demo", "--dir", str(world))
    demo.wait_for(lambda text: " ack " in text)
    assert len(left_running(world)) >= 7, "the demo, and at two sites a server, a simulation and a controller"
    demo.process.send_signal(number)
    if number is not signal.SIGKILL:  # which leaves no time to say anything
        demo.wait_for(lambda text: "interrupted: stopping the sites" in text)
    assert demo.process.wait(PATIENCE) == code
    nothing_is_left(world)


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path, run: Callable[..., Run]) -> None:
    demo = run("demo", "--dir", str(tmp_path))
    assert demo.process.wait(PATIENCE) == 2
    assert "expected a folder that is new or empty" in demo.text


def nodes(kubeconfig: Path, context: str) -> list[str]:
    config = json.loads(kubeconfig.read_text())
    cluster = next(each["cluster"] for each in config["clusters"] if each["name"] == context)
    token = next(each["user"]["token"] for each in config["users"] if each["name"] == context)
    request = urllib.request.Request(f"{cluster['server']}/api/v1/nodes", headers={"Authorization": f"Bearer {token}"})
    authority = ssl.create_default_context(cafile=cluster["certificate-authority"])
    with urllib.request.urlopen(request, context=authority, timeout=30) as answer:
        return [item["metadata"]["name"] for item in json.load(answer)["items"]]


def test_the_sandbox_can_be_reached_and_keeps_its_state(tmp_path: Path, run: Callable[..., Run]) -> None:
    world = tmp_path / "world"
    for _ in range(2):
        sandbox = run("sandbox", "--sites", "a,b", "--dir", str(world), "--git")
        sandbox.wait_for(lambda text: "Ctrl-C" in text)
        kubeconfig = next(
            Path(line.partition("=")[2]) for line in sandbox.text.splitlines() if line.startswith("export KUBECONFIG=")
        )
        assert nodes(kubeconfig, "a") == ["a-node-1", "a-node-2"]
        assert nodes(kubeconfig, "b") == ["b-node-1", "b-node-2"]
        assert "fleet.git" in sandbox.text
        assert sandbox.end(signal.SIGINT) == 0
        assert left_running(world) == []


@pytest.mark.parametrize("sites", ["A", "a,a", "", "a,,b"])
def test_names_of_sites_are_checked(run: Callable[..., Run], sites: str) -> None:
    sandbox = run("sandbox", "--sites", sites)
    assert sandbox.process.wait(PATIENCE) == 2
    assert "expected names like a,b" in sandbox.text
