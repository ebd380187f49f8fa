"""Labels that also go into selectors and claim templates, which nobody can change once the object is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from render.kustomization.transformers.label import specs_of_entry

if TYPE_CHECKING:
    from render.kustomization.accumulate import Accumulator
    from render.kustomization.fields import Trail
    from render.kustomization.fieldspec import SpecsByKind
    from render.kustomization.layer import Layer
    from render.linting.rules import Told

RULE = "selectors"
TEMPLATES = "claim-templates"
IMMUTABLE = frozenset({"DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"})
"""Kinds whose selector cannot be changed."""

HINT = "existing objects must be deleted first; use labels with includeTemplates: true and without includeSelectors"


def labels(layer: Layer, trail: Trail, accumulator: Accumulator) -> Iterator[Told]:
    """Entries of `labels` with `includeSelectors`."""
    if len(trail) == 2 and layer.fields["labels"][trail[1]].get("includeSelectors"):
        yield (*trail, "includeSelectors"), RULE, _told(accumulator, "includeSelectors")


def common_labels(layer: Layer, trail: Trail, accumulator: Accumulator) -> Iterator[Told]:
    """`commonLabels`, which always does."""
    if layer.get("commonLabels"):
        yield trail, RULE, _told(accumulator, "commonLabels")


def labels_of_claims(layer: Layer, trail: Trail, accumulator: Accumulator) -> Iterator[Told]:
    """Entries of `labels` that reach claim templates."""
    if len(trail) == 2:
        yield (
            trail,
            TEMPLATES,
            _claims(accumulator, specs_of_entry(accumulator.config, layer.fields["labels"][trail[1]])),
        )


def common_labels_of_claims(layer: Layer, trail: Trail, accumulator: Accumulator) -> Iterator[Told]:
    """`commonLabels`, which always do."""
    if layer.get("commonLabels"):
        yield trail, TEMPLATES, _claims(accumulator, accumulator.config.specs("commonLabels"))


def _claims(accumulator: Accumulator, specs: SpecsByKind) -> tuple[str, str] | None:
    for draft in accumulator.drafts:
        if not draft.manifest or not draft.value(("spec", "volumeClaimTemplates")):
            continue
        if any(spec.path.startswith("spec/volumeClaimTemplates") for spec in specs.of(draft.gvk)):
            message = f"this also changes the claim templates of {draft.kind} {draft.name}, which cannot change later"
            return (
                message,
                "set such labels from the first version on, or without includeSelectors and includeTemplates",
            )
    return None


def _told(accumulator: Accumulator, field: str) -> tuple[str, str] | None:
    found = [f"{draft.kind} {draft.name}" for draft in accumulator.drafts if draft.manifest and draft.kind in IMMUTABLE]
    if not found:
        return None
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{field} also changes the selector of {found[0]}{more}, which cannot change once it is there", HINT
