"""What a file says literally: the text, tag and style of its scalars, and which of its collections stand in brackets.

Parsed values cannot tell `null` from nothing at all (a strategic merge drops the second and keeps the first), `1.10`
from `1.1` (a replacement copies the text) nor a text in quotes from a plain one (a number that replaces it becomes a
text). So for the few objects where it matters the file is read once more.
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

from render.kustomization.ids import text_of
from render.yaml import faults
from render.yaml.scalars import OutsideTime, resolve
from render.yaml.tags import NULL
from render.yaml.written import Scalar, scalar_of

Trail = tuple[str | int, ...]
Written = dict[Trail, Scalar | None]
"""By place: how a scalar is written, None for a mapping or list in brackets.

Plain texts and what looks as it would be printed are left out."""

EMPTY = Scalar("", NULL)
"""Nothing at all, where a value might stand."""


def written_in(data: bytes, document: int) -> Written:
    """How the values of a document of a readable file are written; documents without anything do not count."""
    found = _all_written(data)
    return found[document] if document < len(found) else {}


@lru_cache(16)
def _all_written(data: bytes) -> list[Written]:
    documents: list[Written] = []
    events = iter(CParser(faults.as_split(data)).get_event, None)
    for event in events:
        if event.__class__ is not DocumentStartEvent:
            continue
        root = next(events)
        empty = root.__class__ is ScalarEvent and not root.style and root.tag is None and resolve(root.value) is None
        collector = _Collector(events)
        collector.collect(root, ())
        if not empty:
            documents.append(dict(collector.found))
    return documents


class _Collector:
    """What one document says, with what aliases stand for said where they stand."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, tuple[int, int, int]] = {}
        """Where in `found` what an anchored value says begins and ends, and how long its trail is."""
        self.found: list[tuple[Trail, Scalar | None]] = []

    def collect(self, event: Any, trail: Trail) -> None:
        """Note how the value that begins with the event is written."""
        kind = event.__class__
        start = len(self.found)
        if kind is AliasEvent:
            begin, end, length = self._anchors.get(event.anchor, (0, 0, 0))
            self.found += [((*trail, *place[length:]), how) for place, how in self.found[begin:end]]
            return
        if kind is ScalarEvent:
            if event.style or event.tag is not None or not _is_printed_so(event.value):
                self.found.append((trail, scalar_of(event.value, event.tag, event.style)))
        elif event.flow_style:
            self.found.append((trail, None))
        if kind is MappingStartEvent:
            self._collect_mapping(trail)
        elif kind is SequenceStartEvent:
            position = 0
            while (item := next(self._events)).__class__ is not SequenceEndEvent:
                self.collect(item, (*trail, position))
                position += 1
        if event.anchor is not None:
            self._anchors[event.anchor] = (start, len(self.found), len(trail))

    def _collect_mapping(self, trail: Trail) -> None:
        start, keys, merged = len(self.found), set(), False
        while (key := next(self._events)).__class__ is not MappingEndEvent:
            name = getattr(key, "value", "")
            keys.add(name)
            merged = merged or (name == "<<" and not key.style)
            self.collect(next(self._events), (*trail, name))
        if merged:
            self.found[start:] = _merged(self.found[start:], len(trail), keys)


def _merged(found: list[tuple[Trail, Scalar | None]], depth: int, keys: set[str]) -> list[tuple[Trail, Scalar | None]]:
    """What stands below `<<`, one mapping or a list of them, as if it stood in the mapping itself."""
    result: dict[Trail, Scalar | None] = {}
    for trail, how in reversed(found):
        if trail[depth] == "<<":
            rest = trail[depth + 1 :]
            rest = rest[1:] if rest and isinstance(rest[0], int) else rest
            if not rest or rest[0] in keys:
                continue
            trail = (*trail[:depth], *rest)
        result[trail] = how
    return list(reversed(result.items()))


def _is_printed_so(text: str) -> bool:
    """Whether a plain scalar is a text, or would be printed as it stands."""
    try:
        value = resolve(text)
    except OutsideTime:
        return True
    return value is text or (value.__class__ is not str and text_of(value) == text)


def is_in_brackets(written: Written, trail: Trail) -> bool:
    """Whether what stands at the trail is inside brackets."""
    return any(written.get(trail[:length], EMPTY) is None for length in range(len(trail)))
