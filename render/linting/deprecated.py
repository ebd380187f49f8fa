"""Fields that Kustomize still takes and has given up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.linting.finding import Finding
    from render.linting.watching import Watcher

RULE = "deprecated"

FIELDS = {
    "bases": "list them under resources",
    "imageTags": "write them under images, with newTag",
    "commonLabels": "use labels; its pairs leave selectors alone unless includeSelectors is true",
    "patchesStrategicMerge": "write them under patches: {path: …} or {patch: …}",
    "patchesJson6902": "write them under patches, which have the same target and path",
    "vars": "use replacements, which are not limited to known fields",
    "helmChartInflationGenerator": "use helmCharts",
}
"""A field of a kustomization, and what to write instead."""

GENERATOR_FIELDS = {"env": "use envs, which is a list"}


def fields(watcher: Watcher, _read: set[str]) -> Iterator[Finding]:
    """Deprecated fields of every kustomization that was built."""
    for path, layer in watcher.layers.items():
        raw = watcher.raw(layer)
        for field, instead in FIELDS.items():
            if raw.get(field):
                yield watcher.finding(path, (field,), RULE, (f"the field {field} is deprecated", instead))
        for generator in ("configMapGenerator", "secretGenerator"):
            for place, entry in enumerate(raw.get(generator) or ()):
                for field, instead in GENERATOR_FIELDS.items():
                    if isinstance(entry, dict) and entry.get(field):
                        told = (f"the field {field} is deprecated", instead)
                        yield watcher.finding(path, (generator, place, field), RULE, told)
