"""`siteshift diff --site b`: what would change at a site, object by object and field by field, by its own dry run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  siteshift diff --site b
  siteshift diff --site b --app ledger --rev origin/main
  siteshift diff --site b -o name

The roles are those of the placements. Fields that moves own are left out: no apply writes them.
Exit code 0: the same; 1: differs; 2: an error.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli.options import add

    add(parser, "fleet", "site", "app", "rev", "kubeconfig", "context")
    parser.add_argument("-o", "--output", choices=("text", "name", "json"), default="text", help="how to print")


def run(arguments: argparse.Namespace) -> int:
    """Compare and print; 1 if anything differs."""
    from reconciler.cli.chosen import chosen_units
    from reconciler.cli.connecting import connect
    from reconciler.cli.where import fleet_tree
    from reconciler.controller.previewing import preview
    from reconciler.diff import Verdict, format_changes, summary

    tree = fleet_tree(arguments)
    fleet, units = chosen_units(arguments, tree)
    changes = preview(connect(arguments, fleet), tree, units)
    different = [(place, change) for place, change in changes if change.verdict is not Verdict.UNCHANGED]
    if arguments.output == "name":
        for _, change in different:
            print(f"{change.verdict.value} {change.ref}")
    elif arguments.output == "json":
        import json
        from dataclasses import asdict

        print(json.dumps([{"place": place, **asdict(change)} for place, change in different], indent=2, default=_plain))
    else:
        for line in format_changes(different):
            print(line)
        print(summary(change for _, change in changes))
    return 1 if different else 0


def _plain(value: object) -> object:
    return getattr(value, "value", str(value))
