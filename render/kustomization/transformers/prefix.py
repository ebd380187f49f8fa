"""PrefixTransformer: put a text before names, and remember it (K18)."""

from __future__ import annotations

from render.kustomization.accumulate import Accumulator
from render.kustomization.fieldspec import SpecsByKind
from render.kustomization.renaming import renamed, surround


def add_prefix(accumulator: Accumulator, prefix: str, specs: SpecsByKind) -> None:
    """Put the prefix before each field that the specs find."""
    for draft, spec in renamed(accumulator, specs):
        if spec.path == "metadata/name" and prefix:
            draft.prefixes.append(prefix)
            draft.remember_identity()
        surround(draft, spec, prefix, "")
