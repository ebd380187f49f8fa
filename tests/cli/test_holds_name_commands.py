"""I3: what a hold names as its way out is a command that exists, with options that it takes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.main import COMMANDS, load_command

ROOT = Path(__file__).resolve().parents[2]
FAILOVER = sorted((ROOT / "reconciler" / "failover").rglob("*.py"))
LIFTED_BY = {"Hold": 2, "in_time": 3}
"""Which argument says what lifts the hold."""


def text_of(node: ast.expr, named: dict[str, ast.expr]) -> str:
    """A string as it may come out: whatever is filled in is one word, unless it is a text of the same function."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part, named) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return text_of(node.value, named)
    if isinstance(node, ast.Name) and isinstance(named.get(node.id), ast.JoinedStr | ast.Call):
        return text_of(named[node.id], named)
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.GeneratorExp):
        return text_of(node.args[0].elt, named)  # " ".join(… for …)
    return "x"


def lifting(path: Path) -> Iterator[str]:
    """Every text of a module that says what lifts a hold."""
    tree = ast.parse(path.read_text())
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        named = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in (*node.targets, *(each for one in node.targets for each in getattr(one, "elts", ())))
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in LIFTED_BY and len(node.args) > LIFTED_BY[name]:
                given = node.args[LIFTED_BY[name]]
                if isinstance(given, ast.Name) and given.id not in named:
                    continue  # an argument of the function itself: its callers are read
                yield from texts(named[given.id] if isinstance(given, ast.Name) else given, named)
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "lifted":
                yield from texts(node.value, named)


def texts(node: ast.expr, named: dict[str, ast.expr]) -> Iterator[str]:
    if isinstance(node, ast.Tuple):
        yield from (text for each in node.elts for text in texts(each, named))
    else:
        yield text_of(node, named)


def commands(text: str) -> list[str]:
    """The commands that a text names, without what is said about them."""
    return [each.strip() for each in re.findall(r"siteshift ((?:(?! or )[^,;(`])+)", text)]


FOUND = sorted({command for path in FAILOVER for text in lifting(path) for command in commands(text)})


def test_the_holds_were_found() -> None:
    named = {command.split()[0] for command in FOUND}
    assert {"override-fence", "allow-discard", "accept-rewind", "rebind", "forget-api-server", "failover"} <= named
    holds = sum(path.read_text().count(" Hold(") for path in FAILOVER)
    assert holds <= sum(1 for path in FAILOVER for _ in lifting(path))


@pytest.mark.parametrize("command", FOUND)
def test_a_hold_names_a_command_that_exists_with_options_that_it_takes(command: str) -> None:
    name, *words = command.split()
    load_command(name).parse_args(words)


def test_every_command_that_a_message_of_the_failover_names_exists() -> None:
    named = {name for path in FAILOVER for name in re.findall(r"`siteshift ([a-z][a-z-]*)", path.read_text())}
    assert named <= set(COMMANDS)
    assert named
