"""Argo CD's engine cases: where its verdict and ours agree, and the table of where they do not, with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.health import judge

NOW = 1_800_000_000.0
FILE = Path(__file__).resolve().parents[4] / "shared/conformance/health/cases.jsonl"
ROWS = 37

SAME = {
    "Healthy": "Healthy",
    "Progressing": "Progressing",
    "Degraded": "Failed",
    "Suspended": "Suspended",
    None: "NoRule",
}

DIFFERENT: dict[str, tuple[str, str]] = {
    "pod-running-restart-never.yaml": ("Healthy", "a pod that is ready is up, whether or not it would be restarted"),
    "pod-running-restart-never-hook-with-ignore-annotation.yaml": ("Healthy", "the same; we have no hooks"),
    "pod-running-restart-onfailure.yaml": ("Failed", "its container keeps crashing, whatever its restart policy"),
    "archived hpa-v1-healthy.yaml": ("Failed", "it cannot read its metrics, as in the newer engine's degraded case"),
    "TestGetArgoWorkflowHealth#0": ("NoRule", "we have no rule for workflows, and say so"),
}
"""Name of the case to our state and the reason why it differs."""


def _name(row: Any) -> str:
    repository, _, case = row["source"].partition("/pkg/health/health_test.go:")
    archived = "archived " if repository == "gitops-engine" else ""
    return f"{archived}{case.rpartition('/')[2]}"


def _rows() -> Iterator[Any]:
    lines = FILE.read_text().splitlines() if FILE.is_file() else []
    rows = [row for row in map(json.loads, lines) if row["corpus"] == "gitops-engine"]
    for number, row in enumerate(rows):
        yield pytest.param(row, id=f"{number}-{_name(row)}")


@pytest.mark.conformance
def test_all_cases_of_the_engine_are_replayed(shared: Path) -> None:
    rows = [row.values[0] for row in _rows()]

    assert len(rows) == ROWS
    assert set(DIFFERENT) <= {_name(row) for row in rows}


@pytest.mark.conformance
@pytest.mark.parametrize("row", list(_rows()))
def test_each_case_is_judged_as_the_engine_does_or_as_the_table_says(row: Any) -> None:
    found = judge(row["object"], now=NOW)

    ours = DIFFERENT.get(_name(row))
    assert found.state == (ours[0] if ours else SAME[row["expected_status"]])
    if ours:
        assert found.state != SAME[row["expected_status"]], "this difference is gone: take it out of the table"
