"""AnnotationsTransformer: put annotations on every object, and wherever else the field specs say."""

from __future__ import annotations

from collections.abc import Mapping

from render.kustomization.accumulate import Accumulator
from render.kustomization.entries import set_entries
from render.kustomization.fieldspec import SpecsByKind


def set_annotations(accumulator: Accumulator, annotations: Mapping[str, str], specs: SpecsByKind) -> None:
    """Set each annotation in every mapping that the specs find or, where they say so, create."""
    set_entries(accumulator, annotations, specs)
