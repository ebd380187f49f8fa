"""`siteshift build DIR`: what `kustomize build DIR` prints."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  siteshift build apps/ledger/sites/b
  siteshift build --load-restrictor LoadRestrictionsNone overlays/prod -o prod.yaml
"""

RESTRICTORS = {"LoadRestrictionsRootOnly": "rootOnly", "LoadRestrictionsNone": "none"}


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options, which are kustomize's own."""
    parser.add_argument("dir", metavar="DIR", nargs="?", default=".", help="the folder with the kustomization.yaml")
    parser.add_argument(
        "--load-restrictor",
        choices=sorted(RESTRICTORS),
        default="LoadRestrictionsRootOnly",
        help="whether files may be read from outside the kustomization's own folder",
    )
    parser.add_argument(
        "--reorder",
        choices=["legacy", "none"],
        default="unspecified",
        help="the order of the objects: by kind, or as they were written (default: what sortOptions says, else legacy)",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write to a file instead of standard output")


def run(arguments: argparse.Namespace) -> int:
    """Build and print."""
    from render.kustomization import Options, build
    from render.tree import FolderTree
    from render.yaml import dump

    folder = os.path.realpath(arguments.dir)
    options = Options(load_restrictor=RESTRICTORS[arguments.load_restrictor], reorder=arguments.reorder)  # type: ignore[arg-type]
    text = dump(resource.manifest for resource in build(FolderTree("/"), folder.lstrip("/"), options))
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        with open(arguments.output, "w", encoding="utf-8") as file:
            file.write(text)
    return 0
