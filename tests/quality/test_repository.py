"""The repository holds what it should, and nothing of the machine that it was written on."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from quality.sources import ROOT, files, modules, parsed

MACHINE = re.compile(r"/(" + "|".join(("wo" + "rk", "ro" + "ot", "ho" + r"me/\w+")) + r")/")
"""Folders that exist where somebody happened to write this."""


def by_path(path: Path) -> str:
    return path.as_posix()


DISTRIBUTIONS = {
    "siteshift": (Path("pyproject.toml"), ("render", "reconciler")),
    "siteshift-sandbox": (Path("sandbox/pyproject.toml"), ("sandbox",)),
}
"""What is built here: each distribution's project file and the packages that it holds."""

LOCKS = {
    "product.lock": ("siteshift",),
    "sandbox.lock": tuple(DISTRIBUTIONS),
    "docs.lock": (),
    "dev.lock": tuple(DISTRIBUTIONS),
}


def project(path: Path = Path("pyproject.toml")) -> dict[str, Any]:
    return tomllib.loads((ROOT / path).read_text())


@pytest.mark.parametrize("path", files(), ids=by_path)
def test_no_path_of_a_machine(path: Path) -> None:
    try:
        text = (ROOT / path).read_text()
    except UnicodeDecodeError:
        return
    assert [line for line in text.splitlines() if MACHINE.search(line)] == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_dependency_is_pinned_by_hash(name: str) -> None:
    lock = (ROOT / "requirements" / name).read_text().partition("\n# The following packages were excluded")[0]
    pinned = {_normal(found) for found in re.findall(r"^([A-Za-z0-9_.-]+)==", lock, re.MULTILINE)}
    entries = re.split(r"\n(?=[A-Za-z0-9])", lock)
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    groups = project()["dependency-groups"]
    named = [*groups["docs"]] if name == "docs.lock" else [*groups["build"]]
    named += groups["dev"] if name == "dev.lock" else ()
    for distribution in LOCKS[name]:
        named += project(DISTRIBUTIONS[distribution][0])["project"]["dependencies"]
    wanted = {_requirement(text) for text in named if isinstance(text, str)} - DISTRIBUTIONS.keys()
    assert wanted - pinned == set()


def test_the_lock_files_agree() -> None:
    """A package has the same versions in each of them; there may be several, each for some version of Python."""
    versions: dict[str, dict[str, list[str]]] = {}
    for name in LOCKS:
        for package, version in re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements" / name).read_text(), re.M):
            versions.setdefault(package, {}).setdefault(name, []).append(version)
    differing = {package: found for package, found in versions.items() if len({*map(tuple, found.values())}) > 1}
    assert differing == {}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_distribution_imports_only_what_it_declares(distribution: str) -> None:
    """An import that works only because a tool of the developers pulls it in breaks where it is installed."""
    path, packages = DISTRIBUTIONS[distribution]
    table = project(path)["project"]
    extras = [name for names in table.get("optional-dependencies", {}).values() for name in names]
    declared = {_requirement(name) for name in (*table["dependencies"], *extras)} - DISTRIBUTIONS.keys()
    provided = {_DISTRIBUTIONS.get(module, _normal(module)) for module in _foreign_imports(packages)}
    assert provided - declared == set()
    assert declared - provided == set(), "declared and used by nothing"


def test_both_distributions_have_one_version_and_name_it() -> None:
    version = project()["project"]["version"]
    sandbox = project(Path("sandbox/pyproject.toml"))["project"]
    assert sandbox["version"] == version
    assert f"siteshift=={version}" in sandbox["dependencies"]
    assert project()["project"]["optional-dependencies"]["sandbox"] == [f"siteshift-sandbox=={version}"]


def test_layers_hold_for_every_room() -> None:
    """A room that a contract forgets could import anything: the checker's contract names each."""
    contracts = project()["tool"]["importlinter"]["contracts"]
    checker = next(contract for contract in contracts if contract.get("source_modules") == ["sandbox.demo.checker"])
    rooms = {f"reconciler.{path.parts[1].removesuffix('.py')}" for path in modules() if path.parts[0] == "reconciler"}
    assert rooms - {"sandbox.demo", "reconciler.__init__"} - set(checker["forbidden_modules"]) == set()


_DISTRIBUTIONS = {"yaml": "pyyaml", "cel": "common-expression-language", "ruamel": "ruamel-yaml"}
"""Import names that differ from the names under which they are installed."""


def _foreign_imports(packages: tuple[str, ...]) -> set[str]:
    names: set[str] = set()
    for path in (path for path in modules() if path.parts[0] in packages):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    roots = {name.split(".")[0] for name in names}
    return roots - set(sys.stdlib_module_names) - {"render", "reconciler", "sandbox", "overlays", "schemas"}


def _requirement(text: str) -> str:
    found = re.match(r"[A-Za-z0-9_.-]+", text)
    assert found is not None
    return _normal(found.group())


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
