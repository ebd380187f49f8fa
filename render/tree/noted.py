"""A folder on disk that notes what each of its answers depended on, so that a later process can ask whether the same
questions would be answered the same without reading a file again.

A file's times tell that it has changed only where it was left alone for a while before it was read: two changes within
one tick of the file system's clock look the same. So of a file that was just written the content is noted as well, and
compared (as Git does with its index).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from render.errors import SiteshiftError
from render.tree.folder import FolderTree
from render.tree.seam import Kind, blob_identity, listing_identity, normalise

ABSENT, FOLDER, FILE, READ, LISTED = "-dfrl"


class Note(NamedTuple):
    """One answer. `what` is one of the letters above; `place` is where the path really led, "" for the path itself.

    `stamp` is the status of a file that was read, `content` its identity if the stamp alone cannot be trusted, or a
    listing's.
    """

    what: str
    path: str
    place: str = ""
    stamp: str = ""
    content: str = ""


class NotedFolderTree(FolderTree):
    """A folder on disk with notes. `settled` is the time (nanoseconds since 1970) after which a file counts as just
    written; give the moment of the start less the coarsest tick of a file system.

    `complete` says whether every question had an answer: what failed is not noted, and must not be kept.
    """

    def __init__(self, root: os.PathLike[str] | str, settled: int) -> None:
        super().__init__(root)
        self.complete = True
        self._settled = settled
        self._notes: dict[str, Note] = {}
        self._listings: dict[str, Note] = {}

    def notes(self) -> Iterator[Note]:
        """Everything that was asked and what the answers depended on."""
        yield from self._notes.values()
        yield from self._listings.values()

    def read(self, path: str) -> bytes:
        """The bytes of a file, with its stamp noted."""
        data, status = self._read(path)
        clean = normalise(path)
        content = blob_identity(data) if just_written(status, self._settled) else ""
        self._notes[clean] = Note(READ, clean, self._notes[clean].place, stamp(status), content)
        return data

    def list(self, path: str) -> list[str]:
        """The names in a folder, sorted."""
        names = super().list(path)
        clean = normalise(path)
        self._listings[clean] = Note(LISTED, clean, content=listing_identity(names))
        return names

    def _look(self, path: str) -> tuple[str, os.stat_result] | None:
        try:
            found = super()._look(path)
            kind = None if found is None else self._kind_of(found[1], path)
        except SiteshiftError:
            self.complete = False
            raise
        clean = normalise(path)
        known = self._notes.get(clean)
        if known is None or known.what != READ:
            self._notes[clean] = self._note(clean, "" if found is None else found[0], kind)
        return found

    def _note(self, clean: str, place: str, kind: Kind | None) -> Note:
        if kind is None:
            return Note(ABSENT, clean)
        real = "" if place == self._lexical(clean) else place
        return Note(FILE if kind == "file" else FOLDER, clean, real)


def stamp(status: os.stat_result) -> str:
    """What changes when anybody writes to a file or puts another one in its place."""
    return f"{status.st_ino} {status.st_dev} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def noted_again(notes: Iterable[Note], root: os.PathLike[str] | str, settled: int) -> list[Note] | None:
    """The same notes if the folder would give every noted answer again, else None.

    Looks at each file's status, and reads only files that were just written when they were noted; of those that have
    settled since, the new note says so.
    """
    check = _Check(root, settled)
    result: list[Note] = []
    try:
        for note in notes:
            found = check.noted_again(note)
            if found is None:
                return None
            result.append(found)
    except SiteshiftError:
        return None
    return result


class _Check(FolderTree):
    """The folder as it is now."""

    def __init__(self, root: os.PathLike[str] | str, settled: int) -> None:
        super().__init__(root)
        self._settled = settled

    def noted_again(self, note: Note) -> Note | None:
        """The note as it would be now, None if the answer is another one."""
        what, path, place, known, content = note
        if what == LISTED:
            return note if listing_identity(self.list(path)) == content else None
        found = self._look(path)
        if found is None or what == ABSENT:
            return note if found is None and what == ABSENT else None
        if found[0] != (place or self._lexical(path)):
            return None
        if self._kind_of(found[1], path) != ("folder" if what == FOLDER else "file"):
            return None
        if what != READ:
            return note
        if not content:
            return note if stamp(found[1]) == known else None
        return self._compared(note)

    def _compared(self, note: Note) -> Note | None:
        data, status = self._read(note.path)
        if blob_identity(data) != note.content:
            return None
        if just_written(status, self._settled):
            return note
        return note._replace(stamp=stamp(status), content="")


def just_written(status: os.stat_result, settled: int) -> bool:
    """Whether another change could leave the file's times as they are."""
    return max(status.st_mtime_ns, status.st_ctime_ns) >= settled
