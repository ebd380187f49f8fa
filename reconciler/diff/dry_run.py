"""Desired against live by asking the server: what `diff` shows, defaults, webhooks and all.

It costs two requests an object, so the controller's loop does not use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.cluster import Cluster
from reconciler.cluster.secret_data import with_encoded_data
from reconciler.diff.change import Change, FieldChange, Verdict, change
from reconciler.diff.compare import IDENTITY, SERVERS_METADATA, owned_fields
from reconciler.diff.values import Path, is_empty
from reconciler.errors import NotFound
from reconciler.objects import Manifest

KEYS = ("name", "mountPath", "containerPort", "port", "devicePath", "ip", "topologyKey", "uid", "type")
"""Fields by which items of lists are told apart, if every item has one and no two have the same."""


def dry_run_diff(cluster: Cluster, desired: Manifest, *, manager: str) -> Change:
    """What an apply of `desired` by `manager` would do now, by the server's own dry run.

    Raises what the dry run is refused with, such as Invalid.
    """
    desired = cluster.located(with_encoded_data(desired))
    metadata = desired["metadata"]
    try:
        live = cluster.get(desired["apiVersion"], desired["kind"], metadata.get("namespace"), metadata["name"])
    except NotFound:
        # Not dry run: its namespace may be created by the same apply.
        return change(desired, Verdict.CREATED)
    after = cluster.apply(desired, manager=manager, dry_run=True)
    fields = tuple(compare_objects(live, after))
    version = desired["apiVersion"]
    if not fields and owned_fields(live, manager, version) == owned_fields(after, manager, version):
        return change(desired, Verdict.UNCHANGED)
    return change(desired, Verdict.CHANGED, fields)


def compare_objects(before: Manifest, after: Manifest) -> Iterator[FieldChange]:
    """The fields in which two whole objects differ, but for their status and what only servers write."""
    yield from _compare(_comparable(before), _comparable(after), ())


def _comparable(manifest: Manifest) -> Manifest:
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in SERVERS_METADATA}
    rest = {key: value for key, value in manifest.items() if key not in IDENTITY and key != "status"}
    return {**rest, "metadata": metadata}


def _compare(before: Any, after: Any, path: Path) -> Iterator[FieldChange]:
    if before == after or (is_empty(before) and is_empty(after)):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _compare(before.get(key), after.get(key), (*path, key))
        return
    if isinstance(before, list) and isinstance(after, list):
        old, new = _by_key(before), _by_key(after)
        if old is not None and new is not None and _same_order(old, new):
            for key in dict.fromkeys((*old, *new)):
                yield from _compare(old.get(key), new.get(key), (*path[:-1], f"{path[-1]}[{key}]"))
            return
    yield FieldChange(".".join(path), before, after)


def _same_order(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return [key for key in old if key in new] == [key for key in new if key in old]


def _by_key(items: list[Any]) -> dict[str, Any] | None:
    """The items by the first field that tells them apart; None if none does."""
    if not all(isinstance(item, dict) for item in items):
        return None
    for key in KEYS:
        found = {str(item[key]): item for item in items if key in item}
        if len(found) == len(items):
            return found
    return None
