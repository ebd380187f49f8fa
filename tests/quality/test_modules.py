"""Every module says why it exists, fits in a head, and exports what it says."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest
from quality.sources import PACKAGES, ROOT, files, import_name, modules, parsed

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60

TABLES = {
    Path("render/kustomization/tables"): "field tables of Kustomize, one row a line",
    Path("sandbox/apiserver/schemas"): "schemas of built-in kinds",
}
"""Folders of pure data, which may be long, and why."""


def by_path(path: Path) -> str:
    return path.as_posix()


@pytest.mark.parametrize("path", modules(), ids=by_path)
def test_a_module_opens_with_why_it_exists(path: Path) -> None:
    docstring = ast.get_docstring(parsed(path)) or ""
    assert len(docstring) >= 30, "a module opens with a docstring that says why it exists"


@pytest.mark.parametrize("folder", sorted({path.parent for path in modules()}), ids=by_path)
def test_a_package_has_a_charter(folder: Path) -> None:
    charter = folder / "__init__.py"
    assert (ROOT / charter).is_file(), "a package without __init__.py has no place for its charter"
    assert len(ast.get_docstring(parsed(charter)) or "") >= 60, "a charter says what the package holds"


@pytest.mark.parametrize("path", files("*.py"), ids=by_path)
def test_a_module_is_short(path: Path) -> None:
    if not any(path.is_relative_to(folder) for folder in TABLES):
        assert len((ROOT / path).read_text().splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("path", modules(), ids=by_path)
def test_functions_fit_a_screen(path: Path) -> None:
    functions = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {node.name: length for node in functions if (length := _lines(node)) > LONGEST_FUNCTION}
    assert long == {}


@pytest.mark.parametrize("path", [path for path in modules() if "__all__" in (ROOT / path).read_text()], ids=by_path)
def test_what_a_module_promises_is_there(path: Path) -> None:
    module = importlib.import_module(import_name(path))
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize("path", [path for path in modules() if path.name == "__init__.py"], ids=by_path)
def test_a_package_exports_what_it_gathers(path: Path) -> None:
    """Of a package whose charter only gathers; one with code of its own imports for itself too."""
    body = parsed(path).body
    if any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in body):
        return
    gathered = {
        alias.asname or alias.name
        for node in body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES
        for alias in node.names
    }
    if gathered:
        module = importlib.import_module(import_name(path))
        assert gathered - set(getattr(module, "__all__", ())) == set()


@pytest.mark.parametrize("path", files("*.py"), ids=by_path)
def test_nothing_is_left_for_later(path: Path) -> None:
    promises = re.compile(r"#.*\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
    assert [line for line in (ROOT / path).read_text().splitlines() if promises.search(line)] == []


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From the signature to the end, without the docstring and without functions inside."""
    assert node.end_lineno is not None
    inner = [child for child in node.body if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)]
    docstring = node.body[0] if ast.get_docstring(node) else None
    outside = sum((child.end_lineno or 0) - child.lineno + 1 for child in [*inner, docstring] if child is not None)
    return node.end_lineno - node.lineno + 1 - outside
