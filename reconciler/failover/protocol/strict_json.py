"""JSON that others wrote, read with limits and a schema: nothing in it can cost time, memory or a surprise later.

A document is small, shallow and finite; each field has one type and a range; a field that is unknown, missing or given
twice is an error. Every error is one line that names the document, the field, what was found and what was expected.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from reconciler.errors import SiteshiftError

LARGEST = 2**53 - 1
"""Whole numbers up to here are the same number in every JSON library."""

DEEPEST = 8
"""Folds of lists and objects inside each other."""

LONGEST_TEXT = 4096
MOST_ITEMS = 10_000
DIGITS = 17
SHOWN = 40

T = TypeVar("T")


class DocumentError(SiteshiftError):
    """A document cannot be read. Nothing may be concluded from it."""


class Fields:
    """The fields of one JSON object. `at` names it in errors: the document, then the path inside it."""

    def __init__(self, value: Any, at: str) -> None:
        if not isinstance(value, dict):
            wrong(at, value, "an object")
        self._values: dict[str, Any] = value
        self._at = at
        self._asked: set[str] = set()

    def _take(self, name: str) -> Any:
        self._asked.add(name)
        if name not in self._values:
            raise DocumentError(f'{self._at}: field "{name}" is missing')
        return self._values[name]

    def place(self, name: str) -> str:
        """The name of a field in errors."""
        return f"{self._at}: {name}"

    def whole(self, name: str) -> int:
        """A whole number, not negative."""
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
            wrong(self.place(name), value, f"a whole number from 0 to {LARGEST}")
        return value

    def seconds(self, name: str) -> float:
        """A duration in seconds, not negative."""
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LARGEST:
            wrong(self.place(name), value, "seconds, not negative")
        return float(value)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._take(name)
        if not isinstance(value, bool):
            wrong(self.place(name), value, "true or false")
        return value

    def text(self, name: str, pattern: re.Pattern[str] | None = None) -> str:
        """A text; with a pattern, one that matches it whole."""
        value = self._take(name)
        if not isinstance(value, str) or (pattern is not None and pattern.fullmatch(value) is None):
            wrong(self.place(name), value, "a text" if pattern is None else f"a text that matches {pattern.pattern}")
        return value

    def texts(self, name: str, pattern: re.Pattern[str] | None = None) -> tuple[str, ...]:
        """A list of texts."""
        return self._list(name, lambda items, index: items.text(index, pattern))

    def wholes(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        return self._list(name, Fields.whole)

    def _list(self, name: str, read: Callable[[Fields, str], T]) -> tuple[T, ...]:
        value = self._take(name)
        if not isinstance(value, list):
            wrong(self.place(name), value, "a list")
        items = Fields({str(index): each for index, each in enumerate(value)}, self.place(name))
        return tuple(read(items, str(index)) for index in range(len(value)))

    def choice(self, name: str, choices: Callable[[str], T], known: Sequence[str]) -> T:
        """One of some words."""
        value = self._take(name)
        if not isinstance(value, str) or value not in known:
            wrong(self.place(name), value, f"one of {', '.join(known)}")
        return choices(value)

    def inside(self, name: str, read: Callable[[Fields], T]) -> T:
        """An object inside this one, read whole."""
        fields = Fields(self._take(name), self.place(name))
        found = read(fields)
        fields.finish()
        return found

    def optional(self, name: str, read: Callable[[str], T]) -> T | None:
        """What `read` makes of the field; None where it is null. The field itself must be there."""
        if self._take(name) is None:
            return None
        return read(name)

    def mapping(self, name: str, read: Callable[[Fields, str], T], keys: re.Pattern[str]) -> dict[str, T]:
        """An object whose keys are names; `read` is given its fields and one name at a time."""
        fields = Fields(self._take(name), self.place(name))
        for key in fields._values:
            if keys.fullmatch(key) is None:
                wrong(self.place(name), key, f"keys that match {keys.pattern}")
        return {key: read(fields, key) for key in fields._values}

    def anything(self, name: str) -> dict[str, Any]:
        """An object of which only the limits are known."""
        value = self._take(name)
        if not isinstance(value, dict):
            wrong(self.place(name), value, "an object")
        return value

    def finish(self) -> None:
        """Raise for fields that nobody asked for."""
        unknown = sorted(self._values.keys() - self._asked)
        if unknown:
            raise DocumentError(f"{self._at}: field {shown(unknown[0])} is not known")


def read(data: bytes | str, what: str, version: int, limit: int, reader: Callable[[Fields], T]) -> T:
    """A whole document of at most `limit` bytes; `what` names it in errors. Raises `DocumentError`."""
    size = len(data)
    if size > limit:
        raise DocumentError(f"{what}: {size} bytes, expected {limit} at most")
    fields = Fields(_parsed(data, what), what)
    found_version = fields.whole("version")
    if found_version != version:
        raise DocumentError(f"{what}: version {found_version} is not known, expected {version}")
    found = reader(fields)
    fields.finish()
    return found


def write(document: Mapping[str, Any]) -> bytes:
    """A document as it is read back, the same bytes for the same content. Raises `ValueError` for what is no number."""
    return (json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def readable(value: Any) -> Any:
    """A value whose texts can be read back: a storage driver's message may hold a terminal escape, or a whole log."""
    if isinstance(value, str):
        return "".join(each if _can_be_shown(each) else "?" for each in value[:LONGEST_TEXT])
    if isinstance(value, Mapping):
        return {readable(str(key)): readable(each) for key, each in value.items()}
    return [readable(each) for each in value] if isinstance(value, list | tuple) else value


def wrong(at: str, value: Any, expected: str) -> NoReturn:
    """Raise for a value that is not what it should be."""
    raise DocumentError(f"{at}: found {shown(value)}, expected {expected}")


def shown(value: Any) -> str:
    """A value for a message: on one line, short, with nothing that a terminal would obey."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = ascii(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _parsed(data: bytes | str, what: str) -> Any:
    try:
        text = data.decode() if isinstance(data, bytes) else data
        value = json.loads(
            text, parse_int=_whole, parse_float=_finite, parse_constant=_constant, object_pairs_hook=_distinct
        )
        _check(value, 0)
    except UnicodeDecodeError as error:
        raise DocumentError(f"{what}: no UTF-8 text at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise DocumentError(f"{what}: no JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise DocumentError(f"{what}: nested deeper than {DEEPEST} levels") from None
    except ValueError as error:
        raise DocumentError(f"{what}: {error}") from None
    return value


def _whole(text: str) -> int:
    if len(text) > DIGITS:
        raise ValueError(f"a number of {len(text)} digits, expected {DIGITS} at most")
    return int(text)


def _finite(text: str) -> float:
    value = float(text) if len(text) <= 2 * DIGITS else math.inf
    if not math.isfinite(value):
        raise ValueError(f"found {shown(text)}, expected a finite number")
    return value


def _constant(text: str) -> NoReturn:
    raise ValueError(f"found {text}, expected a finite number")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for index, (key, _) in enumerate(pairs) if key in dict(pairs[:index]))
        raise ValueError(f"field {shown(twice)} is there twice")
    return found


def _check(value: Any, depth: int) -> None:
    """Raise `ValueError` for what is too deep, too long, too many, or no text that can be shown and stored."""
    if depth > DEEPEST:
        raise ValueError(f"nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict | list):
        if len(value) > MOST_ITEMS:
            raise ValueError(f"{len(value)} items in one list or object, expected {MOST_ITEMS} at most")
        for each in value:
            _check(each, depth + 1)
        for each in value.values() if isinstance(value, dict) else ():
            _check(each, depth + 1)


def _check_text(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"a text of {len(text)} characters, expected {LONGEST_TEXT} at most")
    bad = next((each for each in text if not _can_be_shown(each)), None)
    if bad is not None:
        raise ValueError(f"a text with {shown(bad)} in it, expected characters that can be shown")


def _can_be_shown(character: str) -> bool:
    return character.isprintable() or character in "\n\t"
