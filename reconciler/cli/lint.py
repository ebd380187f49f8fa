"""`siteshift lint`: what is deprecated in kustomizations, or will not do what it seems to."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from render.linting import Finding
    from render.tree import Tree

EXAMPLES = """\
  siteshift lint
  siteshift lint apps/ledger/sites/b
  siteshift lint --enable-helm overlays/prod
  siteshift lint --fleet fleets/bank -o json

Without DIR a whole fleet is linted: every unit of every site in every role. DIR is one kustomization, or a folder with
several below it. Exit code 0: nothing was found, 1: something was.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import output
    from reconciler.cli.build import register_helm
    from reconciler.cli.options import add

    parser.add_argument("dir", metavar="DIR", nargs="?", help="a folder with kustomizations (default: the whole fleet)")
    add(parser, "fleet", "rev", "color")
    register_helm(parser)
    output.add(parser)


def run(arguments: argparse.Namespace) -> int:
    """Lint, print what was found, and say by the exit code whether there was anything."""
    found = _of_fleet(arguments) if arguments.dir is None else _of_folder(arguments)
    if arguments.output in ("json", "yaml"):
        from reconciler.cli import output

        sys.stdout.write(output.data([finding._asdict() for finding in found], arguments.output))
    elif arguments.output == "name":
        for path in dict.fromkeys(finding.path for finding in found):
            print(path)
    else:
        for finding in found:
            print(finding)
        print(f"{len(found) or 'no'} finding{'' if len(found) == 1 else 's'}", file=sys.stderr)
    return 1 if found else 0


def _of_folder(arguments: argparse.Namespace) -> Sequence[Finding]:
    from reconciler.cli.build import helm_of, with_bases
    from reconciler.cli.places import place
    from render.kustomization.model import Options
    from render.linting import lint
    from render.tree import FolderTree

    if arguments.rev is not None:
        raise UsageError("--rev is about a fleet: leave DIR away")
    if not os.path.isdir(arguments.dir):
        raise UsageError(f"{arguments.dir}: there is no such folder")
    tree = with_bases(FolderTree("/"))
    folders = list(kustomizations(tree, os.path.realpath(arguments.dir).strip("/")))
    if not folders:
        raise UsageError(f"{arguments.dir}: there is no kustomization in it or below it")
    options = Options(enable_helm=arguments.enable_helm)
    helm = helm_of(arguments) if arguments.enable_helm else None
    found = lint([(tree, folder) for folder in folders], options, helm=helm)
    return [finding._replace(path=place(finding.path)) for finding in found]


def kustomizations(tree: Tree, folder: str) -> Iterator[str]:
    """The folder if it is a kustomization, else all that lie below it and can be built by themselves."""
    from render import yaml
    from render.kustomization.layer import FILE_NAMES
    from render.tree.seam import below

    names = [name for name in FILE_NAMES if tree.kind(below(folder, name)) == "file"]
    if names:
        path = below(folder, names[0])
        document = yaml.parse_kustomization(tree.read(path), path)
        if not isinstance(document, dict) or document.get("kind") != "Component":
            yield folder
        return
    for name in tree.list(folder):
        if not name.startswith(".") and tree.kind(below(folder, name)) == "folder":
            yield from kustomizations(tree, below(folder, name))


def _of_fleet(arguments: argparse.Namespace) -> Sequence[Finding]:
    if arguments.enable_helm:
        raise UsageError("--enable-helm is about a folder: the units of a fleet have no charts")
    from reconciler.cli.where import fleet_folder, fleet_tree
    from reconciler.fleet.load import load
    from reconciler.fleet.units import every_unit
    from render.linting import lint
    from render.site import FLEET, joined

    tree = fleet_tree(arguments)
    units = every_unit(tree, load(tree))
    found = lint([(joined(tree, unit), "") for unit in units], run_levels=True)
    where = os.path.relpath(fleet_folder(arguments))
    own = [finding for finding in found if finding.path.startswith(f"{FLEET}/")]
    return [finding._replace(path=os.path.normpath(f"{where}/{finding.path[len(FLEET) + 1 :]}")) for finding in own]
