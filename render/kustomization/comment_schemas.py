"""Schemas that stand in comments: `containers: # {"x-kubernetes-patch-merge-key": "name", …}`.

Kustomize lets a comment at the end of a field's line say how that field merges, whatever is known about the kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from yaml._yaml import CParser
from yaml.events import (
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

Trail = tuple[str | int, ...]

MARK = b"x-kubernetes-patch"
"""What a file with such a schema holds."""

_COMMENT = re.compile(r"[ \t]#+(\s*\{.*\})\s*\Z")


def comment_schemas(data: bytes, document: int) -> dict[Trail, dict[str, Any]]:
    """The schemas of a readable file's document, by the trail of the field on whose line they stand."""
    if MARK not in data:
        return {}
    found = {}
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n")):
        schema = _schema(line)
        if schema is not None:
            found[number] = schema
    keys: dict[int, Trail] = {}
    events = iter(CParser(data).get_event, None)
    for event in events:
        if event.__class__ is DocumentEndEvent:
            document -= 1
        elif event.__class__ in (MappingStartEvent, SequenceStartEvent):
            if document == 0:
                _collect(event, events, (), keys)
            else:
                _collect(event, events, (), {})
    return {keys[number]: schema for number, schema in found.items() if number in keys}


def _schema(line: str) -> dict[str, Any] | None:
    match = _COMMENT.search(line)
    if match is None:
        return None
    try:
        schema = json.loads(match[1])
    except (ValueError, RecursionError):
        return None
    return schema if isinstance(schema, dict) else None


def _collect(event: Any, events: Iterator[Any], trail: Trail, keys: dict[int, Trail]) -> None:
    """Note on which line each field begins; the last one of a line counts."""
    if event.__class__ is MappingStartEvent:
        while (key := next(events)).__class__ is not MappingEndEvent:
            place = (*trail, getattr(key, "value", ""))
            keys[key.start_mark.line] = place
            _collect(next(events), events, place, keys)
    elif event.__class__ is SequenceStartEvent:
        position = 0
        while (item := next(events)).__class__ is not SequenceEndEvent:
            _collect(item, events, (*trail, position), keys)
            position += 1
