"""The Dockerfile holds together: checked by reading it, since not every machine can build images."""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

import pytest
from quality.sources import ROOT


class Instruction(NamedTuple):
    """One instruction with its words; continued lines are joined, `stage` counts the FROMs before it."""

    stage: int
    name: str
    words: tuple[str, ...]


def instructions() -> list[Instruction]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    found: list[Instruction] = []
    stage = 0
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            name, *words = line.split()
            stage += name == "FROM"
            found.append(Instruction(stage, name, tuple(words)))
    return found


INSTRUCTIONS = instructions()
LAST = max(instruction.stage for instruction in INSTRUCTIONS)
FROM_THE_TREE = [
    source
    for instruction in INSTRUCTIONS
    if instruction.name == "COPY" and not instruction.words[0].startswith("--from")
    for source in instruction.words[:-1]
]


def words(name: str, stage: int = LAST) -> list[tuple[str, ...]]:
    return [instruction.words for instruction in INSTRUCTIONS if (instruction.name, instruction.stage) == (name, stage)]


@pytest.mark.parametrize("source", FROM_THE_TREE)
def test_what_is_copied_exists_and_is_let_through(source: str) -> None:
    assert (ROOT / source).exists()
    assert f"!{source}" in (ROOT / ".dockerignore").read_text().splitlines()


def test_nothing_is_let_through_that_is_not_copied() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_through == set(FROM_THE_TREE)


def test_every_package_of_the_wheel_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= set(FROM_THE_TREE)
    assert project["project"]["readme"] in FROM_THE_TREE


def test_the_base_is_a_python_that_the_project_takes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest = tuple(map(int, project["requires-python"].removeprefix(">=").split(".")))
    base = re.search(r"BASE=python:(\d+)\.(\d+)", " ".join(words("ARG", 0)[0]))
    assert base is not None
    assert tuple(map(int, base.groups())) >= oldest
    assert {instruction.words[0] for instruction in INSTRUCTIONS if instruction.name == "FROM"} == {"${BASE}"}


def test_packages_are_checked_by_hash_and_then_taken_from_nowhere_else() -> None:
    commands = [
        command.strip()
        for instruction in INSTRUCTIONS
        if instruction.name == "RUN"
        for command in " ".join(instruction.words).split("&&")
        if re.search(r"\bpip (install|download|wheel)\b", command)
    ]
    assert commands
    assert [command for command in commands if not re.search(r"--require-hashes|--no-index", command)] == []


def test_it_runs_siteshift_as_nobody_special() -> None:
    script = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert words("ENTRYPOINT") == [('["siteshift"]',)]
    assert "siteshift" in script
    (user,) = words("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user[0])


def test_git_and_ssh_are_there() -> None:
    installed = " ".join(word for line in words("RUN") for word in line)
    assert "git" in installed.split()
    assert "openssh-client" in installed.split()
