"""What a file says literally: the text of plain scalars that are no strings, or dates.

Parsed values cannot tell `null` from nothing at all (a strategic merge drops the second and keeps the first), `1.10`
from `1.1` nor a date from its time at midnight (a replacement copies the text). So for the few objects where it
matters the file is read once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from render.yaml import faults
from render.yaml.scalars import OutsideTime, resolve
from render.yaml.tags import PREFIX

Texts = dict[tuple[str | int, ...], str]

NULL = f"{PREFIX}null"


def plain_texts(data: bytes, document: int) -> Texts:
    """Where in a document of a readable file plain scalars stand that are no strings, and their text."""
    return dict(_collected(data, document).found)


@lru_cache(16)
def quoted_places(data: bytes, document: int) -> frozenset[tuple[str | int, ...]]:
    """Where in a document of a readable file texts stand in quotes or in blocks."""
    return frozenset(_collected(data, document).quoted)


def _collected(data: bytes, document: int) -> _Collector:
    events = iter(CParser(faults.as_split(data)).get_event, None)
    for event in events:
        if event.__class__ is not DocumentStartEvent:
            continue
        root = next(events)
        empty = root.__class__ is ScalarEvent and not root.style and root.tag is None and resolve(root.value) is None
        collector = _Collector(events)
        collector.collect(root, ())
        if not empty and document == 0:
            return collector
        document -= not empty
    return _Collector(events)


class _Collector:
    """What one document says, with what aliases stand for said where they stand."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, tuple[int, int, int]] = {}
        """Where in `found` an anchored value's texts begin and end, and how long its trail is."""
        self.found: list[tuple[tuple[str | int, ...], str]] = []
        self.quoted: list[tuple[str | int, ...]] = []

    def collect(self, event: Any, trail: tuple[str | int, ...]) -> None:
        """Note the texts of the value that begins with the event."""
        kind = event.__class__
        start = len(self.found)
        if kind is AliasEvent:
            begin, end, length = self._anchors.get(event.anchor, (0, 0, 0))
            self.found += [((*trail, *place[length:]), text) for place, text in self.found[begin:end]]
        elif kind is ScalarEvent:
            text = event.value
            if event.style:
                self.quoted.append(trail)
            elif event.tag is None and not _is_itself(text):
                self.found.append((trail, text))
            if event.tag == NULL and not text:
                self.found.append((trail, ""))
        elif kind is MappingStartEvent:
            while (key := next(self._events)).__class__ is not MappingEndEvent:
                self.collect(next(self._events), (*trail, getattr(key, "value", "")))
        elif kind is SequenceStartEvent:
            position = 0
            while (item := next(self._events)).__class__ is not SequenceEndEvent:
                self.collect(item, (*trail, position))
                position += 1
        if kind is not AliasEvent and event.anchor is not None:
            self._anchors[event.anchor] = (start, len(self.found), len(trail))


def _is_itself(text: str) -> bool:
    """Whether a plain scalar is a string, and that one."""
    try:
        return resolve(text) is text
    except OutsideTime:
        return True
