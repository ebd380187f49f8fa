"""Building a folder as `kustomize build` does it: bases may lie anywhere on the disk, as relative paths lead there."""

from __future__ import annotations

import os

from render.kustomization.build import build
from render.kustomization.model import Helm, Options, Resource
from render.tree import FolderTree


def build_folder(
    folder: os.PathLike[str] | str, options: Options | None = None, *, helm: Helm | None = None
) -> tuple[Resource, ...]:
    """The objects of the kustomization in a folder of this disk, in order; `build` says more.

    Origins and errors have absolute paths without the leading `/`. Use `build(FolderTree(root), folder)` to keep a
    build below a root.
    """
    return build(FolderTree("/"), os.path.realpath(folder).strip("/"), options, helm=helm)
