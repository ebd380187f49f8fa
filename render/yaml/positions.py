"""Where a field stands in a file: the file is read again, because only errors ask, and they are rare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from yaml._yaml import CParser
from yaml.error import YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from render.errors import YamlError
from render.yaml import faults
from render.yaml.scalars import resolve

_STARTS = (MappingStartEvent, SequenceStartEvent)
_ENDS = (MappingEndEvent, SequenceEndEvent)


class Place(NamedTuple):
    """A node of the file: where it begins, and the places of its fields (by key) or items (by index)."""

    mark: Any
    fields: dict[str | int, tuple[Any, Place]]


def position(data: bytes, path: str, document: int, field: Sequence[str | int]) -> tuple[int, int]:
    """Line and column, from 1, of a field in a document; `document` counts what `parse` returned.

    A mapping's field is where its key is, an item of a list where it begins. What is not written there (it came
    through an alias or a patch) has the place of its nearest parent. Raises `YamlError` if the file cannot be parsed.
    """
    try:
        place = _document(CParser(data), document)
    except YAMLError as error:
        raise faults.from_libyaml(error, data, path) from None
    if place is None:
        raise YamlError(f"there is no document {document}", path=path)
    mark = place.mark
    for part in field:
        if part not in place.fields:
            break
        mark, place = place.fields[part]
    return mark.line + 1, mark.column + 1


def first_definition(data: bytes, index: int, key: str) -> int:
    """The line where a mapping, whose key at character `index` repeats `key`, has it first."""
    parser: Any = CParser(data)
    stack: list[list[Any]] = []  # for each open collection: lines of keys (None in a list), whether a key comes next
    while (event := parser.get_event()) is not None:
        kind = event.__class__
        top = stack[-1] if stack else None
        if kind in _ENDS:
            stack.pop()
        elif kind in _STARTS or kind is ScalarEvent or kind is AliasEvent:
            if top is not None and top[0] is not None:
                if top[1] and event.start_mark.index == index:
                    return int(top[0].get(key, event.start_mark.line + 1))
                if top[1]:
                    top[0].setdefault(_key_text(event), event.start_mark.line + 1)
                top[1] = not top[1]
            if kind in _STARTS:
                stack.append([{} if kind is MappingStartEvent else None, True])
    raise AssertionError("the key was read before")


def _key_text(event: Any) -> str:
    """What a key is looked for by; nobody looks for one that is a mapping or a list."""
    return event.value if event.__class__ is ScalarEvent else f"*{event.anchor}"


def _document(parser: Any, wanted: int) -> Place | None:
    while (event := parser.get_event()) is not None:
        if event.__class__ is not DocumentStartEvent:
            continue
        root = parser.get_event()
        place = _place(root, iter(parser.get_event, None))
        dropped = root.__class__ is ScalarEvent and not root.style and root.tag is None and resolve(root.value) is None
        if not dropped and wanted == 0:
            return place
        wanted -= not dropped
    return None


def _place(event: Any, events: Iterator[Any]) -> Place:
    fields: dict[str | int, tuple[Any, Place]] = {}
    kind = event.__class__
    if kind is MappingStartEvent:
        while (key := next(events)).__class__ is not MappingEndEvent:
            if key.__class__ in _STARTS:
                _place(key, events)
            value = _place(next(events), events)
            fields[_key_text(key)] = (key.start_mark, value)
    elif kind is SequenceStartEvent:
        while (item := next(events)).__class__ is not SequenceEndEvent:
            place = _place(item, events)
            fields[len(fields)] = (place.mark, place)
    return Place(event.start_mark, fields)
