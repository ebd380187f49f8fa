"""What the sites have said on their Git refs, read from the repository that they share, in the order of the pushes."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Word:
    """A site said this about an application at an epoch; `at` (monotonic seconds) is when it was seen at the latest."""

    at: float
    site: str
    application: str
    epoch: int
    state: str


@dataclass(frozen=True, slots=True)
class Commit:
    """The branch's newest commit; `at` (monotonic seconds) is when it was pushed."""

    at: float
    id: str
    subject: str


class Words:
    """Follows the branch and the ack refs of a bare repository."""

    def __init__(self, repository: Path, sites: tuple[str, ...], branch: str = "main") -> None:
        import pygit2

        self._repository: Any = pygit2.Repository(str(repository))
        self._folder = repository
        self._heads: dict[str, str | None] = dict.fromkeys(sites)
        self._branch = f"refs/heads/{branch}"
        self._last: str | None = None
        self.all: list[Word] = []

    def commit(self) -> Commit | None:
        """The branch's head, if it is another one than at the last question."""
        reference = self._repository.references.get(self._branch)
        if reference is None or str(reference.target) == self._last:
            return None
        self._last = str(reference.target)
        message: str = self._repository[self._last].message
        return Commit(self._pushed_at(self._branch), self._last[:7], message.partition("\n")[0])

    def look(self) -> list[Word]:
        """What was said since the last look, oldest first."""
        found = [word for site in self._heads for word in self._of(site)]
        self.all += found
        return found

    def first(self, site: str, application: str, state: str, since: float) -> float | None:
        """When a site first said this about an application, from `since` on; None if it has not."""
        return next(
            (
                word.at
                for word in self.all
                if (word.site, word.application, word.state) == (site, application, state) and word.at >= since
            ),
            None,
        )

    def _of(self, site: str) -> list[Word]:
        name = f"refs/siteshift/acks/{site}"
        reference = self._repository.references.get(name)
        head = None if reference is None else str(reference.target)
        last = self._heads[site]
        if head is None or head == last:
            return []
        seen = self._pushed_at(name)
        commits = []
        commit = self._repository[head]
        while commit is not None and str(commit.id) != last:
            commits.append(commit)
            commit = commit.parents[0] if commit.parents else None
        self._heads[site] = head
        return [word for commit in reversed(commits) for word in self._in(site, commit, seen)]

    def _in(self, site: str, commit: Any, seen: float) -> list[Word]:
        """What a commit says that its parent did not."""
        before = {} if not commit.parents else {entry.name: entry.id for entry in commit.parents[0].tree}
        words = []
        for entry in commit.tree:
            if before.get(entry.name) != entry.id:
                said = json.loads(entry.data)
                words.append(Word(seen, site, said["application"], int(said["epoch"]), said["state"]))
        return words

    def _pushed_at(self, name: str) -> float:
        """When the ref was last written, by its file, in this process's monotonic time."""
        try:
            written = (self._folder / name).stat().st_mtime
        except OSError:
            return time.monotonic()
        return time.monotonic() - max(0.0, time.time() - written)
