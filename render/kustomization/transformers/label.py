"""LabelTransformer and AnnotationsTransformer: set entries of mappings that field specs name (K22)."""

from __future__ import annotations

from collections.abc import Mapping

from render.errors import KustomizationError
from render.kustomization.accumulate import Accumulator
from render.kustomization.draft import require_text_key
from render.kustomization.fieldspec import SpecsByKind, find, value_at, wrong_kind


def set_entries(accumulator: Accumulator, entries: Mapping[str, str], specs: SpecsByKind) -> None:
    """Set each entry in every mapping that the specs find or, where they say so, create."""
    if not entries:
        return
    ordered = dict(sorted(entries.items()))
    for key in ordered:
        require_text_key(key)
    for draft in accumulator.drafts:
        for spec in specs.of(draft.gvk):
            for trail in find(draft, spec, create=True):
                old = value_at(draft.content, trail)
                if old is None and not spec.create:
                    continue
                if old is not None and not isinstance(old, dict):
                    raise KustomizationError(
                        f"considering field '{spec.path}' of object {draft.text}: {wrong_kind('MappingNode', old)}"
                    )
                holder = draft.place((*trail, ""))
                holder.update(ordered)
