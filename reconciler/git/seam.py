"""What the rest of the reconciler knows of Git: one narrow seam, with a real mirror and an in-memory one behind it.

"Not there" and "could not be read" are different answers: everything that fails raises `SourceError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from render.tree import Tree


@dataclass(frozen=True, slots=True)
class Heads:
    """What one server listed at one moment: the branch's commit, and every site's refs by their full names.

    All these commits are here, readable.
    """

    branch: str
    refs: Mapping[str, str]


class Repository(Protocol):
    """The fleet repository as one controller sees it. Commits are named by their full ids.

    Every method raises `SourceError` for what it cannot tell.
    """

    def fetch(self) -> Heads:
        """List the server's branch and refs, and bring their commits here."""

    def tree(self, commit: str) -> Tree:
        """The files of a commit."""

    def first_parents(self, old: str, new: str) -> list[str]:
        """The commits after `old` up to `new` along first parents, oldest first.

        Raises `HistoryRewound` if `new` does not descend from `old`.
        """

    def read(self, commit: str, path: str) -> bytes:
        """One file of a commit. Raises `NotInTree` if it is not there."""

    def message(self, commit: str) -> str:
        """A commit's message."""

    def push_ack(self, ref: str, previous: str | None, files: Mapping[str, bytes], message: str) -> Heads:
        """Add a commit with these files, beside those that were there, to a ref whose value is `previous`.

        Returns what the same server listed after it had taken the push. Raises `PushRefused` if the ref has another
        value (`None`: it does not exist yet) or a rule forbids the push.
        """

    def push_heartbeat(self, ref: str, files: Mapping[str, bytes]) -> Heads:
        """Replace a ref by one commit with exactly these files; then as `push_ack`."""
