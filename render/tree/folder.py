"""A folder on disk as a tree: symbolic links, permissions and names that are no text are settled here."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from render.errors import TreeError
from render.tree.seam import (
    MOST_BYTES,
    Kind,
    blob_identity,
    leaves,
    leaves_root,
    listing_identity,
    normalise,
    not_a_file,
    not_a_folder,
    nothing_there,
    readable_name,
    too_large,
)

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""Neither follows a link that has just been put there nor waits for whoever might write into a pipe."""

_PART = 1 << 16


def _content(file: int, size: int, path: str) -> bytes:
    """All bytes of an opened file, which says that it has so many. Raises `TreeError` if there are too many."""
    if size > MOST_BYTES:
        raise too_large(path)
    data = os.read(file, size + 1)
    if len(data) == size:
        return data
    parts, found = [data], len(data)  # it grows, or is one of the system's own that say no size
    while part := os.read(file, _PART):
        parts.append(part)
        found += len(part)
        if found > MOST_BYTES:
            raise too_large(path)
    return b"".join(parts)


def _in_git(place: str) -> bool:
    return ".git" in place.lower().split("/")


class FolderTree:
    """A folder on disk, as it is at the moment of each call; only where its folders really lie is remembered, so make
    a new tree for each build.

    Symbolic links are followed as long as they stay below the root. `outside` allows paths and links above it: for
    `build DIR`, whose bases may lie anywhere and whose load restriction is the engine's business.
    """

    def __init__(self, root: os.PathLike[str] | str, *, outside: bool = False) -> None:
        self.root = os.path.abspath(root)
        self._outside = outside
        self._real_root = os.path.realpath(self.root)
        self._folders: dict[str, str] = {"": self._real_root}

    def kind(self, path: str) -> Kind | None:
        """What is there; None if nothing is."""
        found = self._look(path)
        return None if found is None else self._kind_of(found[1], path)

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        place, status = self._present(path)
        if self._kind_of(status, path) == "folder":
            raise not_a_file(path)
        return self._opened(place, path)

    def _opened(self, place: str, path: str) -> bytes:
        """The bytes of the file at a real place, which may have become something else since it was looked at."""
        try:
            file = os.open(place, _OPEN)
            try:
                before = os.fstat(file)
                self._kind_of(before, path)
                data = _content(file, before.st_size, path)
                after = os.fstat(file)
            finally:
                os.close(file)
        except OSError as error:
            raise self._unreadable(path, error) from error
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise TreeError("the file was written while it was being read", path=path, hint="try again")
        return data

    def list(self, path: str) -> list[str]:
        """The names in a folder, sorted."""
        place, status = self._present(path)
        if self._kind_of(status, path) == "file":
            raise not_a_folder(path)
        try:
            names = os.listdir(os.fsencode(place))
        except OSError as error:
            raise self._unreadable(path, error) from error
        return sorted(readable_name(name, path) for name in names if name.lower() != b".git")

    def real_path(self, path: str) -> str:
        """The path without symbolic links."""
        clean = normalise(path)
        place = self._present(path)[0]
        if place == self._lexical(clean):
            return clean
        return "" if place == self._real_root else os.path.relpath(place, self._real_root).replace(os.sep, "/")

    def identity(self, path: str) -> str:
        """A file's Git blob id, or a hash over everything below a folder."""
        if self.kind(path) == "file":
            return blob_identity(self.read(path))
        return listing_identity(self._entries(path))

    def _entries(self, path: str) -> Iterable[str]:
        folder = self._present(path)[0]
        for name in self.list(path):
            place = os.path.join(folder, name)
            below = f"{path}/{name}" if path else name
            try:
                yield f"{name}\0->{os.readlink(place)}" if os.path.islink(place) else f"{name}\0{self.identity(below)}"
            except OSError as error:
                raise self._unreadable(below, error) from error

    def _present(self, path: str) -> tuple[str, os.stat_result]:
        found = self._look(path)
        if found is None:
            raise nothing_there(path, self.root)
        return found

    def _look(self, path: str) -> tuple[str, os.stat_result] | None:
        """The real place of a path and its status, or None if nothing is there."""
        clean = normalise(path)
        if leaves(clean) and not self._outside:
            raise leaves_root(path, self.root)
        try:
            found = self._find(clean, path)
            return None if self._is_git(found[0]) else found
        except NotADirectoryError:
            return None
        except FileNotFoundError:
            self._refuse_dangling_link(clean, path)
            return None
        except OSError as error:
            raise self._unreadable(path, error) from error
        except ValueError as error:  # what the operating system cannot even be asked for
            raise TreeError(f"cannot be a path: {error}", path=ascii(path)) from error

    def _is_git(self, place: str) -> bool:
        """Whether a real place lies in Git's own folder: what is there is no file of the repository, and may hold a
        token. Whoever builds from inside of one means it."""
        return "/.git" in place.lower() and _in_git(place) and not _in_git(self._real_root)

    def _find(self, clean: str, path: str) -> tuple[str, os.stat_result]:
        above, _, name = clean.rpartition("/")
        folder = self._folders.get(above)
        if folder is None:
            folder = self._folders[above] = self._resolve(os.path.join(self._real_root, above), path)
        place = f"{folder.rstrip('/')}/{name}"
        if name in ("", ".."):
            place = self._resolve(place, path)
        status = os.lstat(place)
        if stat.S_ISLNK(status.st_mode):
            place = self._resolve(place, path)
            status = os.lstat(place)
        return place, status

    def _lexical(self, clean: str) -> str:
        """Where a path lies if there are no symbolic links."""
        return f"{self._real_root.rstrip('/')}/{clean}" if clean else self._real_root

    def _refuse_dangling_link(self, clean: str, path: str) -> None:
        """A link to nothing is no answer: somebody meant something to be there."""
        place = self._real_root
        for part in clean.split("/"):
            place = os.path.join(place, part)
            if os.path.islink(place) and not os.path.exists(place):
                raise TreeError(f"a symbolic link leads to {os.readlink(place)}, where nothing is", path=path)

    def _resolve(self, place: str, path: str) -> str:
        """`place` without symbolic links."""
        real = os.path.realpath(place, strict=True)
        inside = real == self._real_root or real.startswith(self._real_root.rstrip("/") + "/")
        if not (inside or self._outside):
            raise TreeError(f"a symbolic link leads to {real}, which is outside of {self.root}", path=path)
        return real

    def _kind_of(self, status: os.stat_result, path: str) -> Kind:
        if stat.S_ISREG(status.st_mode):
            return "file"
        if stat.S_ISDIR(status.st_mode):
            return "folder"
        raise TreeError("this is neither a file nor a folder", path=path)

    def _unreadable(self, path: str, error: OSError) -> TreeError:
        return TreeError(f"cannot be read: {error.strerror or error}", path=path or self.root)
