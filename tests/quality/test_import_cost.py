"""Quick commands load nothing that they do not need, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from quality.sources import ROOT

HEAVY = {
    "aiohttp",
    "asyncio",
    "cel",
    "cryptography",
    "jsonpatch",
    "jsonschema",
    "kubernetes",
    "pygit2",
    "requests",
    "rich",
    "ruamel",
    "urllib3",
    "watchdog",
}

PROBE = """
import json, os, sys
from reconciler.cli.main import main
code = main(sys.argv[1:])
sys.stdout.flush()
with open(os.environ["PROBE_OUTPUT"], "w") as output:
    json.dump({"code": code, "modules": sorted(sys.modules)}, output)
"""


def loaded_by(folder: Path, *line: str) -> set[str]:
    """The top-level modules that a command had loaded at its end."""
    report = folder / "probe.json"
    result = subprocess.run(
        [sys.executable, "-c", PROBE, *line],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": "", "HOME": str(folder), "PROBE_OUTPUT": str(report)},
        timeout=120,
        check=False,
    )
    seen = json.loads(report.read_text())
    assert seen["code"] == 0, result.stderr
    assert result.stdout
    return {name.split(".")[0] for name in seen["modules"]}


def test_build_loads_only_the_renderer(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [settings.yaml]\nnamePrefix: a-\n")
    (tmp_path / "settings.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n")
    assert loaded_by(tmp_path, "build", str(tmp_path)) & HEAVY == set()


def test_render_loads_only_the_fleet_and_the_renderer(tmp_path: Path) -> None:
    fleet = str(ROOT / "examples" / "symmetric")
    assert loaded_by(tmp_path, "render", "--fleet", fleet, "--site", "b") & HEAVY == set()


@pytest.mark.parametrize(
    "line", [["--help"], ["build", "--help"], ["render", "--help"]], ids=lambda line: "-".join(line).replace("--", "")
)
def test_help_loads_no_library(tmp_path: Path, line: list[str]) -> None:
    assert loaded_by(tmp_path, *line) & HEAVY == set()
