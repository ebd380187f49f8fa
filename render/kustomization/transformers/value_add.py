"""ValueAddTransformer: puts one value into fields of several objects, or into file paths that they hold."""

from __future__ import annotations

from typing import Any

from render.errors import KustomizationError
from render.kustomization.accumulate import Accumulator
from render.kustomization.draft import Draft, Trail
from render.kustomization.fieldpath import is_condition, is_position, look_up, split_condition
from render.kustomization.fieldspec import split_path, value_at, wrong_kind
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
    trail, made = _find_or_make(draft, [step for raw in split_path(path) if (step := raw.strip())])
    if trail is None and position:
        raise KustomizationError(f"there is no path at {path} of {draft.text} to add to: it is below a null")
    if trail is None:
        return
    old = value_at(draft.content, trail)
    if isinstance(old, dict | list):
        raise KustomizationError(wrong_kind("ScalarNode", old))
    if position:
        value = insert_part("" if made else draft.text_at(trail, old), position - 1, value)
    draft.rewrite(trail, value)
    draft.spread(trail, old, draft.value(trail))


def _find_or_make(draft: Draft, steps: list[str]) -> tuple[Trail | None, bool]:
    """Where the path leads and whether that was made just now; None below nulls and past the ends of lists."""
    trail: Trail = ()
    made = False
    for place, step in enumerate(steps):
        node = value_at(draft.content, trail)
        if node is None:
            return None, False
        found = look_up(node, [step])
        made = found is None
        if found is not None:
            trail = (*trail, *found)
        elif is_condition(step):
            name, text = split_condition(step)
            trail = (*trail, len(node))
            draft.place(trail).append({name: resolve(text)} if name else resolve(text))
        elif is_position(step) or step == "-":
            return None, False
        else:
            trail = (*trail, step)
            draft.set(trail, _holder_of(steps[place + 1 : place + 2]))
    return trail, made


def _holder_of(following: list[str]) -> Any:
    """What is made where the path goes on with that step."""
    if not following:
        return None
    return [] if is_condition(following[0]) or is_position(following[0]) else {}


def insert_part(path: str, position: int, part: str) -> str:
    """A file path with one more part at a position; it stays absolute or relative."""
    absolute = path.startswith("/")
    parts = [step for step in path.split("/") if step]
    parts.insert(min(position, len(parts)), part)
    return ("/" if absolute else "") + "/".join(parts)
