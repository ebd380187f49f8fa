"""Files held in memory as a tree: a test's, or what is generated beside the user's files."""

from __future__ import annotations

from collections.abc import Mapping

from render.tree.seam import (
    Kind,
    below,
    blob_identity,
    leaves,
    leaves_root,
    listing_identity,
    normalise,
    not_a_file,
    not_a_folder,
    nothing_there,
)


class MemoryTree:
    """Files held in memory: a test's, or what is generated beside the user's files."""

    def __init__(self, files: Mapping[str, bytes | str], root: str = "memory") -> None:
        self.root = root
        self._files: dict[str, bytes] = {}
        self._folders: dict[str, set[str]] = {"": set()}
        self._seals: dict[str, str] = {}
        for path, content in files.items():
            clean = normalise(path)
            self._files[clean] = content.encode() if isinstance(content, str) else content
            while clean:
                above, _, name = clean.rpartition("/")
                self._folders.setdefault(above, set()).add(name)
                clean = above

    def kind(self, path: str) -> Kind | None:
        """What is there; None if nothing is."""
        clean = self._clean(path)
        return "file" if clean in self._files else "folder" if clean in self._folders else None

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        if self._present(path) == "folder":
            raise not_a_file(path)
        return self._files[self._clean(path)]

    def list(self, path: str) -> list[str]:
        """The names in a folder, sorted."""
        if self._present(path) == "file":
            raise not_a_folder(path)
        return sorted(self._folders[self._clean(path)])

    def identity(self, path: str) -> str:
        """A file's Git blob id, or a hash over everything below a folder."""
        if self._present(path) == "file":
            return blob_identity(self.read(path))
        clean = self._clean(path)
        return listing_identity(f"{name}\0{self.identity(below(clean, name))}" for name in self.list(clean))

    def sealed(self, path: str) -> str | None:
        """The folder's identity; nothing here changes, so it is found once."""
        if self.kind(path) != "folder":
            return None
        if path not in self._seals:
            self._seals[path] = self.identity(path)
        return self._seals[path]

    def _present(self, path: str) -> Kind:
        kind = self.kind(path)
        if kind is None:
            raise nothing_there(path, self.root)
        return kind

    def _clean(self, path: str) -> str:
        clean = normalise(path)
        if leaves(clean):
            raise leaves_root(path, self.root)
        return clean
