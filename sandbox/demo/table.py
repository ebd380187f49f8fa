"""The table at the demo's end: who runs what where, how long each move took, and what it lost. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

HEADINGS = ("APPLICATION", "SITE", "ROLE", "EPOCH", "RTO REACHED", "RECORDS LOST")


@dataclass(frozen=True, slots=True)
class Row:
    """One application at one site; the last two are of its last move there, "-" if it was never moved there."""

    application: str
    site: str
    role: str
    epoch: str
    rto: str = "-"
    lost: str = "-"


def as_text(rows: Sequence[Row]) -> str:
    """The table in columns of plain text."""
    cells = [HEADINGS, *(astuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )
