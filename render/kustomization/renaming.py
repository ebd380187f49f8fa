"""Names with something put before or after them, and which objects keep theirs (K18)."""

from __future__ import annotations

from render.errors import KustomizationError
from render.kustomization.accumulate import Accumulator
from render.kustomization.draft import Draft
from render.kustomization.fieldspec import FieldSpec, SpecsByKind, find, held_at, is_there, wrong_kind
from render.kustomization.ids import Gvk, selects

NEVER_RENAMED: tuple[Gvk, ...] = (
    ("", "", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "", "APIService"),
    ("", "", "Namespace"),
)
"""Kinds whose name is part of what they mean."""


def renamed(accumulator: Accumulator, specs: SpecsByKind) -> list[tuple[Draft, FieldSpec]]:
    """The objects that may be renamed, each with every spec for its kind."""
    accumulator.identities_changed()
    return [
        (draft, spec)
        for draft in accumulator.drafts
        if not any(selects(kind, draft.original_gvk) for kind in NEVER_RENAMED)
        for spec in specs.of(draft.original_gvk)
    ]


def surround(draft: Draft, spec: FieldSpec, prefix: str, suffix: str) -> None:
    """Put the one before and the other after what the spec finds."""
    if not selects(spec.gvk, draft.gvk):
        return
    draft.name_is_untyped = draft.name_is_untyped or spec.path == "metadata/name"
    for trail in find(draft, spec, create=True):
        old = held_at(draft, trail)
        if isinstance(old, dict | list):
            raise KustomizationError(
                f"considering field '{spec.path}' of object {draft.text}: {wrong_kind('ScalarNode', old)}"
            )
        made = old is None and not is_there(draft.content, trail)
        new = f"{prefix}{'' if made else draft.text_at(trail, old)}{suffix}"
        draft.rewrite(trail, new)
