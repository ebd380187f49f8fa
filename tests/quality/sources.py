"""The repository's own files as the quality tests see them: what Git tracks or would track."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("render", "reconciler", "sandbox")


@cache
def files(*patterns: str) -> tuple[Path, ...]:
    """Paths relative to the root, without ignored files; patterns as `git ls-files` takes them."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return tuple(sorted(Path(name) for name in set(names) - {""} if (ROOT / name).is_file()))


def modules() -> tuple[Path, ...]:
    """The product's Python files."""
    return files(*(f"{package}/**.py" for package in PACKAGES), *(f"{package}/*.py" for package in PACKAGES))


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse((ROOT / path).read_text(), filename=str(path))


def import_name(path: Path) -> str:
    """`reconciler.failover.protocol` of reconciler/failover/protocol/__init__.py."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")
