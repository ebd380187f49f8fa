"""Trees made of trees: one mounted below another, and one that remembers what was asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from render.errors import NotInTree
from render.tree.seam import (
    Kind,
    Tree,
    below,
    blob_identity,
    leaves,
    leaves_root,
    listing_identity,
    normalise,
    real_path,
    sealed,
)


class OverlayTree:
    """`base`, with other trees mounted below some of its paths.

    A mount hides what `base` has at that path; of nested mounts the deeper one wins. Folders on the way to a mount
    exist even where `base` has none.
    """

    def __init__(self, base: Tree, mounts: Mapping[str, Tree]) -> None:
        self.root = base.root
        self._base = base
        self._mounts = {normalise(path): tree for path, tree in mounts.items()}
        self._on_the_way: dict[str, set[str]] = {}
        for mount in self._mounts:
            inner = mount
            while inner:
                above, _, name = inner.rpartition("/")
                self._on_the_way.setdefault(above, set()).add(name)
                inner = above

    def kind(self, path: str) -> Kind | None:
        """What is there; None if nothing is."""
        clean = self._clean(path)
        if clean in self._on_the_way:
            return "folder"
        tree, inner = self._owner(clean)
        return tree.kind(inner)

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        tree, inner = self._owner(self._clean(path))
        return tree.read(inner)

    def list(self, path: str) -> list[str]:
        """The names in a folder, sorted."""
        clean = self._clean(path)
        tree, inner = self._owner(clean)
        mounted = self._on_the_way.get(clean)
        if mounted is None:
            return tree.list(inner)
        return sorted(mounted.union(tree.list(inner) if tree.kind(inner) == "folder" else ()))

    def identity(self, path: str) -> str:
        """A file's Git blob id, or a hash over everything below a folder."""
        clean = self._clean(path)
        if clean in self._on_the_way:
            return listing_identity(f"{name}\0{self.identity(below(clean, name))}" for name in self.list(clean))
        tree, inner = self._owner(clean)
        return tree.identity(inner)

    def real_path(self, path: str) -> str:
        """The path without symbolic links, as far as they are inside the tree that answers for it."""
        clean = self._clean(path)
        if clean in self._on_the_way:
            return clean
        tree, inner = self._owner(clean)
        return f"{clean.removesuffix(inner)}{real_path(tree, inner)}"

    def sealed(self, path: str) -> str | None:
        """What the tree that answers for a folder says; nothing for folders on the way to a mount."""
        clean = self._clean(path)
        if clean in self._on_the_way:
            return None
        return sealed(*self._owner(clean))

    def _owner(self, clean: str) -> tuple[Tree, str]:
        """The tree that answers for a path, and the path there."""
        mount = clean
        while True:
            if mount in self._mounts:
                return self._mounts[mount], clean[len(mount) :].lstrip("/")
            if not mount:
                return self._base, clean
            mount = mount.rpartition("/")[0]

    def _clean(self, path: str) -> str:
        clean = normalise(path)
        if leaves(clean) and self._base.kind(clean) is None:
            raise leaves_root(path, self.root)
        return clean


Question = Literal["kind", "read", "list", "real"]


class RecordingTree:
    """A tree that remembers every question and what the answer depended on, so that a result can be cached by content.

    `seen` maps (question, path) to the kind, to a file's identity or to a listing's hash; None where nothing was.
    What failed is not recorded: an error must never be cached as an answer. Who wants to know only what was asked does
    without the identities of files (`identified`).
    """

    def __init__(self, tree: Tree, *, identified: bool = True) -> None:
        self.root = tree.root
        self._identified = identified
        self.seen: dict[tuple[Question, str], str | None] = {}
        self._tree = tree

    def kind(self, path: str) -> Kind | None:
        """What is there; None if nothing is."""
        kind = self._tree.kind(path)
        self.seen["kind", normalise(path)] = kind
        return kind

    def read(self, path: str) -> bytes:
        """The bytes of a file. The identity recorded is that of these very bytes."""
        try:
            data = self._tree.read(path)
        except NotInTree:
            self.seen["read", normalise(path)] = None
            raise
        self.seen["read", normalise(path)] = blob_identity(data) if self._identified else ""
        return data

    def list(self, path: str) -> list[str]:
        """The names in a folder, sorted."""
        try:
            names = self._tree.list(path)
        except NotInTree:
            self.seen["list", normalise(path)] = None
            raise
        self.seen["list", normalise(path)] = listing_identity(names)
        return names

    def real_path(self, path: str) -> str:
        """The path without symbolic links."""
        try:
            real = real_path(self._tree, path)
        except NotInTree:
            self.seen["real", normalise(path)] = None
            raise
        self.seen["real", normalise(path)] = real
        return real

    def identity(self, path: str) -> str:
        """The content's identity; counts as having read it."""
        identity = self._tree.identity(path)
        self.seen["read", normalise(path)] = identity
        return identity
