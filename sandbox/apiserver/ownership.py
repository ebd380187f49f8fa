"""Who owns which field: `metadata.managedFields` kept over updates, and server-side apply.

The algorithm is Kubernetes' (structured-merge-diff): an apply owns what it states, takes out what its manager stated
last time and nobody else owns, and conflicts where it changes what others own; any other write owns what it changed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sandbox.apiserver.fieldsets import (
    LEAF,
    MEMBER,
    FieldSet,
    compact,
    difference,
    expand,
    intersection,
    paths,
    union,
    without,
)
from sandbox.apiserver.schema import Node
from sandbox.apiserver.typed import (
    Comparison,
    check_lists,
    compare,
    ensure_named,
    field_set,
    merge,
    remove,
)

NEVER_OWNED: FieldSet = {
    "f:apiVersion": LEAF,
    "f:kind": LEAF,
    "f:metadata": {
        MEMBER: {},
        **{
            f"f:{name}": LEAF
            for name in (
                "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation",
                "managedFields", "resourceVersion",
            )
        },
    },
}  # fmt: skip
"""What every write states and nobody owns."""


@dataclass(frozen=True, slots=True)
class Who:
    """The key of an entry: one manager's writes of one sort through one door."""

    manager: str
    operation: str
    api_version: str
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Owned:
    """What a manager owns, and since when it has been so (RFC 3339)."""

    fields: FieldSet
    time: str


Managers = dict[Who, Owned]


class FieldConflictError(Exception):
    """An apply that is not forced would change what others own."""

    def __init__(self, conflicts: dict[Who, FieldSet]) -> None:
        super().__init__("conflict")
        self.causes = [
            (who, path) for who in sorted(conflicts, key=lambda w: w.manager) for path in paths(conflicts[who])
        ]


def read(manifest: dict[str, Any]) -> Managers:
    """The managers that an object names."""
    found: Managers = {}
    for entry in manifest.get("metadata", {}).get("managedFields") or ():
        who = Who(
            entry.get("manager", ""), entry["operation"], entry.get("apiVersion", ""), entry.get("subresource", "")
        )
        found[who] = Owned(expand(entry.get("fieldsV1") or {}), entry.get("time", ""))
    return found


def write(manifest: dict[str, Any], managers: Managers) -> dict[str, Any]:
    """The object with these managers; applies first, then by time, as the real server orders them."""
    entries = []
    order = sorted(
        managers.items(), key=lambda one: (one[0].operation, one[1].time, one[0].manager, one[0].subresource)
    )
    for who, owned in order:
        entry: dict[str, Any] = {
            "manager": who.manager,
            "operation": who.operation,
            "apiVersion": who.api_version,
        }
        entry |= {"fieldsType": "FieldsV1", "fieldsV1": compact(owned.fields)}
        if owned.time:
            entry["time"] = owned.time
        if who.subresource:
            entry["subresource"] = who.subresource
        entries.append(entry)
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "managedFields"}
    if entries:
        metadata["managedFields"] = entries
    return {**manifest, "metadata": metadata}


def bare(manifest: dict[str, Any]) -> dict[str, Any]:
    """The object without its managers: what the merge rules walk over."""
    if "managedFields" not in manifest.get("metadata", ()):
        return manifest
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "managedFields"}
    return {**manifest, "metadata": metadata}


def _ownable(fields: FieldSet, reset: FieldSet) -> FieldSet:
    owned = without(fields, reset) if reset else fields
    cleaned = {key: child for key, child in owned.items() if key not in ("f:apiVersion", "f:kind")}
    if "f:metadata" in cleaned:
        never = NEVER_OWNED["f:metadata"]
        kept = {key: child for key, child in cleaned.pop("f:metadata").items() if key not in never}
        if kept:
            cleaned["f:metadata"] = kept
    return cleaned


def _disown(managers: Managers, who: Who, found: Comparison, reset: FieldSet, *, force: bool) -> Managers:
    """The other managers without what this write changed or removed; FieldConflictError if it may not."""
    changed = union(found.modified, found.added)
    if reset:
        changed = without(changed, reset)
    removed = without(found.removed, reset) if reset else found.removed
    conflicts = {
        other: lost
        for other, owned in managers.items()
        if other != who and (lost := intersection(owned.fields, changed))
    }
    if conflicts and not force:
        raise FieldConflictError(conflicts)
    left: Managers = {}
    for other, owned in managers.items():
        if other != who:
            fields = difference(difference(owned.fields, conflicts.get(other, {})), removed)
            if fields:
                left[other] = Owned(fields, owned.time)
        else:
            left[other] = owned
    return left


BEFORE_FIRST_APPLY = "before-first-apply"
"""Who owns what an object held when nobody's ownership had been noted and somebody applies."""


def after_update(
    node: Node, old: dict[str, Any], new: dict[str, Any], managers: Managers, who: Who, now: str, reset: FieldSet
) -> Managers:
    """The managers after a create, update or patch by `who`; `reset` is what this door does not write."""
    if not managers and old.get("metadata", {}).get("uid"):
        return managers  # somebody took all ownership away: nothing is noted until the first apply
    found = compare(node, bare(old), bare(new))
    left = _disown(managers, who, found, reset, force=True)
    before = left.pop(who, Owned({}, ""))
    fields = union(union(difference(before.fields, found.removed), found.modified), found.added)
    fields = _ownable(fields, reset)
    if fields:
        # A value that changed counts, owned before or not; what was only taken away does not.
        wrote = _ownable(union(found.modified, found.added), reset)
        left[who] = Owned(fields, now if wrote else before.time)
    return left


def after_apply(
    node: Node,
    live: dict[str, Any],
    config: dict[str, Any],
    managers: Managers,
    who: Who,
    now: str,
    reset: FieldSet,
    *,
    force: bool,
) -> tuple[dict[str, Any], Managers]:
    """Server-side apply: the merged object and its managers. Raises FieldConflictError, Untypable."""
    live, config = bare(live), bare(config)
    check_lists(node, config, "")
    merged = merge(node, live, config)
    before = managers.get(who)
    stated = field_set(node, config)
    fields = _ownable(stated, reset)
    now_owned = {**managers, who: Owned(without(stated, reset), now)}
    if before and before.fields:
        merged = _give_up(node, merged, before.fields, now_owned)
    left = _disown(now_owned, who, compare(node, live, merged), reset, force=force)
    left[who] = Owned(fields, now if merged != live else before.time if before else "")
    if not fields:
        left.pop(who, None)
    return merged, left


def _give_up(node: Node, merged: dict[str, Any], last: FieldSet, managers: Managers) -> dict[str, Any]:
    """Take out what was stated last time and is owned by nobody now."""
    owned: FieldSet = {}
    for one in managers.values():
        owned = union(owned, one.fields)
    stale = difference(ensure_named(node, last), ensure_named(node, owned))
    if not stale:
        return merged
    left: dict[str, Any] = remove(node, merged, stale) or {}
    return left


def conflict_message(conflict: FieldConflictError) -> str:
    """One sentence that names who owns what."""
    by_manager: dict[str, list[str]] = {}
    for who, path in conflict.causes:
        by_manager.setdefault(describe(who), []).append(path)
    parts = [
        f"conflict with {who}: {found[0]}" if len(found) == 1 else f"conflicts with {who}:\n- " + "\n- ".join(found)
        for who, found in by_manager.items()
    ]
    count = len(conflict.causes)
    noun = "conflict" if count == 1 else "conflicts"
    return f"Apply failed with {count} {noun}: " + "\n".join(parts)


def describe(who: Who) -> str:
    """A manager as messages name it."""
    text = json.dumps(who.manager)
    if who.subresource:
        text += f" with subresource {json.dumps(who.subresource)}"
    return f"{text} using {who.api_version}" if who.operation == "Update" else text
