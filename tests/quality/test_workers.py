"""Tests that share a world run on one worker, whatever the versions of pytest and its plug-ins do about groups."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

STORIES = """
import os
import pytest

@pytest.mark.parametrize("number", range(20))
def test_story(number):
    with open("workers", "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


@pytest.mark.parametrize(
    ("folder", "workers"),
    [
        pytest.param("tests/testbed/two_sites", 1, id="one-world"),
        pytest.param("tests/elsewhere", 2, id="each-for-itself"),
    ],
)
def test_a_folder_with_one_world_has_one_worker(tmp_path: Path, folder: str, workers: int) -> None:
    for place in (folder, "tests/plain"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / folder / "test_stories.py").write_text(STORIES)
    (tmp_path / "tests/plain/test_plain.py").write_text("def test_plain():\n    pass\n")
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "--rootdir", tmp_path),
            *("-p", "conftest", "-p", "no:cacheprovider", "-n", "2", "--dist", "loadgroup", tmp_path),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests"), "SITESHIFT_REQUIRE": ""},
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert len(set((tmp_path / "workers").read_text().split())) == workers
