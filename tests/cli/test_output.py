"""`-o`, colour and `--help` mean the same in every command."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli import colour
from reconciler.cli.main import COMMANDS, load_command
from reconciler.cli.options import BY_NAME
from reconciler.cli.output import OUTPUTS, data

Run = Callable[..., tuple[int, str, str]]
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "symmetric"
READERS = ("validate", "lint", "render", "diff", "status")


@pytest.mark.parametrize("command", READERS)
def test_every_command_that_reads_takes_the_same_outputs(command: str) -> None:
    (output,) = [action for action in load_command(command).declared if action.dest == "output"]
    assert output.choices is not None
    assert list(output.choices)[: len(OUTPUTS)] == list(OUTPUTS)
    for meaning in OUTPUTS.values():
        assert meaning in str(output.help)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("build", "render", "init", "run")])
def test_every_command_that_shows_text_takes_color(command: str) -> None:
    without = {"sandbox", "completion", "guard"}
    flags = {flag for action in load_command(command).declared for flag in action.option_strings}
    assert ("--color" in flags) is (command not in without)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_shows_every_default(command: str) -> None:
    for action in load_command(command).declared:
        option = BY_NAME.get(action.dest.replace("_", "-"))
        if option is not None and option.default is not None:
            assert f"(default: {option.default})" in str(action.help)


def test_json_and_yaml_say_the_same(siteshift: Run) -> None:
    for line in (["validate"], ["lint"]):
        as_json = siteshift(*line, "--fleet", str(EXAMPLE), "-o", "json")[1]
        as_yaml = siteshift(*line, "--fleet", str(EXAMPLE), "-o", "yaml")[1]
        assert json.loads(as_json) == yaml.safe_load(as_yaml)


def test_names_of_what_a_site_would_have(siteshift: Run) -> None:
    code, out, _ = siteshift("render", "--fleet", str(EXAMPLE), "--site", "b", "--app", "ledger", "-o", "name")
    assert code == 0
    assert "VirtualMachine ledger/postgres" in out.splitlines()
    assert out.splitlines()[0] == "Namespace ledger"


def test_wide_shows_the_line_and_name_the_place(siteshift: Run, tmp_path: Path) -> None:
    siteshift("init", str(tmp_path / "f"), "--name", "f")
    path = tmp_path / "f" / "siteshift.yaml"
    path.write_text(path.read_text().replace("topology", "toplogy"))
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "toplogy" in text)
    _, _, err = siteshift("validate", "--fleet", str(tmp_path / "f"), "-o", "wide")
    assert f"  {line:>4} |   toplogy: symmetric" in err
    _, out, err = siteshift("validate", "--fleet", str(tmp_path / "f"), "-o", "name")
    assert out.endswith(f"siteshift.yaml:{line}:3\n")
    assert err == ""


def test_numbers_and_nothing_survive_yaml() -> None:
    value: dict[str, Any] = {"a": "1", "b": None, "c": [True, 2, "yes"]}
    assert yaml.safe_load(data(value, "yaml")) == value


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("when", "stream", "environment", "on"),
    [
        pytest.param("auto", Terminal(), {}, True, id="terminal"),
        pytest.param("auto", io.StringIO(), {}, False, id="pipe"),
        pytest.param("auto", Terminal(), {"NO_COLOR": "1"}, False, id="no-color"),
        pytest.param("auto", Terminal(), {"TERM": "dumb"}, False, id="dumb-terminal"),
        pytest.param("always", io.StringIO(), {"NO_COLOR": "1"}, True, id="always"),
        pytest.param("never", Terminal(), {}, False, id="never"),
    ],
)
def test_who_gets_colour(monkeypatch: Any, when: str, stream: Any, environment: dict[str, str], on: bool) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert colour.wanted(when, stream) is on


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("+  active: b", colour.GREEN),
        ("-  active: a", colour.RED),
        ("0000_10 postgres  ~ VirtualMachine ledger/postgres", colour.YELLOW),
        ("0000_50 ledger    - ConfigMap ledger/settings-5d9f      (will be pruned)", colour.RED),
        ("    spec.replicas: 1 > 2", ""),
        ("apps/ledger/placement.yaml", ""),
        ("1 to create, 0 to change, 0 to delete, 3 unchanged", ""),
    ],
)
def test_lines_of_a_difference(line: str, code: str) -> None:
    assert colour.change(line, "always") == (f"\033[{code}m{line}\033[0m" if code else line)


def test_the_word_that_says_how_bad_it_is_has_a_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    shown = colour.report("a.yaml:1:1: error: error: twice\nwarning: mild\n  hint: error: no", "always")
    red, yellow = f"\033[{colour.RED}merror\033[0m", f"\033[{colour.YELLOW}mwarning\033[0m"
    assert shown == f"a.yaml:1:1: {red}: error: twice\n{yellow}: mild\n  hint: error: no"


def test_a_wrong_command_line_is_one_error(siteshift: Run) -> None:
    code, out, err = siteshift("render", "--no-such-option")
    assert (code, out) == (2, "")
    assert err == ("error: unrecognized arguments: --no-such-option\n  hint: siteshift render --help shows how\n")


@pytest.mark.parametrize("words", [["--color", "always"], ["--color=always"]])
def test_an_error_has_colour_where_it_is_asked_for(siteshift: Run, words: list[str]) -> None:
    assert siteshift("validate", "--fleet", "nowhere", *words)[2].startswith(f"\033[{colour.RED}merror\033[0m: ")
