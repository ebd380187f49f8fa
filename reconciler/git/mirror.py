"""A bare mirror of the fleet repository: the branch in one repository, each site's refs in one of their own.

The branch is read from the object database, never checked out. The folders are caches, made anew when they are
missing, shallow, damaged or cannot be fetched into, and only a folder that a mirror made is ever removed. What the
server said last is in `Heads`, not in the mirror's own refs, which only keep objects alive. Reading never waits for an
exchange.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pygit2

from reconciler.clock import Clock, SystemClock
from reconciler.errors import SourceError
from reconciler.git.compaction import compact, is_due
from reconciler.git.damage import is_damaged
from reconciler.git.line import Line
from reconciler.git.remote import Remote, git_worker
from reconciler.git.seam import Heads
from reconciler.git.site_refs import SiteRefs
from render.tree import GitTree

MARK = "siteshift-mirror"
"""A file in every mirror: this folder is ours to remove."""

PRIVATE = 0o700
"""Who may look into a mirror: what a fleet repository holds is nobody else's."""

SITES, FRESH = "site-refs", "fresh"
"""Folders in the mirror: of the refs' repositories, and of one that is made to take the branch's place."""

TRIES = 2
"""After so many failed fetches of a branch that the server lists, it is fetched into a new repository."""


def folder_name(url: str, user: str) -> str:
    """The name of a mirror's folder: the repository's, who uses it (a site, or "cli"), and a mark of the whole URL."""
    name = re.sub(r"[^a-zA-Z0-9-]+", "-", url.rstrip("/").rpartition("/")[2].removesuffix(".git")).strip("-") or "fleet"
    return f"mirror-{name}-{user}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


class Mirror:
    """A `Repository` over one URL (HTTP, SSH or file) and one folder.

    `credentials` is a file of logins or an SSH key; without it Git's helpers and the SSH agent are asked. `timeout` in
    seconds bounds each exchange with the server.
    """

    def __init__(
        self,
        url: str,
        folder: str | Path,
        *,
        branch: str,
        credentials: str | Path | None = None,
        timeout: float = 60.0,
        clock: Clock | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.branch = branch
        self._remote = Remote(url, None if credentials is None else Path(credentials), timeout, git_worker())
        self._refs = SiteRefs(self.folder / SITES, self._remote, clock or SystemClock())
        self._line = Line(self.folder)
        self._exchanging = threading.RLock()
        self._opening = threading.Lock()
        self._opened: pygit2.Repository | None = None
        self._failures = 0

    @property
    def url(self) -> str:
        """The server's URL, without secrets."""
        return self._remote.shown

    def heads(self, refs: Sequence[str] = ()) -> Heads:
        """List the server's branch and these refs."""
        with self._exchanging:
            self._repository()
            listed = self._remote.list(self.folder, {*refs, self._name})
            return Heads(self._head(listed), {ref: listed[ref] for ref in refs if ref in listed})

    def fetch(self, refs: Sequence[str] = ()) -> Heads:
        """List the server's branch and these refs, and bring each here. Costs one request if nothing is new."""
        with self._exchanging:
            self._keep_small()
            listed = self.heads(refs)
            values, failed = self._refs.bring(listed.refs)
            # A site may have seen a commit and spoken of it between the listing's first line and its last.
            branch = listed.branch if values == self._refs.last else self.heads().branch
            self._refs.last = values
            return Heads(self._bring(branch), values, failed)

    def tree(self, commit: str) -> GitTree:
        """The files of a commit of the branch."""
        self._commit(commit)
        return GitTree(self._repository(), commit)

    def read(self, commit: str, path: str) -> bytes:
        """One file of a commit of the branch. Raises `NotInTree` if it is not there."""
        return self.tree(commit).read(path)

    def message(self, commit: str) -> str:
        """The message of a commit of the branch."""
        return str(self._commit(commit).message)

    def pushed_at(self, ref: str, commit: str) -> float:
        """When a ref's value that is here was committed, in seconds since 1970 by the clock of whoever did."""
        return self._refs.committed_at(ref, commit)

    def first_parents(self, old: str, new: str) -> list[str]:
        """The commits of the branch after `old` up to `new` along first parents, oldest first."""
        self._commit(new)
        return self._line.between(self._repository(), old, new)

    def changes(self, path: str, old: str, new: str) -> list[str]:
        """Those of `first_parents` in which the path differs from the commit before."""
        self._commit(new)
        return self._line.changes(self._repository(), path, old, new)

    def files(self, ref: str, commit: str) -> Mapping[str, bytes]:
        """All files of the value that a ref had at the last fetch or push."""
        return self._refs.files(ref, commit)

    def descends(self, ref: str, old: str, new: str) -> bool:
        """Whether a ref's commit has another behind it."""
        with self._exchanging:
            return self._refs.descends(ref, old, new)

    def append(self, ref: str, expected: str | None, files: Mapping[str, bytes], message: str) -> str:
        """Add a commit to a ref of ours."""
        with self._exchanging:
            self._repository()
            return self._refs.push(ref, expected, files, message, "append")

    def replace(self, ref: str, expected: str | None, files: Mapping[str, bytes], message: str) -> str:
        """Replace a ref of ours."""
        with self._exchanging:
            self._repository()
            return self._refs.push(ref, expected, files, message, "replace")

    def push_commit(self, ref: str, expected: str | None, commit: str) -> None:
        """Give a ref of ours a commit that was its value before."""
        with self._exchanging:
            self._repository()
            self._refs.push_commit(ref, expected, commit)

    def close(self) -> None:
        """End the process that speaks with the server; the next exchange starts another."""
        self._remote.close()

    @property
    def _name(self) -> str:
        return f"refs/heads/{self.branch}"

    def _head(self, listed: Mapping[str, str]) -> str:
        if self._name not in listed:
            known = sorted(name.removeprefix("refs/heads/") for name in listed if name.startswith("refs/heads/"))
            raise SourceError(f"{self.url} has no branch {self.branch} ({', '.join(known) or 'it has none at all'})")
        return listed[self._name]

    def _bring(self, listed: str) -> str:
        """The branch's commit, with all that it holds brought here: the listed one, or one that is newer by now."""
        if listed in self._repository().odb:
            return listed
        refspecs = [f"+{self._name}:{self._name}"]
        try:
            self._remote.fetch(self.folder, refspecs)
        except SourceError:
            self._failures += 1
            if self._failures < TRIES and not is_damaged(self._repository()):
                raise
            self._bring_anew(refspecs)
        self._failures = 0
        return str(self._repository().references[self._name].target)

    def _bring_anew(self, refspecs: list[str]) -> None:
        """Fetch into a new repository, which then takes the old one's place: what can be read stays until then."""
        fresh = self.folder / FRESH
        shutil.rmtree(fresh, ignore_errors=True)
        pygit2.init_repository(str(fresh), bare=True)
        self._remote.fetch(fresh, refspecs)
        with self._opening:
            self._opened = None
            for path in list(self.folder.iterdir()):
                if path.name not in (SITES, FRESH, MARK):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            for path in list(fresh.iterdir()):
                path.replace(self.folder / path.name)
            fresh.rmdir()

    def _keep_small(self) -> None:
        if not is_due(self.folder):
            return
        try:
            compact(self.folder)
        except (OSError, pygit2.GitError) as error:
            raise SourceError(f"the mirror in {self.folder} cannot be compacted: {error}") from None
        finally:
            self._opened = None

    def _commit(self, commit: str) -> pygit2.Commit:
        try:
            return self._repository()[pygit2.Oid(hex=commit)].peel(pygit2.Commit)
        except (KeyError, ValueError, pygit2.GitError):
            raise SourceError(f"commit {commit[:12]} is not in the mirror of {self.url}") from None

    def _repository(self) -> pygit2.Repository:
        with self._opening:
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
                if repository is not None and not is_damaged(repository):
                    self.folder.chmod(PRIVATE)
                    return repository
                self._remove()
            self.folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
            self.folder.chmod(PRIVATE)
            (self.folder / MARK).touch()  # first: what a full disk leaves half made is ours to remove
            created = pygit2.init_repository(str(self.folder), bare=True)
            self.folder.chmod(PRIVATE)  # it follows the umask
        except (OSError, pygit2.GitError) as error:
            raise SourceError(f"the mirror in {self.folder} cannot be made: {error}") from None
        return created

    def _remove(self) -> None:
        if not (self.folder / MARK).exists():
            raise SourceError(f"{self.folder} holds something that is no mirror of ours: choose another folder")
        shutil.rmtree(self.folder)
