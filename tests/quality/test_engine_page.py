"""The engine's page cannot drift: its tables are those of the code, and its examples run."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from quality.sources import ROOT

import render
from reconciler.cli.build import REFUSED
from render.kustomization.steps import TRANSFORMERS
from render.linting import (
    deprecated,
    file_names,
    generators,
    lists,
    namespaces,
    patching,
    quoting,
    remotes,
    selectors,
    unmatched,
    unread,
    workloads,
)

PAGE = (ROOT / "docs" / "engine.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def column(heading: str, number: int) -> list[str]:
    """What stands in backticks in a column of the tables below a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| ")]
    return [name for row in rows if len(row) > number for name in re.findall(r"`([^`]+)`", row[number])]


def test_what_can_be_imported_is_exactly_what_the_page_describes() -> None:
    assert sorted(column("As a library", 0)) == sorted(render.__all__)
    assert sorted(set(render.__all__)) == sorted(render.__all__)


@pytest.mark.parametrize("name", render.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert (getattr(render, name).__doc__ or "").strip() or name == "Manifest"


def test_a_name_that_is_not_public_is_none_of_the_package() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        render.no_such_name  # noqa: B018
    assert set(render.__all__) <= set(dir(render))


def test_importing_the_package_loads_nothing_of_it() -> None:
    code = "import sys, render; print([name for name in sys.modules if name.startswith(('render.', 'yaml'))])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_transformers_stand_in_the_order_in_which_they_run() -> None:
    names = [name for name in column("The order of a layer", 1) if name.endswith("Transformer")]
    assert names == [kind for kind, _ in TRANSFORMERS]


def test_every_transformer_and_generator_has_its_module_named() -> None:
    named = set(column("The order of a layer", 3)) | set(column("The order of a layer", 2))
    named |= set(re.findall(r"`(transformers/\w+\.py)`", PAGE))
    folder = ROOT / "render" / "kustomization"
    modules = {
        f"{part}/{path.name}"
        for part in ("transformers", "generators")
        for path in (folder / part).glob("*.py")
        if path.name != "__init__.py"
    }
    assert modules <= named
    assert [name for name in named if name.endswith(".py") and not (folder / name).is_file()] == []


def test_every_rule_of_lint_is_described() -> None:
    families = (
        *(deprecated, file_names, generators, lists, namespaces, patching, quoting),
        *(remotes, selectors, unmatched, unread, workloads),
    )
    rules = {module.RULE for module in families} | {selectors.TEMPLATES, "build"}
    assert set(column("What lint finds", 0)) == rules


def test_every_refused_option_says_why() -> None:
    assert all(flag.startswith("-") and "never run" in why for flag, _, why in REFUSED)


def test_the_examples_run() -> None:
    assert len(EXAMPLES) >= 4
    space: dict[str, object] = {}
    for example in EXAMPLES:
        exec(compile(example, "docs/engine.md", "exec"), space)
