"""Which texts of an object stand in quotes or in blocks, through the patches that were laid over it.

Kustomize keeps the style of what is there when a patch replaces it, so a number over a quoted text becomes a text. The
style is that of the first who wrote the field: the object's file or a patch. Patches move the elements of lists, so
fields are looked for by what their elements are called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from render.kustomization.ids import text_of
from render.kustomization.written import quoted_places

if TYPE_CHECKING:
    from render.kustomization.draft import Draft, Trail

NAMES = ("name", "containerPort", "port", "mountPath", "devicePath", "ip", "key", "topologyKey", "uid", "type")
"""By what elements of lists are told apart, the first that one has."""

Step = str | int | tuple[str, str]


def is_quoted(draft: Draft, trail: Sequence[str | int], *, otherwise: bool) -> bool:
    """Whether the text at the trail stands in quotes or in a block; `otherwise` if nobody has written it."""
    if not draft.laid_over:
        return (*draft.source, *trail) in quoted_places(draft.data(), draft.origin.document)
    steps = _named(draft.content, trail)
    for writer, manifest in ((draft, _as_in_its_file(draft)), *((patch, patch.content) for patch in draft.laid_over)):
        place = _find(manifest, steps)
        if place is not None:
            return (*writer.source, *place) in quoted_places(writer.data(), writer.origin.document)
    return otherwise


def _as_in_its_file(draft: Draft) -> Any:
    if draft.inline is not None:
        return None
    found = draft.context.documents.get(draft.origin.path, ())
    return next(
        (each.manifest for each in found if (each.number, each.trail) == (draft.origin.document, draft.source)), None
    )


def _named(node: Any, trail: Sequence[str | int]) -> list[Step]:
    """The trail with elements of lists by what they are called."""
    steps: list[Step] = []
    for step in trail:
        key: Any = step
        node = node[key] if isinstance(node, dict | list) else None
        name = next((name for name in NAMES if name in node), None) if isinstance(node, dict) else None
        steps.append((name, text_of(node[name])) if isinstance(step, int) and name else step)
    return steps


def _find(node: Any, steps: Sequence[Step]) -> Trail | None:
    trail: list[str | int] = []
    for step in steps:
        if isinstance(step, tuple):
            elements = node if isinstance(node, list) else ()
            key: Any = next((at for at, item in enumerate(elements) if _is_called(item, *step)), None)
        elif isinstance(step, int):
            key = step if isinstance(node, list) and 0 <= step < len(node) else None
        else:
            key = step if isinstance(node, dict) and step in node else None
        if key is None:
            return None
        trail.append(key)
        node = node[key]
    return tuple(trail)


def _is_called(item: Any, key: str, name: str) -> bool:
    return isinstance(item, dict) and key in item and text_of(item[key]) == name
