"""All rules as tables: those that watch a build's steps, and those that look at it once it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from render.linting import (
    deprecated,
    file_names,
    generators,
    namespaces,
    patching,
    remotes,
    selectors,
    unmatched,
    unread,
    variables,
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

WATCHES: dict[str, tuple[Watch, ...]] = {
    "patches": (unmatched.patches, patching.replaces_nothing, patching.changes_linked),
    "patchesStrategicMerge": (patching.replaces_nothing, patching.changes_linked),
    "patchesJson6902": (unmatched.patches,),
    "images": (unmatched.images,),
    "replacements": (unmatched.replacements,),
    "labels": (selectors.labels,),
    "commonLabels": (selectors.common_labels,),
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
    unread.files,
)

RUN_LEVEL_LOOKS: tuple[Look, ...] = (file_names.almost_run_levels,)
"""Rules for what is applied in run-level order."""
