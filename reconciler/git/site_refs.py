"""The refs by which the sites speak, each by its exact name, in a repository of its own, and with a pause of its own.

A ref that cannot be fetched, or that keeps to no limit, is left alone for a while: it costs the fleet a bounded part of
its time, however often it is pushed. Its repository is made anew before the next try.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pygit2

from reconciler.clock import Clock
from reconciler.errors import SourceError
from reconciler.git.limits import FIRST_PAUSE, LONGEST_PAUSE
from reconciler.git.remote import Remote


@dataclass(frozen=True, slots=True)
class _Brought:
    """A ref's value that is here."""

    value: str
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class _Failed:
    """Why a ref is left alone, how often that happened, and until when (monotonic)."""

    why: str
    times: int
    until: float


class SiteRefs:
    """The refs of one server below one folder. Its caller sees to it that one exchange is made at a time.

    `last` is what the caller last took for the refs' values.
    """

    def __init__(self, folder: Path, remote: Remote, clock: Clock) -> None:
        self.last: Mapping[str, str] = {}
        self._folder = folder
        self._remote = remote
        self._clock = clock
        self._brought: dict[str, _Brought] = {}
        self._failed: dict[str, _Failed] = {}

    def bring(self, listed: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """Bring refs, by their listed values. Returns their values by now, and why some could not be brought."""
        values, failed = dict(listed), dict[str, str]()
        for ref in sorted(listed, key=lambda ref: (ref in self._failed, ref)):
            try:
                values[ref] = self._bring(ref, listed[ref])
            except SourceError as error:
                failed[ref] = str(error)
        return values, failed

    def files(self, ref: str, commit: str) -> Mapping[str, bytes]:
        """The files of a ref's value that is here."""
        brought = self._brought.get(ref)
        if brought is None or brought.value != commit:
            raise SourceError(f"{ref} at {commit[:7]} has not been fetched")
        return brought.files

    def descends(self, ref: str, old: str, new: str) -> bool:
        """Whether a ref's commit has another behind it."""
        return self._remote.descends(self._place(ref), old, new)

    def committed_at(self, ref: str, commit: str) -> float:
        """When a ref's value that is here was committed, by the clock of whoever did."""
        self.files(ref, commit)
        found = pygit2.Repository(str(self._place(ref)))[commit]
        assert isinstance(found, pygit2.Commit)
        return float(found.commit_time)

    def push(self, ref: str, expected: str | None, files: Mapping[str, bytes], message: str, how: str) -> str:
        """Push a new commit; see `RefStore.push`."""
        commit, whole = self._remote.push(self._place(ref), ref, expected, files, message, how)
        self._brought[ref] = _Brought(commit, whole)
        self._failed.pop(ref, None)
        return commit

    def push_commit(self, ref: str, expected: str | None, commit: str) -> None:
        """Push a commit that was the ref's value before."""
        self._remote.push_commit(self._place(ref), ref, expected, commit)

    def _bring(self, ref: str, listed: str) -> str:
        brought, failed, now = self._brought.get(ref), self._failed.get(ref), self._clock.monotonic()
        if brought is not None and brought.value == listed:
            return listed
        if failed is not None:
            if now < failed.until:
                raise SourceError(failed.why)
            shutil.rmtree(self._place(ref), ignore_errors=True)
        try:
            value, files = self._remote.bring(self._place(ref), ref, listed)
        except SourceError as error:
            times = 0 if failed is None else failed.times
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(times, 16))
            self._failed[ref] = _Failed(f"{ref}: {error}", times + 1, self._clock.monotonic() + pause)
            raise SourceError(self._failed[ref].why) from None
        self._failed.pop(ref, None)
        self._brought[ref] = _Brought(value, files)
        return value

    def _place(self, ref: str) -> Path:
        return self._folder / quote(ref, safe="")
