"""Renders again after a save, at the cost of what the save touched: the difference is what `render --watch` prints.

Answers of the file system, parsed files and whole units are kept; a unit is built again if its build asked about
something that was touched. Objects that came out the same are neither printed nor compared line by line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import unified_diff
from pathlib import Path

from render.kustomization.parsed import Parsed
from render.places import same
from render.site import FLEET, SiteManifest, Unit, joined, render_joined
from render.tree import FolderTree, RecordingTree, Tree
from render.tree.remembering import RememberingTree

FLEET_FILES = frozenset({"siteshift.yaml", "application.yaml", "placement.yaml"})
"""Files that say which units there are."""

Rendered = Mapping[Unit, Sequence[SiteManifest]]
Asked = frozenset[tuple[str, str]]
"""The questions that a build put to the fleet's tree: what was asked, about which path."""

Units = Callable[[Tree], Sequence[Unit]]


class Rerendering:
    """A site's units as the files of a folder have them. `units` says which, from the fleet in a tree; `around` gives
    the folder's tree what it lacks (bases of elsewhere)."""

    def __init__(self, folder: Path, units: Units, around: Callable[[Tree], Tree]) -> None:
        self._folder = folder
        self._remembering = RememberingTree(lambda: FolderTree(str(folder)))
        self._tree = around(self._remembering)
        self._units = units
        self._parsed = Parsed()
        self._chosen: Sequence[Unit] | None = None
        self._kept: dict[Unit, tuple[Asked, tuple[SiteManifest, ...]]] = {}
        self._has_links = _has_links(folder)
        self.built = 0
        """How many units were built so far."""

    def render(self) -> Rendered:
        """All units, those built again whose files were touched. Raises `InputError` and `InputErrors`."""
        if self._chosen is None:
            self._chosen = self._units(self._tree)
        rendered = {unit: self._unit(unit) for unit in self._chosen}
        self._kept = {unit: kept for unit, kept in self._kept.items() if unit in rendered}
        return rendered

    def touched(self, paths: Collection[str]) -> None:
        """Files were saved, moved or deleted: forget what depended on them."""
        self._has_links = self._has_links or any(os.path.islink(self._folder / path) for path in paths)
        if self._has_links or "" in paths:  # what is behind a link has other names too
            self._remembering.forget_all()
            self._kept.clear()
            self._chosen = None
            return
        for path in paths:
            was_file = self._remembering.is_known_file(path)
            self._remembering.forget(path)
            if not was_file or path.rpartition("/")[2] in FLEET_FILES or self._remembering.kind(path) != "file":
                self._chosen = None
        for unit, (asked, _) in list(self._kept.items()):
            if any(_concerns(path, asked) for path in paths):
                del self._kept[unit]

    def _unit(self, unit: Unit) -> tuple[SiteManifest, ...]:
        kept = self._kept.get(unit)
        if kept is None:
            recording = RecordingTree(joined(self._tree, unit), identified=False)
            self.built += 1
            manifests = render_joined(recording, unit, parsed=self._parsed)
            asked = frozenset((question, path.removeprefix(f"{FLEET}/")) for question, path in recording.seen)
            kept = self._kept[unit] = (asked, manifests)
        return kept[1]


def _concerns(path: str, asked: Asked) -> bool:
    """Whether a build asked about the path, about something below it, or for the listing that it is in."""
    return ("list", path.rpartition("/")[0]) in asked or any(f"{one}/".startswith(f"{path}/") for _, one in asked)


def _has_links(folder: Path) -> bool:
    for place, folders, files in os.walk(folder):
        if any(os.path.islink(os.path.join(place, name)) for name in (*folders, *files)):
            return True
        if ".git" in folders:
            folders.remove(".git")
    return False


def difference(before: Rendered, after: Rendered, text: Callable[[Rendered], str]) -> Iterator[str]:
    """The lines that differ, object by object in the order of `after`; `text` prints units."""
    kept = [unit for unit in after if before.get(unit) is after[unit]]
    old, new = (_objects(rendered, kept) for rendered in (before, after))
    for key in [*new, *(key for key in old if key not in new)]:
        one, other = old.get(key), new.get(key)
        if one is not None and other is not None and same(_shown(one[1]), _shown(other[1])):
            continue
        gone, come = (text({item[0]: [item[1]]}).splitlines(True) if item is not None else [] for item in (one, other))
        name = "/".join(part for part in (key[0], key[2], *key[3:]) if part)
        yield from unified_diff(gone, come, f"before the save: {name}", f"after the save: {name}", n=2)


def _shown(item: SiteManifest) -> list[object]:
    return [item.manifest, item.run_level, item.component, item.origin.path]


def _objects(rendered: Rendered, without: Collection[Unit]) -> dict[tuple[str, ...], tuple[Unit, SiteManifest]]:
    found: dict[tuple[str, ...], tuple[Unit, SiteManifest]] = {}
    for unit, items in rendered.items():
        for item in () if unit in without else items:
            metadata = item.manifest["metadata"]
            group = str(item.manifest.get("apiVersion", "")).rpartition("/")[0]
            key = (
                unit.name,
                group,
                str(item.manifest["kind"]),
                str(metadata.get("namespace", "")),
                str(metadata["name"]),
            )
            found[key] = (unit, item)
    return found
