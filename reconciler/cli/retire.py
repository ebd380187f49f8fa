"""`siteshift retire`: the commit that takes a site out of applications (hold `SiteSilent` of one that never spoke)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  siteshift retire ledger --site c
  siteshift retire ledger payments --site c --reason "dc-jeju is given up" --yes

Moves go on asking the site until it has said that it gave the application up, or was declared down. What it has of the
application stays there: nothing is deleted.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import committing

    committing.register(parser)
    parser.add_argument("--site", required=True, metavar="SITE", help="the site to take out")
    parser.add_argument("--reason", metavar="TEXT", help="why")


def run(arguments: argparse.Namespace) -> int:
    """Show the commit, ask, commit and push."""
    from reconciler.cli import committing
    from reconciler.fleet.moving import named
    from reconciler.fleet.restating import retired

    working, tree, fleet = committing.opened(arguments)
    files, changed = {}, []
    for name in dict.fromkeys(arguments.apps):
        application = named(fleet, name)
        fields = retired(application, arguments.site)
        if fields is None:
            print(f"{name} is not at site {arguments.site}: its sites are {', '.join(application.sites)}")
            continue
        changed.append(name)
        files[f"{application.folder}/application.yaml"] = fields
    if not changed:
        return 0
    reason = f"\nReason: {arguments.reason}\n" if arguments.reason else ""
    message = f"Take site {arguments.site} out of {', '.join(changed)}\n{reason}"
    notes = [
        f"{name}: {arguments.site} is not moved to any more; what it has stays there, and is stopped if it runs."
        for name in changed
    ]
    return committing.commit(arguments, working, tree, committing.Proposal(files, message, notes))
