"""Shells complete commands, options, and the names of the fleet that the line is about."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.completion import FOLDER, SCRIPTS, candidates
from reconciler.cli.main import COMMANDS, main

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "symmetric"


@pytest.fixture(autouse=True)
def in_a_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLE)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param(["fail"], ["failback", "failover"], id="commands"),
        pytest.param([""], sorted([*COMMANDS, "help"]), id="all-commands"),
        pytest.param(["help", "suspe"], ["suspend"], id="commands-after-help"),
        pytest.param(["render", "--sit"], ["--site"], id="options"),
        pytest.param(["build", "--networ"], [], id="refused-options-are-not-offered"),
        pytest.param(["render", "--site", ""], ["a", "b"], id="sites"),
        pytest.param(["failover", "--to", ""], ["a", "b"], id="target"),
        pytest.param(["render", "--app", "pay"], ["payments"], id="applications"),
        pytest.param(["failover", ""], ["catalog", "ledger", "orders", "payments"], id="positional-applications"),
        pytest.param(["failover", "ledger", ""], ["catalog", "orders", "payments"], id="not-the-same-twice"),
        pytest.param(["render", "--color", "a"], [], id="no-such-option"),
        pytest.param(["validate", "-o", "j"], ["json"], id="choices"),
        pytest.param(["completion", ""], ["bash", "fish", "zsh"], id="positional-choices"),
        pytest.param(["build", ""], [], id="files-are-the-shells"),
        pytest.param(["nonsense", ""], [], id="no-such-command"),
    ],
)
def test_candidates(words: list[str], found: list[str]) -> None:
    assert candidates(words) == found


def test_the_fleet_of_the_line_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert candidates(["render", "--site", ""]) == []
    assert candidates(["render", "--fleet", str(EXAMPLE), "--site", ""]) == ["a", "b"]


def test_a_broken_fleet_has_no_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "siteshift.yaml").write_text("kind: [")
    monkeypatch.chdir(tmp_path)
    assert candidates(["render", "--site", ""]) == []


@pytest.mark.parametrize("shell", SCRIPTS)
def test_each_shell_gets_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert capsys.readouterr().out == (FOLDER / SCRIPTS[shell]).read_text()


def test_no_shell_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion"]) == 2
    assert "bash, zsh, fish" in capsys.readouterr().err


def test_bash_completes_by_its_script() -> None:
    code = (
        f"source {FOLDER / SCRIPTS['bash']}\n"
        "COMP_WORDS=(siteshift failover ledger --to ''); COMP_CWORD=4; _siteshift\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
        "complete -p siteshift\n"
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-c", code], env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout == "a\nb\ncomplete -o default -F _siteshift siteshift\n"


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_scripts_parse(shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([program, "-n", str(FOLDER / SCRIPTS[shell])], check=True, timeout=60)
