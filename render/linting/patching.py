"""Patches that do less, or more, than they say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from render.errors import InputError
from render.kustomization.accumulate import target_of
from render.kustomization.fieldspec import value_at
from render.kustomization.merge import DIRECTIVE
from render.kustomization.selector import Selector
from render.kustomization.transformers.patch import read_patch
from render.kustomization.transformers.patch_strategic_merge import read_strategic_merge

if TYPE_CHECKING:
    from render.kustomization.accumulate import Accumulator
    from render.kustomization.draft import Draft
    from render.kustomization.fields import Trail
    from render.kustomization.layer import Layer
    from render.linting.rules import Told

RULE = "patch"


def replaces_nothing(layer: Layer, trail: Trail, _accumulator: Accumulator) -> Iterator[Told]:
    """`$patch: replace` for a whole object, which Kustomize reads and then forgets."""
    for patch in objects_of(layer, trail):
        if patch.content.get(DIRECTIVE) == "replace":
            message = f"$patch: replace changes nothing at the top of {patch.text}"
            yield trail, RULE, (message, "replace its fields one by one, or delete the object and add another")


def changes_linked(layer: Layer, trail: Trail, accumulator: Accumulator) -> Iterator[Told]:
    """Patches of one of several labels that one entry has made: Kustomize changes all of them."""
    for patch in objects_of(layer, trail):
        for draft in targets_of(layer, trail, accumulator, patch):
            for place, others in draft.shared.items():
                if value_at(patch.content, place) is None:
                    continue
                missed = [other for other in others if other != place and value_at(patch.content, other) is None]
                if missed:
                    where = ".".join(map(str, missed[0][:-1]))
                    message = f"this also changes {place[-1]} in {where} of {draft.kind} {draft.name}"
                    yield trail, RULE, (message, "one entry of labels has made both, and Kustomize keeps them one")
                    return


def null_marks(layer: Layer, trail: Trail, _accumulator: Accumulator) -> Iterator[Told]:
    """Nulls among labels or annotations of a patch with a target, which Kustomize makes texts."""
    entry = layer.fields[str(trail[0])][trail[1]] if len(trail) == 2 else None
    if not isinstance(entry, dict) or entry.get("target") is None:
        return
    for patch in objects_of(layer, trail):
        for field in ("labels", "annotations"):
            marks = value_at(patch.content, ("metadata", field))
            for name, value in marks.items() if isinstance(marks, dict) else ():
                if value is None:
                    message = f'null in {field} of a patch with a target takes nothing away: {name} becomes "null"'
                    hint = f"leave the target out, or use a JSON patch: {{op: remove, path: /metadata/{field}/…}}"
                    yield trail, RULE, (message, hint)


def objects_of(layer: Layer, trail: Trail) -> list[Draft]:
    """The partial objects of an entry; none for what is no such patch."""
    if len(trail) != 2:
        return []
    entry = layer.fields[str(trail[0])][trail[1]]
    try:
        if isinstance(entry, str):
            return read_strategic_merge(layer.loader, entry, layer.path)
        text = entry.get("patch") or layer.loader.load_text(entry.get("path") or "")
        return read_patch(layer.loader, text, "", layer.path).objects
    except InputError:
        return []  # the build says what is wrong with it


def targets_of(layer: Layer, trail: Trail, accumulator: Accumulator, patch: Draft) -> list[Draft]:
    """The objects that a partial one changes; none where the build says why there is none."""
    entry = layer.fields[str(trail[0])][trail[1]]
    target = entry.get("target") if isinstance(entry, dict) else None
    try:
        return list(accumulator.select(Selector(target))) if target is not None else [target_of(accumulator, patch)]
    except InputError:
        return []
