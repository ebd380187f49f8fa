"""The time line: what happened when and where, one moment a line. Pure: an object before and after in, words out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.demo.checker.history import WORKLOADS, asked, at_path, condition, is_ready
from sandbox.demo.checker.observer import Key, Seen
from sandbox.demo.checker.words import Commit, Word

GIT = "git"

COPY = "VolumeGroupReplication"


@dataclass(frozen=True, slots=True)
class Moment:
    """One line: when (monotonic seconds), where (a site, or Git), of which application, and what."""

    at: float
    where: str
    application: str
    text: str


def line(moment: Moment, zero: float) -> str:
    """A moment as it is printed, with the seconds since `zero`."""
    return f"{max(0.0, moment.at - zero):6.1f}s  {moment.where:<3}  {moment.application:<8}  {moment.text}"


def of_commit(commit: Commit) -> Moment:
    """The push of a commit."""
    return Moment(commit.at, GIT, "", f'commit {commit.id} "{commit.subject}"')


def of_word(word: Word) -> Moment:
    """What a site said."""
    return Moment(word.at, word.site, word.application, f"ack {word.state} for epoch {word.epoch}")


def of_event(site: str, seen: Seen, before: Mapping[str, Any] | None, levels: Mapping[Key, int]) -> Iterator[Moment]:
    """What an event changed, as far as it belongs to the story."""
    kind, namespace, name = seen.key
    if kind in WORKLOADS and seen.key in levels:
        for text in _of_workload(before, seen.value):
            yield Moment(seen.at, site, namespace, f"level {levels[seen.key]}  {kind} {name} {text}")
    elif kind == COPY and seen.value is not None:
        for text in _of_copy(before, seen.value):
            yield Moment(seen.at, site, namespace, text)
    elif kind == "SiteApplication" and seen.value is not None:
        state = at_path(seen.value, ("status", "state"))
        if state and state != at_path(before, ("status", "state")):
            yield Moment(seen.at, site, name, f"step {state}")


def _of_workload(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> Iterator[str]:
    ran = before is not None and asked(before)
    runs = now is not None and asked(now)
    if runs and not ran:
        yield "starts"
    if ran and not runs:
        yield "is told to stop"
    if runs and now is not None and is_ready(now) and not (ran and before is not None and is_ready(before)):
        yield "is ready"


def _of_copy(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> Iterator[str]:
    role, reached = at_path(now, ("spec", "replicationState")), at_path(now, ("status", "state"))
    if before is not None and role != at_path(before, ("spec", "replicationState")):
        yield f"copy is told to be {role}"
    if reached and reached != at_path(before, ("status", "state")):
        yield f"copy is {reached}"
    if reached == "Secondary" and condition(now, "Resyncing") == "True" != condition(before or {}, "Resyncing"):
        yield "copy is resynchronised"
    if reached == "Secondary" and condition(now, "Degraded") == "False" != condition(before or {}, "Degraded"):
        yield "copy is in sync"
