"""A bare mirror of the fleet repository: read from the object database, never checked out.

The folder is a cache. It is made anew when it is missing, shallow or damaged, and only a folder that a mirror made
is ever removed. What the server said last is in `Heads`, not in the mirror's own refs, which only keep objects alive.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, ObjectType, SortMode

from reconciler.clock import Clock, SystemClock
from reconciler.errors import HistoryRewound, SourceError
from reconciler.git.compaction import compact, is_due
from reconciler.git.remote import Remote
from reconciler.git.seam import Heads
from render.tree import GitTree

MARK = "siteshift-mirror"
"""A file in every mirror: this folder is ours to remove."""

OUTGOING = "refs/outgoing"
"""Where commits stand while they are pushed."""

LISTINGS = 4
"""How often a ref may be replaced between our listing and our fetch before that is an error."""


def folder_name(url: str, user: str) -> str:
    """The name of a mirror's folder: the repository's, who uses it (a site, or "cli"), and a mark of the whole URL."""
    name = re.sub(r"[^a-zA-Z0-9-]+", "-", url.rstrip("/").rpartition("/")[2].removesuffix(".git")).strip("-") or "fleet"
    return f"mirror-{name}-{user}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


class Mirror:
    """A `Repository` over one URL (HTTP, SSH or file) and one folder.

    `refs` are the prefixes of the refs that the sites speak by (`Refs.prefixes` of the fleet, once that is known: it
    may be set at any time and acts on the next fetch). `credentials` is a file of logins or an SSH key;
    without it Git's helpers and the SSH agent are asked. `timeout` in seconds bounds each exchange with the server.
    """

    def __init__(
        self,
        url: str,
        folder: str | Path,
        *,
        branch: str,
        refs: tuple[str, ...] = ("refs/siteshift/",),
        credentials: str | Path | None = None,
        timeout: float = 60.0,
        clock: Clock | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.branch = branch
        self.refs = refs
        self._remote = Remote(url, None if credentials is None else Path(credentials), timeout, clock or SystemClock())
        self._lock = threading.RLock()
        self._opened: pygit2.Repository | None = None

    @property
    def url(self) -> str:
        """The server's URL, without secrets."""
        return self._remote.shown

    def fetch(self) -> Heads:
        """List the server's branch and refs, and bring their commits here. Costs one request if nothing is new."""
        with self._lock:
            self._keep_small()
            before, trouble = None, SourceError(f"{self.url} changes faster than it can be fetched")
            for _ in range(LISTINGS):
                heads = self._listed(self._remote.list(self._repository()))
                if self._has(heads):
                    return heads
                if heads == before:
                    break
                before = heads
                try:
                    self._bring()
                except SourceError as error:
                    # A server gives out nothing that was replaced since it listed it: only a new listing can tell.
                    trouble = error
            raise trouble

    def tree(self, commit: str) -> GitTree:
        """The files of a commit."""
        self._commit(commit)
        return GitTree(self._repository(), commit)

    def read(self, commit: str, path: str) -> bytes:
        """One file of a commit. Raises `NotInTree` if it is not there."""
        return self.tree(commit).read(path)

    def message(self, commit: str) -> str:
        """A commit's message."""
        return str(self._commit(commit).message)

    def first_parents(self, old: str, new: str) -> list[str]:
        """The commits after `old` up to `new` along first parents, oldest first."""
        return first_parents(self._repository(), old, new)

    def push_ack(self, ref: str, previous: str | None, files: Mapping[str, bytes], message: str) -> Heads:
        """Append a commit to a ref of ours: a fast-forward that only fits on `previous`."""
        with self._lock:
            tree = None if previous is None else self._commit(previous).tree
            parents = [] if previous is None else [previous]
            commit = self._write(tree, parents, files, message)
            return self._push(ref, commit, "")

    def push_heartbeat(self, ref: str, files: Mapping[str, bytes]) -> Heads:
        """Replace a ref of ours."""
        with self._lock:
            return self._push(ref, self._write(None, [], files, "heartbeat"), "+")

    def _push(self, ref: str, commit: str, force: str) -> Heads:
        repository = self._repository()
        outgoing = f"{OUTGOING}/{ref.removeprefix('refs/')}"
        repository.references.create(outgoing, commit, force=True)
        self._remote.push(repository, f"{force}{outgoing}:{ref}")
        heads = self.fetch()
        if heads.refs.get(ref) != commit:
            # A lagging replica answered, or somebody else writes here too: either way nothing is proven (P8).
            raise SourceError(f"{self.url} took {ref} at {commit[:7]} but lists {heads.refs.get(ref) or 'nothing'}")
        return heads

    def _listed(self, heads: Mapping[str, str]) -> Heads:
        branch = heads.get(f"refs/heads/{self.branch}")
        if branch is None:
            known = sorted(name.removeprefix("refs/heads/") for name in heads if name.startswith("refs/heads/"))
            raise SourceError(f"{self.url} has no branch {self.branch} ({', '.join(known) or 'it has none at all'})")
        return Heads(branch, {name: id_ for name, id_ in sorted(heads.items()) if name.startswith(self.refs)})

    def _has(self, heads: Heads) -> bool:
        database = self._repository().odb
        return all(id_ in database for id_ in (heads.branch, *heads.refs.values()))

    def _bring(self) -> None:
        refspecs = [f"+refs/heads/{self.branch}:refs/heads/{self.branch}"]
        refspecs += [f"+{prefix}*:{prefix}*" for prefix in self.refs]
        try:
            self._remote.fetch(self._repository(), refspecs)
        except SourceError:
            if not _is_damaged(self._repository()):
                raise
            self._remove()
            self._remote.fetch(self._repository(), refspecs)

    def _keep_small(self) -> None:
        if not is_due(self.folder):
            return
        try:
            compact(self.folder)
        except (OSError, pygit2.GitError) as error:
            raise SourceError(f"the mirror in {self.folder} cannot be compacted: {error}") from None
        finally:
            self._opened = None

    def _write(self, tree: pygit2.Tree | None, parents: list[str], files: Mapping[str, bytes], message: str) -> str:
        repository = self._repository()
        builder = repository.TreeBuilder() if tree is None else repository.TreeBuilder(tree)
        for name, content in files.items():
            builder.insert(name, repository.create_blob(content), FileMode.BLOB)
        author = pygit2.Signature("siteshift", "siteshift@localhost")
        return str(repository.create_commit(None, author, author, message, builder.write(), parents))

    def _commit(self, commit: str) -> pygit2.Commit:
        try:
            return self._repository()[commit].peel(pygit2.Commit)
        except (KeyError, ValueError, pygit2.GitError):
            raise SourceError(f"commit {commit[:12]} is not in the mirror of {self.url}") from None

    def _repository(self) -> pygit2.Repository:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> pygit2.Repository:
        try:
            if self.folder.exists() and any(self.folder.iterdir()):
                try:
                    repository = pygit2.Repository(str(self.folder))
                except pygit2.GitError:
                    repository = None
                if repository is not None and not _is_damaged(repository):
                    return repository
                self._remove()
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / MARK).touch()  # first: what a full disk leaves half made is ours to remove
            created = pygit2.init_repository(str(self.folder), bare=True)
        except (OSError, pygit2.GitError) as error:
            raise SourceError(f"the mirror in {self.folder} cannot be made: {error}") from None
        return created

    def _remove(self) -> None:
        if not (self.folder / MARK).exists():
            raise SourceError(f"{self.folder} holds something that is no mirror of ours: choose another folder")
        self._opened = None
        shutil.rmtree(self.folder)


def first_parents(repository: pygit2.Repository, old: str, new: str) -> list[str]:
    """The commits after `old` up to `new` along first parents, oldest first; see `Repository.first_parents`."""
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


def _is_damaged(repository: pygit2.Repository) -> bool:
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
