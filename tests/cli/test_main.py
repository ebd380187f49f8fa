"""The entrance of the command line: what is known, how errors look, which exit code the shell gets."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from reconciler.cli import main as entrance
from reconciler.cli.main import COMMANDS
from reconciler.cli.options import BY_NAME, OPTIONS, source
from reconciler.errors import SourceError, UsageError
from render.errors import InputError

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception | KeyboardInterrupt | int], None]:
    """Make `siteshift status` raise or return this."""

    def make(outcome: Exception | KeyboardInterrupt | int) -> None:
        module = ModuleType("probe")

        def run(_: object) -> int:
            if isinstance(outcome, int):
                return outcome
            raise outcome

        module.register = lambda parser: None  # type: ignore[attr-defined]
        module.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "probe", module)
        monkeypatch.setattr(entrance, "COMMANDS", {**COMMANDS, "status": ("probe", "a probe"), "diff": ("probe", "x")})

    return make


def test_help_lists_every_command(siteshift: Run) -> None:
    code, out, _ = siteshift("--help")
    assert code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in out] == []


@pytest.mark.parametrize("line", [[], ["--nonsense"], ["nonsense"]], ids=["nothing", "option", "command"])
def test_what_is_not_known_is_wrong_usage(siteshift: Run, line: list[str]) -> None:
    code, out, err = siteshift(*line)
    assert (code, out) == (2, "")
    assert err


def test_a_misspelt_command_is_answered_with_the_nearest(siteshift: Run) -> None:
    assert siteshift("failovr")[2] == 'error: there is no command "failovr"\n  hint: did you mean "failover"?\n'


@pytest.mark.parametrize(
    ("outcome", "code", "said"),
    [
        (0, 0, ""),
        (1, 1, ""),
        (SourceError("Git is away"), 1, "error: Git is away\n"),
        (UsageError("not so"), 2, "error: not so\n"),
        (InputError("bad", path="a.yaml", line=3, column=1, hint="good"), 1, "a.yaml:3:1: error: bad\n  hint: good\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
    ids=["done", "not done", "failed", "usage", "input", "interrupted"],
)
def test_an_outcome_has_one_exit_code_and_one_message(
    siteshift: Run, command: Callable[[object], None], outcome: object, code: int, said: str
) -> None:
    command(outcome)
    assert siteshift("status") == (code, "", said)


def test_an_error_of_diff_is_told_from_a_difference(siteshift: Run, command: Callable[[object], None]) -> None:
    command(SourceError("Git is away"))
    assert siteshift("diff")[0] == 2


def test_a_bug_says_that_it_is_one_and_shows_its_traceback_only_on_demand(
    siteshift: Run, command: Callable[[object], None]
) -> None:
    command(ZeroDivisionError("oh"))
    code, _, err = siteshift("status")
    assert code == 1
    assert "this is a bug in siteshift: ZeroDivisionError: oh" in err
    assert "Traceback" not in err
    assert "Traceback" in siteshift("status", "--debug")[2]


def test_the_environment_stands_in_for_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    import argparse

    from reconciler.cli.options import add

    monkeypatch.setenv("SITESHIFT_SITE", "b")
    parser = argparse.ArgumentParser()
    add(parser, "site", "rev")
    environment = {"SITESHIFT_SITE": "b"}
    given, inherited = parser.parse_args(["--site", "a"]), parser.parse_args([])
    assert (given.site, inherited.site) == ("a", "b")
    assert source(BY_NAME["site"], given, environment) == "flag"
    assert source(BY_NAME["site"], inherited, environment) == "environment"
    assert source(BY_NAME["rev"], inherited, environment) == "default"


def test_a_bad_value_in_the_environment_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import argparse

    from reconciler.cli.options import add

    monkeypatch.setenv("SITESHIFT_COLOR", "purple")
    with pytest.raises(SystemExit):
        add(argparse.ArgumentParser(), "color")
    assert 'SITESHIFT_COLOR is "purple", expected never or auto or always' in capsys.readouterr().err


def test_every_option_has_a_help_and_a_variable_of_its_own() -> None:
    assert len({option.variable for option in OPTIONS}) == len(OPTIONS)
    assert all(option.help and (option.metavar or option.choices or option.switch) for option in OPTIONS)


def test_a_closed_pipe_is_no_error(
    siteshift: Run, command: Callable[[object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    command(BrokenPipeError())
    monkeypatch.setattr("os.dup2", lambda *_: None)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert entrance.main(["status"]) == 0


def test_what_the_machine_refuses_is_no_bug(siteshift: Run, command: Callable[[object], None]) -> None:
    command(FileNotFoundError(2, "No such file or directory", "/nowhere/out.yaml"))
    assert siteshift("status") == (1, "", "error: /nowhere/out.yaml: No such file or directory\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
def test_a_full_disk_behind_the_output_is_one_clear_error() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "reconciler.cli.main", "--version"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")
