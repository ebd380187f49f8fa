"""What structured merge needs of an object with a schema: its field set, what changed, merging, taking fields out.

The rules are those of Kubernetes' structured-merge-diff: known fields of a map are owned through their leaves, further
keys and list items are owned themselves; atomic values are owned whole. Nothing here changes its arguments.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.apiserver.fieldsets import LEAF, MEMBER, FieldSet, word
from sandbox.apiserver.schema import ANY, Node


class UntypableError(Exception):
    """The value does not fit the schema's merge rules (a list item without its keys, a duplicate)."""


def granular(node: Node, value: Any) -> str:
    """How a value is owned: "map" and "list" by parts, "" as a whole."""
    if isinstance(value, dict):
        return "map" if node.shape == "any" or (node.shape == "map" and not node.atomic) else ""
    return "list" if isinstance(value, list) and node.shape == "list" and not node.atomic else ""


def element(node: Node, item: Any) -> str:
    """The path element of a list's item."""
    if node.list_type == "set":
        if isinstance(item, (dict, list)) or item is None:
            raise UntypableError("associative list without keys has an element that is not a scalar")
        return "v:" + json.dumps(item, separators=(",", ":"), ensure_ascii=False)
    if not isinstance(item, dict):
        raise UntypableError("associative list with keys may not have non-map elements")
    defaults = node.key_defaults()
    key = {name: item.get(name, defaults.get(name)) for name in sorted(node.keys) if name in item or name in defaults}
    if not key:
        names = ", ".join(json.dumps(name) for name in node.keys)
        raise UntypableError(f"associative list with keys has an element that omits all key fields [{names}]")
    return "k:" + json.dumps(key, separators=(",", ":"), ensure_ascii=False)


def child_of(node: Node, name: str) -> Node:
    """The schema below a key; anything goes where the schema knows nothing."""
    return node.field(name) or ANY


def field_set(node: Node, value: Any) -> FieldSet:
    """Every field that the value states. The root itself is no member."""
    match granular(node, value):
        case "map":
            fields: FieldSet = {}
            for name, child in value.items():
                below = field_set(child_of(node, name), child)
                if child is None or child == {} or not node.known(name):
                    below = {**below, MEMBER: {}}
                if below:
                    fields[f"f:{name}"] = below
            return fields
        case "list":
            return {element(node, item): {**field_set(node.item, item), MEMBER: {}} for item in value}
    return {} if value is None and node.shape in ("map", "list") and not node.atomic else LEAF


@dataclass(slots=True)
class Comparison:
    """Which fields were added, removed and modified."""

    added: FieldSet = field(default_factory=dict)
    removed: FieldSet = field(default_factory=dict)
    modified: FieldSet = field(default_factory=dict)


MISSING: Any = object()


def compare(node: Node, old: Any, new: Any) -> Comparison:
    """The difference of two objects of one schema."""
    found = Comparison()
    if old != new:
        _compare(node, old, new, (), found)
    return found


def _mark(fields: FieldSet, path: tuple[str, ...]) -> None:
    for step in path:
        fields = fields.setdefault(step, {})
    fields[MEMBER] = {}


def _compare(node: Node, old: Any, new: Any, path: tuple[str, ...], found: Comparison) -> None:
    """Note what differs at and below a path; MISSING is a side that is not there."""
    if old is new or (old is not MISSING and new is not MISSING and old == new):
        return
    shapes = {granular(node, side) for side in (old, new) if side is not MISSING and side is not None}
    one_sided = old is MISSING or new is MISSING
    if path and one_sided:
        _mark(found.added if old is MISSING else found.removed, path)
    elif path and (len(shapes) != 1 or "" in shapes or not (old or new)):
        _mark(found.modified, path)
    if len(shapes) > 1:  # another type than before: the parts of the one went, those of the other came
        _descend(node, old, MISSING, path, found)
        _descend(node, MISSING, new, path, found)
    else:
        _descend(node, old, new, path, found)


def _descend(node: Node, old: Any, new: Any, path: tuple[str, ...], found: Comparison) -> None:
    sides = [side for side in (old, new) if side is not MISSING and granular(node, side)]
    if not sides:
        return
    if isinstance(sides[0], dict):
        before, after = (side if isinstance(side, dict) else {} for side in (old, new))
        for name in before.keys() | after.keys():
            pair = before.get(name, MISSING), after.get(name, MISSING)
            _compare(child_of(node, name), *pair, (*path, f"f:{name}"), found)
        return
    before, after = (_by_element(node, side) if isinstance(side, list) else {} for side in (old, new))
    for key in before.keys() | after.keys():
        _compare(node.item, before.get(key, MISSING), after.get(key, MISSING), (*path, key), found)


def _by_element(node: Node, items: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        found.setdefault(element(node, item), item)
    return found


def check_lists(node: Node, value: Any, path: str) -> None:
    """Refuse a value in which two items of a list have one key, saying where."""
    match granular(node, value):
        case "map":
            for name, child in value.items():
                check_lists(child_of(node, name), child, f"{path}.{name}")
        case "list":
            seen: set[str] = set()
            for index, item in enumerate(value):
                try:
                    key = element(node, item)
                except UntypableError as error:
                    raise UntypableError(f"{path}: element {index}: {error}") from None
                if key in seen:
                    raise UntypableError(f"{path}: duplicate entries for key {word(key)}")
                seen.add(key)
                check_lists(node.item, item, path + word(key))


def merge(node: Node, live: Any, config: Any) -> Any:
    """The live value with the applied one laid over it."""
    shape = granular(node, config)
    if not shape or shape != granular(node, live):
        if shape == "map":
            return {name: merge(child_of(node, name), MISSING, child) for name, child in config.items()}
        return config
    if shape == "map":
        merged = dict(live)
        for name, child in config.items():
            merged[name] = merge(child_of(node, name), live.get(name, MISSING), child)
        return merged
    return _merge_list(node, live, config)


def _merge_list(node: Node, live: list[Any], config: list[Any]) -> list[Any]:
    """Items of the config in its order; those only live stay before the next common one."""
    left, right = _by_element(node, live), _by_element(node, config)
    merged: list[Any] = []
    common = [key for key in right if key in left]
    waiting = [(element(node, item), item) for item in live]
    done: set[str] = set()
    position = 0
    keys = list(right)
    while position < len(keys) or waiting:
        if waiting and waiting[0][0] not in right:
            merged.append(waiting.pop(0)[1])
        elif waiting and (waiting[0][0] in done or (common and waiting[0][0] != common[0])):
            waiting.pop(0)
        else:
            key = keys[position]
            position += 1
            done.add(key)
            merged.append(merge(node.item, left.get(key, MISSING), right[key]))
            if common and common[0] == key:
                common.pop(0)
            if waiting and waiting[0][0] == key:
                waiting.pop(0)
    return merged


def remove(node: Node, value: Any, fields: FieldSet) -> Any:
    """The value without the members of `fields`. A map or list that is emptied so becomes null, as in Kubernetes: a
    built-in kind's decoder then takes it for absent, a custom resource is refused unless the field is nullable.
    """
    match granular(node, value):
        case "map":
            kept: dict[str, Any] = {}
            for name, child in value.items():
                below = fields.get(f"f:{name}")
                if below is None:
                    kept[name] = child
                elif MEMBER not in below:
                    kept[name] = remove(child_of(node, name), child, below)
            return kept or (None if value else value)
        case "list":
            items = [(item, fields.get(element(node, item))) for item in value]
            left = [
                item if below is None else remove(node.item, item, below)
                for item, below in items
                if below is None or MEMBER not in below
            ]
            return left or (None if value else value)
    return value


def ensure_named(node: Node, fields: FieldSet) -> FieldSet:
    """The set with every known field that has members below it as a member too."""
    found: FieldSet = {}
    for key, below in fields.items():
        if key == MEMBER:
            found[MEMBER] = {}
        elif key.startswith("f:") and node.shape in ("map", "any"):
            name = key[2:]
            deeper = ensure_named(child_of(node, name), below)
            found[key] = {**deeper, MEMBER: {}} if node.known(name) else deeper
        elif node.shape == "list":
            found[key] = ensure_named(node.item, below)
        else:
            found[key] = below
    return found
