"""Replays Kustomize's own test cases and recorded builds of public repositories against the engine: all of them agree.

Where the engine differs on purpose, it is about inputs that are not among these: `docs/differences.md`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from render import yaml
from render.errors import SiteshiftError
from render.kustomization import Options, build
from render.tree import FolderTree, MemoryTree

SHARED = Path(__file__).parents[3] / "shared"
CASES = SHARED / "conformance" / "kustomize"
INPUTS = SHARED / "inputs"
ROOT = "@ROOT@"
PLACE = "/place"
RESTRICTORS = {"LoadRestrictionsRootOnly": "rootOnly", "LoadRestrictionsNone": "none"}
EXACT = ("byte-equal", "no literal expectation", "differs from the unit test")
INTERNAL = re.compile(r"^(internal\.config\.kubernetes\.io/|config\.kubernetes\.io/index$|internal\.kpt\.dev)")

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not CASES.is_dir(), reason="Kustomize's cases (../shared) are not here"),
]

ALL_CASES = sorted(path.parent for path in CASES.glob("*/*/case.json"))
ALL_BUILDS = [
    (path.parent, row)
    for path in sorted(INPUTS.glob("*/builds.jsonl"))
    for row in map(json.loads, path.read_text().splitlines())
]


def case_id(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


def tree_of(folder: Path) -> MemoryTree:
    files = {
        str(path.relative_to(folder / "input")): path.read_bytes()
        for path in (folder / "input").rglob("*")
        if path.is_file()
    }
    if any(ROOT.encode() in data for data in files.values()):
        return MemoryTree({name: data.replace(ROOT.encode(), PLACE.encode()) for name, data in files.items()}, PLACE)
    return MemoryTree(files, "")


def without_internal(manifest: Any) -> Any:
    """Some of upstream's expectations hold annotations that Kustomize itself takes away before it prints."""
    metadata = manifest.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict):
        return manifest
    kept = {name: value for name, value in annotations.items() if not INTERNAL.match(name)}
    others = {name: value for name, value in metadata.items() if name != "annotations"}
    return {**manifest, "metadata": {**others, "annotations": kept} if kept else others}


def data_of(text: bytes) -> list[Any]:
    return [without_internal(manifest) for manifest in yaml.parse(text, "") if manifest is not None]


def disagreement(folder: Path, reorder: str, expected_file: str) -> str:
    """What differs, "" for nothing."""
    case = json.loads((folder / "case.json").read_text())
    options = Options(
        load_restrictor=RESTRICTORS[case["options"]["load_restrictor"]],  # type: ignore[arg-type]
        reorder=reorder,  # type: ignore[arg-type]
    )
    expect = case["expect"]
    try:
        resources = build(tree_of(folder), case["target"], options)
        printed = yaml.dump(resource.manifest for resource in resources).replace(PLACE, ROOT).encode()
    except SiteshiftError as error:
        if not isinstance(expect, dict):
            return f"fails: {error}"
        return wording(str(error).replace(PLACE, ROOT), expect)
    if isinstance(expect, dict):
        return "no error"
    expected = (folder / expected_file).read_bytes()
    if printed == expected or (case["mode"] == "filters" and printed.strip() == expected.strip()):
        return ""
    if case["reason"].startswith(EXACT) or expected_file == "default_order.yaml":
        return "other bytes"
    return "" if data_of(printed) == data_of(expected) else "other data"


def wording(message: str, expect: dict[str, list[str]]) -> str:
    missing = [text for text in expect["error"] if text not in message]
    missing += [pattern for pattern in expect["error_regex"] if not re.search(pattern, message)]
    return f"the error does not say {missing}: {message}" if missing else ""


@pytest.mark.parametrize("folder", ALL_CASES, ids=case_id)
def test_agrees_with_kustomize_in_the_order_of_the_case(folder: Path) -> None:
    reorder = json.loads((folder / "case.json").read_text())["options"]["reorder"]
    assert not disagreement(folder, reorder, "expected.yaml")


@pytest.mark.parametrize("folder", ALL_CASES, ids=case_id)
def test_agrees_with_kustomize_in_the_default_order(folder: Path) -> None:
    file = "default_order.yaml" if (folder / "default_order.yaml").exists() else "expected.yaml"
    assert not disagreement(folder, "unspecified", file)


@pytest.mark.parametrize(
    ("corpus", "row"), ALL_BUILDS, ids=[f"{corpus.name}/{row['dir']}" for corpus, row in ALL_BUILDS]
)
def test_prints_the_bytes_that_were_recorded_for_a_real_repository(corpus: Path, row: dict[str, Any]) -> None:
    resources = build(FolderTree(corpus / "tree"), row["dir"])
    assert yaml.dump(resource.manifest for resource in resources).encode() == (corpus / row["expected"]).read_bytes()
