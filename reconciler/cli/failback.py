"""`siteshift failback`: the commit that brings applications back to their home, planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  siteshift failback ledger
  siteshift failback ledger payments --yes
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import committing

    committing.register(parser)
    parser.add_argument("--reason", metavar="TEXT", help="why")


def run(arguments: argparse.Namespace) -> int:
    """Plan the moves, show them, ask, commit and push."""
    from reconciler.cli import moving

    return moving.run(arguments, None)
