"""The demo's fleet repository is the example in a hurry, and valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.fleet.durations import seconds
from reconciler.fleet.validation import validate
from render.tree import FolderTree
from sandbox.demo import fleet
from sandbox.demo.checker import files
from sandbox.demo.claims import STARTABLE


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "fleet"
    fleet.make(folder)
    return folder


def test_it_is_valid_and_its_times_are_seconds(made: Path) -> None:
    report = validate(FolderTree(str(made)))
    assert [str(error) for error in report.errors] == []
    found = report.fleet
    assert found is not None
    assert max(found.poll, found.freshness, found.permit, found.request_timeout) < 10
    for application in found.applications:
        assert application.lease is not None
        assert application.lease.time == fleet.LEASE_SECONDS == seconds(fleet.LEASE["time"])


def test_only_times_and_further_machines_differ_from_the_example(made: Path) -> None:
    for path in sorted(fleet.example().rglob("*.yaml")):
        before = path.read_text().splitlines()
        after = (made / path.relative_to(fleet.example())).read_text().splitlines()
        added = [line for line in after if line not in before]
        words = (
            "poll",
            "freshness",
            "permit",
            "requestTimeout",
            "maxInFlight",
            "perMinute",
            "lease",
            "GracePeriod",
            "_vm",
        )
        assert [line for line in added if not any(word in line for word in words)] == []


def test_run_levels_and_volumes_are_read_from_the_files(made: Path) -> None:
    levels = files.run_levels(made)
    assert levels["VirtualMachine", "ledger", "postgres"] == 10
    assert levels["Deployment", "ledger", "api"] == 50
    assert {key[1] for key in levels} == {"catalog", "ledger", "orders", "payments"}
    assert files.volumes(made, "ledger") == ("ledger-postgres",)


@pytest.mark.parametrize("application", [name for name, _, _ in fleet.MORE])
def test_one_level_holds_more_than_may_start_at_once(made: Path, application: str) -> None:
    levels = [level for key, level in files.run_levels(made).items() if key[1] == application]
    assert levels.count(50) >= STARTABLE > fleet.CAP
