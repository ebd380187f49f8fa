"""What the documentation tells people to type exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest
from quality.sources import ROOT, files

from reconciler.cli.main import COMMANDS, command_parser, parser

SHELLS = {"sh", "bash", "console", "shell", ""}
PROGRAMS = {"siteshift", ".venv/bin/siteshift", "make"}


class Line(NamedTuple):
    """One command that a page shows, split into words."""

    page: Path
    words: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"


def _joined(block: str) -> list[str]:
    """The typed lines of a block: after a prompt where the block has prompts, continued lines joined."""
    rows = block.replace("\\\n", " ").splitlines()
    prompted = [row.removeprefix("$ ") for row in rows if row.startswith("$ ")]
    return prompted or rows


def _commands(line: str) -> Iterator[tuple[str, ...]]:
    """The commands of one line, split as a shell does; the brackets of a usage line are left out."""
    plain = re.sub(r"[\[\]…]", " ", line)
    for part in re.split(r"[|&;<>]+", plain):
        try:
            words = tuple(shlex.split(part, comments=True))
        except ValueError:
            continue
        if words:
            yield words


def lines() -> Iterator[Line]:
    """Every command line of ours in code blocks and in code spans."""
    for page in files("*.md"):
        text = (ROOT / page).read_text()
        blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        shown = [line for language, block in blocks if language in SHELLS for line in _joined(block)]
        prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        for line in [*shown, *re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose)]:
            for words in _commands(line):
                if words[0] in PROGRAMS:
                    yield Line(page, words)


LINES = sorted(set(lines()))


@pytest.mark.parametrize("line", [pytest.param(line, id=line.id) for line in LINES if line.words[0] != "make"])
def test_a_siteshift_command_exists_with_its_options(line: Line) -> None:
    words = list(line.words[1:])
    name = next((word for word in words if not word.startswith("-")), None)
    options = {word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)}
    if name is None:
        known = {option for action in parser()._actions for option in action.option_strings}
    else:
        assert name in COMMANDS
        module = import_module(COMMANDS[name][0])
        known = {option for action in command_parser(name, module).declared for option in action.option_strings}
    assert options - known == set()


@pytest.mark.parametrize("line", [pytest.param(line, id=line.id) for line in LINES if line.words[0] == "make"])
def test_a_make_target_exists(line: Line) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for word in line.words[1:] if "=" not in word and not word.startswith("-")}
    assert named - targets == set()


def test_the_readme_begins_with_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    if not readme:
        pytest.skip("the README is not written yet")
    shown = [line.words for line in LINES if line.page == Path("README.md")]
    assert {("make", "demo"), ("make", "test")} <= set(shown)
    assert readme.index("make demo") < readme.index("siteshift ") or readme.index("make demo") < 1500


def test_every_make_target_is_explained_by_help() -> None:
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony is not None
    assert set(phony.group(1).split()) == set(re.findall(r"^([a-z]+):[^#\n]*## ", text, re.MULTILINE))
