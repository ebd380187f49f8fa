"""kstatus as its own tests have it, replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.health import kstatus
from reconciler.health.reading import condition

NOW = 1_800_000_000.0
FILE = Path(__file__).resolve().parents[4] / "shared/conformance/health/kstatus.jsonl"
ROWS = 64


def _rows() -> Iterator[Any]:
    lines = FILE.read_text().splitlines() if FILE.is_file() else []
    for line in lines:
        stamp = datetime.fromtimestamp(NOW, UTC).isoformat()
        row = json.loads(line.replace("{{NOW}}", stamp))
        yield pytest.param(row, id=row["source"].rpartition(":")[2].replace("/", "-"))


@pytest.mark.conformance
def test_all_cases_of_upstream_are_replayed(shared: Path) -> None:
    assert len(list(_rows())) == ROWS


@pytest.mark.conformance
@pytest.mark.parametrize("row", list(_rows()))
def test_each_case_has_the_status_and_the_reasons_of_upstream(row: Any) -> None:
    found = kstatus.compute(row["object"], NOW)

    assert found.status == row["expected"]
    standing = {"Reconciling": "InProgress", "Stalled": "Failed"}
    for expected in row["expected_conditions"]:
        if expected["type"] in standing:
            assert found.status == standing[expected["type"]]
            assert found.reason == expected["reason"]
        else:
            assert (condition(row["object"], expected["type"]) or {})["reason"] == expected["reason"]
    assert found.status not in {standing[absent] for absent in row["absent_conditions"]}


def test_an_object_that_is_being_deleted_is_terminating_whatever_else_it_says() -> None:
    live = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"deletionTimestamp": "2026-11-22T08:00:00Z"},
        "status": {"conditions": [{"type": "Stalled", "status": "True"}]},
    }

    assert kstatus.compute(live, NOW).status == "Terminating"


def test_the_first_of_two_standing_conditions_counts() -> None:
    stalled, reconciling = {"type": "Stalled", "status": "True"}, {"type": "Reconciling", "status": "True"}
    live = {"apiVersion": "x/v1", "kind": "Thing", "metadata": {}}

    assert kstatus.compute({**live, "status": {"conditions": [stalled, reconciling]}}, NOW).status == "Failed"
    assert kstatus.compute({**live, "status": {"conditions": [reconciling, stalled]}}, NOW).status == "InProgress"
