"""Git repositories that kustomizations name as bases: fetched into bare mirrors, read at a commit without a checkout.

A full commit id that is here already costs no request; branches and tags are asked for each time that a new `Bases`
meets them, so both a build's result and its cost are steady only where bases are pinned to commits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from urllib.parse import quote

import pygit2

from reconciler.errors import SourceError
from reconciler.git.credentials import mask
from reconciler.git.remote import Remote, git_worker
from render.tree import GitTree, Tree
from render.tree.remote import Remote as Base

SCHEMES = ("https", "ssh")
"""How a host of the list is asked; what has no scheme, `git@host:org/repo`, is ssh."""

PRIVATE = 0o700

COMMIT_DIGITS = 40
EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


class Bases:
    """Fetches bases; an instance is what a `RemoteTree` asks.

    `folder` holds a mirror for each URL. `hosts` are the servers, or beginnings of URLs, that may be asked: None for
    any, else a function that is called when the first base is met. `timeout` in seconds bounds each exchange.
    """

    def __init__(
        self,
        folder: Path,
        *,
        hosts: Callable[[], Collection[str]] | None = None,
        credentials: Path | None = None,
        timeout: float = 60.0,
    ) -> None:
        self._folder = folder
        self._hosts = hosts
        self._credentials = credentials
        self._timeout = timeout
        self._worker = git_worker()

    def __call__(self, base: Base) -> Tree:
        """The files of a repository at a ref. Raises `SourceError` where they may not or cannot be fetched."""
        if self._hosts is not None:
            check_host(base, self._hosts())
        repository = self._mirror(base)
        commit = base.ref if self._has(repository, base.ref) else self._fetched(repository, base)
        return GitTree(repository, commit)

    def _mirror(self, base: Base) -> pygit2.Repository:
        # Of a URL with a password in it only the digest tells it from another one.
        mark = hashlib.sha256(base.url.encode()).hexdigest()[:16]
        place = self._folder / f"{quote(mask(base.url), safe='')[:150]}-{mark}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(PRIVATE)
            if (place / "HEAD").exists():
                repository = pygit2.Repository(str(place))
            else:
                repository = pygit2.init_repository(str(place), bare=True)
            # A server that may be asked must not send us to one that may not.
            repository.config["http.followRedirects"] = "initial" if self._hosts is None else "false"
        except (OSError, pygit2.GitError) as error:
            raise SourceError(f"the mirror of {mask(base.url)} in {place} cannot be opened: {error}") from None
        return repository

    def _has(self, repository: pygit2.Repository, ref: str) -> bool:
        return is_commit(ref) and ref in repository and isinstance(repository[ref], pygit2.Commit)

    def _fetched(self, repository: pygit2.Repository, base: Base) -> str:
        """The commit that a ref means at the server, with everything that it holds brought here."""
        remote = Remote(base.url, self._credentials, self._timeout, self._worker)
        folder = Path(repository.path)
        listed = remote.list(folder)
        name = next((name for name in _candidates(base.ref) if name in listed), None)
        if name is None and not is_commit(base.ref):
            known = [ref.split("/", 2)[2] for ref in sorted(listed) if ref.startswith("refs/") and "^" not in ref]
            raise SourceError(f'{remote.shown} has no branch or tag "{base.ref}" ({", ".join(known[:20]) or "none"})')
        if name is None:
            return self._by_id(repository, remote, base.ref)
        remote.fetch(folder, [f"+{name}:refs/bases/{name.removeprefix('refs/')}"])
        return _commit(repository, listed, name, remote.shown)

    def _by_id(self, repository: pygit2.Repository, remote: Remote, commit: str) -> str:
        """A commit by its id; a server that gives none by id has it on a branch or tag, or not at all."""
        folder = Path(repository.path)
        try:
            remote.fetch(folder, [f"+{commit}:refs/bases/{commit}"])
        except SourceError:
            remote.fetch(folder, EVERYTHING)
        if not self._has(repository, commit):
            raise SourceError(f"{remote.shown} has no commit {commit}")
        return commit


def check_host(base: Base, allowed: Collection[str]) -> None:
    """Raise `SourceError` for a repository that the list does not allow: by https or ssh from a host that it names, or
    by whatever a beginning of its URL in the list says."""
    scheme, found, _ = base.url.partition("://")
    if any("://" in each and _begins(base.url, each) for each in allowed):
        return
    hosts = {each.lower() for each in allowed if "://" not in each}
    if base.host in hosts and (not found or scheme.lower() in SCHEMES):
        return
    if base.host in hosts:
        raise SourceError(
            f"base {mask(base.url)}: bases are fetched by https or ssh alone, and this is {scheme}\n"
            "  hint: write it with https://, or list the beginning of its URL in spec.remoteBases.allow"
        )
    shown = f"only from {', '.join(sorted(allowed))}" if allowed else "from nowhere"
    raise SourceError(
        f"base {mask(base.url)}: this fleet takes bases {shown}\n"
        "  hint: spec.remoteBases.allow in siteshift.yaml lists the hosts, or beginnings of URLs, that may be asked"
    )


def _begins(url: str, prefix: str) -> bool:
    """Whether a URL lies below another: at the same host, and in its folder rather than beside it."""
    return url == prefix.rstrip("/") or url.startswith(f"{prefix.rstrip('/')}/")


def is_commit(ref: str) -> bool:
    """Whether a ref is a full commit id."""
    return len(ref) == COMMIT_DIGITS and all(digit in "0123456789abcdef" for digit in ref)


def _candidates(ref: str) -> tuple[str, ...]:
    return (f"refs/heads/{ref}", f"refs/tags/{ref}", ref) if ref else ("HEAD",)


def _commit(repository: pygit2.Repository, listed: Mapping[str, str], name: str, server: str) -> str:
    try:
        return str(repository[listed[name]].peel(pygit2.Commit).id)
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise SourceError(f"{server}: {name} is no commit: {error}") from None
