"""Files that lie among those of a kustomization and that no kustomization reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from render.kustomization.layer import FILE_NAMES
from render.linting.finding import Finding
from render.tree.remote import remote_of
from render.tree.seam import below

if TYPE_CHECKING:
    from render.linting.watching import Watcher
    from render.tree import Tree

RULE = "unread"
ENDINGS = (".yaml", ".yml", ".json")
OTHERS = frozenset({"siteshift.yaml", "application.yaml", "placement.yaml", "Chart.yaml"})
"""Files that are read by somebody else, and the mark of a chart."""


def files(watcher: Watcher, read: set[str]) -> Iterator[Finding]:
    """Manifests below the folders of the kustomizations that were built, as far as no other kustomization begins."""
    roots = {path.rpartition("/")[0] for path in watcher.complete if remote_of(path) is None}
    for root in sorted(roots):
        for path in _files(watcher.tree, root, roots):
            if path not in read:
                hint = "list it in the kustomization beside it, or delete it"
                yield Finding(path, 1, 1, RULE, "no kustomization reads this file", hint)


def _files(tree: Tree, folder: str, roots: set[str]) -> Iterator[str]:
    names = tree.list(folder)
    for name in names:
        path = below(folder, name)
        if name.startswith(".") or name in OTHERS:
            continue
        if tree.kind(path) == "folder":
            inner = tree.list(path)
            if path not in roots and not any(mark in inner for mark in (*FILE_NAMES, *OTHERS)):
                yield from _files(tree, path, roots)
        elif name.endswith(ENDINGS) and name not in FILE_NAMES:
            yield path
