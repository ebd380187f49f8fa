"""What stands inside brackets on one line, as people write it: words and quoted texts, in lists and mappings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

MOST_DEPTH = 100
"""Levels, or brackets in one text; what has more is left to the whole grammar."""

_SCALAR = re.compile(r"""(?:"([^"\\]*)"|'((?:[^']|'')*)'|(-*[A-Za-z0-9_./][A-Za-z0-9_./=+-]*)) *""")
_KEY = re.compile(r"([A-Za-z_/][A-Za-z0-9_./-]*): +")
_SPACES = re.compile(" *")


class Unusual(Exception):
    """Only the whole grammar can read this."""


def bracketed(text: str, resolve: Callable[[str], Any]) -> Any:
    """The list or mapping that a text is, but for a comment behind it. Raises `Unusual`."""
    if text.count("[") + text.count("{") > MOST_DEPTH:
        raise Unusual
    try:
        value, end = _value(text, 0, resolve)
    except IndexError:  # the text ends before a bracket does
        raise Unusual from None
    if end < len(text) and text[end - 1 : end + 1] != " #":
        raise Unusual
    return value


def _value(text: str, at: int, resolve: Callable[[str], Any]) -> tuple[Any, int]:
    """The value that begins at a place, and where what follows it and spaces begins."""
    if text[at] == "[":
        return _list(text, _after_spaces(text, at + 1), resolve)
    if text[at] == "{":
        return _mapping(text, _after_spaces(text, at + 1), resolve)
    found = _SCALAR.match(text, at)
    if found is None:
        raise Unusual
    double, single, plain = found.groups()
    value = resolve(plain) if plain is not None else single.replace("''", "'") if double is None else double
    return value, found.end()


def _list(text: str, at: int, resolve: Callable[[str], Any]) -> tuple[list[Any], int]:
    items: list[Any] = []
    while text[at] != "]" or items:
        value, at = _value(text, at, resolve)
        items.append(value)
        if text[at] == "]":
            break
        at = _after_comma(text, at)
    return items, _after_spaces(text, at + 1)


def _mapping(text: str, at: int, resolve: Callable[[str], Any]) -> tuple[dict[str, Any], int]:
    mapping: dict[str, Any] = {}
    while text[at] != "}" or mapping:
        key = _KEY.match(text, at)
        if key is None or key[1] in mapping or resolve(key[1]) != key[1]:
            raise Unusual
        mapping[key[1]], at = _value(text, key.end(), resolve)
        if text[at] == "}":
            break
        at = _after_comma(text, at)
    return mapping, _after_spaces(text, at + 1)


def _after_comma(text: str, at: int) -> int:
    if text[at] != ",":
        raise Unusual
    return _after_spaces(text, at + 1)


def _after_spaces(text: str, at: int) -> int:
    found = _SPACES.match(text, at)
    return at if found is None else found.end()
