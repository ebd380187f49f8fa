"""`siteshift sandbox` keeps addresses over restarts, and one of its sites can be killed and brought back alone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from quality.sources import ROOT

from reconciler.cluster.client import Cluster
from reconciler.errors import Unreachable

PATIENCE = 120.0


class Sandbox:
    """A `siteshift sandbox` that runs in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder / "output"
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "reconciler.cli.main", "sandbox", *words]

    def start(self) -> str:
        """Start it; what it printed when all was up."""
        with self._log.open("wb") as output:
            command = self.command("--dir", str(self.folder / "kept"), "--git")
            self._process = subprocess.Popen(command, stdout=output, stderr=output, env=self.environment)
        self.wait_for("Ctrl-C ends it.")
        return self._log.read_text()

    def wait_for(self, words: str) -> None:
        end = time.monotonic() + PATIENCE
        while words not in self._log.read_text():
            assert self._process is not None
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < end, self._log.read_text()
            time.sleep(0.05)

    def interrupt(self) -> str:
        """Ctrl-C; what it printed to its end."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(PATIENCE) == 0
        self._process = None
        return self._log.read_text()

    def order(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            self.command(*words), env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def cluster(self, site: str) -> Cluster:
        return Cluster.connect(str(self.folder / "kept" / "kubeconfig"), site)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path_factory.mktemp("sandbox"))
    made.start()
    yield made
    made.close()


def answers(cluster: Cluster) -> bool:
    try:
        cluster.list("v1", "Namespace")
    except Unreachable:
        return False
    return True


def test_a_killed_site_returns_with_what_it_had_while_the_other_goes_on(sandbox: Sandbox) -> None:
    a, b = sandbox.cluster("a"), sandbox.cluster("b")
    a.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}}, manager="test")
    assert sandbox.order("kill", "a") == (0, "site a was killed\n")
    assert (answers(a), answers(b)) == (False, True)
    assert sandbox.order("kill", "a") == (0, "site a is killed already\n")
    code, text = sandbox.order("start", "a")
    assert code == 0
    assert re.fullmatch(r"site a runs again: https://127\.0\.0\.1:\d+\n", text)
    assert a.get("v1", "Namespace", None, "kept")["metadata"]["name"] == "kept"
    assert sandbox.order("start", "a") == (0, "site a runs already\n")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["kill", "c"], 1, 'error: there is no site "c" in this sandbox (a, b)\n', id="no-such-site"),
        pytest.param(["kill"], 2, "error: a site is needed: siteshift sandbox kill a\n", id="no-site"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_one_error(
    sandbox: Sandbox, words: list[str], code: int, said: str
) -> None:
    assert sandbox.order(*words) == (code, said)


def test_no_sandbox_is_one_error(sandbox: Sandbox, tmp_path: Path) -> None:
    code, text = sandbox.order("kill", "a", "--dir", str(tmp_path))
    assert code == 2
    assert text.startswith(f"error: no sandbox runs in {tmp_path}\n  hint: ")


def addresses(output: str) -> list[str]:
    return re.findall(r"^(?:site \w+|Git): (\S+)$", output, re.MULTILINE)


def test_ctrl_c_is_answered_at_once_and_the_addresses_stay(sandbox: Sandbox) -> None:
    before = sandbox.interrupt()
    assert before.endswith("\nstopping\n")
    after = sandbox.start()
    found = addresses(after)
    assert len(found) == 3
    assert found == addresses(before)[:3]
    assert sandbox.cluster("a").get("v1", "Namespace", None, "kept")
