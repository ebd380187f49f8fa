"""`python -m benchmarks.guard`: how long the guard needs from the end of a lease, or from a stop order, to a closed
gate and stopped objects, against the bound that `validate` counts on (T_guard).

One hundred applications, one with a damaged record, at an embedded API server that takes so long for every answer to
the guard. There is no Git server, no mirror, no render and no platform: the guard has no connection to any of them, so
their hanging cannot be part of its time.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.guarded_site import Site
from reconciler.failover.protocol.values import Step, StopOrder
from reconciler.fleet.model import Fleet, Lease
from reconciler.fleet.times import guard_time
from sandbox.apiserver import ApiServer
from sandbox.apiserver.faults import Fault

APPLICATIONS = 100
LEASE = Lease(20.0, 600.0)
PERMIT = 12.0
HEAD = ("what", "answer s", "objects", "measured s", "bound s", "holds")


class Case(NamedTuple):
    """`answer`: seconds that the API server takes for each; `objects` of the application that is stopped."""

    what: str
    answer: float
    objects: int


CASES = tuple(
    Case(what, answer, objects) for answer in (0.0, 2.0) for what in ("lease", "stop order") for objects in (4, 64)
)


def main(words: Sequence[str] | None = None) -> int:
    """Measure each case; 1 if a bound does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__)
    parser.add_argument("--applications", type=int, default=APPLICATIONS, metavar="N", help="how many there are")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="of each case the longest of so many")
    arguments = parser.parse_args(words)
    print(f"{arguments.applications} applications, one damaged, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    print(_line(HEAD))
    missed = 0
    for case in CASES:
        measured = max(measure(case, arguments.applications) for _ in range(arguments.runs))
        bound = bound_of(case)
        missed += measured > bound
        cells = (case.what, f"{case.answer:.1f}", str(case.objects), f"{measured:.1f}", f"{bound:.1f}")
        print(_line((*cells, "yes" if measured <= bound else "NO")), flush=True)
    return 1 if missed else 0


def bound_of(case: Case) -> float:
    """What `validate` counts on where an answer takes so long; half a second for one that takes none."""
    fleet = Fleet("bank", "symmetric", (), (), (), request_timeout=max(case.answer, 0.5))
    return guard_time(fleet, case.objects)


def measure(case: Case, applications: int) -> float:
    """Seconds from the lease's end, or the order, to closed and stopped."""
    with tempfile.TemporaryDirectory(prefix="siteshift-guard-") as folder, ApiServer() as server:
        site = Site(server, Path(folder), PERMIT)
        for number in range(applications - 1):
            site.application(f"app-{number}")
        site.edit("app-0", **{"journal.json": "{ edited by hand"})
        site.accept()
        ends = time.time() + LEASE.time
        site.application("measured", LEASE if case.what == "lease" else None, case.objects)
        with site.guard():
            _until(lambda: site.counter() > 0)
            server.faults.add(Fault(user="controller", delay=case.answer))
            if case.what == "lease":
                ends = time.time() + LEASE.time
                site.accept()
            else:
                time.sleep(2 * case.answer)
                ends = time.time()
                site.enter("measured", step=Step.ACTIVE, stop_orders=(StopOrder("c2", 2, "b"),))
            _until(lambda: site.is_stopped("measured"))
            return time.time() - ends


def _until(ask: Callable[[], bool], patience: float = 300.0) -> None:
    end = time.monotonic() + patience
    while not ask():
        if time.monotonic() > end:
            raise TimeoutError("the guard did not do it")
        time.sleep(0.02)


def _line(cells: Sequence[str]) -> str:
    first, *numbers = cells
    return f"{first:<12} " + " ".join(f"{cell:>10}" for cell in numbers)


if __name__ == "__main__":
    sys.exit(main())
