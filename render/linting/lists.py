"""Lists that a patch changes in another way than it seems to, because of how Kustomize tells elements apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from render.kustomization.ids import text_of
from render.linting.patching import objects_of, targets_of

if TYPE_CHECKING:
    from render.kustomization.accumulate import Accumulator
    from render.kustomization.draft import Draft
    from render.kustomization.fields import Trail
    from render.kustomization.layer import Layer
    from render.kustomization.schema import Schema
    from render.linting.rules import Told

RULE = "lists"


def loses_elements(layer: Layer, trail: Trail, accumulator: Accumulator) -> Iterator[Told]:
    """Patches of objects with elements that have no merge key or the same: a merge passes over the whole object."""
    for patch in objects_of(layer, trail):
        for draft in targets_of(layer, trail, accumulator, patch):
            schema = layer.context.schemas.of(draft.api_version, draft.kind)
            for where, fault in _faults(draft.content, schema, ""):
                message = f"patching {draft.kind} {draft.name} may lose elements of {where}: {fault}"
                yield trail, RULE, (message, "a strategic merge looks at every list of the object: use a JSON patch")
                return


def _faults(node: Any, schema: Schema | None, where: str) -> Iterator[tuple[str, str]]:
    """Lists that merge by keys which do not tell their elements apart."""
    if schema is None:
        return
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _faults(value, schema.field(name), f"{where}.{name}" if where else name)
    elif isinstance(node, list):
        keys = schema.merge_keys()
        fault = _fault(node, keys) if keys else ""
        if fault:
            yield where, fault
        for place, element in enumerate(node):
            yield from _faults(element, schema.elements(), f"{where}[{place}]")


def _fault(elements: list[Any], keys: tuple[str, ...]) -> str:
    mappings = [element for element in elements if isinstance(element, dict)]
    used = [key for key in keys if any(key in element for element in mappings)]
    if not used:
        return ""
    for element in mappings:
        if not any(key in element for key in used):
            return f"an element has no {' or '.join(used)}"
    counts = Counter(tuple(text_of(element.get(key, "")) for key in used) for element in mappings)
    (values, count), *_ = counts.most_common(1)
    same = ", ".join(f"{key} {value}" for key, value in zip(used, values, strict=True) if value)
    return f"{count} elements have {same}" if count > 1 else ""


def replaces_list(layer: Layer, trail: Trail, accumulator: Accumulator) -> Iterator[Told]:
    """Patches that name some elements of a list of a custom kind: they replace the whole list."""
    for patch in objects_of(layer, trail):
        for draft in targets_of(layer, trail, accumulator, patch):
            schema = layer.context.schemas.of(draft.api_version, draft.kind)
            for where, lost in _lost(draft.content, patch.content, schema, ""):
                yield trail, RULE, _told(draft, where, lost)
                return


def _told(draft: Draft, where: str, lost: list[str]) -> tuple[str, str]:
    message = f"this replaces all of {where} in {draft.kind} {draft.name}: {', '.join(lost)} will be gone"
    return message, "lists without a schema have no merge keys: use a JSON patch, or give a schema under openapi"


def _lost(node: Any, patch: Any, schema: Schema | None, where: str) -> Iterator[tuple[str, list[str]]]:
    """Lists of named elements that a patch replaces, and the names that are then lost."""
    if isinstance(node, dict) and isinstance(patch, dict):
        for name in node.keys() & patch.keys():
            inner = schema.field(name) if schema else None
            yield from _lost(node[name], patch[name], inner, f"{where}.{name}" if where else name)
    elif isinstance(node, list) and isinstance(patch, list) and (schema is None or schema.merge_keys() is None):
        lost = [name for name in _names(node) if name not in _names(patch)]
        if lost and set(_names(node)) & set(_names(patch)):
            yield where, lost


def _names(elements: list[Any]) -> list[str]:
    return [text_of(element["name"]) for element in elements if isinstance(element, dict) and "name" in element]
