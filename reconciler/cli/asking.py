"""Before something shared is changed: show, then ask. Nobody there to ask, and no `--yes`, is an error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """The two options of every command that changes something shared."""
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done and stop")


def check(arguments: argparse.Namespace) -> None:
    """Refuse early what would have to ask and cannot. Raises `UsageError`."""
    if not arguments.yes and not arguments.dry_run and not sys.stdin.isatty():
        raise UsageError("this asks before it changes anything, and nobody is there\n  hint: --yes or --dry-run")


def agreed(question: str, arguments: argparse.Namespace) -> bool:
    """Whether to go on. A bare Enter means no."""
    if arguments.yes:
        return True
    sys.stdout.flush()
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
    except KeyboardInterrupt:
        print()
        raise KeyboardInterrupt("interrupted: nothing was changed") from None
