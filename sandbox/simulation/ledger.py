"""What the guests' clients were told is safe, kept outside of every volume, so that losses are counted, not declared.

A record is one JSON line: `n` (its number on the volume), `site`, `at` (epoch seconds) and `instance` (the guest's).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sandbox.simulation.copies import copy_folder, read_records


@dataclass(frozen=True, slots=True)
class Record:
    """One record that a guest writes."""

    n: int
    site: str
    at: float
    instance: str

    def to_line(self) -> bytes:
        """The line on the volume and in the ledger."""
        return f'{{"n":{self.n},"site":"{self.site}","at":{self.at:.6f},"instance":"{self.instance}"}}\n'.encode()


def number_of(line: bytes) -> int:
    """The number of a record; 0 for an empty line, so that the next one is 1."""
    return int(json.loads(line)["n"]) if line else 0


class Ledger:
    """The acknowledgements that guests at one site gave, in the folder of that site's array."""

    def __init__(self, array: Path) -> None:
        self._folder = array / "acknowledged"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._files: dict[str, int] = {}

    def acknowledge(self, handle: str, line: bytes) -> None:
        """Note that the array took this record."""
        if handle not in self._files:
            path = ledger_file(self._folder.parent, handle)
            self._files[handle] = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC)
        os.write(self._files[handle], line)

    def close(self) -> None:
        """Let go of the files."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()


def ledger_file(array: Path, handle: str) -> Path:
    """Where a site's acknowledgements for a volume are."""
    return array / "acknowledged" / f"{quote(handle, safe='')}.jsonl"


def lost_records(handle: str, *, surviving: Path, arrays: Iterable[Path]) -> tuple[bytes, ...]:
    """The records that any site acknowledged and the copy of the array `surviving` does not hold.

    Right while guests write, too: the acknowledgements are read first.
    """
    paths = [ledger_file(array, handle) for array in arrays]
    acknowledged = [line for path in paths if path.exists() for line in path.read_bytes().splitlines()]
    held = set(read_records(copy_folder(surviving, handle), 0).splitlines())
    return tuple(line for line in acknowledged if line not in held)
