"""The first-parent line of the branch: walked once, remembered, and shared by all applications.

Every epoch of an application is looked for on it (P1). What changed in each commit is kept in a file beside the mirror,
so that neither the next application nor the next process compares thousands of trees again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pygit2
from pygit2.enums import SortMode

from reconciler.errors import HistoryRewound, SourceError

REMEMBERED = "changed-paths.jsonl"
"""A file in the mirror: one line for each commit, [commit, [path, …]]. A cache: what is damaged is computed anew."""

MOST_PATHS = 1000
"""A commit that changes more is taken for one that changes every path."""

SAVED_TOGETHER = 1000
"""How many commits are compared before they are written down."""

Paths = tuple[str, ...] | None
"""Changed paths; None for all of them."""


class Line:
    """The line that ends in the last head that was asked for. `folder` is the mirror's. Safe for several threads."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / REMEMBERED
        self._lock = threading.Lock()
        self._commits: list[str] = []
        self._index: dict[str, int] = {}
        self._changed: dict[str, Paths] | None = None

    def between(self, repository: pygit2.Repository, old: str, new: str) -> list[str]:
        """The commits after `old` up to `new`, oldest first. Raises `HistoryRewound` if `old` is not on the line."""
        if old == new:
            return []
        with self._lock:
            try:
                self._extend(repository, new)
            except (KeyError, ValueError, pygit2.GitError) as error:
                raise SourceError(f"the history of {new[:7]} cannot be read: {error}") from None
            first, last = self._index.get(old), self._index[new]
            if first is None or first > last:
                raise HistoryRewound(f"the first-parent line of {new[:7]} does not meet {old[:7]}")
            return self._commits[first + 1 : last + 1]

    def changes(self, repository: pygit2.Repository, path: str, old: str, new: str) -> list[str]:
        """Those of `between` whose file or folder at `path` differs from the commit before."""
        commits = self.between(repository, old, new)
        with self._lock:
            if self._changed is None:
                self._changed = dict(_read(self._file))
            known = self._changed
            missing = [commit for commit in commits if commit not in known]
            try:
                for start in range(0, len(missing), SAVED_TOGETHER):
                    found = {commit: _compare(repository, commit) for commit in missing[start : start + SAVED_TOGETHER]}
                    known.update(found)
                    _append(self._file, found)
            except (KeyError, ValueError, pygit2.GitError) as error:
                raise SourceError(f"the changes from {old[:7]} to {new[:7]} cannot be read: {error}") from None
            return [commit for commit in commits if _touches(known[commit], path)]

    def _extend(self, repository: pygit2.Repository, head: str) -> None:
        """Make the line end in `head`, or leave it as it is where `head` is on it."""
        if head in self._index:
            return
        new: list[str] = []
        walker = repository.walk(pygit2.Oid(hex=head), SortMode.TOPOLOGICAL)
        walker.simplify_first_parent()
        for commit in walker:
            name = str(commit.id)
            if name in self._index:
                self._commits = self._commits[: self._index[name] + 1]
                break
            new.append(name)
        else:
            self._commits = []
        self._commits += reversed(new)
        self._index = {name: index for index, name in enumerate(self._commits)}


def _compare(repository: pygit2.Repository, commit: str) -> Paths:
    found = repository[commit].peel(pygit2.Commit)
    tree, parents = found.tree, found.parents
    difference = parents[0].tree.diff_to_tree(tree) if parents else tree.diff_to_tree()
    if len(difference) > MOST_PATHS:
        return None
    files = (file for delta in difference.deltas for file in (delta.old_file, delta.new_file))
    return tuple(sorted({file.path for file in files if file.path}))


def _touches(paths: Paths, path: str) -> bool:
    return paths is None or any(each == path or each.startswith(f"{path}/") for each in paths)


def _read(file: Path) -> Iterable[tuple[str, Paths]]:
    try:
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        with suppress(ValueError, TypeError):
            commit, paths = json.loads(line)
            yield str(commit), None if paths is None else tuple(map(str, paths))


def _append(file: Path, found: dict[str, Paths]) -> None:
    """Write down what was compared; a disk that is full costs the next process time and nothing else."""
    with suppress(OSError), file.open("a") as lines:
        lines.writelines(json.dumps([commit, paths]) + "\n" for commit, paths in found.items())
