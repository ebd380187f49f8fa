"""`siteshift render --site b`: what a site would have once the placement is reached, on a laptop, without a cluster."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from render.site import SiteManifest, Unit
    from render.tree import Tree

EXAMPLES = """\
  siteshift render --site b
  siteshift render --site b --app ledger --rev HEAD~1
  siteshift render --site b -o wide | less
  siteshift render --site b --explain Deployment/web.spec.replicas
  siteshift render --site b --app ledger -o kustomization --to ledger-at-b && kustomize build ledger-at-b

Fields that moves own (runStrategy, replicas, suspend, replicationState) are printed as they will be once the placement
is reached; -o wide marks them.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options; the shared ones come from the table."""
    from reconciler.cli import output
    from reconciler.cli.options import add

    add(parser, "fleet", "site", "app", "rev")
    output.add(parser, "dir", "kustomization", default="yaml")
    parser.add_argument("--to", metavar="DIR", help="where `-o dir` and `-o kustomization` write; must not exist yet")
    parser.add_argument("--explain", metavar="KIND/NAME[.FIELD]", help="say what gave an object or a field its value")
    parser.add_argument("--watch", action="store_true", help="print the difference that each save makes")


def run(arguments: argparse.Namespace) -> int:
    """Render and print or write."""
    from reconciler.cli.chosen import chosen_units
    from reconciler.cli.where import fleet_tree

    if arguments.output in ("dir", "kustomization") and arguments.to is None:
        raise UsageError(f"-o {arguments.output} writes files: say where with --to DIR")
    if arguments.watch:
        return _watch(arguments)
    tree = fleet_tree(arguments)
    units = chosen_units(arguments, tree)[1]
    if arguments.explain is not None:
        from reconciler.cli.explaining import explained_units

        sys.stdout.write(explained_units(tree, units, arguments.explain))
        return 0
    if arguments.output == "kustomization":
        return _write_kustomization(tree, units, _free_folder(arguments.to))
    from render.site import render_unit

    rendered = {unit: render_unit(tree, unit) for unit in units}
    if arguments.output == "dir":
        return _write_files(rendered, _free_folder(arguments.to))
    sys.stdout.write(PRINTERS[arguments.output](rendered))
    return 0


def print_yaml(rendered: Mapping[Unit, Sequence[SiteManifest]]) -> str:
    """The objects as Kustomize prints them, unit by unit."""
    from render.yaml import dump

    return dump(item.manifest for items in rendered.values() for item in sorted(items, key=lambda item: item.position))


def print_json(rendered: Mapping[Unit, Sequence[SiteManifest]]) -> str:
    """One object a record, with what `-o yaml` leaves out."""
    import json

    records = [
        {
            "unit": unit.name,
            "runLevel": item.run_level,
            "component": item.component,
            "origin": {"path": item.origin.path, "document": item.origin.document},
            "object": item.manifest,
        }
        for unit, items in rendered.items()
        for item in items
    ]
    return json.dumps(records, indent=2, ensure_ascii=False) + "\n"


def print_wide(rendered: Mapping[Unit, Sequence[SiteManifest]]) -> str:
    """The objects in order of application, each under a line with its run level, component and origin."""
    from reconciler.objects import APPLICATION_LABEL
    from reconciler.starts.fields import owned_fields
    from render.yaml import dump

    documents = []
    for unit, items in rendered.items():
        for item in items:
            fields = owned_fields(item.manifest) if unit.label == APPLICATION_LABEL else ()
            owned = ", ".join(f"spec.{field.name}" for field in fields)
            mark = f"  (moves own {owned})" if owned else ""
            documents.append(
                f"# level {item.run_level}  component {item.component}  {item.origin.path}{mark}\n"
                + dump([item.manifest])
            )
    return "---\n".join(documents)


def print_name(rendered: Mapping[Unit, Sequence[SiteManifest]]) -> str:
    """The objects' kinds and names in order of application: `VirtualMachine ledger/postgres`."""
    from reconciler.objects import ref_of

    return "".join(f"{ref_of(item.manifest)}\n" for items in rendered.values() for item in items)


PRINTERS = {"yaml": print_yaml, "json": print_json, "wide": print_wide, "name": print_name}


def place_of(unit: Unit) -> str:
    """A unit's folder among those of others: a part of the platform and an application may have one name."""
    from reconciler.objects import APPLICATION_LABEL

    return f"{'applications' if unit.label == APPLICATION_LABEL else 'platform'}/{unit.name}"


def _free_folder(name: str) -> Path:
    from pathlib import Path

    folder = Path(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"--to {name}: there is something already; name a new or empty folder")
    return folder


def _write_kustomization(tree: Tree, units: Sequence[Unit], folder: Path) -> int:
    """Write what stock Kustomize needs to print the same: one folder a unit, nothing in it is rendered."""
    from reconciler.cli.writing import new_folder
    from render.site import read_files

    with new_folder(folder) as made:
        for unit in units:
            for path, data in read_files(tree, unit).items():
                target = made / path if len(units) == 1 else made / place_of(unit) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
    places = [folder] if len(units) == 1 else [folder / place_of(unit) for unit in units]
    print("\n".join(f"kustomize build {place}" for place in places), file=sys.stderr)
    return 0


def _write_files(rendered: Mapping[Unit, Iterable[SiteManifest]], folder: Path) -> int:
    """One file an object, named so that the order of the names is the order of application."""
    from reconciler.cli.writing import new_folder
    from render.yaml import dump

    with new_folder(folder) as made:
        for unit, items in rendered.items():
            place = made / place_of(unit)
            place.mkdir(parents=True, exist_ok=True)
            for number, item in enumerate(items):
                name = f"{item.manifest['kind']}-{item.manifest['metadata']['name']}".lower().replace(":", "-")
                file = place / f"0000_{item.run_level}_{item.component}_{number:03}_{name}.yaml"
                file.write_text(dump([item.manifest]), encoding="utf-8")
    return 0


def _watch(arguments: argparse.Namespace) -> int:
    """Print what there is, then the difference that every save makes, until interrupted."""
    from reconciler.cli.watching import saves
    from reconciler.cli.where import fleet_folder, with_fleet_bases

    if arguments.rev is not None or arguments.output not in ("yaml", "wide"):
        raise UsageError("--watch follows the files as they lie there: it goes without --rev, with -o yaml or wide")
    import gc

    from reconciler.cli.chosen import chosen_units
    from reconciler.cli.rerendering import Rerendering, difference
    from render.errors import SiteshiftError

    folder, text = fleet_folder(arguments), PRINTERS[arguments.output]
    rerendering = Rerendering(folder, lambda tree: chosen_units(arguments, tree)[1], with_fleet_bases)
    shown = None
    gc.disable()  # garbage is looked for after a save is shown: on the way it would take as long as the build itself
    try:
        for touched in saves(folder):
            rerendering.touched(touched)
            try:
                now = rerendering.render()
            except SiteshiftError as error:
                if shown is None:
                    raise
                print(error, file=sys.stderr, flush=True)
                continue
            if shown is None:
                lines = text(now).count("\n")
                print(f"watching {os.path.relpath(folder)}: {lines} lines", file=sys.stderr, flush=True)
                gc.freeze()  # what was parsed stays
            else:
                sys.stdout.writelines(difference(shown, now, text))
                sys.stdout.flush()
            shown = now
            gc.collect()
    finally:
        gc.enable()
    return 0
