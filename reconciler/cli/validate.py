"""`siteshift validate`: everything that is wrong with a fleet, at once, before anybody merges it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from reconciler.fleet.model import Fleet
    from reconciler.fleet.validation import Report
    from reconciler.git.epochs import Comparison
    from render.errors import InputError
    from render.tree import Tree

EXAMPLES = """\
  siteshift validate
  siteshift validate --fleet fleets/bank -o json
  siteshift validate --rev origin/main
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import output
    from reconciler.cli.options import add

    add(parser, "fleet", "rev", "color")
    output.add(parser)


def run(arguments: argparse.Namespace) -> int:
    """Validate, print what was found, and say by the exit code whether there were errors."""
    from reconciler.cli import output
    from reconciler.cli.where import fleet_folder, fleet_tree
    from reconciler.fleet.validation import validate

    tree = fleet_tree(arguments)
    report = validate(tree)
    epochs = _epochs(arguments, report.fleet, tree)
    errors = sorted(
        [*report.errors, *epochs.errors, *_kept_claims(report, epochs, tree)], key=lambda error: error.sort_key
    )
    where = os.path.relpath(fleet_folder(arguments))
    for error in (*errors, *report.warnings):
        if error.path is not None and where != ".":
            error.path = f"{where}/{error.path}"
    if arguments.output in ("json", "yaml"):
        sys.stdout.write(output.data(_as_json(report, epochs, errors), arguments.output))
    elif arguments.output == "name":
        for error in errors:
            print(_place(error))
    else:
        sources = tree if arguments.output == "wide" else None
        _print(report, epochs, errors, Printing(arguments.color, sources, "" if where == "." else f"{where}/"))
    return 1 if errors else 0


def _epochs(arguments: argparse.Namespace, fleet: Fleet | None, tree: Tree) -> Comparison:
    from reconciler.cli.where import fleet_folder
    from reconciler.errors import SourceError
    from reconciler.git.epochs import Comparison, compare
    from reconciler.git.working import WorkingCopy

    if fleet is None:
        return Comparison(left_out="the fleet cannot be loaded")
    try:
        working = WorkingCopy(fleet_folder(arguments))
    except SourceError as error:
        return Comparison(left_out=str(error))
    return compare(working, fleet, tree, arguments.rev)


def _kept_claims(report: Report, epochs: Comparison, tree: Tree) -> Sequence[InputError]:
    from reconciler.fleet.transition import check_claims_kept

    return () if report.fleet is None else check_claims_kept(epochs.before, report.fleet, report.claims, tree)


class Printing(NamedTuple):
    """How findings are shown: colour, and the files whose lines stand below them, which lie below `prefix` here."""

    color: str
    sources: Tree | None
    prefix: str

    def show(self, finding: str, error: InputError) -> None:
        """Print one finding."""
        from reconciler.cli import colour

        print(colour.report(finding, self.color), file=sys.stderr)
        line = self._line(error)
        if line is not None:
            print(f"  {error.line:>4} | {line}", file=sys.stderr)

    def _line(self, error: InputError) -> str | None:
        from render.errors import TreeError

        if self.sources is None or error.path is None or error.line is None:
            return None
        try:
            data = self.sources.read(error.path.removeprefix(self.prefix))
        except TreeError:
            return None
        lines = data.decode(errors="replace").splitlines()
        return lines[error.line - 1] if error.line <= len(lines) else None


def _place(error: InputError) -> str:
    """`path:line:column`, as far as they are known."""
    return ":".join(str(part) for part in (error.path, error.line, error.column) if part is not None)


def _print(report: Report, epochs: Comparison, errors: Sequence[InputError], printing: Printing) -> None:
    for error in errors:
        printing.show(str(error), error)
    for warning in report.warnings:
        printing.show(str(warning).replace(": error: ", ": warning: ", 1), warning)
    if epochs.left_out is not None:
        print(f"epochs were not compared: {epochs.left_out}", file=sys.stderr)
    if errors:
        print(_counted(len(errors), "error"), file=sys.stderr)
    elif report.fleet is not None:
        fleet = report.fleet
        against = f", epochs compared with {epochs.against}" if epochs.against else ""
        counts = (
            _counted(len(found), word) for found, word in ((fleet.sites, "site"), (fleet.applications, "application"))
        )
        print(f"fleet {fleet.name} is valid: {', '.join(counts)}, {_counted(report.objects, 'object')}{against}")


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _as_json(report: Report, epochs: Comparison, errors: Sequence[InputError]) -> dict[str, object]:
    def entries(found: Sequence[InputError]) -> list[dict[str, object]]:
        fields = ("path", "line", "column", "message", "hint")
        return [{field: getattr(error, field) for field in fields} for error in found]

    return {
        "fleet": None if report.fleet is None else report.fleet.name,
        "valid": not errors,
        "errors": entries(errors),
        "warnings": entries(report.warnings),
        "epochs": {"comparedWith": epochs.against, "leftOut": epochs.left_out},
    }
