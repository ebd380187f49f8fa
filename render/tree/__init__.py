"""Where the renderer reads files: one seam over a folder, a Git commit and what is held in memory.

Everything above reads through `Tree`, so that a build of a commit needs no checkout, a test needs no disk, and shipped
overlays can be mounted beside the user's files. One rule shapes each method: "there is nothing" is an answer,
"it could not be read" never is; the second always raises.

Holds: finding, reading, listing and naming the content of files. Knows nothing of YAML or Kustomize, nor of how a
commit came to be here (`reconciler.source`).

Paths are `/`-separated, relative to the root and normalised by the tree itself; `""` is the root.

Names are loaded when first used: a build of a folder needs one tree of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.tree.answers import Answers
    from render.tree.folder import FolderTree
    from render.tree.git import GitTree
    from render.tree.layers import OverlayTree, RecordingTree
    from render.tree.memory import MemoryTree
    from render.tree.seam import Kind, Tree

__all__ = ["Answers", "FolderTree", "GitTree", "Kind", "MemoryTree", "OverlayTree", "RecordingTree", "Tree"]

_HOMES = {
    "Answers": "answers",
    "FolderTree": "folder",
    "GitTree": "git",
    "OverlayTree": "layers",
    "RecordingTree": "layers",
    "MemoryTree": "memory",
    "Kind": "seam",
    "Tree": "seam",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"render.tree.{_HOMES[name]}"), name)
