"""Which fleet a command means: `--fleet`, or the nearest siteshift.yaml upwards, as it lies there or at `--rev`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from render.tree import Tree
    from render.tree.remote import Remote

FLEET_FILE = "siteshift.yaml"


def fleet_folder(arguments: argparse.Namespace) -> Path:
    """The fleet's folder. Raises `UsageError` if there is none."""
    from pathlib import Path

    if arguments.fleet is not None:
        folder = Path(arguments.fleet)
        if not folder.is_dir():
            raise UsageError(f"--fleet {arguments.fleet}: there is no such folder")
        return folder.resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FLEET_FILE).is_file():
            return folder
    raise UsageError(
        f"there is no {FLEET_FILE} here or in a folder above\n"
        "  hint: --fleet says where the fleet is; `siteshift init` makes a new one"
    )


def fleet_tree(arguments: argparse.Namespace) -> Tree:
    """The fleet's files: those of `--rev` where it is given, else as they lie there."""
    folder = fleet_folder(arguments)
    if getattr(arguments, "rev", None) is not None:
        from reconciler.git.working import WorkingCopy

        return with_fleet_bases(WorkingCopy(folder).tree(arguments.rev))
    from render.tree import FolderTree

    return with_fleet_bases(FolderTree(str(folder)))


def cache_folder() -> Path:
    """The program's place in the user's cache folder."""
    from pathlib import Path

    return Path(cache_path())


def cache_path() -> str:
    """The same as text, without loading what paths can do. A folder that is named relatively counts as none."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "siteshift")


def with_fleet_bases(tree: Tree) -> Tree:
    """The fleet with the bases of other repositories that it allows, as its controllers see it."""

    def fetch(base: Remote) -> Tree:
        from reconciler.fleet.load import load
        from reconciler.git.bases import Bases

        return Bases(cache_folder() / "bases", hosts=lambda: load(tree).remote_bases)(base)

    from render.tree.remote import RemoteTree

    return RemoteTree(tree, fetch)
