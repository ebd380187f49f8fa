"""The YAML that people and programs mostly write, read line by line: many times as fast as by libyaml's events.

Takes block mappings and lists whose keys are plain words, with scalars of every style, and what is inside brackets on
one line. At the first thing beyond that (`Unusual`) nothing is lost: the caller reads the file again by the whole
grammar, which alone decides what is an error. So this has one duty: never to read a text differently.

Most lines of manifests stand in many of them, so what a line says is found out once and remembered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from render.yaml.brackets import MOST_DEPTH, Unusual, bracketed
from render.yaml.scalars import OutsideTime

MOST_REMEMBERED = 1 << 16
"""Lines after which a memory is emptied: a controller runs for months."""

LONGEST_REMEMBERED = 120
"""Characters of a line that is remembered."""

_LINE = re.compile(
    r"( *)(- +|-$)?(?:(?:([A-Za-z_/][A-Za-z0-9_./-]{0,250})|[\"']([A-Za-z0-9_./-]{1,250})[\"']):(?: +|$))?(.*)"
)
"""Indentation, dash, key, key in quotes, rest. It fits every line; what a rest means is decided later."""

_END = r"(?: *| +#.*)"
_QUOTED = re.compile(rf"""(?:"([^"\\]*)"|'((?:[^']|'')*)'){_END}""")
_ESCAPED = re.compile(rf""""((?:[^"\\]|\\.)*)"{_END}""")
_UNTIL_QUOTE = {"'": re.compile(rf"((?:[^']|'')*)'{_END}"), '"': re.compile(rf'((?:[^"\\]|\\.)*)"{_END}')}
"""The last line of a scalar in quotes over several."""
_OPEN = {"'": re.compile(r"(?:[^']|'')*"), '"': re.compile(r'(?:[^"\\]|\\.)*\\?')}
"""The other ones."""

_STARTS = frozenset("_/.$(<=+;^~\\")
"""Characters other than letters and digits with which a plain scalar may begin here."""

_USUAL_ESCAPES = re.compile(r'(?:[\n !#-\[\]-~]|\\["\\nt])*')
"""ASCII with escapes that mean in Python what they mean in YAML."""

_PRINTABLE = bytes((10, *range(32, 127)))
"""What ASCII files consist of: asking for the rest is three times as fast as asking each character."""

_BLOCKS = frozenset(("|", "|-", "|+", "|2", "|2-", "|2+", ">", ">-", ">+"))
_TOO_MUCH_INSIDE_BRACKETS = re.compile(r"[&*!#\\%]")


class _Open(NamedTuple):
    """Stands for a block or a scalar in quotes that goes on over the lines that follow."""

    rest: str


_NOTHING, _SEPARATOR, _TEXT = object(), object(), object()
"""Stand for nothing behind a key or on a line, for a line that begins a document, and for a line of text."""

_Line = tuple[int, int, str | None, Any]
"""Indentation, width of the dash (0 without one), key, and the value or what stands for it."""


class Lines(dict[str, _Line]):
    """What each line says.

    `resolve` gives plain text its value or raises `OutsideTime`, `node` reads a text by the whole grammar or raises
    `Unusual`.
    """

    def __init__(self, resolve: Callable[[str], Any], node: Callable[[str], Any]) -> None:
        super().__init__()
        self.node = node
        self._resolve = resolve

    def __missing__(self, line: str) -> _Line:
        found = self._read(line)
        if len(line) <= LONGEST_REMEMBERED:
            if len(self) > MOST_REMEMBERED:
                self.clear()
            self[line] = found
        return found

    def _read(self, line: str) -> _Line:
        match = _LINE.fullmatch(line)
        assert match is not None
        spaces, dash, key, quoted_key, rest = match.groups()
        indent = len(spaces)
        if quoted_key is not None:
            if line[match.start(4) - 1] != line[match.end(4)]:
                raise Unusual
            key = quoted_key
        elif key is not None and self.resolve(key) != key:
            raise Unusual
        elif key is None and dash is None:
            if not rest or rest[0] == "#":
                return indent, 0, None, _NOTHING
            return indent, 0, None, _SEPARATOR if rest.rstrip(" ") == "---" and not spaces else _TEXT
        value = self._value(rest) if rest and rest[0] != "#" else _NOTHING
        if key is None and value is _NOTHING:
            raise Unusual
        return indent, len(dash or ""), key, value

    def _value(self, text: str) -> Any:
        first = text[0]
        if first in "\"'":
            return self._quoted(text)
        if first in "|>":
            if text not in _BLOCKS:
                raise Unusual
            return _Open(text)
        if first not in "[{":
            return self.resolve(plain_text(text.partition(" #")[0]))
        try:
            return bracketed(text, self.resolve)
        except Unusual:
            inside = text if '"' in text or "'" in text else text.partition(" #")[0]
            if text.count("[") + text.count("{") > MOST_DEPTH or _TOO_MUCH_INSIDE_BRACKETS.search(inside):
                raise
            return self.node(inside)

    def _quoted(self, text: str) -> Any:
        if quoted := _QUOTED.fullmatch(text):
            return quoted[1] if text[0] == '"' else quoted[2].replace("''", "'")
        if text[0] == '"' and (escaped := _ESCAPED.fullmatch(text)):
            inner = escaped[1]
            return _unescaped(inner) if _USUAL_ESCAPES.fullmatch(inner) else self.node(f'"{inner}"')
        if _OPEN[text[0]].fullmatch(text, 1):
            return _Open(text)
        raise Unusual

    def resolve(self, text: str) -> Any:
        """The value of a plain scalar. Raises `Unusual` where that is an error."""
        try:
            return self._resolve(text)
        except OutsideTime:
            raise Unusual from None


def _unescaped(text: str) -> str:
    return text.encode("ascii").decode("unicode_escape")


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


def read_lines(data: bytes, known: Lines) -> list[Any]:
    """The documents of a file, without empty ones. Raises `Unusual`."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Unusual from None
    if data.translate(None, _PRINTABLE) and not text.replace("\n", "").isprintable():
        raise Unusual
    lines = text.split("\n")
    if lines[-1] and ("|" in text or ">" in text):  # a block that ends with the file ends without a line break
        raise Unusual
    if not lines[-1]:
        lines.pop()
    lines.append("---")  # whatever is open ends there
    return _read(lines, known)


def _read(lines: list[str], known: Lines) -> list[Any]:
    """The loop that every line passes: long, because a call for each line would double its time."""
    documents: list[Any] = []
    stack: list[Container] = []
    into: Any = None  # what is being filled, the column of its keys or dashes, and whether it is a mapping
    column, is_mapping = -1, False
    pending: str | None = None  # a key whose value has not been seen yet
    scalar = skipped = 0  # the last line that ended with a scalar; the one where what was read over several ends
    for at, line in enumerate(lines):
        if at < skipped:
            continue
        indent, dash, key, value = known[line]
        if key is None and not dash:
            if value is _NOTHING:
                continue
            if value is _TEXT:
                value, skipped = _continued(lines, scalar, at, column, known)
                into[known[lines[scalar]][2] if is_mapping else -1] = value
                continue
            stack, into, column, is_mapping, pending = [], None, -1, False, None
            continue
        if pending is not None and (indent > column or (dash and indent == column)):
            if len(stack) > MOST_DEPTH:
                raise Unusual
            stack.append((into, column, is_mapping))
            inner: Any = [] if dash else {}
            into[pending] = into = inner
            column, is_mapping, pending = indent, not dash, None
        else:
            pending = None
            if into is None:
                into, column, is_mapping = [] if dash else {}, 0, not dash
                documents.append(into)
            if column != indent or is_mapping is (dash > 0):
                into, column, is_mapping = _enclosing(stack, indent, not dash)
        if dash and key is not None:
            stack.append((into, column, is_mapping))
            inner = {}
            into.append(inner)
            into, column, is_mapping = inner, indent + dash, True
        if key is not None and key in into:
            raise Unusual
        if value is _NOTHING:
            into[key], pending = None, key
            continue
        if value.__class__ is _Open:
            value, skipped = _over_lines(value.rest, lines, at, column, known)
        else:
            scalar = at
        if key is None:
            into.append(value)
        else:
            into[key] = value
    return documents


def _enclosing(stack: list[Container], indent: int, wants_mapping: bool) -> Container:
    """What is open at a column, everything deeper closed. Raises `Unusual` if that is not what a line there needs."""
    while stack:
        found = stack.pop()
        _, column, is_mapping = found
        if column > indent:
            continue
        if column == indent and is_mapping is wants_mapping:
            return found
        if column < indent:
            break
    raise Unusual


def _continued(lines: list[str], scalar: int, at: int, column: int, known: Lines) -> tuple[Any, int]:
    """The value of the plain scalar on line `scalar` that goes on at line `at`, and where it ends. Raises `Unusual`."""
    match = _LINE.fullmatch(lines[scalar])
    first = match[5] if match and (match[2] or match[3] or match[4]) else ""
    if column < 0 or not first or first[0] in "\"'|>[{" or " #" in first:
        raise Unusual
    prefix = " " * (column + 1)
    texts = [plain_text(first)]
    for end in range(scalar + 1, len(lines)):
        text = lines[end].strip(" ")
        if text:
            if not lines[end].startswith(prefix):
                break
            if text[0] == "#" or " #" in text or ": " in text or text[-1] == ":":
                raise Unusual
        texts.append(text)
    while not texts[-1]:
        texts.pop()
    if end <= at:
        raise Unusual
    return known.resolve(_joined(texts)), end


def _joined(texts: list[str]) -> str:
    """Lines of a plain or quoted scalar as one text: the end of a line is a space, blank lines are line breaks."""
    parts, breaks = [texts[0]], 0
    for text in texts[1:-1]:
        if text:
            parts += ["\n" * breaks or " ", text]
            breaks = 0
        else:
            breaks += 1
    return "".join([*parts, "\n" * breaks or " ", texts[-1]])


def _over_lines(rest: str, lines: list[str], at: int, column: int, known: Lines) -> tuple[Any, int]:
    """The value of a block or of a scalar in quotes that begins on line `at`, and the line where it has ended."""
    if rest[0] in "|>":
        return _block(rest, lines, at + 1, column, known)
    quote, texts = rest[0], [rest[1:]]
    for end in range(at + 1, len(lines)):
        line = lines[end]
        if len(line) - len(line.lstrip(" ")) <= column and line.strip(" "):
            raise Unusual
        if last := _UNTIL_QUOTE[quote].fullmatch(line):
            return _unquoted(quote, [*texts, last[1]], known), end + 1
        if not _OPEN[quote].fullmatch(line):
            break
        texts.append(line)
    raise Unusual


def _unquoted(quote: str, texts: list[str], known: Lines) -> Any:
    """The value of what stands between quotes on several lines."""
    text = _joined([texts[0].rstrip(" "), *[line.strip(" ") for line in texts[1:-1]], texts[-1].lstrip(" ")])
    if quote == "'":
        return text.replace("''", "'")
    if "\\" not in text:
        return text
    if _USUAL_ESCAPES.fullmatch(text):
        return _unescaped(text)
    return known.node('"' + "\n".join(texts) + '"')


def _block(header: str, lines: list[str], start: int, parent: int, known: Lines) -> tuple[Any, int]:
    """The value of a block whose first line is `start`, and the line where it has ended. Raises `Unusual`."""
    margin, end = (parent + 2, start) if header[1:2] == "2" else _margin(lines, start)
    if margin <= parent:
        raise Unusual
    prefix = " " * margin
    while (line := lines[end]).startswith(prefix) or not line.strip(" "):
        end += 1
    if line.startswith(prefix[: parent + 1]):
        raise Unusual
    body = [line[margin:] for line in lines[start:end]]
    if header[0] == ">":
        return _folded(header, body, known), end
    text = "\n".join(body)
    inner = text.rstrip("\n")
    if not inner:
        raise Unusual
    return f"{text}\n" if header[-1] == "+" else inner if header[-1] == "-" else f"{inner}\n", end


def _folded(header: str, body: list[str], known: Lines) -> Any:
    """The value of a folded block: lines of one indentation become one line."""
    if header == ">+" or any(line[:1] in ("", " ") for line in body):
        return known.node("\n".join([header, *[f" {line}" for line in body], ""]))
    return " ".join(body) + ("\n" if header == ">" else "")


def _margin(lines: list[str], start: int) -> tuple[int, int]:
    """The indentation of the first line with something on it, and which one that is. Raises `Unusual` if a blank one
    before it is longer."""
    longest = 0
    for end in range(start, len(lines)):
        inner = lines[end].lstrip(" ")
        margin = len(lines[end]) - len(inner)
        if inner:
            break
        longest = max(longest, margin)
    if longest > margin:
        raise Unusual
    return margin, end
