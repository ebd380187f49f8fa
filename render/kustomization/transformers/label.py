"""LabelTransformer: put labels on every object, and into selectors and templates where the field specs say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from render.kustomization.accumulate import Accumulator
from render.kustomization.config import Config, field_spec
from render.kustomization.entries import set_entries
from render.kustomization.fieldspec import FieldSpec, SpecsByKind, merge_specs

_METADATA_LABELS = FieldSpec(("", "", ""), "metadata/labels", True)


def set_labels(accumulator: Accumulator, labels: Mapping[str, str], specs: SpecsByKind) -> None:
    """Set each label in every mapping that the specs find or, where they say so, create."""
    set_entries(accumulator, labels, specs)


def specs_of_entry(config: Config, entry: dict[str, Any]) -> SpecsByKind:
    """Where the labels of an entry of `labels` go: to metadata, and to what its flags and fields add."""
    specs = merge_specs([field_spec(spec) for spec in entry.get("fields") or []], config.section("labels"))
    if entry.get("includeSelectors"):
        return SpecsByKind(merge_specs(specs, config.section("commonLabels")))
    if entry.get("includeTemplates"):
        specs = merge_specs(specs, config.section("templateLabels"))
    return SpecsByKind(merge_specs(specs, [_METADATA_LABELS]))
