"""A fleet in a clone with an upstream, and the command line run in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli.kept_bench import Bench
from clones import Clone

import render.kustomization
from reconciler.cli import kept
from reconciler.cli.main import main

KUSTOMIZATION = "resources:\n- 0000_50_web_01_deployment.yaml\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: %s, namespace: %s}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example.com/web:1"}]}
"""
FLEET = """\
apiVersion: siteshift.io/v1alpha1
kind: Fleet
metadata: {name: bank}
spec:
  sites: [{name: a}, {name: b}]
  applications: [apps/*]
"""
APPLICATION = """\
apiVersion: siteshift.io/v1alpha1
kind: Application
metadata: {name: %s}
spec:
  home: a   # where failback goes
"""
PLACEMENT = """\
# Where %s is.
apiVersion: siteshift.io/v1alpha1
kind: Placement
metadata: {name: "%s"}   # quoted

spec:
    active:   'a'     # the site

    # one more with every change
    epoch: 1


# the end
"""


def fleet_files(folder: Path, *names: str) -> None:
    files = {"siteshift.yaml": FLEET}
    for name in names:
        files[f"apps/{name}/application.yaml"] = APPLICATION % name
        files[f"apps/{name}/placement.yaml"] = PLACEMENT % (name, name)
        files[f"apps/{name}/base/kustomization.yaml"] = KUSTOMIZATION
        files[f"apps/{name}/base/0000_50_web_01_deployment.yaml"] = DEPLOYMENT % (name, name)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    config = tmp_path / "gitconfig"
    config.write_text("[user]\n\tname = Tester\n\temail = tester@example.com\n[init]\n\tdefaultBranch = main\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("SITESHIFT_STATE", str(tmp_path / "state"))
    made = Clone(tmp_path / "clone", tmp_path / "bare.git")
    made.git("init", "-q", "--bare", str(made.bare), folder=tmp_path)
    made.git("clone", "-q", str(made.bare), str(made.folder), folder=tmp_path)
    fleet_files(made.folder, "ledger", "payments")
    made.git("checkout", "-q", "-B", "main")
    made.git("add", "-A")
    made.git("commit", "-q", "-m", "a fleet")
    made.git("push", "-q", "-u", "origin", "main")
    monkeypatch.chdir(made.folder)
    return made


@pytest.fixture
def siteshift(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command line; its exit code, output and errors."""

    def run(*line: str) -> tuple[int, str, str]:
        code = main(line)
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    bench = Bench(tmp_path, capsys)
    really_build = render.kustomization.build

    def counted(*given: Any, **named: Any) -> object:
        bench.builds += 1
        return really_build(*given, **named)

    monkeypatch.setenv("XDG_CACHE_HOME", str(bench.cache))
    monkeypatch.delenv("SITESHIFT_NO_CACHE", raising=False)
    monkeypatch.setattr(render.kustomization, "build", counted)
    monkeypatch.setattr(kept, "_program", lambda: "this program")
    return bench
