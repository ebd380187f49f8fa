"""Where the renderer reads files: one seam over a folder, a Git commit and what is held in memory.

Everything above reads through `Tree`, so that a build of a commit needs no checkout, a test needs no disk, and shipped
overlays can be mounted beside the user's files. One rule shapes each method: "there is nothing" is an answer,
"it could not be read" never is; the second always raises.

Holds: finding, reading, listing and naming the content of files. Knows nothing of YAML or Kustomize, nor of how a
commit came to be here (`reconciler.source`).

Paths are `/`-separated, relative to the root and normalised by the tree itself; `""` is the root.
"""

from render.tree.answers import Answers
from render.tree.folder import FolderTree
from render.tree.git import GitTree
from render.tree.layers import OverlayTree, RecordingTree
from render.tree.memory import MemoryTree
from render.tree.seam import Kind, Tree

__all__ = ["Answers", "FolderTree", "GitTree", "Kind", "MemoryTree", "OverlayTree", "RecordingTree", "Tree"]
