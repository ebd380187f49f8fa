"""What the rest of the reconciler knows of Git: one narrow seam, with a real mirror and an in-memory one behind it.

"Not there" and "could not be read" are different answers: everything that fails raises `SourceError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from render.tree import Tree


@dataclass(frozen=True, slots=True)
class Heads:
    """What one server listed at one moment: the branch's commit, and those of the wanted refs that it has.

    The refs were listed before the branch. `failed`: why what a ref holds could not be brought here, or is not taken
    in; the branch and the other refs are not touched by that.
    """

    branch: str
    refs: Mapping[str, str]
    failed: Mapping[str, str] = field(default_factory=dict)


class Repository(Protocol):
    """The fleet repository as one controller sees it. Commits are named by their full ids.

    Every method raises `SourceError` for what it cannot tell, and each exchange with the server ends in bounded time.
    `refs` are always exact, full names.
    """

    def heads(self, refs: Sequence[str] = ()) -> Heads:
        """List the server's branch and these refs. Brings nothing here: one cheap request."""

    def fetch(self, refs: Sequence[str] = ()) -> Heads:
        """List the server's branch and these refs, and bring each here, for itself."""

    def tree(self, commit: str) -> Tree:
        """The files of a commit of the branch."""

    def first_parents(self, old: str, new: str) -> list[str]:
        """The commits of the branch after `old` up to `new` along first parents, oldest first.

        Raises `HistoryRewound` if `new` does not descend from `old`.
        """

    def changes(self, path: str, old: str, new: str) -> list[str]:
        """Those of `first_parents` in which the file or folder at this path differs from the commit before."""

    def read(self, commit: str, path: str) -> bytes:
        """One file of a commit of the branch. Raises `NotInTree` if it is not there."""

    def message(self, commit: str) -> str:
        """The message of a commit of the branch."""

    def files(self, ref: str, commit: str) -> Mapping[str, bytes]:
        """All files of the value that a ref had at the last fetch or push."""

    def descends(self, ref: str, old: str, new: str) -> bool:
        """Whether a ref's commit `new` has `old` behind it; False where `old` is not known here."""

    def append(self, ref: str, expected: str | None, files: Mapping[str, bytes], message: str) -> str:
        """Add a commit with these files, beside those that were there, to a ref whose value is `expected` (None: it
        does not exist yet). Returns the commit, which the server has taken.

        Raises `PushRefused` if the ref has another value or a rule forbids the push.
        """

    def replace(self, ref: str, expected: str | None, files: Mapping[str, bytes], message: str) -> str:
        """Replace a ref whose value is `expected` by one commit with exactly these files; where the server refuses to
        replace refs, add the commit to it. Then as `append`."""

    def push_commit(self, ref: str, expected: str | None, commit: str) -> None:
        """Give a ref whose value is `expected` a commit that was its value before. Then as `append`."""
