"""ValueAddTransformer: puts one value into fields of several objects, or into file paths that they hold."""

from __future__ import annotations

from typing import Any

from render.errors import KustomizationError
from render.kustomization.accumulate import Accumulator
from render.kustomization.draft import Draft
from render.kustomization.fieldpath import look_up
from render.kustomization.fieldspec import is_there, split_path, value_at, wrong_kind
from render.kustomization.selector import Selector
from render.kustomization.transformers.namespace import NamespaceChange
from render.yaml.scalars import resolve


def add_value(accumulator: Accumulator, value: str, targets: list[dict[str, Any]]) -> None:
    """Add the value for each target. Raises `KustomizationError` for a target without a field."""
    if not targets:
        raise KustomizationError("must specify at least one target")
    for target in targets:
        if not target.get("fieldPath"):
            raise KustomizationError("fieldPath cannot be empty")
        if (target.get("filePathPosition") or 0) < 0:
            raise KustomizationError(f"value of FilePathPosition ({target['filePathPosition']}) cannot be negative")
    for target in targets:
        selector = target.get("selector")
        drafts = accumulator.drafts if selector is None else accumulator.select(Selector(selector))
        for draft in drafts:
            if target["fieldPath"] == "metadata/namespace":
                NamespaceChange(value, []).set_in(draft)
            else:
                _add(draft, value, target["fieldPath"], target.get("filePathPosition") or 0)
    accumulator.identities_changed()


def _add(draft: Draft, value: str, path: str, position: int) -> None:
    steps = split_path(path)
    trail = look_up(draft.content, steps)
    if trail is None:
        trail = tuple(step for step in steps if step)
    old = value_at(draft.content, trail)
    if isinstance(old, dict | list):
        raise KustomizationError(wrong_kind("ScalarNode", old))
    if position:
        before = draft.text_at(trail, old) if is_there(draft.content, trail) else ""
        value = insert_part(before, position - 1, value)
    quoted = isinstance(old, str) and draft.is_written_quoted(trail, old)
    new = value if quoted else resolve(value)
    draft.set(trail, new)
    draft.spread(trail, old, new)


def insert_part(path: str, position: int, part: str) -> str:
    """A file path with one more part at a position; it stays absolute or relative."""
    absolute = path.startswith("/")
    parts = [step for step in path.split("/") if step]
    parts.insert(min(position, len(parts)), part)
    return ("/" if absolute else "") + "/".join(parts)
