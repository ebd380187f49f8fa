"""The YAML that people and programs mostly write, read line by line: three times as fast as by libyaml's events.

Takes block mappings and lists whose keys are plain words, with scalars of every style, and what is inside brackets on
one line. At the first thing beyond that (`Unusual`) nothing is lost: the caller reads the file again by the whole
grammar, which alone decides what is an error. So this has one duty: never to read a text differently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

MOST_DEPTH = 100
"""Levels; deeper files are left to the whole grammar."""

MOST_REMEMBERED = 1 << 16
"""Entries after which a memory is emptied: a controller runs for months."""

LONGEST_REMEMBERED = 100
"""Characters of a value that is remembered."""

_LINE = re.compile(r"( *)(- +|-$)?(?:([A-Za-z_/][A-Za-z0-9_./-]{0,250}):(?: +|$))?(.*)\n", re.MULTILINE)
"""Indentation, dash, key, rest. It fits every line; what a rest means is decided later."""

_QUOTED = re.compile(r"""(?:"([^"\\\n]*)"|'((?:[^'\n]|'')*)')(?: *| +#.*)""")
_QUOTED_LONG = re.compile(r"""("(?:[^"\\]|\\.|\\\n)*"|'(?:[^']|'')*')(?: *| +#.*)\n""")
"""Over several lines, or with escapes."""

_WORD = r"""(?:"[^"\\]*"|-*[A-Za-z0-9_./][A-Za-z0-9_./=+-]*)"""
_STARTS = frozenset("_/.$(<=+;^~\\")
"""Characters other than letters and digits with which a plain scalar may begin here."""

_LIST = re.compile(rf"\[ *(?:{_WORD}(?:, *{_WORD})*)? *\]")
_PIECE = re.compile(_WORD)
"""A list of words and quoted texts."""

_USUAL_ESCAPES = re.compile(r'"(?:[ !#-\[\]-~]|\\["\\nt])*"')
"""ASCII with escapes that mean in Python what they mean in YAML."""

_BLOCKS = frozenset(("|", "|-", "|+", ">", ">-", ">+"))
_TOO_MUCH_INSIDE_BRACKETS = re.compile(r"[&*!#\\%]")


class Unusual(Exception):
    """Only the whole grammar can read this."""


class Values(dict[str, Any]):
    """What stands behind a key or a dash, to its value.

    `resolve` gives plain text its value, `node` reads a text by the whole grammar; both raise `Unusual` where they
    cannot.
    """

    def __init__(self, resolve: Callable[[str], Any], node: Callable[[str], Any]) -> None:
        super().__init__()
        self.node = node
        self.resolve = resolve

    def __missing__(self, text: str) -> Any:
        value = self._read(text)
        if len(text) <= LONGEST_REMEMBERED:
            if len(self) > MOST_REMEMBERED:
                self.clear()
            self[text] = value
        return value

    def _read(self, text: str) -> Any:
        first = text[0]
        if first in "\"'":
            quoted = _QUOTED.fullmatch(text)
            if quoted is None:
                raise Unusual
            return quoted[1] if first == '"' else quoted[2].replace("''", "'")
        if _LIST.fullmatch(text):
            return [self[piece] for piece in _PIECE.findall(text)]
        if first in "[{":
            if text.count("[") + text.count("{") > MOST_DEPTH:
                raise Unusual
            inside = text if '"' in text or "'" in text else text.partition(" #")[0]
            if _TOO_MUCH_INSIDE_BRACKETS.search(inside):
                raise Unusual
            return self.node(inside)
        return self.resolve(plain_text(text.partition(" #")[0]))


Container = tuple[Any, int, bool]
"""A mapping or list, the column of its keys or dashes, and whether it is a mapping."""


def plain_text(text: str) -> str:
    """The text of a plain scalar on its first line. Raises `Unusual` if it is none."""
    text = text.rstrip(" ")
    first = text[0]
    begins = first.isalnum() or first in _STARTS or (first in "-:?" and text[1:2] not in ("", " "))
    if not begins or ": " in text or text.endswith(":"):
        raise Unusual
    return text


def read_lines(data: bytes, keys: Mapping[str, bool], values: Values) -> list[Any]:
    """The documents of a file, without empty ones. `keys` says whether a text is text as a key. Raises `Unusual`."""
    try:
        return _read(_text(data), keys, values)
    except UnicodeDecodeError:
        raise Unusual from None


def _text(data: bytes) -> str:
    """The file as text of whole lines. Raises `Unusual` if it holds anything but what can be seen, spaces and `\\n`."""
    text = data.decode("utf-8")
    if not text.replace("\n", "").isprintable():
        raise Unusual
    if text.endswith("\n"):
        return text
    if "|" in text or ">" in text:  # a block that ends with the file ends without a line break
        raise Unusual
    return f"{text}\n"


def _read(text: str, keys: Mapping[str, bool], values: Values) -> list[Any]:
    """The loop that every line passes: long, because a call for each line would double its time."""
    documents: list[Any] = []
    stack: list[Container] = []
    into: Any = None  # what is being filled, the column of its keys or dashes, and whether it is a mapping
    column, is_mapping = -1, False
    pending: str | None = None  # a key whose value has not been seen yet
    scalar: re.Match[str] | None = None  # the last line that ended with a scalar
    skipped = 0
    for match in _LINE.finditer(text):
        if match.start() < skipped:
            continue
        spaces, dash, key, rest = match.groups()
        indent = len(spaces)
        if key is None and dash is None:
            if not rest or rest[0] == "#":
                continue
            if rest.rstrip(" ") != "---" or spaces:
                value, skipped = _continued(text, scalar, match, column, values)
                into[scalar[3] if is_mapping else -1] = value  # type: ignore[index]  # there is one, if it continues
                continue
            stack, into, column, is_mapping, pending, scalar = [], None, -1, False, None, None
            continue
        if pending is not None and (indent > column or (dash is not None and indent == column)):
            if len(stack) > MOST_DEPTH:
                raise Unusual
            stack.append((into, column, is_mapping))
            inner: Any = {} if dash is None else []
            into[pending] = into = inner
            column, is_mapping, pending = indent, dash is None, None
        else:
            pending = None
            if into is None:
                into, column, is_mapping = {} if dash is None else [], 0, dash is None
                documents.append(into)
            if column != indent or is_mapping is (dash is not None):
                into, column, is_mapping = _enclosing(stack, indent, dash is None)
        if dash is not None and key is not None:
            stack.append((into, column, is_mapping))
            inner = {}
            into.append(inner)
            into, column, is_mapping = inner, indent + len(dash), True
        if key is not None and (key in into or not keys[key]):
            raise Unusual
        if not rest or rest[0] == "#":
            if key is None:
                raise Unusual
            into[key], pending = None, key
            continue
        if rest in values or rest[0] not in "|>\"'":
            value, scalar = values[rest], match
        else:
            value, skipped = _over_lines(text, match, column, values)
        if key is None:
            into.append(value)
        else:
            into[key] = value
    return documents


def _enclosing(stack: list[Container], indent: int, wants_mapping: bool) -> Container:
    """What is open at a column, everything deeper closed. Raises `Unusual` if that is not what a line there needs."""
    while stack:
        found = stack.pop()
        if found[1] < indent:
            break
        if found[1:] == (indent, wants_mapping):
            return found
    raise Unusual


def _continued(
    text: str, scalar: re.Match[str] | None, line: re.Match[str], column: int, values: Values
) -> tuple[Any, int]:
    """The value of a plain scalar that goes on at `line`, and where it ends. Raises `Unusual`."""
    if scalar is None or len(line[1]) <= column:
        raise Unusual
    start = scalar.end()
    if text[start : line.start()].strip(" \n") or scalar[4][0] in "\"'[{" or " #" in scalar[4]:
        raise Unusual
    parts = [plain_text(scalar[4])]
    breaks = 0
    while (found := _LINE.match(text, start)) is not None:
        spaces, dash, key, rest = found.groups()
        if key is None and dash is None and not rest:
            breaks += 1
        elif len(spaces) <= column:
            break
        elif key is not None or dash is not None or rest[0] == "#" or " #" in rest or ": " in rest:
            raise Unusual
        else:
            parts += ["\n" * breaks or " ", rest.rstrip(" ")]
            breaks = 0
            if parts[-1].endswith(":"):
                raise Unusual
        start = found.end()
    return values.resolve("".join(parts)), start


def _over_lines(text: str, match: re.Match[str], column: int, values: Values) -> tuple[Any, int]:
    """The value of a block or of a scalar in quotes, which may go over several lines, and where it ends."""
    rest = match[4]
    if rest[0] in "|>":
        return _block(text, rest, match.end(), column, values)
    if _QUOTED.fullmatch(rest) is not None:
        return values[rest], match.end()
    return _quoted(text, match.start(4), column, values)


def _quoted(text: str, start: int, column: int, values: Values) -> tuple[Any, int]:
    """The value of a scalar in quotes that ends on a later line or holds escapes, and where it ends."""
    found = _QUOTED_LONG.match(text, start)
    if found is None:
        raise Unusual
    if "\n" not in found[1]:
        return _escaped(found[1], values), found.end()
    for line in found[1].split("\n")[1:]:
        if line.strip(" ") and len(line) - len(line.lstrip(" ")) <= column:
            raise Unusual
    return values.node(found[1]), found.end()


def _escaped(quoted: str, values: Values) -> Any:
    """The text of a scalar in double quotes with escapes."""
    if _USUAL_ESCAPES.fullmatch(quoted):
        return quoted[1:-1].encode("ascii").decode("unicode_escape")
    return values.node(quoted)


def _block(text: str, header: str, start: int, parent: int, values: Values) -> tuple[Any, int]:
    """The value of a block that begins on the line at `start`, and where it ends. Raises `Unusual`."""
    if header not in _BLOCKS:
        raise Unusual
    after = _end_of_block(parent).search(text, start)
    end = len(text) if after is None else after.start()
    lines = text[start:end].split("\n")[:-1]
    if header[0] == ">":
        return _folded(header, lines, values), end
    margin = _margin(lines)
    prefix = " " * margin
    if any(not line.startswith(prefix) and line.strip(" ") for line in lines):
        raise Unusual
    body = "\n".join([line[margin:] for line in lines])
    if header == "|+":
        return f"{body}\n", end
    return body.rstrip("\n") + ("\n" if header == "|" else ""), end


def _folded(header: str, lines: list[str], values: Values) -> Any:
    """The value of a folded block: lines of one indentation become one line."""
    prefix = " " * _margin(lines)
    words = [line.removeprefix(prefix) for line in lines]
    is_even = all(line.startswith(prefix) and line[len(prefix) :][:1] not in ("", " ") for line in lines)
    if header == ">+" or not is_even:
        return values.node("\n".join([header, *lines, ""]))
    return " ".join(words) + ("\n" if header == ">" else "")


def _margin(lines: list[str]) -> int:
    """The indentation of the first line with something on it. Raises `Unusual` if there is none, or a longer empty one
    before it."""
    longest = 0
    for line in lines:
        inner = line.lstrip(" ")
        margin = len(line) - len(inner)
        if inner:
            if longest > margin:
                break
            return margin
        longest = max(longest, margin)
    raise Unusual


@cache
def _end_of_block(parent: int) -> re.Pattern[str]:
    """The next line with something on it that is indented no more than what the block belongs to."""
    return re.compile(f"^ {{0,{parent}}}[^ \\n]", re.MULTILINE)
