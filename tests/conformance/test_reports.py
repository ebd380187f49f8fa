"""Replays what users of Kustomize reported: each folder holds a kustomization and what Kustomize prints of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from render import yaml
from render.kustomization import build
from render.tree import FolderTree

REPORTS = Path(__file__).parents[3] / "shared" / "conformance" / "reports"
ON_PURPOSE = {
    "18-literal-begins-with-tab": "block_begins_with_a_tab",
    "19-number-annotation-after-json-patch": "large_numbers_after_json_patches",
}
"""Reports that show an entry of `docs/differences.md`."""

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not REPORTS.is_dir(), reason="the reports (../shared) are not here"),
]

REPORTED = sorted(path.parent for path in REPORTS.glob("*/expected.txt"))
PAGE = (Path(__file__).parents[2] / "docs" / "differences.md").read_text()


def report_id(folder: Path) -> str:
    return folder.name


NOT_YET = {"24-generated-then-other-kind"}
"""Issue 11: the hash of a kind that is neither ConfigMap nor Secret is refused also where it is stable."""


@pytest.mark.parametrize("folder", [path for path in REPORTED if path.name not in NOT_YET], ids=report_id)
def test_a_report_builds_as_with_kustomize(folder: Path) -> None:
    printed = yaml.dump(resource.manifest for resource in build(FolderTree(folder), ""))
    agrees = printed == (folder / "expected.txt").read_text()
    assert agrees is (folder.name not in ON_PURPOSE), printed


@pytest.mark.parametrize("folder", sorted(ON_PURPOSE))
def test_what_differs_on_purpose_is_listed(folder: str) -> None:
    assert f"| [{ON_PURPOSE[folder]}](" in PAGE


def test_there_are_reports() -> None:
    assert REPORTED
