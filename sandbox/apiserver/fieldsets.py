"""Sets of field paths, as `managedFields` writes them down (`fieldsV1`).

A set is a nested dict: a path element (`f:name`, `k:{"name":"x"}`, `v:"value"`) leads to the set below it, and the key
`.` says that the path up to here is itself a member. (On the wire a member without children is `{}`; `expand` and
`compact` translate.) Nothing here changes its arguments.
"""

from __future__ import annotations

import json
from typing import Any

FieldSet = dict[str, Any]
MEMBER = "."
LEAF: FieldSet = {MEMBER: {}}


def expand(wire: FieldSet) -> FieldSet:
    """A set out of `fieldsV1`."""
    return {key: _expand(child) for key, child in wire.items() if key != MEMBER}


def _expand(wire: FieldSet) -> FieldSet:
    if not wire:
        return LEAF
    return {key: (child if key == MEMBER else _expand(child)) for key, child in wire.items()}


def compact(fields: FieldSet) -> FieldSet:
    """`fieldsV1` of a set, keys sorted."""
    if len(fields) == 1 and MEMBER in fields:
        return {}
    return {key: ({} if key == MEMBER else compact(fields[key])) for key in sorted(fields)}


def union(left: FieldSet, right: FieldSet) -> FieldSet:
    """Members of either."""
    if not left or not right or left is right:
        return left or right
    merged = dict(left)
    for key, child in right.items():
        merged[key] = union(merged[key], child) if key in merged and key != MEMBER else child
    return merged


def difference(left: FieldSet, right: FieldSet) -> FieldSet:
    """Members of the first that are not members of the second."""
    if not right:
        return left
    kept: FieldSet = {}
    for key, child in left.items():
        if key == MEMBER:
            if MEMBER not in right:
                kept[MEMBER] = {}
        elif key not in right:
            kept[key] = child
        elif rest := difference(child, right[key]):
            kept[key] = rest
    return kept


def intersection(left: FieldSet, right: FieldSet) -> FieldSet:
    """Members of both."""
    kept: FieldSet = {}
    for key, child in left.items():
        if key == MEMBER:
            if MEMBER in right:
                kept[MEMBER] = {}
        elif key in right and (both := intersection(child, right[key])):
            kept[key] = both
    return kept


def without(fields: FieldSet, prefixes: FieldSet) -> FieldSet:
    """Members that do not lie at or below a member of `prefixes`."""
    kept: FieldSet = {}
    for key, child in fields.items():
        if key == MEMBER or key not in prefixes:
            kept[key] = child
        elif MEMBER not in prefixes[key] and (rest := without(child, prefixes[key])):
            kept[key] = rest
    return kept


def paths(fields: FieldSet, prefix: str = "") -> list[str]:
    """Every member as people read it, those of one level first: `.spec.ports[containerPort=80,protocol="TCP"].name`."""
    keys = sorted(key for key in fields if key != MEMBER)
    found = [prefix + word(key) for key in keys if MEMBER in fields[key]]
    return found + [path for key in keys for path in paths(fields[key], prefix + word(key))]


def word(element: str) -> str:
    """One path element as people read it."""
    kind, _, text = element.partition(":")
    if kind == "f":
        return f".{text}"
    if kind == "k":
        return "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in sorted(json.loads(text).items())) + "]"
    return f"[={text}]" if kind == "v" else f"[{text}]"
