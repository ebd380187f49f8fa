"""Rendered units, kept under exactly what was read to make them.

After a commit that changed one file only what read that file is built again: a kept result stands as long as every
question that its build asked of the tree would get the same answer, "there is nothing" included.
"""

from __future__ import annotations

from render.site import SiteManifest, Unit, joined, render_joined
from render.tree import Answers, RecordingTree, Tree


class UnitCache:
    """Results of `render_unit` in memory, the last one of each unit."""

    def __init__(self) -> None:
        self._kept: dict[Unit, tuple[str, Answers, tuple[SiteManifest, ...]]] = {}
        self.built = 0

    def render(self, tree: Tree, unit: Unit, version: str) -> tuple[SiteManifest, ...]:
        """The unit's objects. `version` names the tree's whole content (a commit): equal versions are not compared.

        Raises `InputError` as `render_unit` does; errors are not kept.
        """
        kept = self._kept.get(unit)
        whole = joined(tree, unit)
        if kept is not None and (kept[0] == version or kept[1].stand(whole)):
            self._kept[unit] = (version, kept[1], kept[2])
            return kept[2]
        recording = RecordingTree(whole)
        manifests = render_joined(recording, unit)
        self.built += 1
        self._kept[unit] = (version, Answers(recording.seen, whole), manifests)
        return manifests

    def keep_only(self, units: frozenset[Unit]) -> None:
        """Forget the results of units that are no longer asked for."""
        self._kept = {unit: kept for unit, kept in self._kept.items() if unit in units}
