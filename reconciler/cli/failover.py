"""`siteshift failover`: the commit that moves applications to another site, planned or after a disaster."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  siteshift failover ledger --to b
  siteshift failover ledger payments --to b --reason "maintenance of a" --yes --wait
  siteshift failover ledger --to b --dry-run
  siteshift failover ledger --to b --disaster --declare-down a --allow-data-loss 10m --reason "INC-4711 fire"
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import committing, moving, waiting
    from reconciler.cli.options import add

    committing.register(parser)
    add(parser, "kubeconfig", "state", "git-credentials")
    waiting.register(parser)
    parser.add_argument("--to", required=True, metavar="SITE", help="the site that is to run them")
    moving.register(parser)


def run(arguments: argparse.Namespace) -> int:
    """Plan the moves, show them, ask, commit and push."""
    from reconciler.cli import moving

    return moving.run(arguments, arguments.to)
