"""Small builds, one a file under `cases/`, that show one rule each; the names cite Kustomize's semantics (K1 to K40).

A case holds the files of a build and what must come out: the printed objects, or the first line of the error. What is
expected was printed by Kustomize 5.8.1 itself, which the testbed asks again.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from corpus import BUILDS, CASES, read_case, write_files

from render import yaml
from render.errors import SiteshiftError
from render.kustomization import build
from render.tree import FolderTree, MemoryTree


def case_id(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", CASES, ids=case_id)
def test_builds_what_kustomize_builds(path: Path) -> None:
    case = read_case(path)
    tree = MemoryTree(case.files, "")
    if case.expected is None:
        with pytest.raises(SiteshiftError) as caught:
            build(tree, case.target)
        assert str(caught.value).splitlines()[0] == case.error.splitlines()[0]
    else:
        assert yaml.dump(resource.manifest for resource in build(tree, case.target)) == case.expected


@pytest.mark.parametrize("path", BUILDS, ids=case_id)
def test_a_second_build_of_the_same_tree_prints_the_same(path: Path, tmp_path: Path) -> None:
    """Parsed files are shared: whatever a build changed in one would show."""
    case = read_case(path)
    write_files(case.files, tmp_path)
    tree = FolderTree(tmp_path)
    first = yaml.dump(resource.manifest for resource in build(tree, case.target))
    second = yaml.dump(resource.manifest for resource in build(tree, case.target))
    assert first == second == case.expected


@pytest.mark.testbed
@pytest.mark.parametrize("path", CASES, ids=case_id)
def test_the_real_kustomize_still_does_what_the_case_says(path: Path, tmp_path: Path, kustomize_binary: Path) -> None:
    case = read_case(path)
    write_files(case.files, tmp_path)
    done = subprocess.run(
        [kustomize_binary, "build", tmp_path / case.target],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.stdout if done.returncode == 0 else None) == case.expected
