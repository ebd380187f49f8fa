"""What all tests share: the real programs, the reference material beside the repository, and honesty about skips.

A test that cannot run here (no Go, so no real API server; no `../shared`) is skipped with its reason, and the end of
every run says loudly how many of which kind were left out. Where a run must be complete, as in CI, the environment
variable SITESHIFT_REQUIRE names markers (`testbed,conformance`): a skipped test with one of them is then a failure,
and so is a run without any.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parent))

from testbed import build
from testbed.servers import ApiServer, ControlPlane

ROOT = Path(__file__).resolve().parent.parent
OPTIONAL = ("testbed", "conformance")
"""Markers of tests that need more than Python and git."""

ONE_WORKER = ("tests/testbed/two_sites/", "tests/demo/", "tests/sandbox/test_sandbox_command.py")
"""Folders whose tests share a world that is dear to make, or that leaves no room for a second one beside it."""

REQUIRED = frozenset(filter(None, os.environ.get("SITESHIFT_REQUIRE", "").split(",")))

# Shells start what runs in the background with SIGINT ignored, and every command that a test starts and interrupts
# would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

_ran: Counter[str] = Counter()
_left_out: Counter[tuple[str, str]] = Counter()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference material that lies beside the repository and is no part of it."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("there is no folder ../shared beside the repository")
    return folder


def _binaries(*names: str) -> Path:
    absent = [name for name in build.missing() if name in names]
    if absent:
        pytest.skip(f"{', '.join(absent)} not built: run `make testbed` (needs Go)")
    return build.binaries()


@pytest.fixture(scope="session")
def testbed_binaries() -> Path:
    """The folder with all the real programs."""
    return _binaries(*(program.name for program in build.PROGRAMS))


@pytest.fixture(scope="session")
def api_binaries() -> Path:
    """The folder with the real programs, where those of one API server are enough."""
    return _binaries("etcd", "kube-apiserver", "kubectl")


@pytest.fixture(scope="session")
def kustomize_binary() -> Path:
    """The real Kustomize; it alone is built in seconds."""
    return _binaries("kustomize") / "kustomize"


@pytest.fixture(scope="session")
def real_api(api_binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """etcd and kube-apiserver, one pair a test worker. Take namespaces and names of your own: it is shared."""
    server = ApiServer(api_binaries, tmp_path_factory.mktemp("real-api"))
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture(scope="session")
def real_site(testbed_binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A whole control plane with one node, one a test worker. Take namespaces of your own: it is shared."""
    site = ControlPlane(testbed_binaries, tmp_path_factory.mktemp("real-site"))
    try:
        site.start()
        site.add_node("node-1")
        yield site
    finally:
        site.close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Test by test to whichever worker is free, but each of those folders as one, the largest first.

    The marker `xdist_group` is not used: this pytest has no place any more where xdist could note a test's group.
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByWorld(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in ONE_WORKER if nodeid.startswith(folder)), nodeid)

    return ByWorld(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[pytest.TestReport]:
    """A skip that must not be is a failure; a failure shows the logs of the servers that the test had."""
    report: pytest.TestReport = yield
    markers = sorted(REQUIRED.intersection(mark.name for mark in item.iter_markers()))
    if report.skipped and markers and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: left out, but {', '.join(markers)} is required here: {_reason(report)}"
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            for process in getattr(value, "processes", ()):
                report.sections.append((f"log of {process.name}", process.tail()))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[pytest.CollectReport]:
    """Nor may a whole module skip itself where the run must be complete."""
    report: pytest.CollectReport = yield
    if report.skipped and REQUIRED:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid}: left out, but this run must be complete: {_reason(report)}"
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count what ran and what did not, also across test workers."""
    for marker in OPTIONAL:
        if marker in report.keywords:
            if report.skipped and not hasattr(report, "wasxfail"):
                _left_out[marker, _reason(report)] += 1
            elif report.when == "call":
                _ran[marker] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was left out."""
    if _left_out:
        terminalreporter.section("LEFT OUT", sep="!", yellow=True, bold=True)
    for (marker, reason), count in sorted(_left_out.items()):
        terminalreporter.write_line(f"{count} {marker} tests were left out: {reason}", yellow=True)
    for marker in _never_ran(terminalreporter.config):
        terminalreporter.section(f"no {marker} test ran, but {marker} is required here", sep="!", red=True, bold=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run that must hold tests of a kind and held none has failed."""
    if exitstatus == pytest.ExitCode.OK and _never_ran(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _never_ran(config: pytest.Config) -> list[str]:
    """Required markers without any test, as the process that reports sees it (a worker of xdist sees only its own)."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return []
    return sorted(marker for marker in REQUIRED if not _ran[marker])


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ")
