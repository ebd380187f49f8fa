"""`siteshift diff --site b`: what would change at a site, object by object and field by field, by its own dry run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from reconciler.diff import Change

EXAMPLES = """\
  siteshift diff --site b
  siteshift diff --site b --app ledger --rev origin/main
  siteshift diff --site b -o name

The roles are those of the placements. Fields that moves own are left out: no apply writes them.
What the API server would refuse is shown with its reason.
Exit code 0: the same; 1: differs; 2: an error, or refused.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import output
    from reconciler.cli.options import add

    add(parser, "fleet", "site", "app", "rev", "kubeconfig", "context", "color")
    output.add(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare and print; 1 if anything differs."""
    from reconciler.cli import colour, output
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
    elif arguments.output in ("json", "yaml"):
        sys.stdout.write(output.data([_record(place, change) for place, change in different], arguments.output))
    else:
        for line in format_changes(different):
            print(colour.change(line, arguments.color))
        if arguments.output == "wide":
            for place, change in changes:
                if change.verdict is Verdict.UNCHANGED:
                    print(f"{place}  = {change.ref}")
        print(summary(change for _, change in changes))
    if any(change.refusal for _, change in different):
        return 2
    return 1 if different else 0


def _record(place: str, change: Change) -> dict[str, Any]:
    from dataclasses import asdict

    fields = [{name: _plain(value) for name, value in asdict(one).items()} for one in change.fields]
    return {
        "place": place,
        "ref": str(change.ref),
        "verdict": change.verdict.value,
        "fields": fields,
        "refusal": change.refusal,
    }


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    return value if isinstance(value, dict | list | str | int | float | None) else str(value)
