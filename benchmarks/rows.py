"""What is measured, one function a kind of row, and what each row should reach: the table `ROWS`."""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks import trees, watch
from benchmarks.measuring import Measure, interleaved, run
from benchmarks.programs import ROOT, Bench

CATALOG = ROOT.parent / "shared" / "inputs" / "gitops-catalog"
MANY = 3000
"""Objects from which on three runs are enough."""

COMPARED = 1000
"""Objects of the tree that larger ones are compared with."""


class NotHere(Exception):
    """What a row needs is not on this machine."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a row has reached: the medians of both programs where both ran, the figure that counts, and how it reads."""

    ours: Measure
    theirs: Measure | None
    reached: float
    holds: bool
    reads: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what it measures, at `size` objects (bytes, applications), and the bound of its figure."""

    name: str
    target: str
    measure: Callable[[Row, Bench, int], Result]
    bound: float
    size: int = 0

    def runs(self, wanted: int | None) -> int:
        """How often it runs: five times, three from `MANY` objects up, or as often as somebody wants."""
        return wanted or (3 if self.size >= MANY else 5)


def _faster(row: Row, ours: Measure, theirs: Measure) -> Result:
    ratio = theirs.seconds / ours.seconds
    return Result(ours, theirs, ratio, ratio >= row.bound, f"{ratio:.1f}× faster")


@cache
def _tree(scratch: Path, shape: str, size: int) -> Path:
    """A tree of this size, made once."""
    make = {"plain": trees.plain, "overlay": trees.overlay, "definitions": trees.definitions}[shape]
    return make(scratch / f"{shape}-{size}", size)


def start(row: Row, bench: Bench, runs: int) -> Result:
    """One object: how long until anything is there."""
    folder = _tree(bench.scratch, "plain", 1)
    bench.refuse_difference(folder)
    ours, theirs = interleaved(4 * runs, lambda: bench.cold(folder), lambda: bench.theirs(folder))
    ratio = ours.seconds / theirs.seconds
    return Result(ours, theirs, ratio, ratio <= row.bound, f"{ratio:.1f}× its time")


def cold(row: Row, bench: Bench, runs: int) -> Result:
    """A build in a new process with an empty cache."""
    folder = _tree(bench.scratch, row.name.split("-")[0], row.size)
    if row.size < MANY or row.name.startswith("definitions"):
        bench.refuse_difference(folder)
    return _faster(row, *interleaved(runs, lambda: bench.cold(folder), lambda: bench.theirs(folder)))


def linear(row: Row, bench: Bench, runs: int) -> Result:
    """Time per object beside our own at `COMPARED` objects: the whole, and what is left without the start of the
    process, which weighs more on few objects."""
    shape = row.name.split("-")[0]
    one, small, large = (_tree(bench.scratch, shape, size) for size in (1, COMPARED, row.size))
    start, few, many = interleaved(runs, lambda: bench.cold(one), lambda: bench.cold(small), lambda: bench.cold(large))
    whole = (many.seconds / row.size) / (few.seconds / COMPARED)
    beyond = ((many.seconds - start.seconds) / row.size) / ((few.seconds - start.seconds) / COMPARED)
    ratio = max(whole, beyond)
    return Result(many, None, ratio, ratio <= row.bound, f"{whole:.2f}×, less start {beyond:.2f}×")


def memory(row: Row, bench: Bench, runs: int) -> Result:
    """The peak of a cold overlay build."""
    folder = _tree(bench.scratch, "overlay", row.size)
    (ours,) = interleaved(runs, lambda: bench.cold(folder))
    return Result(ours, None, ours.megabytes, ours.megabytes <= row.bound, f"{ours.megabytes:.0f} MB")


def warm(row: Row, bench: Bench, runs: int) -> Result:
    """The same build again in a new process, nothing changed. Kustomize keeps nothing: to it this is as cold."""
    folder, kept = _tree(bench.scratch, "overlay", row.size), bench.scratch / f"kept-{row.size}"
    bench.ours(folder, kept)
    return _faster(row, *interleaved(runs, lambda: bench.ours(folder, kept), lambda: bench.theirs(folder)))


def catalog(row: Row, bench: Bench, runs: int) -> Result:
    """All builds of a catalog in one process of ours, against a process of kustomize's for each."""
    if not CATALOG.is_dir():
        raise NotHere("the recorded catalog is not beside this repository")
    builds = [json.loads(line)["dir"] for line in (CATALOG / "builds.jsonl").read_text().splitlines()]
    command = [sys.executable, "-m", "benchmarks.catalog", str(CATALOG / "tree"), *builds]

    def theirs() -> Measure:
        measures = [bench.theirs(CATALOG / "tree" / folder) for folder in builds]
        return Measure(
            math.fsum(measure.seconds for measure in measures),
            math.fsum(measure.processor for measure in measures),
            max(measure.megabytes for measure in measures),
        )

    return _faster(row, *interleaved(runs, lambda: run(command), theirs))


def fleet(row: Row, bench: Bench, runs: int) -> Result:
    """The next commit of a fleet for one site, in a warm process."""
    shape = [str(row.size), "100" if row.size == 100 else "10", str(max(runs, 3))]
    command = [sys.executable, "-m", "benchmarks.fleet", str(bench.scratch / row.name), *shape]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    which, share = ("shared", found["sharing"]) if row.name.startswith("base") else ("one", 1)
    spent = found[which] / share
    ours = Measure(found[which] / 1000, found[f"{which} processor"] / 1000, found["megabytes"])
    reads = f"{found[which]:.0f} ms" + (f" for {share} applications" if share > 1 else "")
    return Result(ours, None, spent, spent <= row.bound, reads)


def save(row: Row, bench: Bench, runs: int) -> Result:
    """How long after a save `render --watch` has shown its difference."""
    taken = watch.measure(bench.scratch / row.name, row.size, 3 * runs)
    milliseconds = statistics.median(taken) * 1000
    reads = f"{milliseconds:.0f} ms, worst {max(taken) * 1000:.0f} ms"
    return Result(Measure(statistics.median(taken), 0, 0), None, milliseconds, milliseconds <= row.bound, reads)


ROWS: tuple[Row, ...] = (
    Row("start", "≤ 6× its time", start, 6, 1),
    Row("plain-100", "1× faster", cold, 1, 100),
    Row("overlay-100", "2× faster", cold, 2, 100),
    Row("plain-1000", "5× faster", cold, 5, 1000),
    Row("overlay-1000", "12× faster", cold, 12, 1000),
    Row("plain-3000", "15× faster", cold, 15, 3000),
    Row("overlay-3000", "45× faster", cold, 45, 3000),
    Row("plain-10000", "≤ 1.3× per object", linear, 1.3, 10_000),
    Row("overlay-10000", "≤ 1.3× per object", linear, 1.3, 10_000),
    Row("plain-30000", "≤ 1.3× per object", linear, 1.3, 30_000),
    Row("overlay-30000", "≤ 1.3× per object", linear, 1.3, 30_000),
    Row("memory-10000", "≤ 300 MB", memory, 300, 10_000),
    Row("definitions-2MB", "5× faster", cold, 5, 2_200_000),
    Row("catalog", "8× faster", catalog, 8),
    Row("warm-1000", "40× faster", warm, 40, 1000),
    Row("warm-3000", "150× faster", warm, 150, 3000),
    Row("change-100", "≤ 50 ms", fleet, 50, 100),
    Row("base-100", "≤ 50 ms each", fleet, 50, 100),
    Row("watch-1000", "≤ 100 ms", save, 100, 1000),
)
"""In the order of the table. A row's name begins with the shape of its tree."""
