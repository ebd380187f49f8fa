"""`siteshift apply --site b`: one pass over a site, then the end. It never starts and never promotes anything."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  siteshift apply --site b --dry-run
  siteshift apply --site b --app ledger
  siteshift apply --site b --yes

What starts something (runStrategy, replicas, suspend) and what makes a copy primary is the controller's alone: objects
with such fields are created stopped, and left as they are where they exist. Nothing is pruned. An application's role is
the one that it has reached at the site, as its controller says; passive where none has run yet.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import asking
    from reconciler.cli.options import add

    add(parser, "fleet", "site", "app", "rev", "kubeconfig", "context", "color")
    asking.add(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show, ask, apply once; 0 if everything is as Git says afterwards."""
    from reconciler.cli import asking, colour
    from reconciler.cli.chosen import chosen, units_of
    from reconciler.cli.connecting import connect
    from reconciler.cli.where import fleet_tree
    from reconciler.controller.once import apply_once, effective_role
    from reconciler.controller.previewing import preview
    from reconciler.diff import Verdict, format_changes, summary

    asking.check(arguments)
    tree = fleet_tree(arguments)
    fleet, platform, applications = chosen(arguments, tree)
    cluster = connect(arguments, fleet)
    units = units_of(arguments, tree, platform, [(one, effective_role(cluster, one.name)) for one in applications])
    changes = [pair for pair in preview(cluster, tree, units) if pair[1].verdict is not Verdict.DELETED]
    for line in format_changes(changes):
        print(colour.change(line, arguments.color))
    print(summary(change for _, change in changes))
    if arguments.dry_run or not asking.agreed(f"Apply to site {arguments.site}?", arguments):
        return 0 if arguments.dry_run and not any(change.refusal for _, change in changes) else 1
    failed = 0
    for state in apply_once(cluster, tree, units):
        if state.error:
            failed += 1
            print(f"error: {state.ref}: {state.error}", file=sys.stderr)
    return 1 if failed else 0
