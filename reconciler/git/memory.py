"""A Git server in memory: the same seam as the real mirror, for tests and simulations that own time and failure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.errors import HistoryRewound, PushRefused, SourceError
from reconciler.git.seam import Heads
from render.tree import MemoryTree


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit and all its files."""

    files: Mapping[str, bytes]
    message: str
    parents: tuple[str, ...] = ()


@dataclass(slots=True)
class MemoryServer:
    """What a server holds. `refs` are full names; set `fails` to a message to make it unreachable."""

    branch: str = "main"
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    fails: str | None = None

    def add(self, commit: Commit) -> str:
        """Keep a commit and return its id."""
        # The number makes two equal commits differ, as their times do in Git.
        text = repr((sorted(commit.files.items()), commit.message, commit.parents, len(self.commits)))
        id_ = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self.commits[id_] = commit
        return id_

    def commit(self, files: Mapping[str, bytes], message: str = "change") -> str:
        """Put a commit with exactly these files on the branch, as a person would push it."""
        name = f"refs/heads/{self.branch}"
        parents = (self.refs[name],) if name in self.refs else ()
        self.refs[name] = self.add(Commit(dict(files), message, parents))
        return self.refs[name]


class MemoryRepository:
    """A `Repository` over a `MemoryServer`. It knows the commits that it fetched or pushed, and no others."""

    def __init__(self, server: MemoryServer, prefixes: tuple[str, ...] = ("refs/siteshift/",)) -> None:
        self.server = server
        self._prefixes = prefixes
        self._commits: dict[str, Commit] = {}

    def fetch(self) -> Heads:
        """List the server, and know all that it knows."""
        self._reach()
        branch = self.server.refs.get(f"refs/heads/{self.server.branch}")
        if branch is None:
            raise SourceError(f"the server has no branch {self.server.branch}")
        self._commits |= self.server.commits
        refs = {name: id_ for name, id_ in sorted(self.server.refs.items()) if name.startswith(self._prefixes)}
        return Heads(branch, refs)

    def tree(self, commit: str) -> MemoryTree:
        """The files of a commit."""
        return MemoryTree(dict(self._known(commit).files))

    def read(self, commit: str, path: str) -> bytes:
        """One file of a commit."""
        return self.tree(commit).read(path)

    def message(self, commit: str) -> str:
        """A commit's message."""
        return self._known(commit).message

    def first_parents(self, old: str, new: str) -> list[str]:
        """The commits after `old` up to `new` along first parents, oldest first."""
        below = self._ancestors(old) if old in self._commits else set()
        if old not in self._ancestors(new):
            raise HistoryRewound(f"{new[:7]} does not descend from {old[:7]}")
        line: list[str] = []
        while new not in below:
            line.insert(0, new)
            new = self._known(new).parents[0]
        return line

    def push_ack(self, ref: str, previous: str | None, files: Mapping[str, bytes], message: str) -> Heads:
        """Append a commit to a ref whose value is `previous`."""
        self._reach()
        now = self.server.refs.get(ref)
        before = {} if previous is None else self._known(previous).files
        if now is not None and (previous is None or now not in self._ancestors(previous)):
            raise PushRefused(f"the server refused {ref}: it is at {now[:7]}")
        parents = () if previous is None else (previous,)
        self.server.refs[ref] = self.server.add(Commit({**before, **files}, message, parents))
        return self.fetch()

    def push_heartbeat(self, ref: str, files: Mapping[str, bytes]) -> Heads:
        """Replace a ref."""
        self._reach()
        self.server.refs[ref] = self.server.add(Commit(dict(files), "heartbeat"))
        return self.fetch()

    def _reach(self) -> None:
        if self.server.fails is not None:
            raise SourceError(self.server.fails)

    def _known(self, commit: str) -> Commit:
        if commit not in self._commits:
            raise SourceError(f"commit {commit[:12]} has not been fetched")
        return self._commits[commit]

    def _ancestors(self, commit: str) -> set[str]:
        found, waiting = set[str](), [commit]
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting.extend(self._known(current).parents)
        return found
