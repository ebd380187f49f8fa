"""`make simulate SEEDS=1000000`: tell the stories of many seeds on all cores, and print the shortest failing history.

It goes on where it stopped: what was told of the same sources lies in build/simulated.json. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from simulation.stories import draw, ending, shortened

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / "build" / "simulated.json"
SAVED = 5.0
"""Seconds between two savings."""

WIDTH = 40
"""Characters of the progress bar."""


@dataclass
class Progress:
    """How far the seeds of one state of the sources were told: all below `done`, and which of them failed."""

    sources: str
    done: int = 0
    failed: list[int] = field(default_factory=list)


def sources() -> str:
    """The product and the simulation, as one digest: seeds that were told of others say nothing about these."""
    digest = hashlib.sha256()
    for folder in ("reconciler", "render", "tests/simulation"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def load() -> Progress:
    """What was told before; nothing where the sources are others."""
    fresh = Progress(sources())
    if STATE.exists():
        known = Progress(**json.loads(STATE.read_text()))
        return known if known.sources == fresh.sources else fresh
    return fresh


def save(progress: Progress) -> None:
    """Write it down, whole or not at all."""
    STATE.parent.mkdir(exist_ok=True)
    part = STATE.with_suffix(".part")
    part.write_text(json.dumps(vars(progress)))
    part.replace(STATE)


def shown(progress: Progress, last: int, began: float, first: int) -> str:
    """The progress bar."""
    part = progress.done / last
    bar = ("#" * round(WIDTH * part)).ljust(WIDTH)
    rate = (progress.done - first) / max(0.001, time.monotonic() - began)
    left = (last - progress.done) / rate if rate else 0.0
    failed = f"{len(progress.failed)} failed"
    return f"\r[{bar}] {progress.done}/{last} seeds, {failed}, {rate:.1f}/s, {left / 60:.0f} min left "


def told(seeds: range, workers: int) -> Iterator[tuple[int, str]]:
    """Every seed's end, in their order."""
    with multiprocessing.get_context("spawn").Pool(workers, maxtasksperchild=200) as pool:
        yield from pool.imap(ending, seeds, chunksize=4)


def main() -> int:
    """Tell them; 1 where one fails."""
    parser = argparse.ArgumentParser(prog="make simulate", description="Tell the stories of many seeds.")
    parser.add_argument("seeds", type=int, help="tell all seeds below this one")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    progress = load()
    first, began, saved = progress.done, time.monotonic(), time.monotonic()
    try:
        for seed, found in told(range(first, arguments.seeds), arguments.workers):
            progress.done = seed + 1
            if found:
                progress.failed.append(seed)
                print(f"\r{' ' * 100}\rseed {seed}: {found.splitlines()[0]}", flush=True)
            if sys.stderr.isatty() or found or time.monotonic() - saved > SAVED:
                print(shown(progress, arguments.seeds, began, first), end="", file=sys.stderr, flush=True)
            if time.monotonic() - saved > SAVED:
                saved = time.monotonic()
                save(progress)
    except KeyboardInterrupt:
        print("\nstopped: the next `make simulate` goes on from here", file=sys.stderr)
        save(progress)
        return 130
    save(progress)
    print(file=sys.stderr)
    return report(progress)


def report(progress: Progress) -> int:
    """The shortest failing history of all."""
    if not progress.failed:
        print(f"{progress.done} seeds: every invariant held, and every story came to rest")
        return 0
    shortest, found = min(
        (shortened(draw(str(seed))) for seed in progress.failed), key=lambda each: len(each[0].actions)
    )
    print(f"{len(progress.failed)} of {progress.done} seeds failed; the shortest history, of seed {shortest.seed}:")
    print(*shortest.actions, found, sep="\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
