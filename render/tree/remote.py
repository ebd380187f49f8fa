"""Repositories elsewhere as folders of a tree: how an entry such as `https://host/org/repo//deploy?ref=v1` is read, and
what its files are called here.

Nothing is fetched in this room: whoever makes a `RemoteTree` says how. A repository at a ref is mounted below one name
at the top of the tree (`git:…@…`), so that a build's files keep one kind of path, wherever they come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from render.errors import SiteshiftError, TreeError
from render.tree.seam import Kind, Tree, below, normalise

_SCHEME = re.compile(r"(?:https?|ssh|git|file)://", re.IGNORECASE)
_SHORT = re.compile(r"(?:[\w.-]+@[\w.-]+:|(?:github|gitlab|bitbucket)\.(?:com|org)[/:])", re.IGNORECASE)
_MOUNT = "git:"
_AZURE = "_git/"
_ESCAPES = (("%", "%25"), ("/", "%2F"), ("@", "%40"))


class Remote(NamedTuple):
    """A folder in a Git repository. `ref` is a branch, a tag or a commit id, "" for the server's own branch."""

    url: str
    ref: str
    path: str

    @property
    def mount(self) -> str:
        """The name below which the repository's files are found in a `RemoteTree`."""
        return f"{_MOUNT}{_escaped(self.url)}@{_escaped(self.ref)}"

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
    return entry.startswith("git::") or _SCHEME.match(entry) is not None or _SHORT.match(entry) is not None


def parse_remote(entry: str) -> Remote:
    """The repository, ref and folder that an entry means. Raises `TreeError` for what names no repository.

    The repository ends at `//`, after `.git`, after the name behind `_git/`, or else after two names (`org/repo`); on
    this disk (`file://`) at the end.
    """
    rest, _, query = entry.removeprefix("git::").partition("?")
    scheme = _SCHEME.match(rest)
    start = scheme.end() if scheme else 0
    if not scheme and rest.partition("/")[0].lower() in ("github.com", "gitlab.com", "bitbucket.org"):
        rest, start = f"https://{rest}", len("https://")
    is_file = rest.lower().startswith("file://")
    host = 0 if is_file else _end_of_host(rest, start) - start
    repository, path = _split(rest[start:], host, whole=is_file)
    if not repository.strip("/") or (not is_file and len(repository) <= host):
        raise TreeError(
            f"{entry} names no Git repository", hint="write it like https://host/org/repo//folder?ref=v1.2.3"
        )
    folder = normalise(path.strip("/"))
    if folder.startswith(".."):
        raise TreeError(f"{entry} leaves its repository", hint="name a folder below the repository's root")
    return Remote(rest[:start] + repository.rstrip("/"), _ref(query), folder)


def remote_of(path: str) -> Remote | None:
    """The remote folder that a tree's path lies in, None for one of the tree's own files."""
    if not path.startswith(_MOUNT):
        return None
    name, _, inner = path.partition("/")
    url, _, ref = name[len(_MOUNT) :].rpartition("@")
    return Remote(_unescaped(url), _unescaped(ref), inner)


def shown(path: str) -> str | None:
    """A remote folder's path as people write it; None for one of the tree's own files."""
    remote = remote_of(path)
    if remote is None:
        return None
    place = f"{remote.url}//{remote.path}" if remote.path else remote.url
    return f"{place}?ref={remote.ref}" if remote.ref else place


class RemoteTree:
    """`tree`, with Git repositories of elsewhere as folders at its top.

    `fetch` gives the files of a repository at a ref (the remote's `path` is of no concern to it) and raises
    `SiteshiftError` where it cannot or may not; each repository is asked for once.
    """

    def __init__(self, tree: Tree, fetch: Callable[[Remote], Tree]) -> None:
        self.root = tree.root
        self._tree = tree
        self._fetch = fetch
        self._fetched: dict[str, Tree] = {}

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

    def around(self, tree: Tree) -> RemoteTree:
        """Another tree with the same repositories at its top."""
        same = RemoteTree(tree, self._fetch)
        same._fetched = self._fetched
        return same

    def _owner(self, path: str) -> tuple[Tree, str]:
        clean = normalise(path) if _MOUNT in path else path
        remote = remote_of(clean)
        if remote is None:
            return self._tree, path
        tree = self._fetched.get(remote.mount)
        if tree is None:
            try:
                tree = self._fetched[remote.mount] = self._fetch(remote)
            except SiteshiftError as error:
                raise TreeError(str(error)) from error
        return tree, remote.path


def _end_of_host(rest: str, start: int) -> int:
    """Where the server's name ends, with the separator that follows it."""
    if start:
        slash = rest.find("/", start)
        return len(rest) if slash < 0 else slash + 1
    return rest.index(":") + 1


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


def _escaped(text: str) -> str:
    for character, code in _ESCAPES:
        text = text.replace(character, code)
    return text


def _unescaped(text: str) -> str:
    for character, code in reversed(_ESCAPES):
        text = text.replace(code, character)
    return text
