"""`siteshift allow-discard`: the commit that lets a returning site's copy be overwritten (hold `NeedsDiscard`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  siteshift allow-discard ledger --site a
  siteshift allow-discard ledger payments --site a --reason "INC-4711" --yes

The site's last writes, which the active site does not have, are lost. Look first whether you need any of them.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import committing

    committing.register(parser)
    parser.add_argument(
        "--site", action="append", required=True, metavar="SITE", help="whose copy may be overwritten; may be repeated"
    )
    parser.add_argument("--reason", metavar="TEXT", help="why")


def run(arguments: argparse.Namespace) -> int:
    """Plan the epochs, show them, ask, commit and push."""
    from reconciler.cli import restating
    from reconciler.fleet.restating import allow_discard

    where = ", ".join(arguments.site)
    return restating.run(
        arguments,
        f"Let the copy of {{}} at {where} be overwritten",
        lambda application: allow_discard(application, arguments.site),
        lambda application: (
            f"{application.name}: what {where} wrote and {application.placement.active} never got is lost."
        ),
    )
