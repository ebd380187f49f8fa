"""`siteshift failback`: the commit that brings applications back to their home, planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  siteshift failback ledger
  siteshift failback ledger payments --yes --wait
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import committing, waiting
    from reconciler.cli.options import add

    committing.register(parser)
    add(parser, "kubeconfig", "state", "git-credentials")
    waiting.register(parser)
    parser.add_argument("--reason", metavar="TEXT", help="why")


def run(arguments: argparse.Namespace) -> int:
    """Plan the moves, show them, ask, commit and push."""
    from reconciler.cli import moving

    return moving.run(arguments, None)
