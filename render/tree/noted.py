"""A folder on disk that notes what each of its answers depended on, so that a later process can ask whether the same
questions would be answered the same, without building.

Of a file that was read the content is noted and compared, never its times: they stand still between two ticks of a
clock, go back with it, come along with a copy, and mean nothing on images and on some other machines' disks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

from render.errors import SiteshiftError
from render.tree.folder import FolderTree
from render.tree.seam import Kind, normalise

ABSENT, FOLDER, FILE, READ, LISTED = "-dfrl"


class Note(NamedTuple):
    """One answer. `what` is one of the letters above; `place` is where the path really led, "" for the path itself;
    `content` names a file's bytes or a folder's entries."""

    what: str
    path: str
    place: str = ""
    content: str = ""


class NotedFolderTree(FolderTree):
    """A folder on disk with notes.

    `complete` says whether every question had one answer. What failed is not noted, and what was answered in two ways
    changed meanwhile: neither may be kept.
    """

    def __init__(self, root: os.PathLike[str] | str) -> None:
        super().__init__(root)
        self.complete = True
        self._notes: dict[str, Note] = {}
        self._contents: dict[tuple[str, str], str] = {}

    def notes(self) -> Iterator[Note]:
        """Everything that was asked and what the answers depended on."""
        for note in self._notes.values():
            content = self._contents.get((READ, note.path))
            yield note if content is None else note._replace(what=READ, content=content)
        for (what, path), content in self._contents.items():
            if what == LISTED:
                yield Note(LISTED, path, "", content)

    def read(self, path: str) -> bytes:
        """The bytes of a file, with their name noted."""
        try:
            data = super().read(path)
        except SiteshiftError:
            self.complete = False
            raise
        self._note_content(READ, path, content_of(data))
        return data

    def list(self, path: str) -> list[str]:
        """The names in a folder, sorted."""
        try:
            names = super().list(path)
        except SiteshiftError:
            self.complete = False
            raise
        self._note_content(LISTED, path, content_of_list(names))
        return names

    def _note_content(self, what: str, path: str, content: str) -> None:
        if self._contents.setdefault((what, normalise(path)), content) != content:
            self.complete = False

    def _look(self, path: str) -> tuple[str, os.stat_result] | None:
        try:
            found = super()._look(path)
            kind = None if found is None else self._kind_of(found[1], path)
        except SiteshiftError:
            self.complete = False
            raise
        clean = normalise(path)
        note = self._note(clean, "" if found is None else found[0], kind)
        if self._notes.setdefault(clean, note) != note:
            self.complete = False
        return found

    def _note(self, clean: str, place: str, kind: Kind | None) -> Note:
        if kind is None:
            return Note(ABSENT, clean)
        real = "" if place == self._lexical(clean) else place
        return Note(FILE if kind == "file" else FOLDER, clean, real)


def noted_again(notes: Iterable[Note], root: os.PathLike[str] | str) -> bool:
    """Whether the folder would give every noted answer again."""
    check = _Check(root)
    try:
        return all(map(check.stands, notes))
    except SiteshiftError:
        return False


class _Check(FolderTree):
    """The folder as it is now."""

    def stands(self, note: Note) -> bool:
        """Whether the answer is still the noted one."""
        what, path, place, content = note
        if what == LISTED:
            return content_of_list(self.list(path)) == content
        found = self._look(path)
        if found is None or what == ABSENT:
            return found is None and what == ABSENT
        if found[0] != (place or self._lexical(path)):
            return False
        if self._kind_of(found[1], path) != ("folder" if what == FOLDER else "file"):
            return False
        return what != READ or content_of(self._opened(found[0], path)) == content


def content_of(data: bytes) -> str:
    """A name that no other bytes have, whoever looks for some."""
    return blake2b(data, digest_size=20).hexdigest()


def content_of_list(names: Iterable[str]) -> str:
    """The same for the names in a folder."""
    return content_of("\0".join(names).encode("utf-8", "surrogateescape"))
