"""`siteshift run --site b`: the controller of one site, until it is told to stop."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from reconciler.controller.assemble import Settings

EXAMPLES = """\
  siteshift run --site a --fleet-url https://git.example.com/bank.git
  siteshift run --site a --fleet-url ssh://git@git.example.com/bank.git --context dc-seoul --log-format json

One controller runs at each site; a second one waits until the first has given up its Lease. Ctrl-C ends it at the next
safe point: what runs in the cluster goes on.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli.options import add

    add(parser, "site", "fleet-url", "branch", "kubeconfig", "context", "state", "git-credentials", "git-timeout")
    add(parser, "log-format")


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM."""
    import signal

    for name in ("site", "fleet_url"):
        if getattr(arguments, name) is None:
            raise UsageError(f"--{name.replace('_', '-')} is needed; siteshift run --help shows how")
    from reconciler.clock import SystemClock
    from reconciler.controller.assemble import assemble
    from reconciler.controller.loop import Controller
    from reconciler.status.log import Log

    log = Log(arguments.site, arguments.log_format or ("text" if sys.stdout.isatty() else "json"))
    settings = _settings(arguments)
    clock = SystemClock()
    controller = Controller(lambda: assemble(settings, log, clock), log, clock)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: controller.stop())
    controller.run()
    return 0


def state_folder(arguments: argparse.Namespace) -> Path:
    """`--state`, or the program's place in the user's cache folder."""
    from pathlib import Path

    from reconciler.cli.where import cache_folder

    return Path(arguments.state) if arguments.state else cache_folder()


def _settings(arguments: argparse.Namespace) -> Settings:
    from reconciler.cli.options import seconds
    from reconciler.controller.assemble import Settings

    return Settings(
        arguments.site,
        arguments.fleet_url,
        arguments.branch,
        state_folder(arguments),
        arguments.kubeconfig,
        arguments.context,
        arguments.git_credentials,
        seconds("git-timeout", arguments),
    )
