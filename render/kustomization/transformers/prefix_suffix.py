"""PrefixTransformer and SuffixTransformer: change names, and remember what they were (K18)."""

from __future__ import annotations

from render.errors import KustomizationError
from render.kustomization.accumulate import Accumulator
from render.kustomization.draft import Draft
from render.kustomization.fieldspec import FieldSpec, SpecsByKind, find, is_there, value_at, wrong_kind
from render.kustomization.ids import Gvk, selects
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
        if isinstance(old, dict | list):
            raise KustomizationError(
                f"considering field '{spec.path}' of object {draft.text}: {wrong_kind('ScalarNode', old)}"
            )
        made = old is None and not is_there(draft.content, trail)
        new = f"{prefix}{'' if made else draft.text_at(trail, old)}{suffix}"
        draft.set(trail, new if made or isinstance(old, str) else resolve(new))
