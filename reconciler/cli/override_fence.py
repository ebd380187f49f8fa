"""`siteshift override-fence`: the commit by which people answer for it that a site is dark (hold `NotFenced`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  siteshift override-fence ledger --reason "INC-4711: power is cut in hall 3, seen by the night shift"

It is for a disaster move that waits because nothing proves that a site has stopped. If that site still runs, two sites
write at once.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import committing

    committing.register(parser)
    parser.add_argument("--reason", required=True, metavar="TEXT", help="how you know that the sites are dark")


def run(arguments: argparse.Namespace) -> int:
    """Plan the epochs, show them, ask, commit and push."""
    from reconciler.cli import restating
    from reconciler.fleet.restating import override_fence

    return restating.run(
        arguments,
        "Override the fence of {}",
        lambda application: override_fence(application, arguments.reason),
        lambda application: (
            f"{application.name}: {application.placement.active} no longer waits until"
            f" {', '.join(application.placement.declared_down)} has stopped. If it runs, two sites write at once."
        ),
    )
