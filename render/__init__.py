"""The renderer: files in, manifests out.

Pure: no cluster, no network, no clock. It imports nothing of `reconciler`. The flow is one way:
`tree` (a folder or a Git commit) → `yaml` (documents) → `kustomization` (the build) → `site` (an application in a
role, with run level, component and origin beside each manifest). Beside it stand `explanation` (what gave a field its
value) and `linting` (what will not do what it seems to).

What is in `__all__` is for others to use, and docs/engine.md describes it. Names are loaded when first used, so
importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.errors import (
        InputError,
        InputErrors,
        KustomizationError,
        NotInTree,
        SiteshiftError,
        TreeError,
        YamlError,
    )
    from render.explanation import Explanation, Link, explain
    from render.kustomization.build import build
    from render.kustomization.folders import build_folder
    from render.kustomization.model import Helm, Manifest, Options, Origin, Resource
    from render.linting import Finding, lint
    from render.tree import FolderTree, GitTree, MemoryTree, OverlayTree, RecordingTree, Tree
    from render.tree.remote import Remote, RemoteTree
    from render.yaml import dump, parse, position

__all__ = [
    "Explanation",
    "Finding",
    "FolderTree",
    "GitTree",
    "Helm",
    "InputError",
    "InputErrors",
    "KustomizationError",
    "Link",
    "Manifest",
    "MemoryTree",
    "NotInTree",
    "Options",
    "Origin",
    "OverlayTree",
    "RecordingTree",
    "Remote",
    "RemoteTree",
    "Resource",
    "SiteshiftError",
    "Tree",
    "TreeError",
    "YamlError",
    "build",
    "build_folder",
    "dump",
    "explain",
    "lint",
    "parse",
    "position",
]

_HOMES = {
    "render.errors": (
        *("InputError", "InputErrors", "KustomizationError", "NotInTree", "SiteshiftError", "TreeError", "YamlError"),
    ),
    "render.explanation": ("Explanation", "Link", "explain"),
    "render.kustomization.build": ("build",),
    "render.kustomization.folders": ("build_folder",),
    "render.kustomization.model": ("Helm", "Manifest", "Options", "Origin", "Resource"),
    "render.linting": ("Finding", "lint"),
    "render.tree": ("FolderTree", "GitTree", "MemoryTree", "OverlayTree", "RecordingTree", "Tree"),
    "render.tree.remote": ("Remote", "RemoteTree"),
    "render.yaml": ("dump", "parse", "position"),
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
