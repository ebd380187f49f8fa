"""Two views of a tree that commits need: one folder of it, and itself with some files changed."""

from __future__ import annotations

from collections.abc import Mapping

from render.tree import MemoryTree, Tree
from render.tree.seam import Kind, below, leaves_root, real_path, sealed


class SubTree:
    """A folder of another tree as a tree: a fleet need not be at the top of its Git repository."""

    def __init__(self, tree: Tree, folder: str) -> None:
        self._tree = tree
        self._folder = folder
        self.root = tree.root

    def kind(self, path: str) -> Kind | None:
        """What is there; None if nothing is."""
        return self._tree.kind(below(self._folder, path) if path else self._folder)

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        return self._tree.read(below(self._folder, path))

    def list(self, path: str) -> list[str]:
        """The names in a folder."""
        return self._tree.list(below(self._folder, path) if path else self._folder)

    def identity(self, path: str) -> str:
        """What the content is, as a name."""
        return self._tree.identity(below(self._folder, path) if path else self._folder)

    def real_path(self, path: str) -> str:
        """The path without symbolic links; it must not leave the folder."""
        real = real_path(self._tree, below(self._folder, path) if path else self._folder)
        if real != self._folder and not real.startswith(f"{self._folder}/"):
            raise leaves_root(path, f"{self.root} {self._folder}")
        return real[len(self._folder) :].lstrip("/")

    def sealed(self, path: str) -> str | None:
        """A name for all that is in a folder, where the other tree has one."""
        return sealed(self._tree, below(self._folder, path) if path else self._folder)


class EditedTree:
    """A tree in which some files that are there have other content."""

    def __init__(self, tree: Tree, files: Mapping[str, bytes]) -> None:
        self._tree = tree
        self._files = MemoryTree(dict(files))
        self._edited = frozenset(files)
        self.root = tree.root

    def kind(self, path: str) -> Kind | None:
        """What is there; None if nothing is."""
        return self._tree.kind(path)

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        return self._files.read(path) if path in self._edited else self._tree.read(path)

    def list(self, path: str) -> list[str]:
        """The names in a folder."""
        return self._tree.list(path)

    def real_path(self, path: str) -> str:
        """The path without symbolic links."""
        return real_path(self._tree, path)

    def identity(self, path: str) -> str:
        """What the content is, as a name; a folder with an edited file below it has one of its own."""
        if path in self._edited:
            return self._files.identity(path)
        inside = sorted(name for name in self._edited if not path or name.startswith(f"{path}/"))
        return "+".join([self._tree.identity(path), *(self._files.identity(name) for name in inside)])
