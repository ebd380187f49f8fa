"""All rules as tables: those that watch a build's steps, and those that look at it once it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from render.linting import (
    deprecated,
    file_names,
    generators,
    lists,
    namespaces,
    patching,
    quoting,
    remotes,
    selectors,
    unmatched,
    unread,
    variables,
    workloads,
)

if TYPE_CHECKING:
    from render.kustomization.accumulate import Accumulator
    from render.kustomization.fields import Trail
    from render.kustomization.layer import Layer
    from render.linting.finding import Finding
    from render.linting.watching import Watcher

Told = tuple["Trail", str, "tuple[str, str] | None"]
"""A field's place, the rule, and message and hint; None for an entry that does what it says."""

Watch = Callable[["Layer", "Trail", "Accumulator"], Iterator[Told]]
End = Callable[["Accumulator"], Iterator[tuple[str, Told]]]
"""A rule for the objects of a whole build; it says which kustomization each of its findings is about."""

Look = Callable[["Watcher", "set[str]"], Iterator["Finding"]]
"""A rule for the end; it is also given the paths of all files that were read."""

MERGES: tuple[Watch, ...] = (
    patching.replaces_nothing,
    patching.changes_linked,
    lists.loses_elements,
    lists.replaces_list,
)
"""Rules for strategic merge patches."""

WATCHES: dict[str, tuple[Watch, ...]] = {
    "patches": (unmatched.patches, patching.null_marks, *MERGES),
    "patchesStrategicMerge": MERGES,
    "patchesJson6902": (unmatched.patches,),
    "images": (unmatched.images,),
    "replacements": (unmatched.replacements,),
    "labels": (selectors.labels, selectors.labels_of_claims),
    "commonLabels": (selectors.common_labels, selectors.common_labels_of_claims),
    "namespace": (namespaces.reach,),
    "resources": (remotes.unpinned,),
    "components": (remotes.unpinned,),
}
"""By the field whose step they watch."""

STEPS: dict[str, tuple[End, ...]] = {"fix references": (variables.unused,)}
"""By the step after all layers that is done when they are asked."""

LOOKS: tuple[Look, ...] = (
    deprecated.fields,
    generators.unused,
    namespaces.subjects_elsewhere,
    quoting.lost_before_substitution,
    unread.files,
    workloads.replicas_beside_autoscalers,
    workloads.jobs_that_delete_themselves,
    workloads.machines_told_twice,
)

RUN_LEVEL_LOOKS: tuple[Look, ...] = (file_names.almost_run_levels,)
"""Rules for what is applied in run-level order."""
