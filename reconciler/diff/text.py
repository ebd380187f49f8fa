"""Changes as lines for people: one an object, one below it for each field."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reconciler.cluster import MASK
from reconciler.diff.change import Change, FieldChange, Verdict

SIGNS = {Verdict.CREATED: "+", Verdict.CHANGED: "~", Verdict.DELETED: "-"}
"""How a change is marked; what is unchanged is only counted."""

_VERBS = {Verdict.CREATED: "to create", Verdict.CHANGED: "to change", Verdict.DELETED: "to delete"}
_NOTES = {Verdict.DELETED: "(will be pruned)"}
_LONGEST_VALUE = 80


def format_changes(changes: Sequence[tuple[str, Change]]) -> Iterator[str]:
    """Lines of (place, change) pairs in the order given, such as ("0000_10 postgres", change); then nothing else."""
    shown = [(place, change) for place, change in changes if change.verdict in SIGNS]
    width = max((len(place) for place, _ in shown), default=0)
    for place, change in shown:
        note = _NOTES.get(change.verdict, "")
        if change.verdict is Verdict.CHANGED and not change.fields:
            note = "(takes over its fields, no value changes)"
        line = f"{place:<{width}}  {SIGNS[change.verdict]} {change.ref}"
        yield f"{line}      {note}" if note else line
        for field in change.fields:
            yield f"    {format_field(field)}"
        if change.refusal:
            yield f"    refused: {change.refusal}"


def summary(changes: Iterable[Change]) -> str:
    """How many of each: "1 to create, 1 to change, 1 to delete, 20 unchanged", and "2 refused" where any would be."""
    listed = list(changes)
    counted = Counter(change.verdict for change in listed)
    refused = sum(bool(change.refusal) for change in listed)
    parts = [f"{counted[verdict]} {verb}" for verdict, verb in _VERBS.items()]
    return ", ".join([*parts, f"{counted[Verdict.UNCHANGED]} unchanged", *([f"{refused} refused"] if refused else [])])


def format_field(field: FieldChange) -> str:
    """One field: `path: old > new`."""
    note = " (values differ)" if field.old == MASK == field.new else ""
    return f"{field.path}: {_value(field.old)} > {_value(field.new)}{note}"


def _value(value: Any) -> str:
    if value is None:
        return "(none)"
    plain = isinstance(value, str) and value.isprintable() and value == value.strip() and value
    text = str(value) if plain else json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
