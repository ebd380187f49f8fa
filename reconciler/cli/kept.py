"""Outputs of earlier builds in the user's cache folder, each under exactly what was asked and what was read for it.

What is kept can never change an output: an entry counts only if it is whole (a digest over all of it), was written by
this very program (its files' stamps are part of the question), and if every file, folder and absence that its build saw
is still so, byte for byte (`render.tree.noted`). Whatever goes wrong with the cache, the build is done as if there were
none.

Entries are replaced by renaming, so that processes may read and write at once; the oldest go when the folder outgrows
its limit.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterable, Iterator

from render.digests import blake2b
from render.tree.noted import Note, NotedFolderTree, noted_again

LIMIT = 256 << 20
"""Bytes that all entries may take together; a single one may take a quarter."""

FORM = b"siteshift build 2\n"
"""What every entry begins with: the form of what follows."""

_SECRET = re.compile(rb"""^[ -]*["']?kind["']?: *["']?Secret\b""", re.MULTILINE)

_DIGEST = 32

_SECOND = 1_000_000_000


class Kept:
    """The kept output of one build, if there is any. `question` says what is built: folder and options."""

    def __init__(self, cache: str, question: Iterable[str]) -> None:
        self._folder = os.path.join(cache, "builds")
        program = _program() if os.path.isabs(cache) else None
        self._question = None if program is None else "\0".join((program, *question))
        name = blake2b((self._question or "").encode("utf-8", "surrogateescape"), 20).hex()
        self._path = os.path.join(self._folder, name)

    def tree(self) -> NotedFolderTree:
        """The whole file system as a tree for the build whose output will be kept."""
        return NotedFolderTree("/")

    def output(self) -> bytes | None:
        """What the build printed the last time, None if it must be done again."""
        if self._question is None:
            return None
        try:
            found = _opened(self._path, self._question)
        except (OSError, ValueError):
            return None
        if found is None or not noted_again(found[0], "/"):
            return None
        _mark_used(self._path)
        return found[1]

    def keep(self, tree: NotedFolderTree, output: bytes) -> None:
        """Keep what was printed after a build from `tree`; silently not if it cannot be, or if a Secret is in it."""
        if self._question is None or not tree.complete or _SECRET.search(output):
            return
        parts = [self._question.encode("utf-8", "surrogateescape"), _packed(tree.notes()), output]
        body = b" ".join(b"%d" % len(part) for part in parts) + b"\n" + b"".join(parts)
        if len(body) > LIMIT // 4:
            return
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            _replace(self._path, FORM + blake2b(body, _DIGEST) + body)
            _make_room(self._folder)
        except OSError:
            return


def _opened(path: str, question: str) -> tuple[list[Note], bytes] | None:
    """An entry's notes and output, None if it is damaged, somebody else's or about something else."""
    start = len(FORM) + _DIGEST
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(file, "rb") as entry:
        status = os.fstat(file)
        if status.st_uid != os.getuid() or status.st_size > start + LIMIT // 4:
            return None
        data = entry.read(status.st_size)
    body = memoryview(data)[start:]
    if data[: len(FORM)] != FORM or blake2b(body, _DIGEST) != data[len(FORM) : start]:
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
    return list(map(Note, fields, fields, fields, fields))


def _replace(path: str, data: bytes) -> None:
    """Put a file there as a whole: whoever reads sees the old one or the new one."""
    beside = f"{path}.{os.getpid()}"
    try:
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(file, "wb") as entry:
            entry.write(data)
        os.replace(beside, path)
    except BaseException:  # an interruption, too, leaves nothing behind
        _remove(beside)
        raise


def _remove(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError:
        return False
    return True


def _mark_used(path: str) -> None:
    try:
        os.utime(path)
    except OSError:
        return


def _make_room(folder: str) -> None:
    """Remove the entries that were not used for the longest time until the others fit the limit."""
    found = sorted(_sizes(folder))
    total = sum(size for _, size, _ in found)
    for _, size, path in found:
        if total <= LIMIT:
            return
        if _remove(path):
            total -= size


def _sizes(folder: str) -> Iterator[tuple[int, int, str]]:
    """When each entry was used last, its size and its path."""
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:  # another process has just removed it
                continue
            yield status.st_mtime_ns, status.st_size, entry.path


def _program() -> str | None:
    """What this program is: the stamps of every file that takes part in a build.

    None where they cannot be told, and while it is being changed: half of it may be loaded by now.
    """
    settled = time.time_ns() - 2 * _SECOND
    parts = [sys.version]
    try:
        for folder in _program_folders():
            for status, name in _files(folder):
                if max(status.st_mtime_ns, status.st_ctime_ns) >= settled:
                    return None
                parts.append(f"{name} {status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns}")
                parts.append(str(status.st_ctime_ns) if status.st_ctime_ns % _SECOND else _content(name))
    except OSError:  # it does not lie in a folder, for one
        return None
    return blake2b("\n".join(parts).encode("utf-8", "surrogateescape"), 20).hex()


def _content(path: str) -> str:
    """A name for what is in a file of an image, whose times are what its maker wanted them to be."""
    with open(path, "rb") as file:
        return blake2b(file.read(), 20).hex()


def _program_folders() -> list[str]:
    from importlib.util import find_spec

    import render

    parser = find_spec("yaml")
    found = () if parser is None else parser.submodule_search_locations or ()
    return [*render.__path__, *found, os.path.dirname(__file__)]


def _files(folder: str) -> Iterator[tuple[os.stat_result, str]]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _files(entry.path)
            elif entry.name.endswith((".py", ".so", ".pyd")):
                yield entry.stat(), entry.path
