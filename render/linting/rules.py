"""All rules as two tables: those that watch a build's steps, and those that look at it once it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from render.linting import deprecated, file_names, generators, namespaces, remotes, selectors, unmatched, unread

if TYPE_CHECKING:
    from render.kustomization.accumulate import Accumulator
    from render.kustomization.fields import Trail
    from render.kustomization.layer import Layer
    from render.linting.finding import Finding
    from render.linting.watching import Watcher

Told = tuple["Trail", str, "tuple[str, str] | None"]
"""A field's place, the rule, and message and hint; None for an entry that does what it says."""

Watch = Callable[["Layer", "Trail", "Accumulator"], Iterator[Told]]
Look = Callable[["Watcher", "set[str]"], Iterator["Finding"]]
"""A rule for the end; it is also given the paths of all files that were read."""

WATCHES: dict[str, tuple[Watch, ...]] = {
    "patches": (unmatched.patches,),
    "patchesJson6902": (unmatched.patches,),
    "images": (unmatched.images,),
    "replacements": (unmatched.replacements,),
    "labels": (selectors.labels,),
    "commonLabels": (selectors.common_labels,),
    "namespace": (namespaces.reaches_nothing,),
    "resources": (remotes.unpinned,),
    "components": (remotes.unpinned,),
}
"""By the field whose step they watch."""

LOOKS: tuple[Look, ...] = (
    deprecated.fields,
    generators.unused,
    namespaces.subjects_elsewhere,
    unread.files,
)

RUN_LEVEL_LOOKS: tuple[Look, ...] = (file_names.almost_run_levels,)
"""Rules for what is applied in run-level order."""
