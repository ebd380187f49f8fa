"""Processes with a clock and a scale: wall time, processor time and peak memory of each."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Failed(Exception):
    """A measured program did not succeed; its figures would mean nothing."""


class Measure(NamedTuple):
    """One process: seconds on the wall, seconds of processor time, peak resident megabytes.

    The system counts what the child still shared with its parent before it became itself, so a peak is never below the
    parent's own (some 20 MB).
    """

    seconds: float
    processor: float
    megabytes: float


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    output: Path | None = None,
    quiet: bool = False,
) -> Measure:
    """Run a program to its end; what it prints goes to `output`, or nowhere. `quiet` drops what it warns of. Raises
    `Failed`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [(os.POSIX_SPAWN_OPEN, 1, str(output or os.devnull), flags, 0o600)]
    if quiet:
        actions.append((os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0))
    started = time.perf_counter()
    child = os.posix_spawn(command[0], list(command), {**os.environ, **(environment or {})}, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - started
    if code := os.waitstatus_to_exitcode(status):
        raise Failed(f"{' '.join(command)} ended with {code}")
    return Measure(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(measures: Sequence[Measure]) -> Measure:
    """The median of each figure."""
    return Measure(*(statistics.median(figures) for figures in zip(*measures, strict=True)))


def interleaved(times: int, *programs: Callable[[], Measure]) -> list[Measure]:
    """The median of each program, run in turns, so that what else the machine does falls on all of them."""
    rounds = [[program() for program in programs] for _ in range(times)]
    return [median(measures) for measures in zip(*rounds, strict=True)]
