"""Repositories elsewhere as folders of a tree: how an entry such as `https://host/org/repo//deploy?ref=v1` is read, and
what its files are called here.

Nothing is fetched in this room: whoever makes a `RemoteTree` says how. A repository at a ref is a folder of the tree,
`https:/host/org/repo@v1:/deploy/…`, so that files keep one kind of path, and one that people can read, wherever they
come from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from render.errors import SiteshiftError, TreeError
from render.tree.seam import Kind, Tree, below, normalise, real_path, sealed

_SCHEMES = ("https://", "http://", "ssh://", "git://", "file://")
_HOSTS = ("github.com", "gitlab.com", "bitbucket.org")
"""Servers that need no scheme."""

_AZURE = "_git/"
_BEGINNINGS = {
    "https:": "https://",
    "http:": "http://",
    "ssh:": "ssh://",
    "git:": "git://",
    "file:": "file:///",
    "scp:": "",
}
"""The first name of a remote folder's path in the tree, and what its URL begins with."""


class Remote(NamedTuple):
    """A folder in a Git repository. `ref` is a branch, a tag or a commit id, "" for the server's own branch."""

    url: str
    ref: str
    path: str

    @property
    def mount(self) -> str:
        """The path of the repository in a `RemoteTree`."""
        first, start = next(pair for pair in _BEGINNINGS.items() if self.url.startswith(pair[1]))
        return f"{first}/{self.url[len(start) :]}@{self.ref}:"

    @property
    def place(self) -> str:
        """The path of the folder in a `RemoteTree`."""
        return below(self.mount, self.path) if self.path else self.mount

    @property
    def host(self) -> str:
        """The server's name in lower case, without user and port; "" for a repository on this disk."""
        scheme, found, rest = self.url.partition("://")
        if found and scheme.lower() == "file":
            return ""
        host = rest.partition("/")[0] if found else self.url.partition(":")[0]
        return host.rpartition("@")[2].partition(":")[0].lower()


def is_remote(entry: str) -> bool:
    """Whether an entry of a kustomization means something on a network."""
    if entry.startswith("git::") or _after_scheme(entry):
        return True
    if entry.partition("/")[0].lower() in _HOSTS:
        return True
    host, colon, _ = entry.partition(":")
    return bool(colon) and "/" not in host and ("@" in host.strip("@") or host.lower() in _HOSTS)


def parse_remote(entry: str) -> Remote:
    """The repository, ref and folder that an entry means. Raises `TreeError` for what names no repository.

    The repository ends at `//`, after `.git`, after the name behind `_git/`, or else after two names (`org/repo`); on
    this disk (`file://`) at the end.
    """
    rest, _, query = entry.removeprefix("git::").partition("?")
    start = _after_scheme(rest)
    if not start and rest.partition("/")[0].lower() in _HOSTS:
        rest, start = f"https://{rest}", len("https://")
    is_file = rest.lower().startswith("file://")
    host = 0 if is_file else _end_of_host(rest, start) - start
    repository, path = _split(rest[start:], host, whole=is_file)
    names = repository[host:].strip("/")
    if (not host and not is_file) or not names or {".", ".."} & set(names.split("/")):
        raise TreeError(
            f"{entry} names no Git repository", hint="write it like https://host/org/repo//folder?ref=v1.2.3"
        )
    folder = normalise(path.strip("/"))
    if folder.startswith(".."):
        raise TreeError(f"{entry} leaves its repository", hint="name a folder below the repository's root")
    if not start and names != repository[host:].rstrip("/"):  # git@host:/an/absolute/path
        return Remote(f"ssh://{repository[: host - 1]}/{names}", _ref(query), folder)
    return Remote(f"{rest[:start]}{repository[:host]}{'/' if is_file else ''}{names}", _ref(query), folder)


def remote_of(path: str) -> Remote | None:
    """The remote folder that a tree's path lies in, None for one of the tree's own files."""
    first, _, rest = path.partition("/")
    start = _BEGINNINGS.get(first)
    head, end, inner = f"{rest}/".partition(":/")
    if start is None or not end:
        return None
    url, _, ref = head.rpartition("@")
    return Remote(start + url, ref, inner.rstrip("/"))


Fetch = Callable[[Remote], Tree]
"""Gives the files of a repository at a ref; the remote's `path` is of no concern to it."""


class RemoteTree:
    """`tree`, with Git repositories of elsewhere as folders at its top.

    `fetch` raises `SiteshiftError` where it cannot or may not; each repository is asked for once.
    """

    def __init__(self, tree: Tree, fetch: Fetch) -> None:
        self.root = tree.root
        self._tree = tree
        self._fetch = fetch
        self._fetched: dict[str, Tree] = {}

    @property
    def has_fetched(self) -> bool:
        """Whether anything of elsewhere was asked for."""
        return bool(self._fetched)

    def kind(self, path: str) -> Kind | None:
        """What is there; None if nothing is."""
        tree, inner = self._owner(path)
        return tree.kind(inner)

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        tree, inner = self._owner(path)
        return tree.read(inner)

    def list(self, path: str) -> list[str]:
        """The names in a folder, sorted."""
        tree, inner = self._owner(path)
        return tree.list(inner)

    def identity(self, path: str) -> str:
        """What the content is, as a name."""
        tree, inner = self._owner(path)
        return tree.identity(inner)

    def real_path(self, path: str) -> str:
        """The path without symbolic links."""
        tree, inner = self._owner(path)
        real = real_path(tree, inner)
        return real if tree is self._tree else f"{normalise(path).removesuffix(inner)}{real}"

    def sealed(self, path: str) -> str | None:
        """What the tree says of a folder of its own; nothing for its top, where the repositories are."""
        tree, inner = self._owner(path)
        return sealed(tree, inner) if normalise(path) else None

    def around(self, tree: Tree) -> RemoteTree:
        """Another tree with the same repositories at its top."""
        same = RemoteTree(tree, self._fetch)
        same._fetched = self._fetched
        return same

    def _owner(self, path: str) -> tuple[Tree, str]:
        remote = remote_of(normalise(path)) if ":" in path else None
        if remote is None:
            return self._tree, path
        tree = self._fetched.get(remote.mount)
        if tree is None:
            try:
                tree = self._fetched[remote.mount] = self._fetch(remote)
            except SiteshiftError as error:
                message, _, hint = str(error).partition("\n  hint: ")
                raise TreeError(message, hint=hint or None) from error
        return tree, remote.path


def _after_scheme(entry: str) -> int:
    """Where what follows `https://` and the like begins, 0 if nothing like that is there."""
    head = entry[:8].lower()
    return next((len(scheme) for scheme in _SCHEMES if head.startswith(scheme)), 0)


def _end_of_host(rest: str, start: int) -> int:
    """Where the server's name ends, with the separator that follows it."""
    if start:
        slash = rest.find("/", start)
        return len(rest) if slash < 0 else slash + 1
    return rest.find(":") + 1


def _split(rest: str, host: int, *, whole: bool) -> tuple[str, str]:
    """The repository and the folder in it."""
    if (azure := rest.find(_AZURE, host)) >= 0:
        name = rest.find("/", azure + len(_AZURE))
        return (rest, "") if name < 0 else (rest[:name], rest[name:])
    if (double := rest.find("//", host)) >= 0:
        return rest[:double], rest[double:]
    if (suffix := rest.find(".git", host)) >= 0:
        end = suffix + len(".git")
        return rest[:end], rest[end:]
    if whole:
        return rest, ""
    names = rest[host:].split("/")
    return rest[:host] + "/".join(names[:2]), "/".join(names[2:])


def _ref(query: str) -> str:
    fields = dict(part.partition("=")[::2] for part in query.split("&") if part)
    return fields.get("ref") or fields.get("version") or ""
