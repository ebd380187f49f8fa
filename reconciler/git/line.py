"""The first-parent line of the branch: walked once, remembered, and shared by all applications.

Every epoch of an application is looked for on it (P1). What changed in each commit is kept in a file beside the mirror,
so that neither the next application nor the next process compares thousands of trees again.
"""

from __future__ import annotations

import json
import re
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

MOST_TREES = 256

Paths = tuple[str, ...] | None
"""Changed paths; None for all of them."""


Entry = tuple[bytes, bytes, bytes]
"""Mode, name and id, as a tree has them."""

ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
FOLDER = b"40000"


class _Trees:
    """The last folders that were read: from one commit to the next nearly all stay."""

    def __init__(self) -> None:
        self._known: dict[bytes, frozenset[Entry]] = {}

    def entries(self, repository: pygit2.Repository, tree: bytes | None) -> frozenset[Entry]:
        """What is in a folder; nothing where there is none. Read in one go: a folder may hold thousands."""
        if tree is None:
            return frozenset()
        if tree not in self._known:
            if len(self._known) >= MOST_TREES:
                del self._known[next(iter(self._known))]
            found = repository[pygit2.Oid(raw=tree)].peel(pygit2.Tree)
            self._known[tree] = frozenset(ENTRY.findall(found.read_raw()))
        return self._known[tree]


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
            missing, trees = [commit for commit in commits if commit not in known], _Trees()
            try:
                for start in range(0, len(missing), SAVED_TOGETHER):
                    batch = missing[start : start + SAVED_TOGETHER]
                    found = {commit: _compare(repository, commit, trees) for commit in batch}
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


def _compare(repository: pygit2.Repository, commit: str, trees: _Trees) -> Paths:
    """What a commit changed. libgit2's own comparison takes several times as long where a folder holds many."""
    found = repository[commit].peel(pygit2.Commit)
    before = found.parents[0].tree_id.raw if found.parents else None
    waiting: list[tuple[bytes, bytes | None, bytes | None]] = [(b"", before, found.tree_id.raw)]
    paths: set[bytes] = set()
    while waiting:
        folder, old_id, new_id = waiting.pop()
        old, new = trees.entries(repository, old_id), trees.entries(repository, new_id)
        folders: dict[bytes, list[bytes | None]] = {}
        for side, entries in enumerate((old - new, new - old)):
            for mode, name, id_ in entries:
                if mode == FOLDER:
                    folders.setdefault(name, [None, None])[side] = id_
                else:
                    paths.add(folder + name)
        waiting += [(folder + name + b"/", ids[0], ids[1]) for name, ids in folders.items()]
        if len(paths) + len(waiting) > MOST_PATHS:
            return None
    return tuple(sorted(path.decode(errors="replace") for path in paths))


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
