"""Tries one mistake: a child process imports the changed module in place of the real one and runs the room's tests.

The parent imports pytest and nothing of the product, so that a child has only the product left to import. The first
test that fails ends the child; one that takes longer than its time counts as noticed.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType

import pytest

SURVIVED = 0
"""What a child ends with whose tests all passed."""


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, and gives it another source."""

    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        self._name, self._path, self._code = name, path, code

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        spec = importlib.machinery.ModuleSpec(name, self, origin=str(self._path))
        spec.has_location = True
        return spec

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)


def survives(path: Path, source: str, tests: Sequence[str], seconds: int) -> bool:
    """Whether all tests pass with the source in place of the module at the path (relative to the root)."""
    code = compile(source, str(path), "exec")
    child = os.fork()
    if child == 0:
        os._exit(_child(path, code, tests, seconds))
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == SURVIVED


def _child(path: Path, code: CodeType, tests: Sequence[str], seconds: int) -> int:
    signal.alarm(seconds)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    sys.meta_path.insert(0, _Changed(".".join(path.with_suffix("").parts), path, code))
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-n", "0", *tests]))
