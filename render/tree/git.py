"""A commit as a tree: read from Git's object database, links followed inside the commit, nothing checked out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from render.errors import TreeError
from render.tree.seam import (
    MOST_BYTES,
    Kind,
    below,
    leaves,
    leaves_root,
    normalise,
    not_a_file,
    not_a_folder,
    nothing_there,
    readable_name,
    too_large,
)

MOST_LINKS = 40
"""As many symbolic links as Linux follows in one path before it calls them a loop."""

MOST_DEPTH = 100
"""Folders inside each other among which links are looked for."""

MOST_REMEMBERED = 1 << 16
"""Entries after which a memory is emptied: a controller runs for months."""

_links: dict[Any, bool] = {}
"""Whether there are symbolic links in or below a Git tree, by its id: true for ever, in every repository."""

LINK, SUBMODULE, FOLDER = 0o120000, 0o160000, 0o040000
"""File modes of Git's tree entries."""


class GitTree:
    """The files of one commit, read from the object database; nothing is checked out.

    `repository` is a `pygit2.Repository` (typed loosely: this module must not import pygit2), `commit` an id.
    """

    def __init__(self, repository: Any, commit: str) -> None:
        self.root = f"commit {commit[:12]}"
        self._repository = repository
        self._folders: dict[str, dict[str, tuple[int, Any]]] = {}
        try:
            top = repository[commit].tree
        except (KeyError, ValueError, AttributeError, OSError) as error:
            raise TreeError(f"there is no commit {commit} in the repository: {error}") from error
        self._folder_ids: dict[str, Any] = {"": top.id}

    def kind(self, path: str) -> Kind | None:
        """What is there; None if nothing is."""
        found = self._look(path)
        return None if found is None else "folder" if found[1] == FOLDER else "file"

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        _, mode, object_id = self._present(path)
        if mode == FOLDER:
            raise not_a_file(path)
        if self._size(object_id, path) > MOST_BYTES:
            raise too_large(path)
        data: bytes = self._object(object_id, path).data
        return data

    def list(self, path: str) -> list[str]:
        """The names in a folder, sorted."""
        place, mode, _ = self._present(path)
        if mode != FOLDER:
            raise not_a_folder(path)
        return sorted(self._entries(place, path))

    def real_path(self, path: str) -> str:
        """The path without symbolic links."""
        return self._present(path)[0]

    def identity(self, path: str) -> str:
        """The id of the blob or tree."""
        return str(self._present(path)[2])

    def sealed(self, path: str) -> str | None:
        """The id of the tree, unless links are on the way or inside."""
        found = self._look(path)
        if found is None or found[1] != FOLDER or found[0] != normalise(path) or self._has_links(found[2], path, 0):
            return None
        return str(found[2])

    def _has_links(self, tree_id: Any, path: str, depth: int) -> bool:
        if depth > MOST_DEPTH:
            return True  # nobody looks so deep, so there may be some
        known = _links.get(tree_id)
        if known is None:
            if len(_links) > MOST_REMEMBERED:
                _links.clear()
            known = _links[tree_id] = any(
                entry.filemode == LINK or (entry.filemode == FOLDER and self._has_links(entry.id, path, depth + 1))
                for entry in self._object(tree_id, path)
            )
        return known

    def _present(self, path: str) -> tuple[str, int, Any]:
        found = self._look(path)
        if found is None:
            raise nothing_there(path, self.root)
        return found

    def _look(self, path: str) -> tuple[str, int, Any] | None:
        """Where a path leads when links are followed, with its mode and object id; None if nothing is there."""
        todo = self._inside(normalise(path), path).split("/")[::-1]
        place, links = "", 0
        mode, object_id = FOLDER, self._folder_ids[""]
        while todo:
            name = todo.pop()
            if not name:
                continue
            if name == "..":  # only out of a link's target, whose folders may be links themselves
                place = self._inside(normalise("..", place), path)
                mode, object_id = FOLDER, self._folder_ids[place]
                continue
            if mode != FOLDER:
                return None
            entry = self._entries(place, path).get(name)
            if entry is None:
                if links:
                    raise TreeError(f"a symbolic link leads to {below(place, name)}, where nothing is", path=path)
                return None
            if entry[0] == LINK:
                links += 1
                todo += self._target(entry[1], links, path)
                continue
            place, (mode, object_id) = below(place, name), entry
            if mode == SUBMODULE:
                raise TreeError(f"{place} is a Git submodule, which is not read", path=path, hint="copy its files here")
            if mode == FOLDER:
                self._folder_ids[place] = object_id
        return place, mode, object_id

    def _target(self, link_id: Any, links: int, path: str) -> tuple[str, ...]:
        """The parts of a link's target, last first."""
        target = readable_name(self._object(link_id, path).data, path)
        if links > MOST_LINKS:
            raise TreeError("too many symbolic links, they go round in a circle", path=path)
        if target.startswith("/"):
            raise TreeError(f"a symbolic link leads to {target}, which is outside of {self.root}", path=path)
        return tuple(part for part in reversed(target.split("/")) if part not in ("", "."))

    def _inside(self, clean: str, path: str) -> str:
        if leaves(clean):
            raise leaves_root(path, self.root)
        return clean

    def _entries(self, folder: str, path: str) -> dict[str, tuple[int, Any]]:
        entries = self._folders.get(folder)
        if entries is None:
            tree = self._object(self._folder_ids[folder], path)
            entries = {readable_name(entry.raw_name, folder): (int(entry.filemode), entry.id) for entry in tree}
            self._folders[folder] = entries
        return entries

    def _object(self, object_id: Any, path: str) -> Any:
        with _readable(path):
            return self._repository[object_id]

    def _size(self, object_id: Any, path: str) -> int:
        with _readable(path):
            size: int = self._repository.odb.read_header(object_id)[1]
            return size


@contextmanager
def _readable(path: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # KeyError for an absent object, GitError for a broken one: pygit2 is not imported
        raise TreeError(f"cannot be read from the repository: {error}", path=path) from error
