"""A YAML text that is changed in place: scalars with their styles, printed as go-yaml prints what it has read.

Unlike `printing`, this keeps quotes, blocks, brackets and the order of keys; indentation and blank lines are not kept.
Texts with comments, anchors or tagged collections are not taken.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from yaml._yaml import CParser
from yaml.error import YAMLError
from yaml.events import DocumentStartEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent

from render.errors import YamlError
from render.yaml import styles
from render.yaml.folds import folded_block
from render.yaml.tags import TEXT
from render.yaml.written import Scalar, scalar_of, tag_of_plain, value_of


class Mapping(NamedTuple):
    """Keys and values in order."""

    entries: list[tuple[Scalar, Any]]
    in_brackets: bool


class Sequence(NamedTuple):
    """Values in order."""

    items: list[Any]
    in_brackets: bool


class Unprintable(Exception):
    """The text holds what is not kept here."""


def read_node(text: str) -> Any:
    """The first document of a text: a `Scalar`, `Mapping` or `Sequence`. Raises `Unprintable`."""
    if "#" in text:
        raise Unprintable
    parser = CParser(text.encode("utf-8", "surrogatepass"))
    try:
        while (event := parser.get_event()) is not None:
            if event.__class__ is DocumentStartEvent:
                return _read(parser, parser.get_event())
    except YAMLError:
        pass
    raise Unprintable


def _read(parser: Any, event: Any) -> Any:
    if getattr(event, "anchor", None) is not None:
        raise Unprintable
    if isinstance(event, ScalarEvent):
        return scalar_of(event.value, event.tag, event.style)
    if event.tag is not None:
        raise Unprintable
    if isinstance(event, MappingStartEvent):
        entries = []
        while not isinstance(key := parser.get_event(), MappingEndEvent):
            if not isinstance(key, ScalarEvent) or "\n" in key.value:
                raise Unprintable
            entries.append((_read(parser, key), _read(parser, parser.get_event())))
        return Mapping(entries, bool(event.flow_style))
    items = []
    while not isinstance(item := parser.get_event(), SequenceEndEvent):
        items.append(_read(parser, item))
    return Sequence(items, bool(event.flow_style))


def data_of(node: Any) -> Any:
    """A node as plain data; a scalar whose tag does not fit its text is a text."""
    if isinstance(node, Mapping):
        return {key.text: data_of(value) for key, value in node.entries}
    if isinstance(node, Sequence):
        return [data_of(item) for item in node.items]
    try:
        return value_of(node)
    except YamlError:
        return node.text


def node_of(value: Any, written: dict[tuple[str | int, ...], Scalar | None], trail: tuple[str | int, ...] = ()) -> Any:
    """Plain data as nodes; `written` says by place how scalars are written, and with None what is in brackets."""
    in_brackets = written.get(trail, ...) is None or not value
    if isinstance(value, dict):
        entries = [(Scalar(key), node_of(item, written, (*trail, key))) for key, item in value.items()]
        return Mapping(entries, in_brackets)
    if isinstance(value, list):
        return Sequence([node_of(item, written, (*trail, place)) for place, item in enumerate(value)], in_brackets)
    how = written.get(trail)
    if how is not None:
        return how
    if isinstance(value, str):
        return Scalar(value)
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return Scalar(text, tag_of_plain(text))


def print_node(node: Any) -> str:
    """The text of a node. It ends without a line break, but for those of its last block."""
    lines: list[str] = []
    _print(node, "", "", lines)
    return "\n".join(lines)


def _is_block(node: Any) -> bool:
    return not isinstance(node, Scalar) and bool(node[0]) and not node.in_brackets


def _print(node: Any, first: str, margin: str, lines: list[str]) -> None:
    """Print a node that begins after `first` on its line; further lines begin with `margin`."""
    if not _is_block(node):
        lines.append(first + _inline(node, len(margin)))
    elif isinstance(node, Mapping):
        for key, value in node.entries:
            label = f"{first}{_inline(key, 0)}:"
            if _is_block(value):
                lines.append(label)
                inner = margin if isinstance(value, Sequence) else f"{margin}  "
                _print(value, inner, inner, lines)
            else:
                lines.append(f"{label} {_inline(value, len(margin) + 2)}".rstrip(" "))
            first = margin
    else:
        for item in node.items:
            _print(item, f"{first}- ", f"{margin}  ", lines)
            first = margin


def _inline(node: Any, indent: int, *, flow: bool = False) -> str:
    """A scalar, or a collection in brackets; further lines of a scalar stand at `indent`."""
    if isinstance(node, Mapping):
        entries = [f"{_inline(key, 0, flow=True)}: {_inline(value, 0, flow=True)}" for key, value in node.entries]
        return "{" + ", ".join(entries) + "}"
    if isinstance(node, Sequence):
        return "[" + ", ".join(_inline(item, 0, flow=True) for item in node.items) + "]"
    tag, style = _shown(node)
    text = node.text
    style = _possible(text, style, flow=flow)
    if style == "|":
        shown = styles.literal(text, indent)
    elif style == ">":
        shown = folded_block(text, indent)
    elif style == '"':
        shown = styles.double_quoted(text)
    elif style == "'":
        shown = _single_quoted(text, indent)
    else:
        shown = text
    return f"{tag} {shown}" if tag else shown


def _shown(scalar: Scalar) -> tuple[str, str]:
    """The tag that is written out, "" for none, and the style that is asked for."""
    text, tag, style, is_tagged = scalar
    forced = False
    if not is_tagged and ((tag == TEXT and style) or not tag or tag_of_plain(text) == tag):
        tag = ""
    elif not is_tagged and tag == TEXT:
        tag, forced = "", True
    if not style and "\n" in text:
        style = "|"
    return tag, style or ('"' if forced else "")


def _possible(text: str, style: str, *, flow: bool) -> str:
    """The style that go-yaml uses where it is asked for this one."""
    special = styles.is_special(text.replace("\t", "")) or re.search(f" [{styles.BREAKS}]", text) is not None
    if not style and not _may_be_plain(text, flow=flow, special=special):
        style = "'"
    if style == "'" and (special or "\t" in text or re.search(f"[{styles.BREAKS}] ", text)):
        style = '"'
    if style in ("|", ">") and (special or text.endswith(" ") or flow):
        style = '"'
    return style


def _may_be_plain(text: str, *, flow: bool, special: bool) -> bool:
    if not text:
        return not flow
    odd = special or "\t" in text or styles.has_breaks(text) or " " in (text[0], text[-1])
    return not odd and not styles.has_indicator(text) and not (flow and any(mark in text for mark in ",?[]{}:"))


def _single_quoted(text: str, indent: int) -> str:
    text = text.replace("'", "''")
    broken = re.sub("\n+", lambda match: match[0] + "\n", text)
    return "'" + re.sub("(?<=\n)(?=[^\n])", " " * indent, broken) + "'"
