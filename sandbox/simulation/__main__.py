"""`python -m sandbox.simulation`: one site's simulated controllers, until a signal ends them."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from reconciler.cluster.client import Cluster
from reconciler.errors import SiteshiftError, UsageError
from sandbox.simulation.program import GROUPS, Simulation

READY = "ready"
"""The line on standard output that says that the controllers run."""


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; 1 if the simulation could not start or broke, 2 for a wrong command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.simulation", description=__doc__)
    parser.add_argument("--kubeconfig", required=True, help="of the site's API server")
    parser.add_argument("--context", help="the kubeconfig's context; default: its current one")
    parser.add_argument("--site", required=True, help="the site's name")
    parser.add_argument(
        "--array", required=True, type=Path, help="folder of the site's storage array; kept over restarts"
    )
    parser.add_argument(
        "--peer", action="append", default=[], metavar="SITE=DIR", help="another site's array folder; repeatable"
    )
    parser.add_argument("--settings", type=Path, help="JSON file of latencies and faults, read again when it changes")
    parser.add_argument("--only", help=f"comma-separated groups to simulate, of {', '.join(GROUPS)}; default: all")
    options = parser.parse_args(arguments)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        cluster = Cluster.connect(options.kubeconfig, options.context, pool=8)
        groups = options.only.split(",") if options.only else GROUPS
        simulation = Simulation(
            cluster,
            options.site,
            options.array,
            peers=parse_peers(options.peer),
            groups=groups,
            settings=options.settings,
        )
        simulation.start()
    except SiteshiftError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    print(READY, flush=True)
    while not ended.wait(1.0):
        if simulation.thread_failed():
            print("error: a part of the simulation has ended", file=sys.stderr)
            return 1
    simulation.stop()
    return 0


def parse_peers(given: list[str]) -> dict[str, Path]:
    """`SITE=DIR` arguments. Raises UsageError for any other shape."""
    peers = {}
    for text in given:
        site, equals, folder = text.partition("=")
        if not (site and equals and folder):
            raise UsageError(f"--peer {text}: write SITE=DIR")
        peers[site] = Path(folder)
    return peers


if __name__ == "__main__":
    sys.exit(main())
