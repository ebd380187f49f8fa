"""What guests were told is safe, and what a copy of a volume still holds: read from the arrays' folders themselves.

A record is one JSON line; `n` is its number on the volume and `at` when it was written, in seconds since 1970.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Count:
    """Records that guests were told are safe, those of them that a copy does not hold, and the seconds between the
    oldest of these and the newest acknowledged one."""

    acknowledged: int = 0
    lost: int = 0
    span: float = 0.0


def acknowledged(array: Path, volume: str) -> list[bytes]:
    """The records that guests at the array's site were told are safe."""
    return _lines(array / "acknowledged" / f"{_file(volume)}.jsonl")


def held(array: Path, volume: str) -> frozenset[bytes]:
    """The records that the array's copy of a volume holds."""
    return frozenset(_lines(array / "volumes" / _file(volume) / "records"))


def count(arrays: Iterable[Path], surviving: Path, volumes: Iterable[str]) -> Count:
    """What was promised at any of these arrays' sites, and what the copies at the surviving one do not hold.

    Promises are read first: a record that is written meanwhile may be in the copy only, and is no loss.
    """
    sites = list(arrays)
    total = lost = 0
    span = 0.0
    for volume in volumes:
        promised = [line for array in sites for line in acknowledged(array, volume)]
        there = held(surviving, volume)
        missing = [written_at(line) for line in promised if line not in there]
        total, lost = total + len(promised), lost + len(missing)
        if missing:
            span = max(span, max(missing) - min(missing))
    return Count(total, lost, span)


def last_written(array: Path, volumes: Iterable[str]) -> float:
    """When the newest record was acknowledged at the array's site, in seconds since 1970; 0 if none was."""
    newest = [written_at(lines[-1]) for volume in volumes if (lines := acknowledged(array, volume))]
    return max(newest, default=0.0)


def written_at(line: bytes) -> float:
    """When a record was written, in seconds since 1970."""
    return float(json.loads(line)["at"])


def _lines(path: Path) -> list[bytes]:
    """Whole lines; a record that is being written is no record yet."""
    if not path.exists():
        return []
    data = path.read_bytes()
    return data[: data.rfind(b"\n") + 1].splitlines()


def _file(volume: str) -> str:
    return quote(volume, safe="")
