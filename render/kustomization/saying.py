"""What messages say of an object: the file that it came from, and its values as they are written there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from render.errors import KustomizationError
from render.kustomization.draft import Draft, Trail
from render.kustomization.ids import text_of


@contextmanager
def at_origin(draft: Draft) -> Iterator[None]:
    """Errors in here that know no place get the object's file."""
    try:
        yield
    except KustomizationError as error:
        if error.path is None:
            error.path = draft.origin.path
        raise


def as_written(draft: Draft, trail: Trail, value: Any, margin: str = "") -> str:
    """A value as a block of YAML with its own order and quotes, for messages."""
    lines = []
    if isinstance(value, dict) and value:
        for key, item in value.items():
            inner = as_written(draft, (*trail, key), item, margin + "  ")
            block = isinstance(item, dict | list) and item
            shift = "\n" + (inner if isinstance(item, dict) else as_written(draft, (*trail, key), item, margin))
            lines.append(f"{margin}{key}:" + (shift.removesuffix("\n") if block else f" {inner}"))
    elif isinstance(value, list) and value:
        for place, item in enumerate(value):
            lines.append(f"{margin}- {as_written(draft, (*trail, place), item, margin + '  ').strip()}")
    elif isinstance(value, str) and draft.styles.is_quoted(trail, value):
        return f'"{value}"'
    else:
        return "{}" if value == {} else "[]" if value == [] else text_of(value)
    return "\n".join(lines) + "\n"
