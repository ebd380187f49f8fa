"""`siteshift accept-rewind`: the commit by which people take a rewound branch as it is (hold `Frozen`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import SiteshiftError, UsageError

if TYPE_CHECKING:
    import argparse

    from reconciler.fleet.model import Application

EXAMPLES = """\
  siteshift accept-rewind ledger
  siteshift accept-rewind ledger payments --reason "INC-4711: the server was restored" --yes
  siteshift accept-rewind ledger --from 3f9c2d1a7b42

It reads from the sites' refs which commit each acted on last, names them all, and gives the placement an epoch above
everything that any site said. --from adds the commit of a site that acted on it and could not say so any more.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import committing
    from reconciler.cli.options import add

    committing.register(parser)
    add(parser, "state", "git-credentials")
    parser.add_argument(
        "--from", dest="marks", action="append", default=[], metavar="COMMIT", help="one more commit acted on last"
    )
    parser.add_argument("--reason", metavar="TEXT", help="why the branch was rewound")


def run(arguments: argparse.Namespace) -> int:
    """Read the refs, plan the epochs, show them, ask, commit and push."""
    from reconciler.cli import committing
    from reconciler.cli.said import said
    from reconciler.fleet.moving import named
    from reconciler.fleet.restating import accept_rewind

    _check(arguments.marks)
    working, tree, fleet = committing.opened(arguments)
    words = said(arguments, working, fleet)
    files, lines, notes = {}, [], []
    for name in dict.fromkeys(arguments.apps):
        application = named(fleet, name)
        acks = words.acks(name)
        marks = [*(ack.commit for ack in acks.values() if ack.commit), *arguments.marks]
        if not marks:
            raise SiteshiftError(f"no site has said anything about {name}: there is nothing that it could have lost")
        promoted = [ack.promotion.epoch for ack in acks.values() if ack.promotion]
        highest = max([ack.epoch for ack in acks.values()] + promoted, default=0)
        fields = accept_rewind(application, working.head, marks, highest, arguments.reason)
        files[application.placement.path] = fields
        lines.append(f"{name}: epoch {fields['epoch']} at {application.placement.active}")
        notes += [f"{site}: {name}: {ack.state.value} at epoch {ack.epoch}" for site, ack in acks.items()]
        notes.append(_note(application))
    reason = f"\nReason: {arguments.reason}\n" if arguments.reason else ""
    subject = f"Accept the branch as it is for {', '.join(dict.fromkeys(arguments.apps))}"
    message = f"{subject}\n\n" + "\n".join(lines) + f"\n{reason}"
    return committing.commit(arguments, working, tree, committing.Proposal(files, message, notes))


def _note(application: Application) -> str:
    placement = application.placement
    text = f"{application.name}: all sites go on from here; {placement.active} is to be active, by a planned move."
    if placement.move == "disaster":
        text += " What its disaster move asserted is void: if a site is down, commit that move again."
    return text


def _check(marks: list[str]) -> None:
    import re

    for mark in marks:
        if not re.fullmatch(r"[0-9a-f]{7,40}", mark):
            raise UsageError(f'--from is "{mark}", expected the id of a commit: 7 to 40 digits of 0-9 and a-f')
