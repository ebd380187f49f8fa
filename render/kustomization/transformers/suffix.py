"""SuffixTransformer: put a text after names, and remember it (K18)."""

from __future__ import annotations

from render.kustomization.accumulate import Accumulator
from render.kustomization.fieldspec import SpecsByKind
from render.kustomization.renaming import renamed, surround


def add_suffix(accumulator: Accumulator, suffix: str, specs: SpecsByKind) -> None:
    """Put the suffix after each field that the specs find."""
    for draft, spec in renamed(accumulator, specs):
        if spec.path == "metadata/name" and suffix:
            draft.suffixes.append(suffix)
            draft.remember_identity()
        surround(draft, spec, "", suffix)
