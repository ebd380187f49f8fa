"""The real programs are built once, whole or not at all, and taken from elsewhere when told so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from testbed import build

NAMES = [program.name for program in build.PROGRAMS]

COMPILER = """#!/bin/sh
echo "$@" >> "$CALLS"
while [ "$1" != -o ]; do shift; done
echo half > "$2"
case "$2" in *"$BROKEN") exit 1;; esac
chmod +x "$2"
"""
"""Stands for Go: notes each call, makes its output, and fails where it is told to."""


class Bench:
    """A machine with a cache of its own and a compiler that is quick."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = folder / "calls"
        (folder / "path").mkdir()
        compiler = folder / "path" / "go"
        compiler.write_text(COMPILER)
        compiler.chmod(0o755)
        self.environment = {
            "PATH": f"{folder / 'path'}:/usr/bin:/bin",
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "CALLS": str(self.calls),
            "BROKEN": "/nothing",
        }

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, build.__file__, *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def built(self) -> list[str]:
        folder = self.folder / "cache" / "siteshift" / "testbed" / "current"
        return sorted(os.listdir(folder))

    def compiled(self) -> int:
        return len(self.calls.read_text().splitlines()) if self.calls.exists() else 0


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_everything_is_built_once(bench: Bench) -> None:
    assert bench.run().returncode == 0
    assert bench.built() == sorted(NAMES)
    assert bench.run().returncode == 0
    assert bench.compiled() == len(NAMES)


def test_a_failed_build_leaves_nothing_half_made_and_is_gone_on_with(bench: Bench) -> None:
    broken = bench.run(BROKEN="/kubectl")
    assert broken.returncode == 1
    assert "kubectl" in broken.stderr
    assert bench.built() == sorted(NAMES[: NAMES.index("kubectl")])
    assert bench.run().returncode == 0
    assert bench.built() == sorted(NAMES)
    assert bench.compiled() == len(NAMES) + 1


def test_kubernetes_is_told_its_version(bench: Bench) -> None:
    bench.run("kube-apiserver")
    assert f"gitVersion=v{build.KUBERNETES}" in bench.calls.read_text()
    assert f"k8s.io/kubernetes v{build.KUBERNETES}" in (build.MODULES / "kubernetes" / "go.mod").read_text()


def test_programs_from_elsewhere_are_only_checked(bench: Bench, tmp_path: Path) -> None:
    assets = tmp_path / "assets"
    assets.mkdir()
    incomplete = bench.run(KUBEBUILDER_ASSETS=str(assets))
    assert incomplete.returncode == 1
    assert "missing kustomize" in incomplete.stdout
    for name in NAMES:
        (assets / name).touch(0o755)
    assert bench.run(KUBEBUILDER_ASSETS=str(assets)).returncode == 0
    assert bench.compiled() == 0


def test_without_a_compiler_the_error_says_what_to_install(bench: Bench) -> None:
    result = bench.run(PATH="/nowhere")
    assert result.returncode == 1
    assert "hint: install Go" in result.stderr


def test_another_module_file_makes_another_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = build.key()
    (tmp_path / "go.mod").write_text("module other\n")
    monkeypatch.setattr(build, "MODULES", tmp_path)
    assert build.key() != before
