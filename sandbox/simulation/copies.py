"""One array's copies of volumes, on disk: what survives when every process of a site is killed.

A copy is a folder with `records` (bytes that only grow, whole lines) and `copy.json` (role and generations, replaced
atomically). One process writes a folder; others only read it (`read_copy`, `read_records`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from urllib.parse import quote, unquote

from sandbox.simulation.lineage import Generation, History

STATE, RECORDS = "copy.json", "records"


class ReplicaRole(Enum):
    """What a copy is in its replication; without replication anybody at its site may write."""

    NONE = "none"
    PRIMARY = "primary"
    SECONDARY = "secondary"


@dataclass(frozen=True, slots=True)
class Copy:
    """The state of one copy at one moment."""

    role: ReplicaRole = ReplicaRole.NONE
    history: History = field(default_factory=History)

    def to_json(self) -> str:
        """The content of `copy.json`; the length is that of the records file."""
        generations = [[generation.name, generation.start] for generation in self.history.generations]
        return json.dumps({"role": self.role.value, "generations": generations})


def read_copy(folder: Path) -> Copy | None:
    """The state of the copy in a folder, None if there is none."""
    try:
        state = json.loads((folder / STATE).read_text())
        length = (folder / RECORDS).stat().st_size
    except FileNotFoundError:
        return None
    generations = tuple(Generation(name, start) for name, start in state["generations"])
    return Copy(ReplicaRole(state["role"]), History(generations, length))


def read_records(folder: Path, start: int) -> bytes:
    """The whole lines of a copy from byte `start` on."""
    with (folder / RECORDS).open("rb") as records:
        records.seek(start)
        data = records.read()
    return data[: data.rfind(b"\n") + 1]


def copy_folder(array: Path, handle: str) -> Path:
    """Where an array keeps its copy of a volume."""
    return array / "volumes" / quote(handle, safe="")


class CopyStore:
    """The copies of one array, for the process that may write them."""

    def __init__(self, array: Path) -> None:
        self._array = array
        self._copies: dict[str, Copy] = {}
        self._records: dict[str, int] = {}
        for handle in list(self._stored()):
            self._load(handle)

    def handles(self) -> tuple[str, ...]:
        """The volumes that this array has copies of."""
        return tuple(self._copies)

    def get(self, handle: str) -> Copy | None:
        """The copy of a volume, None if this array has none."""
        return self._copies.get(handle)

    def create(self, handle: str) -> Copy:
        """The copy of a volume, made empty if it was not there."""
        if handle not in self._copies:
            folder = copy_folder(self._array, handle)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / RECORDS).touch()
            self._put(handle, Copy())
            self._open(handle)
        return self._copies[handle]

    def set(
        self, handle: str, *, role: ReplicaRole | None = None, generations: tuple[Generation, ...] | None = None
    ) -> None:
        """Change a copy's role or generations; on disk before it returns, and untouched if nothing changes."""
        before = self._copies[handle]
        after = before if role is None else replace(before, role=role)
        if generations is not None:
            after = replace(after, history=History(generations, before.history.length))
        if after != before:
            self._put(handle, after)

    def append(self, handle: str, data: bytes) -> None:
        """Append whole lines."""
        os.write(self._records[handle], data)
        copy = self._copies[handle]
        longer = History(copy.history.generations, copy.history.length + len(data))
        self._copies[handle] = replace(copy, history=longer)

    def cut(self, handle: str, length: int, snapshot: str) -> Path:
        """Give up what lies behind `length`; the whole copy is kept as a snapshot first, and its path returned."""
        folder = copy_folder(self._array, handle)
        kept = self._array / "snapshots" / folder.name / snapshot
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / RECORDS, kept)
        os.ftruncate(self._records[handle], length)
        copy = self._copies[handle]
        remaining = History(copy.history.generations, length)
        self._put(handle, replace(copy, history=History(remaining.known(), length)))
        return kept

    def last_line(self, handle: str) -> bytes:
        """The last line of a copy, without its end; empty if there is none. Lines are at most 4 KiB."""
        length = self._copies[handle].history.length
        with (copy_folder(self._array, handle) / RECORDS).open("rb") as records:
            records.seek(max(0, length - 4096))
            lines = records.read().splitlines()
        return lines[-1] if lines else b""

    def close(self) -> None:
        """Let go of the files."""
        for descriptor in self._records.values():
            os.close(descriptor)
        self._records.clear()

    def _stored(self) -> Iterator[str]:
        volumes = self._array / "volumes"
        if volumes.is_dir():
            yield from (unquote(folder.name) for folder in sorted(volumes.iterdir()) if (folder / STATE).exists())

    def _load(self, handle: str) -> None:
        folder = copy_folder(self._array, handle)
        (folder / RECORDS).touch()
        copy = read_copy(folder)
        assert copy is not None
        self._open(handle)
        whole = len(read_records(folder, 0))
        if whole < copy.history.length:
            # The process was killed within a write: half a record was never acknowledged to anybody.
            os.ftruncate(self._records[handle], whole)
        self._copies[handle] = replace(copy, history=History(copy.history.generations, whole))

    def _open(self, handle: str) -> None:
        path = copy_folder(self._array, handle) / RECORDS
        self._records[handle] = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def _put(self, handle: str, copy: Copy) -> None:
        write_atomically(copy_folder(self._array, handle) / STATE, copy.to_json())
        self._copies[handle] = copy


def write_atomically(path: Path, text: str) -> None:
    """Replace a small file so that a reader, and a kill at any moment, sees the old content or the new."""
    scratch = path.with_name(f".{path.name}.new")
    scratch.write_text(text)
    scratch.replace(path)
