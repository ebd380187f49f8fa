"""`make bench`, or `python -m benchmarks [--rows 'overlay-*'] [--runs N]`: measure, and print the table."""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections.abc import Sequence
from fnmatch import fnmatch
from os import cpu_count, getloadavg
from pathlib import Path

from benchmarks.programs import Bench
from benchmarks.rows import ROWS, NotHere, Result, Row

HEAD = ("row", "ours s", "kustomize s", "ours cpu", "kust. cpu", "ours MB", "kust. MB", "target", "reached", "holds")


def main(words: Sequence[str] | None = None) -> int:
    """Measure the wanted rows one after the other; 1 if a target is not reached."""
    arguments = _arguments(words)
    rows = [row for row in ROWS if any(fnmatch(row.name, wanted) for wanted in arguments.rows)]
    if not rows:
        print(f"no such row; there are: {', '.join(row.name for row in ROWS)}", file=sys.stderr)
        return 2
    load = ", ".join(f"{number:.1f}" for number in getloadavg())
    print(f"{platform.python_implementation()} {platform.python_version()}, {cpu_count()} CPUs, load {load}")
    print(_line(HEAD))
    print(_line(["-" * len(name) for name in HEAD]))
    missed = 0
    with tempfile.TemporaryDirectory(prefix="siteshift-bench-") as scratch:
        bench = Bench(Path(scratch))
        for row in rows:
            try:
                result = row.measure(row, bench, row.runs(arguments.runs))
            except NotHere as absent:
                print(_line([row.name, *[""] * 6, row.target, f"not measured: {absent}", ""]))
                continue
            missed += not result.holds
            print(_line(_cells(row, result)), flush=True)
    return 1 if missed else 0


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", nargs="+", default=["*"], metavar="PATTERN", help="only these rows, as shells match")
    parser.add_argument("--runs", type=int, metavar="N", help="runs of each (default: 5, and 3 from 3,000 objects up)")
    return parser.parse_args(words)


def _cells(row: Row, result: Result) -> list[str]:
    ours, theirs = result.ours, result.theirs
    times = [f"{ours.seconds:.3f}", f"{theirs.seconds:.3f}" if theirs else ""]
    processor = [f"{ours.processor:.3f}", f"{theirs.processor:.3f}" if theirs else ""]
    peaks = [f"{ours.megabytes:.0f}", f"{theirs.megabytes:.0f}" if theirs else ""]
    return [row.name, *times, *processor, *peaks, row.target, result.reads, "yes" if result.holds else "NO"]


def _line(cells: Sequence[str]) -> str:
    first, *numbers = cells
    widths = (12, 12, 9, 9, 8, 9, 18, 22, 5)
    return f"{first:<16} " + " ".join(f"{cell:>{width}}" for cell, width in zip(numbers, widths, strict=True))


if __name__ == "__main__":
    sys.exit(main())
