"""What a tree is, and the arithmetic of paths and identities that every kind of tree shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, Protocol

from render.digests import sha1
from render.errors import NotInTree, TreeError

Kind = Literal["file", "folder"]

MOST_BYTES = 256 << 20
"""Bytes of a file; what Kubernetes stores ends at one or two megabytes an object."""


class Tree(Protocol):
    """Files and folders below one root. Every method takes a path and raises `TreeError` for what it cannot tell."""

    @property
    def root(self) -> str:
        """What the tree is called in messages: a folder's path, a commit."""

    def kind(self, path: str) -> Kind | None:
        """What is there; None if nothing is."""

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises `NotInTree` if nothing is there."""

    def list(self, path: str) -> list[str]:
        """The names in a folder, sorted. Raises `NotInTree` if nothing is there."""

    def identity(self, path: str) -> str:
        """What the content is, as a name: equal for equal content.

        A file's identity is its Git blob id, in every kind of tree. A folder's says everything below it, where a
        symbolic link counts by its target's name; it compares only with identities from the same kind of tree.
        """


class Sealing(Protocol):
    """A tree that can cheaply say that nothing has changed in a whole folder."""

    def sealed(self, path: str) -> str | None:
        """A name for all that can be found in a folder, equal for equal content; None where there is none.

        There is none for what is no folder, and where a symbolic link is on the way or inside: it may lead out.
        """


def sealed(tree: Tree, path: str) -> str | None:
    """`Sealing.sealed`, None for trees that cannot tell."""
    ask: Callable[[str], str | None] | None = getattr(tree, "sealed", None)
    return None if ask is None else ask(path)


class Linked(Protocol):
    """A tree that may hold symbolic links."""

    def real_path(self, path: str) -> str:
        """The path of what is there without symbolic links. Raises `NotInTree` if nothing is there."""


def real_path(tree: Tree, path: str) -> str:
    """`Linked.real_path`; the path itself for trees without links."""
    # Asking a protocol with isinstance would take as long as reading the file.
    ask: Callable[[str], str] | None = getattr(tree, "real_path", None)
    return normalise(path) if ask is None else ask(path)


def normalise(path: str, start: str = "") -> str:
    """`path`, read from the folder `start`, without `.` and `..`; what leaves the root begins with `..`.

    Raises `TreeError` for an absolute path and for one that no file system has.
    """
    if path.startswith("/"):
        raise TreeError("the path is absolute, it must be relative", path=path)
    if "\0" in path:
        raise TreeError("the path holds a NUL character", path=path.replace("\0", "\\0"))
    if not start and "./" not in path and "//" not in path and not path.endswith(("/", ".")):
        return path
    parts = start.split("/") if start else []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def leaves(path: str) -> bool:
    """Whether a normalised path is above the root."""
    return path == ".." or path.startswith("../")


def blob_identity(data: bytes) -> str:
    """The id that Git gives a file of this content."""
    return sha1(b"blob %d\0" % len(data) + data)


def listing_identity(lines: Iterable[str]) -> str:
    """A name for a folder's content, one line an entry."""
    return sha1("\n".join(lines).encode("utf-8", "surrogateescape"))


def readable_name(name: bytes, folder: str) -> str:
    """A name as text. Raises `TreeError` if it is none: such a name could neither be written down nor shown."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        raise TreeError(
            f"the folder holds a name that is not UTF-8: {name!r}", path=folder or ".", hint="rename it"
        ) from None


def below(folder: str, name: str) -> str:
    """The path of `name` in `folder`."""
    return f"{folder}/{name}" if folder else name


def nothing_there(path: str, root: str) -> NotInTree:
    """The error for a path that leads nowhere."""
    return NotInTree(f"there is no such file or folder in {root}", path=path)


def not_a_file(path: str) -> TreeError:
    """The error for reading a folder."""
    return TreeError("this is a folder, not a file", path=path or ".")


def not_a_folder(path: str) -> TreeError:
    """The error for listing a file."""
    return TreeError("this is a file, not a folder", path=path)


def too_large(path: str) -> TreeError:
    """The error for a file that would not fit."""
    return TreeError(f"the file holds more than {MOST_BYTES >> 20} MiB", path=path)


def leaves_root(path: str, root: str) -> TreeError:
    """The error for a path above the root."""
    return TreeError(f"the path leaves {root}", path=path)
