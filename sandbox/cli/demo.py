"""`siteshift demo`: two sites on this machine that survive a planned move, a disaster, a return and a failback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  siteshift demo
  siteshift demo --color never
  siteshift demo --dir /var/tmp/demo      keep the sites' state, the fleet repository and all logs there
  siteshift demo > demo.txt               the time line alone, as plain lines

The exit code is 0 only if every step was observed on the sites' APIs, by a checker that shares no code with the
controller. Nothing is left running, also when it is interrupted.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli.options import add

    parser.add_argument(
        "--dir", metavar="DIR", help="new or empty folder to work in and to keep (default: a temporary)"
    )
    add(parser, "color")


def run(arguments: argparse.Namespace) -> int:
    """Play the story and say by the exit code whether all of it was observed."""
    from pathlib import Path

    from reconciler.errors import UsageError
    from sandbox.demo.play import play

    folder = None
    if arguments.dir is not None:
        folder = Path(arguments.dir).resolve()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"--dir {arguments.dir}: expected a folder that is new or empty")
        folder.mkdir(parents=True, exist_ok=True)
    return 0 if play(folder, arguments.color) else 1
