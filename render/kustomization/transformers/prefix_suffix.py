"""PrefixTransformer and SuffixTransformer: change names, and remember what they were (K18)."""

from __future__ import annotations

from render.kustomization.accumulate import Accumulator
from render.kustomization.draft import Draft
from render.kustomization.fieldspec import FieldSpec, SpecsByKind, find, value_at
from render.kustomization.ids import Gvk, selects, text_of
from render.yaml.scalars import resolve

NEVER_RENAMED: tuple[Gvk, ...] = (
    ("", "", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "", "APIService"),
    ("", "", "Namespace"),
)
"""Kinds whose name is part of what they mean."""


def add_prefix(accumulator: Accumulator, prefix: str, specs: SpecsByKind) -> None:
    """Put the prefix before each field that the specs find."""
    for draft, spec in _renamed(accumulator, specs):
        if spec.path == "metadata/name" and prefix:
            draft.prefixes.append(prefix)
            draft.remember_identity()
        _change(draft, spec, prefix, "")


def add_suffix(accumulator: Accumulator, suffix: str, specs: SpecsByKind) -> None:
    """Put the suffix after each field that the specs find."""
    for draft, spec in _renamed(accumulator, specs):
        if spec.path == "metadata/name" and suffix:
            draft.suffixes.append(suffix)
            draft.remember_identity()
        _change(draft, spec, "", suffix)


def _renamed(accumulator: Accumulator, specs: SpecsByKind) -> list[tuple[Draft, FieldSpec]]:
    accumulator.identities_changed()
    return [
        (draft, spec)
        for draft in accumulator.drafts
        if not any(selects(kind, draft.original_gvk) for kind in NEVER_RENAMED)
        for spec in specs.of(draft.original_gvk)
    ]


def _change(draft: Draft, spec: FieldSpec, prefix: str, suffix: str) -> None:
    if not selects(spec.gvk, draft.gvk):
        return
    for trail in find(draft, spec, create=True):
        old = value_at(draft.content, trail)
        new = f"{prefix}{'' if old is None else text_of(old)}{suffix}"
        draft.set(trail, new if old is None or isinstance(old, str) else resolve(new))
