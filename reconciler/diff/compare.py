"""Desired against live without a request, through the ownership of fields.

The live object's managedFields say which fields our manager owns. Three things make a difference: a desired field that
we do not own (it is new, or somebody else has written it since), one that we own with another value, and one that we
own and no longer want. All else that is live is somebody else's, or a default, and none of our business.

Where the answer cannot be told from here, it is "changed": an apply that changes nothing costs one request, a missed
change is drift that stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from reconciler.cluster.secret_data import with_encoded_data
from reconciler.diff.change import Change, FieldChange, Verdict, change
from reconciler.diff.values import Path, covers, equal, is_empty
from reconciler.objects import Manifest

Owned = dict[str, Any]
"""A part of `fieldsV1`: "f:name", "k:{keys}", "v:value" lead on, "." stands for the thing itself."""

IDENTITY = frozenset({"apiVersion", "kind"})

SERVERS_METADATA = frozenset(
    {
        "creationTimestamp",
        "generation",
        "generateName",
        "managedFields",
        "name",
        "namespace",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
"""Parts of metadata that say which object it is, or that the server writes; nobody owns them."""


def diff(desired: Manifest, live: Manifest | None, *, manager: str) -> Change:
    """What an apply of `desired` by `manager` would do to `live` (None: not there), which has its managedFields."""
    if live is None:
        return change(desired, Verdict.CREATED)
    desired = with_encoded_data(desired)
    owned = owned_fields(live, manager, desired["apiVersion"])
    fields = tuple(_compare_object(desired, owned or {}, live))
    if owned is None:
        # Never applied by us, or in another version: taken over, also where every value is as it should be.
        differing = [each for each in fields if not covers(each.old, each.new, tuple(each.path.split(".")))]
        return change(desired, Verdict.CHANGED, differing)
    return change(desired, Verdict.CHANGED if fields else Verdict.UNCHANGED, fields)


def owned_fields(live: Manifest, manager: str, api_version: str) -> Owned | None:
    """What a manager has applied of the object in that version, as `fieldsV1`; None if it has not."""
    for entry in live["metadata"].get("managedFields") or ():
        if (
            entry.get("manager") == manager
            and entry.get("operation") == "Apply"
            and entry.get("apiVersion") == api_version
            and not entry.get("subresource")
        ):
            fields: Owned = entry.get("fieldsV1") or {}
            return fields
    return None


def _compare_object(desired: Manifest, owned: Owned, live: Manifest) -> Iterator[FieldChange]:
    metadata = {key: value for key, value in desired["metadata"].items() if key not in SERVERS_METADATA}
    wanted = {key: value for key, value in desired.items() if key not in IDENTITY} | {"metadata": metadata}
    if "f:status" not in owned:
        # Kinds with a status subresource drop it from an apply.
        wanted.pop("status", None)
    yield from _compare_map(wanted, {"f:metadata": {}, **owned}, live, ())


def _compare_map(desired: dict[str, Any], owned: Owned, live: Any, path: Path) -> Iterator[FieldChange]:
    have = live if isinstance(live, dict) else {}
    for key, value in desired.items():
        if value is None:
            continue
        node, place, old = owned.get(f"f:{key}"), (*path, key), have.get(key)
        if node is not None:
            yield from _compare_value(value, node, old, place)
        elif isinstance(value, dict) and value and isinstance(old, dict):
            yield from _compare_map(value, {}, old, place)
        elif not (is_empty(value) and is_empty(old)):
            yield FieldChange(_text(place), old, value)
    for name, node in owned.items():
        key = name[2:]
        asked_for_nothing = key in desired and not node
        if name.startswith("f:") and desired.get(key) is None and have.get(key) is not None and not asked_for_nothing:
            yield from _given_up(node, have[key], (*path, key))


def _compare_value(desired: Any, owned: Owned, live: Any, path: Path) -> Iterator[FieldChange]:
    """A value that we own, as a whole or in parts."""
    parts = [name for name in owned if name != "."]
    if path == ("metadata",) or (isinstance(desired, dict) and parts):
        yield from _compare_map(desired, owned, live, path)
    elif isinstance(desired, list) and isinstance(live, list) and parts and parts[0].startswith("k:"):
        yield from _compare_keyed(desired, owned, live, path)
    elif isinstance(desired, list) and isinstance(live, list) and parts and parts[0].startswith("v:"):
        yield from _compare_set(desired, parts, live, path)
    elif not equal(desired, live, path):
        yield FieldChange(_text(path), live, desired)


def _compare_keyed(desired: list[Any], owned: Owned, live: list[Any], path: Path) -> Iterator[FieldChange]:
    """A list whose items are known by keys: each item of ours by itself, then the order of ours."""
    entries = {name: json.loads(name[2:]) for name in owned if name.startswith("k:")}
    names = tuple(next(iter(entries.values())))
    found = _entries_of(desired, entries, names)
    order: list[int] = []
    for item, entry in zip(desired, found, strict=True):
        keys = entries.pop(entry) if entry else _keys(item, names)
        position = _position(live, keys)
        old = None if position is None else live[position]
        if position is not None:
            order.append(position)
        if old is None:
            yield FieldChange(_text(_item(path, keys)), None, item)
        else:
            yield from _compare_map(item, owned[entry] if entry else {}, old, _item(path, keys))
    for entry, keys in entries.items():
        position = _position(live, keys)
        if position is not None:
            yield from _given_up(owned[entry], live[position], _item(path, keys))
    if order != sorted(order):
        wanted = [_label(_keys(item, names)) for item in desired]
        yield FieldChange(_text((*path, "(order)")), [_label(_keys(live[at], names)) for at in sorted(order)], wanted)


def _compare_set(desired: list[Any], parts: list[str], live: list[Any], path: Path) -> Iterator[FieldChange]:
    """A list that is a set: our members of it."""
    ours = [json.loads(name[2:]) for name in parts if name.startswith("v:")]
    for value in desired:
        if value not in ours or value not in live:
            yield FieldChange(_text(_item(path, {"": value})), value if value in live else None, value)
    for value in ours:
        if value not in desired and value in live:
            yield FieldChange(_text(_item(path, {"": value})), value, None)


def _given_up(owned: Owned, live: Any, path: Path) -> Iterator[FieldChange]:
    """What we own below a field and no longer want: its leaves, as far as they are live."""
    fields = [name for name in owned if name.startswith("f:")]
    if not fields or not isinstance(live, dict) or len(owned) > len(fields) + ("." in owned):
        if live is not None:
            yield FieldChange(_text(path), live, None)
        return
    for name in fields:
        if live.get(name[2:]) is not None:
            yield from _given_up(owned[name], live[name[2:]], (*path, name[2:]))


def _entries_of(desired: list[Any], entries: dict[str, Any], names: tuple[str, ...]) -> list[str | None]:
    """The owned entry of each desired item. An item that leaves a key out has its default there, which we do not
    know: it takes what the items with all keys leave over.
    """
    found: list[str | None] = [None] * len(desired)
    left = dict(entries)
    for whole in (True, False):
        for position, item in enumerate(desired):
            if found[position] is None and all(name in item for name in names) is whole:
                entry = next((name for name, keys in left.items() if _keys(item, names).items() <= keys.items()), None)
                found[position] = entry
                left.pop(entry or "", None)
    return found


def _position(live: list[Any], keys: dict[str, Any]) -> int | None:
    """Where the item with these keys is in the live list."""
    for position, candidate in enumerate(live):
        if isinstance(candidate, dict) and all(candidate.get(name) == value for name, value in keys.items()):
            return position
    return None


def _keys(item: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: item.get(name) for name in names if name in item}


def _label(keys: dict[str, Any]) -> str:
    return "/".join(str(value) for value in keys.values())


def _item(path: Path, keys: dict[str, Any]) -> Path:
    return (*path[:-1], f"{path[-1]}[{_label(keys)}]")


def _text(path: Path) -> str:
    """A path for people: `spec.containers[app].image`; names with dots are quoted."""
    return ".".join(json.dumps(part) if "." in part and "[" not in part else part for part in path)
