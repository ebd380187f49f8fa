"""The conformance kit as its users run it: our drivers keep all of it, and each mistake is found by the case for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BROKEN = {
    "believes_what_was_asked": "test_a_role_that_is_asked_for_is_not_one_that_is_held",
    "is_always_in_sync": "test_a_copy_that_cannot_get_the_rest_is_not_in_sync",
    "has_no_exposure": "test_the_exposure_is_never_smaller_than_it_is",
    "takes_stale_conditions": "test_a_status_from_before_what_was_asked_says_nothing",
    "overlooks_a_deletion": "test_what_is_not_understood_is_unknown",
    "names_nobody": "test_a_planned_move_there_and_back",
    "takes_silence_for_absence": "test_what_cannot_be_read_is_not_absent",
    "discards_unasked": "test_a_diverged_copy_is_not_in_sync_and_keeps_what_it_has_until_it_may_be_overwritten",
}


def kit(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run it away from this repository's own settings."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "sandbox.conformance.plugin", "-p", "no:cacheprovider"]
    command += ["--rootdir", str(folder), "-c", "/dev/null", "--pyargs", "sandbox.conformance", *options]
    environment = {name: value for name, value in os.environ.items() if name != "SITESHIFT_REQUIRE"}
    return subprocess.run(
        command,
        cwd=Path(__file__).parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_our_drivers_keep_all_of_it(tmp_path: Path) -> None:
    done = kit(tmp_path)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "CsiAddonsStorage" in kit(tmp_path, "--collect-only").stdout


@pytest.mark.parametrize("mistake", sorted(BROKEN))
def test_each_mistake_is_found(tmp_path: Path, mistake: str) -> None:
    done = kit(tmp_path, "--siteshift-storage", f"broken_drivers:{mistake}", "-k", BROKEN[mistake])
    assert done.returncode == 1, done.stdout
    assert f"{BROKEN[mistake]}[" in done.stdout


def test_a_storage_that_is_not_named_as_it_should_be_is_said(tmp_path: Path) -> None:
    done = kit(tmp_path, "--siteshift-storage", "broken_drivers", "-k", "a_pair_at_work")
    assert "expected package.module:function" in done.stdout
