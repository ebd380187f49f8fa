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

One controller runs at each site; a second one waits until the first has given up its Lease. Beside it runs a guard, a
process that renews permits and stops applications when their lease ends, also while the controller is stuck or dead;
with --guard beside you run `siteshift guard` yourself. Ctrl-C ends both at the next safe point: what runs in the
cluster goes on.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli.options import add

    add(parser, "site", "fleet-url", "branch", "kubeconfig", "context", "state", "git-credentials", "git-timeout")
    add(parser, "signing-key")
    add(parser, "log-format")
    parser.add_argument(
        "--guard", choices=("child", "beside"), default="child", help="start a guard, or rely on one (default: child)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM."""
    import signal

    for name in ("site", "fleet_url"):
        if getattr(arguments, name) is None:
            raise UsageError(f"--{name.replace('_', '-')} is needed; siteshift run --help shows how")
    from reconciler.cli.guarding import GuardProcess
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
    if arguments.guard == "beside":
        controller.run()
        return 0
    guard = GuardProcess(arguments.site, settings.state, _for_the_guard(arguments))
    guard.start()
    try:
        controller.run()
    finally:
        guard.stop()
    return 0


def _for_the_guard(arguments: argparse.Namespace) -> list[str]:
    """The options that the guard takes too."""
    given = {name: getattr(arguments, name.replace("-", "_")) for name in ("kubeconfig", "context", "log-format")}
    return [word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))]


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
        arguments.signing_key,
    )
