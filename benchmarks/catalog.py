"""Builds many folders in one process and prints what they hold: `python -m benchmarks.catalog ROOT FOLDER...`."""

from __future__ import annotations

import gc
import sys


def main(root: str, folders: list[str]) -> None:
    """Build and print each; one tree serves them all, as its files do not change meanwhile."""
    from render.kustomization import build
    from render.tree import FolderTree
    from render.yaml import dump

    gc.disable()
    tree = FolderTree(root)
    for place, folder in enumerate(folders):
        sys.stdout.write("---\n" if place else "")
        sys.stdout.write(dump(resource.manifest for resource in build(tree, folder)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
