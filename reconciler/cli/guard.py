"""`siteshift guard`: the process that renews permits, obeys leases and stops applications, beside the controller."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  siteshift guard --context dc-seoul
  siteshift guard --log-format json

It talks to the API of its own cluster and to nothing else. `siteshift run` starts one by itself; in a cluster at least
two run, on different nodes: all of them close gates and stop applications, one renews permits. Ctrl-C ends it; what
runs in the cluster goes on as long as its permits last.
"""

POOL = 1024
"""Connections at most: what is done for one application never waits for what is done for another."""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli.options import add

    add(parser, "site", "kubeconfig", "context", "log-format")


def run(arguments: argparse.Namespace) -> int:
    """Guard until SIGINT or SIGTERM."""
    import os
    import signal
    import socket
    import uuid

    from reconciler.clock import BootClock
    from reconciler.cluster.client import Cluster
    from reconciler.cluster.endpoint import from_kubeconfig
    from reconciler.failover.guard.program import Guard
    from reconciler.fleet.times import GUARD_TIMEOUT
    from reconciler.status.log import Log

    clock = BootClock()
    endpoint = from_kubeconfig(arguments.kubeconfig, arguments.context)
    cluster = Cluster(endpoint, pool=POOL, clock=clock, timeout=GUARD_TIMEOUT, tries=1)
    log = Log(arguments.site or "guard", arguments.log_format or ("text" if sys.stdout.isatty() else "json"))
    identity = f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    guard = Guard(cluster, identity, clock, log)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: guard.stop())
    guard.run()
    cluster.close()
    return 0
