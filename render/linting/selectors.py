"""Labels that also go into selectors, which Kubernetes lets nobody change once the object is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.kustomization.accumulate import Accumulator
    from render.kustomization.fields import Trail
    from render.kustomization.layer import Layer
    from render.linting.rules import Told

RULE = "selectors"
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


def _told(accumulator: Accumulator, field: str) -> tuple[str, str] | None:
    found = [f"{draft.kind} {draft.name}" for draft in accumulator.drafts if draft.manifest and draft.kind in IMMUTABLE]
    if not found:
        return None
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{field} also changes the selector of {found[0]}{more}, which cannot change once it is there", HINT
