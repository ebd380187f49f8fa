"""What two copies of a volume have in common: the arithmetic behind "in sync", "behind" and "split brain".

A volume is a sequence of bytes that only grows. Each promotion begins a generation with a name of its own at the length
that the copy had, so a copy's content is known by its generations and its length alone: two copies agree up to
where their generations part, and on nothing after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Generation:
    """What was written under one promotion: from byte `start` on."""

    name: str
    start: int


@dataclass(frozen=True, slots=True)
class History:
    """A copy's content: its generations, oldest first, and its length in bytes."""

    generations: tuple[Generation, ...] = ()
    length: int = 0

    def known(self) -> tuple[Generation, ...]:
        """The generations that this copy has reached; one may be announced before its first byte has arrived."""
        return tuple(generation for generation in self.generations if generation.start <= self.length)

    def promoted(self, name: str) -> History:
        """The history after a promotion: what this copy never reached is no longer part of it."""
        return History((*self.known(), Generation(name, self.length)), self.length)


class Relation(Enum):
    """How a copy stands to another one."""

    SAME = "same"
    BEHIND = "behind"
    AHEAD = "ahead"
    DIVERGED = "diverged"


def common_length(one: History, other: History) -> int:
    """How many leading bytes are certainly the same in both."""
    mine, theirs = one.known(), other.known()
    agreed = 0
    while agreed < min(len(mine), len(theirs)) and mine[agreed] == theirs[agreed]:
        agreed += 1
    if agreed == 0:
        return 0
    return min(_end(one, mine, agreed - 1), _end(other, theirs, agreed - 1))


def relation(one: History, other: History) -> Relation:
    """How `one` stands to `other`."""
    common = common_length(one, other)
    lacks, exceeds = common < other.length, common < one.length
    if lacks and exceeds:
        return Relation.DIVERGED
    if exceeds:
        return Relation.AHEAD
    if lacks:
        return Relation.BEHIND
    return Relation.SAME


def _end(history: History, generations: tuple[Generation, ...], index: int) -> int:
    return generations[index + 1].start if index + 1 < len(generations) else history.length
