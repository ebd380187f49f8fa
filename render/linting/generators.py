"""Generated objects that nothing refers to: their names carry a hash, so nobody can know them by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from render.linting.finding import Finding
    from render.linting.watching import Watcher

RULE = "unused"

GENERATORS = {"ConfigMap": "configMapGenerator", "Secret": "secretGenerator"}


def unused(watcher: Watcher, _read: set[str]) -> Iterator[Finding]:
    """ConfigMaps and Secrets with a hash that are used nowhere in what they are built with."""
    used: dict[tuple[str, str, str], bool] = {}
    for drafts in watcher.results:
        texts: set[str] = set()
        for draft in drafts:
            texts.update(_texts({key: value for key, value in draft.content.items() if key != "metadata"}))
        for draft in drafts:
            if draft.needs_hash and draft.kind in GENERATORS and not draft.strings("labels"):
                key = (draft.origin.path, draft.kind, draft.original_name)
                used[key] = used.get(key, False) or draft.name in texts
    for (path, kind, name), is_used in used.items():
        if not is_used and path in watcher.layers:
            yield _finding(watcher, path, kind, name)


def _finding(watcher: Watcher, path: str, kind: str, name: str) -> Finding:
    field = GENERATORS[kind]
    entries = watcher.layers[path].get(field) or []
    place = next((number for number, entry in enumerate(entries) if entry.get("name") == name), None)
    trail = (field,) if place is None else (field, place)
    hint = "refer to it by this name, or let it keep its name: options: {disableNameSuffixHash: true}"
    return watcher.finding(path, trail, RULE, (f'nothing refers to the generated {kind} "{name}"', hint))


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item)
