"""Keep a mirror small: heartbeats are replaced every few seconds, and each leaves a pack or loose objects behind.

Git's own garbage collection is a program that may not be there; libgit2 has none. A fetch from the mirror into a new
repository brings exactly what the refs still reach, as one pack, which then takes the place of everything else.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pygit2

MOST_PACKS = 64
"""Each lookup asks every pack."""

MOST_LOOSE_FOLDERS = 250
"""Of Git's 256 folders of loose objects; all are in use once there are about two thousand objects."""

WORKPLACE = "compacting"
"""A folder inside the mirror; what a crash left there is removed by the next compaction."""


def is_due(folder: Path) -> bool:
    """Whether so much has piled up that a compaction pays. Costs two directory listings."""
    try:
        packs = sum(1 for path in (folder / "objects" / "pack").iterdir() if path.suffix == ".pack")
        return packs > MOST_PACKS or len(_loose(folder)) > MOST_LOOSE_FOLDERS
    except OSError:
        return False


def compact(folder: Path) -> None:
    """Replace all objects by one pack of those that the refs reach. Open the repository anew afterwards.

    The new pack is there before the first old object goes, so that a crash at any moment loses nothing.
    """
    workplace, packs = folder / WORKPLACE, folder / "objects" / "pack"
    shutil.rmtree(workplace, ignore_errors=True)
    fresh = pygit2.init_repository(str(workplace), bare=True)
    fresh.remotes.create_anonymous(str(folder)).fetch(["+refs/*:refs/*"])
    old, loose = list(packs.iterdir()), _loose(folder)
    made = sorted((workplace / "objects" / "pack").iterdir(), key=lambda path: path.suffix == ".idx")
    for path in made:  # the index last: a pack counts from the moment that its index is there
        path.replace(packs / path.name)
    kept = {path.name for path in made}
    for path in old:
        if path.name not in kept:
            path.unlink(missing_ok=True)
    for path in loose if made else ():
        shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(workplace, ignore_errors=True)


def _loose(folder: Path) -> list[Path]:
    """The folders of loose objects: two hexadecimal digits."""
    return [path for path in (folder / "objects").iterdir() if len(path.name) == 2]
