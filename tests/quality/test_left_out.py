"""A run never looks more complete than it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SKIPS_ITSELF = """
import pytest

@pytest.mark.testbed
def test_needs_more():
    pytest.skip("no such program here")

def test_plain():
    pass
"""

SKIPS_THE_MODULE = """
import pytest
pytest.skip("nothing of it can run", allow_module_level=True)
"""

NOTHING_MARKED = """
def test_plain():
    pass
"""

RUNS = """
import pytest

@pytest.mark.testbed
def test_needs_more():
    pass
"""


def run(folder: Path, content: str, required: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A pytest of its own, with the hooks of the tests' conftest and one test file."""
    (folder / "test_inner.py").write_text(content)
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "--rootdir", folder),
            *("-p", "conftest", "-p", "no:cacheprovider", *options, folder),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests"), "SITESHIFT_REQUIRE": required},
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "with-workers"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(SKIPS_ITSELF, "left out, but testbed is required here: no such program here", id="test-skipped"),
        pytest.param(SKIPS_THE_MODULE, "left out, but this run must be complete", id="module-skipped"),
        pytest.param(NOTHING_MARKED, "no testbed test ran, but testbed is required here", id="none-there"),
    ],
)
def test_a_complete_run_fails_when_something_was_left_out(
    tmp_path: Path, content: str, said: str, options: tuple[str, ...]
) -> None:
    result = run(tmp_path, content, "testbed", *options)
    assert result.returncode != 0, result.stdout
    assert said in result.stdout


def test_a_run_that_needs_not_be_complete_passes_and_says_what_was_left_out(tmp_path: Path) -> None:
    result = run(tmp_path, SKIPS_ITSELF, "")
    assert result.returncode == 0, result.stdout
    assert "LEFT OUT" in result.stdout
    assert "1 testbed tests were left out: no such program here" in result.stdout


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "with-workers"])
def test_a_complete_run_passes(tmp_path: Path, options: tuple[str, ...]) -> None:
    result = run(tmp_path, RUNS, "testbed", *options)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "LEFT OUT" not in result.stdout
