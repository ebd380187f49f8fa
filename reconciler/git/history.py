"""The commits between two commits, in any repository."""

from __future__ import annotations

import pygit2
from pygit2.enums import SortMode

from reconciler.errors import HistoryRewound, SourceError


def first_parents(repository: pygit2.Repository, old: str, new: str) -> list[str]:
    """The commits after `old` up to `new` along first parents, oldest first.

    Raises `HistoryRewound` if `new` does not descend from `old`.
    """
    if old == new:
        return []
    try:
        if old not in repository or not repository.descendant_of(new, old):
            raise HistoryRewound(f"{new[:7]} does not descend from {old[:7]}")
        walker = repository.walk(pygit2.Oid(hex=new), SortMode.TOPOLOGICAL | SortMode.REVERSE)
        walker.simplify_first_parent()
        walker.hide(pygit2.Oid(hex=old))
        return [str(commit.id) for commit in walker]
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise SourceError(f"the history from {old[:7]} to {new[:7]} cannot be read: {error}") from None
