"""Every fact and every condition of the protocol is asked with both outcomes by the protocol's own tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from model.reached import VARIABLE, every

ROOT = Path(__file__).resolve().parents[2]

UNREACHABLE = {
    "condition cluster_read holds": "its rules are chosen by the fact that the cluster was not read",
    "condition stopped_in_time holds": "its rules are chosen by the fact that something runs",
}
"""What the tests of the protocol do not reach, and why."""


def test_every_fact_and_condition_is_met_with_both_outcomes(tmp_path: Path) -> None:
    seen = tmp_path / "reached.json"
    folder = "tests/reconciler/failover/protocol"
    asked = ("-n", "0", "-q", "-p", "model.reached", "-p", "no:cacheprovider", folder, "-k", "not documents")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *asked],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"tests{os.pathsep}.", VARIABLE: str(seen), "SITESHIFT_REQUIRE": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-2000:]
    assert sorted(set(every()) - set(json.loads(seen.read_text()))) == sorted(UNREACHABLE)
