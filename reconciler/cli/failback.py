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
    from reconciler.cli import committing, moving
    from reconciler.fleet.moving import named, plan_move

    working, tree, fleet = committing.opened(arguments)
    applications = [named(fleet, name) for name in dict.fromkeys(arguments.apps)]
    moves = [plan_move(application, application.home, None, arguments.reason) for application in applications]
    return committing.commit(arguments, working, tree, moving.proposal(fleet, tree, moves))
