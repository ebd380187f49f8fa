"""CEL expressions: compiled once, refused by name where they use what the library here does not have."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import cel
from cel import stdlib

from sandbox.apiserver.problems import cause, not_implemented

CORE = frozenset(
    [
        "size",
        "contains",
        "startsWith",
        "endsWith",
        "matches",
        "int",
        "uint",
        "double",
        "string",
        "bytes",
        "bool",
        "timestamp",
        "duration",
        "dyn",
        "type",
        "has",
        "getFullYear",
        "getMonth",
        "getDate",
        "getDayOfMonth",
        "getDayOfWeek",
        "getDayOfYear",
        "getHours",
        "getMinutes",
        "getSeconds",
        "getMilliseconds",
    ]
)
"""Functions of the CEL library's core."""


AUTHORIZER = frozenset(["group", "resource", "namespace", "name", "check", "allowed"])
"""Functions of `authorizer`, in expressions that use it."""


class EvaluationError(Exception):
    """An expression that could not be evaluated for these values."""


@cache
def _library() -> frozenset[str]:
    """Functions of the string, list and math extensions, which only programs that use them are given."""
    context = cel.Context()
    stdlib.add_stdlib_to_context(context)
    return frozenset(context.functions)


def _authorizer_functions(context: Any) -> None:
    """A check's parts are collected in an object. Its answer is yes: here every known token may do everything."""
    for part in ("group", "resource", "namespace", "name", "check"):
        context.add_function(part, lambda asked, value, part=part: {**asked, part: value})
    context.add_function("allowed", lambda asked: bool(asked["check"]))


class Expression:
    """One compiled expression."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._program = cel.compile(source)
        used = {name for name in self._program.functions() if name.replace(".", "").isidentifier()}
        self.names = frozenset(self._program.variables())
        self._authorizes = "authorizer" in self.names
        others = used - CORE - (AUTHORIZER if self._authorizes else frozenset())
        self.missing = sorted(others - _library())
        self._extended = bool(others)

    def evaluate(self, values: dict[str, Any]) -> Any:
        """The value; EvaluationError where CEL has none."""
        given: Any = {name: value for name, value in values.items() if name in self.names}
        if self._extended or self._authorizes:
            given = cel.Context(variables=given)
        if self._extended:
            stdlib.add_stdlib_to_context(given)
        if self._authorizes:
            _authorizer_functions(given)
        try:
            return self._program.execute(given)
        except (RuntimeError, ValueError, TypeError, KeyError, IndexError, OverflowError, ArithmeticError) as error:
            words = f"no such key: {error.args[0]}" if isinstance(error, KeyError) and error.args else str(error)
            raise EvaluationError(f"expression '{self.source}' resulted in error: {words}") from None


@lru_cache(maxsize=1024)
def compiled(source: str) -> Expression:
    """The expression, compiled; ValueError if it is none."""
    return Expression(source)


def check(source: str, path: str) -> list[dict[str, str]]:
    """What is wrong with an expression as the causes of a 422; 501 where the sandbox lacks what it uses."""
    try:
        expression = compiled(source)
    except ValueError as error:
        if "unsupported syntax" in str(error):
            raise not_implemented(f"the CEL syntax of {path}: {error}") from None
        words = str(error).removeprefix(f"Failed to parse expression '{source}': ").replace("\n|", "\n |")
        return [cause("FieldValueInvalid", f'Invalid value: "{source}": compilation failed: {words}', path)]
    if expression.missing:
        raise not_implemented(f"{', '.join(expression.missing)} of CEL, which {path} uses")
    return []
