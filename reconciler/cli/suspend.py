"""`siteshift suspend`: the commit that makes every site leave applications as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  siteshift suspend ledger
  siteshift suspend ledger payments --reason "INC-4711" --yes
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import committing

    committing.register(parser)
    parser.add_argument("--reason", metavar="TEXT", help="why")


def run(arguments: argparse.Namespace) -> int:
    """Set the field, show it, ask, commit and push."""
    from reconciler.cli import suspending

    return suspending.run(arguments, suspend=True)
