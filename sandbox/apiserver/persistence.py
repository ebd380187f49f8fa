"""The store on disk: one append-only file of JSON lines that survives SIGKILL at any moment.

The first line is a header with the resource version up to which the file is a snapshot; the snapshot's objects follow,
then one line a write. A line reaches the kernel in one `write`; a torn last line (a kill amid a write that the kernel
split) was never acknowledged and is dropped. A new snapshot replaces the file by a rename.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.errors import SiteshiftError

NAME = "store.jsonl"
REWRITE_AFTER = 64 * 1024 * 1024
"""Bytes of writes after which a new snapshot is due: some 30,000 writes of ordinary objects, reread in a second."""


@dataclass(frozen=True, slots=True)
class Line:
    """One write: `body` is the object as JSON text, or None where it was deleted (then `last` is what it was)."""

    version: int
    bucket: str
    namespace: str
    name: str
    body: bytes
    deleted: bool


class Log:
    """The open file. Not thread-safe: the store writes under its own lock."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / NAME
        self._file: int | None = None
        self.written = 0

    def read(self) -> tuple[int, list[Line]]:
        """The snapshot's resource version and every line; opens the file for appending. Torn ends are cut off."""
        if not self._path.exists():
            self.rewrite(0, iter(()))
            return 0, []
        data = self._path.read_bytes()
        whole = data.rfind(b"\n") + 1
        lines = data[:whole].splitlines()
        try:
            snapshot = int(json.loads(lines[0])["snapshot"]) if lines else 0
            parsed = [_parse(line) for line in lines[1:]]
        except (ValueError, TypeError, KeyError) as error:
            raise SiteshiftError(f"{self._path}: error: not a store of this API server: {error}") from None
        self._open()
        if whole < len(data):
            os.truncate(self._path, whole)
        return snapshot, parsed

    def append(self, line: Line) -> None:
        """Keep one write."""
        assert self._file is not None
        data = _format(line)
        self.written += len(data)
        while data:
            data = data[os.write(self._file, data) :]

    def rewrite(self, version: int, lines: Iterator[Line]) -> None:
        """Replace the file by a snapshot, in one step."""
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as out:
            out.write(json.dumps({"snapshot": version}).encode() + b"\n")
            for line in lines:
                out.write(_format(line))
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self._path)
        self._open()

    def _open(self) -> None:
        self.close()
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.written = 0

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _format(line: Line) -> bytes:
    head = json.dumps([line.version, line.bucket, line.namespace, line.name, line.deleted])
    return head.encode() + b"\t" + line.body + b"\n"


def _parse(text: bytes) -> Line:
    head, _, body = text.partition(b"\t")
    version, bucket, namespace, name, deleted = json.loads(head)
    return Line(version, bucket, namespace, name, body, deleted)


def decode(body: bytes) -> dict[str, Any]:
    """The object of a line."""
    found: dict[str, Any] = json.loads(body)
    return found
