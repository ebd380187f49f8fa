"""Random kustomization trees come out as the real Kustomize prints them, or fail where it fails (`random_trees`).

`SITESHIFT_RANDOM_TREES=5000` tries so many instead, new ones in every run. What such a run finds becomes a file of
`cases/`.
"""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from random_trees import trees

from render import yaml
from render.errors import SiteshiftError
from render.kustomization import build
from render.tree import FolderTree

WANTED = os.environ.get("SITESHIFT_RANDOM_TREES")
EXAMPLES = int(WANTED or 400)
LEAST_THAT_BUILD = 0.6

PANIC = 2
"""What Kustomize exits with where it panics: the one thing that ours need not do as well."""


def write(root: Path, files: dict[str, str]) -> None:
    shutil.rmtree(root, ignore_errors=True)
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def theirs(binary: Path, folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [binary, "build", folder], capture_output=True, text=True, encoding="utf-8", check=False, timeout=60
    )
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr


def ours(root: Path) -> str | SiteshiftError:
    try:
        return yaml.dump(resource.manifest for resource in build(FolderTree(root), "top"))
    except SiteshiftError as error:
        return error


@pytest.mark.testbed
def test_random_trees_come_out_as_from_kustomize(tmp_path: Path, kustomize_binary: Path) -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        derandomize=not WANTED,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(trees())
    def compare(files: dict[str, str]) -> None:
        root = tmp_path / "tree"
        write(root, files)
        code, said = theirs(kustomize_binary, root / "top")
        made = ours(root)
        if code == PANIC:
            return
        seen["built" if code == 0 else "failed"] += 1
        if code == 0:
            assert not isinstance(made, SiteshiftError), f"only ours fails: {made}"
            assert made == said, "".join(
                difflib.unified_diff(said.splitlines(True), made.splitlines(True), "Kustomize", "ours")
            )
        else:
            assert isinstance(made, SiteshiftError), f"only Kustomize fails: {said}"

    compare()
    assert seen["built"] >= LEAST_THAT_BUILD * seen.total(), f"a generator of trees that fail finds little: {seen}"
    assert seen["failed"] > 0, "trees that fail are part of the domain"
