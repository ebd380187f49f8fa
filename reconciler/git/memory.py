"""A Git server in memory: the same seam as the real mirror, for tests and simulations that own time and failure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
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
    """What a server holds. `refs` are full names; set `fails` to a message to make it unreachable. `broken`: why what a
    ref holds cannot be taken in. `keeps_history`: refs cannot be replaced, only added to."""

    branch: str = "main"
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    fails: str | None = None
    broken: dict[str, str] = field(default_factory=dict)
    keeps_history: bool = False

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

    def __init__(self, server: MemoryServer) -> None:
        self.server = server
        self._commits: dict[str, Commit] = {}
        self._values: dict[str, str] = {}

    def heads(self, refs: Sequence[str] = ()) -> Heads:
        """List the server."""
        self._reach()
        branch = self.server.refs.get(f"refs/heads/{self.server.branch}")
        if branch is None:
            raise SourceError(f"the server has no branch {self.server.branch}")
        return Heads(branch, {name: self.server.refs[name] for name in refs if name in self.server.refs})

    def fetch(self, refs: Sequence[str] = ()) -> Heads:
        """List the server, and know the branch and these refs."""
        heads = self.heads(refs)
        failed = {name: f"{name}: {why}" for name, why in self.server.broken.items() if name in heads.refs}
        for name, commit in {"": heads.branch, **heads.refs}.items():
            if name not in failed:
                self._learn(name, commit)
        return Heads(heads.branch, heads.refs, failed)

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
        line, current = list[str](), new
        while current != old:
            line.append(current)
            parents = self._known(current).parents
            if not parents:
                raise HistoryRewound(f"the first-parent line of {new[:7]} does not meet {old[:7]}")
            current = parents[0]
        return line[::-1]

    def changes(self, path: str, old: str, new: str) -> list[str]:
        """Those of `first_parents` in which the path differs from the commit before."""
        return [commit for commit in self.first_parents(old, new) if self._differs(commit, path)]

    def files(self, ref: str, commit: str) -> Mapping[str, bytes]:
        """All files of a ref's value."""
        if self._values.get(ref) != commit:
            raise SourceError(f"{ref} at {commit[:7]} has not been fetched")
        return {name: content for name, content in self._known(commit).files.items() if "/" not in name}

    def descends(self, ref: str, old: str, new: str) -> bool:
        """Whether a ref's commit has another behind it."""
        try:
            self.first_parents(old, new)
        except SourceError:
            return False
        return ref in self._values

    def append(self, ref: str, expected: str | None, files: Mapping[str, bytes], message: str) -> str:
        """Add a commit to a ref whose value is `expected`."""
        before = {} if expected is None else dict(self.files(ref, expected))
        return self._push(ref, expected, Commit({**before, **files}, message, () if expected is None else (expected,)))

    def replace(self, ref: str, expected: str | None, files: Mapping[str, bytes], message: str) -> str:
        """Replace a ref whose value is `expected`."""
        parents = (expected,) if expected is not None and self.server.keeps_history else ()
        return self._push(ref, expected, Commit(dict(files), message, parents))

    def push_commit(self, ref: str, expected: str | None, commit: str) -> None:
        """Give a ref a commit that was its value before."""
        self._known(commit)
        self._compare(ref, expected)
        self.server.commits |= self._commits
        self.server.refs[ref] = commit

    def _push(self, ref: str, expected: str | None, commit: Commit) -> str:
        self._compare(ref, expected)
        self.server.refs[ref] = self.server.add(commit)
        self._learn(ref, self.server.refs[ref])
        return self.server.refs[ref]

    def _compare(self, ref: str, expected: str | None) -> None:
        self._reach()
        now = self.server.refs.get(ref)
        if now != expected:
            raise PushRefused(
                f"{ref} is {f'at {now[:7]}' if now else 'not there'}, expected {(expected or 'none')[:7]}"
            )

    def _learn(self, ref: str, commit: str) -> None:
        self._values[ref] = commit
        waiting = [commit]
        while waiting:
            current = waiting.pop()
            if current not in self._commits:
                self._commits[current] = self.server.commits[current]
                waiting.extend(self._commits[current].parents)

    def _differs(self, commit: str, path: str) -> bool:
        found = self._known(commit)
        before = self._known(found.parents[0]).files if found.parents else {}
        names = {name for name in (*before, *found.files) if name == path or name.startswith(f"{path}/")}
        return any(before.get(name) != found.files.get(name) for name in names)

    def _reach(self) -> None:
        if self.server.fails is not None:
            raise SourceError(self.server.fails)

    def _known(self, commit: str) -> Commit:
        if commit not in self._commits:
            raise SourceError(f"commit {commit[:12]} has not been fetched")
        return self._commits[commit]
