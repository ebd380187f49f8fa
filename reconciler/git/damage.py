"""Is a bare mirror of the branch whole? Whatever is wrong with it is mended by fetching it again."""

from __future__ import annotations

import pygit2
from pygit2.enums import ObjectType


def is_damaged(repository: pygit2.Repository) -> bool:
    """Whether something that the mirror's refs name is missing or unreadable, or its history was cut off."""
    try:
        if repository.is_shallow:
            return True
        seen: set[str] = set()
        for name in repository.references:
            _walk(repository, repository.references[name].peel(pygit2.Commit).tree, seen)
    except (KeyError, ValueError, OSError, pygit2.GitError):
        return True
    return False


def _walk(repository: pygit2.Repository, tree: pygit2.Tree, seen: set[str]) -> None:
    """Read every tree and look for every blob below this one. Raises `KeyError` for the first that is not there."""
    for entry in tree:
        if str(entry.id) in seen or entry.type == ObjectType.COMMIT:
            continue
        seen.add(str(entry.id))
        if isinstance(entry, pygit2.Tree):
            _walk(repository, entry, seen)
        elif entry.id not in repository.odb:
            raise KeyError(str(entry.id))
