"""Manifests to text, byte for byte as Kustomize prints them (K9).

Most of what is printed repeats: keys, kinds, labels, the set of keys of an object. So the look of each string and the
order of each set of keys are decided once and remembered; what is left for each line is a look-up and a join.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from render.errors import YamlError
from render.yaml import styles
from render.yaml.order import natural_order

MOST_REMEMBERED = 1 << 16
"""Entries after which a memory is emptied: a controller runs for months."""

LONGEST_SIMPLE_KEY = 128
"""Bytes of a key beyond which libyaml writes `? key`."""

_inline: dict[str, str | None] = {}
"""String to how it looks on one line; None if it needs several."""
_styles: dict[str, str] = {}
"""String to its style, for those that never stand on one line as they are."""
_orders: dict[tuple[str, ...], tuple[tuple[str, str | None], ...]] = {}
"""Keys to the same ones in order, each with how it looks before its value; None if it is too long for that."""


def dump(manifests: Iterable[Any]) -> str:
    """The documents, joined with `---`, each ending with a line break.

    Takes JSON-like values (str keys; int, float, bool, None, str, list, dict). Raises `YamlError` for what JSON cannot
    hold: infinities, NaN and control characters.
    """
    for memory in (_inline, _styles, _orders):
        if len(memory) > MOST_REMEMBERED:
            memory.clear()
    return "---\n".join(map(_document, manifests))


def _document(value: Any) -> str:
    lines: list[str] = []
    _node(value, "", "", 2, lines)
    lines.append("")
    return "\n".join(lines)


def _node(value: Any, first: str, margin: str, indent: int, lines: list[str]) -> None:
    """Print a value that begins after `first` on its line; further lines of a collection begin with `margin`."""
    kind = value.__class__
    if kind is dict and value:
        _mapping(value, first, margin, lines)
    elif kind is list and value:
        _sequence(value, first, margin, lines)
    elif kind is str:
        lines.append(first + _string(value, len(first), indent))
    else:
        lines.append(first + _SCALARS[kind](value))


def _mapping(mapping: dict[str, Any], first: str, margin: str, lines: list[str]) -> None:
    keys = tuple(mapping)
    ordered = _orders.get(keys)
    if ordered is None:
        ordered = _orders[keys] = tuple((key, _label(key)) for key in natural_order(keys))
    for key, label in ordered:
        value = mapping[key]
        if label is None:
            _long_key(key, value, first, margin, lines)
            first = margin
            continue
        kind = value.__class__
        if kind is str:
            text = _inline.get(value)
            line = f"{first}{label} {text}"
            if text is None or len(line) > styles.WIDTH:
                start = f"{first}{label} "
                line = start + _string(value, len(start), len(margin) + 2)
            lines.append(line)
        elif kind is dict and value:
            lines.append(first + label)
            inner = margin + "  "
            _mapping(value, inner, inner, lines)
        elif kind is list and value:
            lines.append(first + label)
            _sequence(value, margin, margin, lines)
        else:
            lines.append(f"{first}{label} {_SCALARS[kind](value)}")
        first = margin


def _sequence(sequence: list[Any], first: str, margin: str, lines: list[str]) -> None:
    inner = margin + "  "
    for value in sequence:
        if value.__class__ is dict and value:
            _mapping(value, first + "- ", inner, lines)
        else:
            _node(value, first + "- ", inner, len(inner), lines)
        first = margin


def _label(key: str) -> str | None:
    if "\u0085" in key:
        raise YamlError(f"the key {key!r} holds a NEL (U+0085)", hint="Kustomize cannot print it either")
    text = styles.as_read_again(key)
    simple = len(text.encode()) <= LONGEST_SIMPLE_KEY and not styles.has_breaks(text)
    label = styles.inline(text) if simple else None
    return None if label is None else f"{label}:"


def _long_key(key: str, value: Any, first: str, margin: str, lines: list[str]) -> None:
    _node(key, first + "? ", margin + "  ", len(margin) + 2, lines)
    _node(value, margin + ": ", margin + "  ", len(margin) + 2, lines)


def _string(text: str, column: int, indent: int) -> str:
    """A string that begins at `column`; its further lines begin at `indent`."""
    style = _styles.get(text)
    if style is None:
        line, text = _inline.get(text), styles.as_read_again(text)
        if line is None and (len(text) <= styles.WIDTH or " " not in text):
            line = styles.inline(text)
            if line is not None and len(text) <= styles.WIDTH:
                _inline[text] = line
        if line is not None and (column + len(line) <= styles.WIDTH or " " not in text):
            return line
        style = styles.style_of(text)
        if line is None and text.isascii():
            _styles[text] = style
    return styles.literal(text, indent) if style == styles.LITERAL else styles.folded(text, style, column, indent)


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _refuse(value: Any) -> str:
    raise YamlError(f"a value of type {type(value).__name__} cannot be printed")


class _Scalars(dict[type, Callable[[Any], str]]):
    def __missing__(self, kind: type) -> Callable[[Any], str]:
        return _refuse


_SCALARS = _Scalars(
    {
        int: str,
        bool: _boolean,
        float: styles.number,
        type(None): lambda _: "null",
        dict: lambda _: "{}",
        list: lambda _: "[]",
        str: lambda _: "",
    }
)
