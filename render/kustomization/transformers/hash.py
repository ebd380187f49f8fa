"""HashTransformer: ends generated names with a hash of their content (K27)."""

from __future__ import annotations

from render.kustomization.accumulate import Accumulator
from render.kustomization.hasher import content_hash
from render.kustomization.saying import at_origin


def add_hashes(accumulator: Accumulator) -> None:
    """Rename what generators made and wants a hash."""
    for draft in accumulator.drafts:
        if draft.needs_hash:
            draft.remember_identity()
            with at_origin(draft):
                draft.set(("metadata", "name"), f"{draft.name}-{content_hash(draft.content)}")
            accumulator.identities_changed()
