"""Entries of mappings that field specs name: what labels and annotations have in common (K22)."""

from __future__ import annotations

from collections.abc import Mapping

from render.errors import KustomizationError
from render.kustomization.accumulate import Accumulator
from render.kustomization.draft import Draft, Trail
from render.kustomization.fieldspec import FieldSpec, SpecsByKind, find, value_at, wrong_kind
from render.kustomization.ids import require_text_key


def set_entries(accumulator: Accumulator, entries: Mapping[str, str], specs: SpecsByKind) -> None:
    """Set each entry in every mapping that the specs find or, where they say so, create."""
    if not entries:
        return
    ordered = dict(sorted(entries.items()))
    for key in ordered:
        require_text_key(key)
    for draft in accumulator.drafts:
        made: list[Trail] = []
        for spec in specs.of(draft.gvk):
            if spec.path == "metadata/annotations" and draft.has_memory:
                spec = FieldSpec(spec.gvk, spec.path, create=True)  # Kustomize keeps what it remembers there
            for trail in find(draft, spec, create=True):
                old = value_at(draft.content, trail)
                if not spec.create and (old is None or (old == "" and draft.styles.is_empty(trail))):
                    continue
                if old is not None and not isinstance(old, dict):
                    raise KustomizationError(
                        f"considering field '{spec.path}' of object {draft.text}: {wrong_kind('MappingNode', old)}"
                    )
                made += _set_at(draft, trail, ordered)
        if len(made) > 1:
            _share(draft, made)


def _set_at(draft: Draft, trail: Trail, entries: Mapping[str, str]) -> list[Trail]:
    """Set the entries in one mapping; says where there were none of their keys."""
    holder = draft.place((*trail, ""))
    made = [(*trail, key) for key in entries if key not in holder]
    before = dict(holder) if draft.shared else {}
    holder.update(entries)
    for key in entries if before else ():
        if key in before:
            draft.spread((*trail, key), before[key], entries[key])
    return made


def _share(draft: Draft, made: list[Trail]) -> None:
    by_key: dict[str | int, list[Trail]] = {}
    for trail in made:
        if draft.provenance is None or trail[:2] != ("metadata", "annotations"):  # notes are made to stand alone
            by_key.setdefault(trail[-1], []).append(trail)
    for trails in by_key.values():
        if len(trails) > 1:
            draft.shared.update(dict.fromkeys(trails, trails))  # in Kustomize, they stay one
