"""Outputs of earlier builds in the user's cache folder, each under exactly what was asked and what was read for it.

What is kept can never change an output: an entry counts only if it is whole (a digest over all of it), was written by
this very program (its files' stamps are part of the question), and if every file, folder and absence that its build saw
is still so (`render.tree.noted`). Whatever goes wrong with the cache, the build is done as if there were none.

Entries are replaced by renaming, so that processes may read and write at once; the oldest go when the folder outgrows
its limit.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from render.tree.noted import Note, NotedFolderTree, noted_again

LIMIT = 256 << 20
"""Bytes that all entries may take together; a single one may take a quarter."""

FORM = b"siteshift build 1\n"
"""What every entry begins with: the form of what follows."""

SETTLED = 2_000_000_000
"""Nanoseconds after which a file counts as left alone: the coarsest tick of a file system's clock."""

_DIGEST = 32


class Kept:
    """The kept output of one build, if there is any. `question` says what is built: folder and options."""

    def __init__(self, cache: str, question: Iterable[str]) -> None:
        self._settled = time.time_ns() - SETTLED
        self._folder = os.path.join(cache, "builds")
        program = _program(self._settled)
        self._question = None if program is None else "\0".join((program, *question))
        name = blake2b((self._question or "").encode("utf-8", "surrogateescape"), digest_size=20).hexdigest()
        self._path = os.path.join(self._folder, name)

    def tree(self) -> NotedFolderTree:
        """The whole file system as a tree for the build whose output will be kept."""
        return NotedFolderTree("/", self._settled)

    def output(self) -> bytes | None:
        """What the build printed the last time, None if it must be done again."""
        if self._question is None:
            return None
        try:
            found = _opened(self._path, self._question)
        except (OSError, ValueError):
            return None
        if found is None:
            return None
        notes, output = found
        now = noted_again(notes, "/", self._settled)
        if now is None:
            return None
        if now != notes:
            self._write(now, output)
        else:
            _mark_used(self._path)
        return output

    def keep(self, tree: NotedFolderTree, output: bytes) -> None:
        """Keep what was printed after a build from `tree`; silently not if it cannot be."""
        if tree.complete:
            self._write(list(tree.notes()), output)

    def _write(self, notes: Iterable[Note], output: bytes) -> None:
        if self._question is None:
            return
        parts = [self._question.encode("utf-8", "surrogateescape"), _packed(notes), output]
        body = b" ".join(b"%d" % len(part) for part in parts) + b"\n" + b"".join(parts)
        if len(body) > LIMIT // 4:
            return
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            _replace(self._path, FORM + blake2b(body, digest_size=_DIGEST).digest() + body)
            _make_room(self._folder)
        except OSError:
            return


def _opened(path: str, question: str) -> tuple[list[Note], bytes] | None:
    """An entry's notes and output, None if it is damaged, somebody else's or about something else."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(file, "rb") as entry:
        if os.fstat(file).st_uid != os.getuid():
            return None
        data = entry.read(LIMIT)
    start = len(FORM) + _DIGEST
    body = memoryview(data)[start:]
    if data[: len(FORM)] != FORM or blake2b(body, digest_size=_DIGEST).digest() != data[len(FORM) : start]:
        return None
    line = data.index(b"\n", start) + 1
    asked_size, notes_size, _ = map(int, data[start:line].split())
    notes_at, output_at = line + asked_size, line + asked_size + notes_size
    asked, notes, output = data[line:notes_at], data[notes_at:output_at], data[output_at:]
    if asked.decode("utf-8", "surrogateescape") != question:
        return None
    return _unpacked(notes), output


def _packed(notes: Iterable[Note]) -> bytes:
    return "\0".join(field for note in notes for field in note).encode("utf-8", "surrogateescape")


def _unpacked(data: bytes) -> list[Note]:
    fields = iter(data.decode("utf-8", "surrogateescape").split("\0"))
    return list(map(Note, fields, fields, fields, fields, fields))


def _replace(path: str, data: bytes) -> None:
    """Put a file there as a whole: whoever reads sees the old one or the new one."""
    beside = f"{path}.{os.getpid()}"
    try:
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(file, "wb") as entry:
            entry.write(data)
        os.replace(beside, path)
    except OSError:
        _remove(beside)
        raise


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def _mark_used(path: str) -> None:
    try:
        os.utime(path)
    except OSError:
        return


def _make_room(folder: str) -> None:
    """Remove the entries that were not used for the longest time until the others fit the limit."""
    with os.scandir(folder) as entries:
        found = sorted(((status := entry.stat()).st_mtime_ns, status.st_size, entry.path) for entry in entries)
    total = sum(size for _, size, _ in found)
    for _, size, path in found:
        if total <= LIMIT:
            return
        _remove(path)
        total -= size


def _program(settled: int) -> str | None:
    """What this program is: the stamps of every file that takes part in a build. None while it is being changed."""
    import render

    parts = [sys.version]
    for place in (*render.__path__, *_parser_places()):
        for status, name in _files(place):
            if max(status.st_mtime_ns, status.st_ctime_ns) >= settled:
                return None
            parts.append(f"{name} {status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}")
    return blake2b("\n".join(parts).encode("utf-8", "surrogateescape"), digest_size=20).hexdigest()


def _parser_places() -> list[str]:
    from importlib.util import find_spec

    found = find_spec("yaml")
    return list(found.submodule_search_locations or ()) if found is not None else []


def _files(folder: str) -> Iterator[tuple[os.stat_result, str]]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _files(entry.path)
            elif entry.name.endswith((".py", ".so", ".pyd")):
                yield entry.stat(), entry.path
