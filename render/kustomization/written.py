"""What a file says literally: the text of plain scalars that are no strings, or dates.

Parsed values cannot tell `null` from nothing at all (a strategic merge drops the second and keeps the first), `1.10`
from `1.1` nor a date from its time at midnight (a replacement copies the text). So for the few objects where it
matters the file is read once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from yaml._yaml import CParser
from yaml.events import (
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from render.yaml.scalars import resolve

Texts = dict[tuple[str | int, ...], str]


def may_be_time(text: str) -> bool:
    """Whether a value may have been read from a date that is written otherwise."""
    return text[10:11] == "T" and text[4:5] == "-"


def plain_texts(data: bytes, document: int) -> Texts:
    """Where in a document of a readable file plain scalars stand that are no strings, and their text."""
    events = iter(CParser(data).get_event, None)
    for event in events:
        if event.__class__ is not DocumentStartEvent:
            continue
        root = next(events)
        empty = root.__class__ is ScalarEvent and not root.style and root.tag is None and resolve(root.value) is None
        texts: Texts = {}
        _collect(root, events, (), texts)
        if not empty and document == 0:
            return texts
        document -= not empty
    return {}


def _collect(event: Any, events: Iterator[Any], trail: tuple[str | int, ...], texts: Texts) -> None:
    kind = event.__class__
    if kind is ScalarEvent:
        if not event.style and event.tag is None and resolve(event.value) is not event.value:
            texts[trail] = event.value
    elif kind is MappingStartEvent:
        while (key := next(events)).__class__ is not MappingEndEvent:
            _collect(next(events), events, (*trail, getattr(key, "value", "")), texts)
    elif kind is SequenceStartEvent:
        position = 0
        while (item := next(events)).__class__ is not SequenceEndEvent:
            _collect(item, events, (*trail, position), texts)
            position += 1
