"""Storage replicated between two sites: asynchronous, prefix-consistent, and able to diverge; and what was lost of it.

A record is a number; who acknowledged it, and when, is kept for those who ask what a move may lose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Lost = Callable[["Array", str, str, "tuple[int, ...]"], None]
"""Told when a copy takes the lead, or is overwritten, without records that were acknowledged: the array, the site, how
("promoted", "overwritten"), and the records."""


@dataclass
class Array:
    """One application's copies, as the numbered records that they hold. `link`: whether the arrays reach each other."""

    application: str
    sites: tuple[str, str]
    now: Callable[[], float]
    lost: Lost = lambda array, site, how, records: None
    copies: dict[str, list[int]] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    link: bool = True
    times: list[float] = field(default_factory=list)
    refused_writes: int = 0
    discarded: dict[str, list[int]] = field(default_factory=dict)
    given_up: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        for site in self.sites:
            self.copies.setdefault(site, [])
            self.roles.setdefault(site, "secondary")

    @property
    def written(self) -> int:
        """How many records were acknowledged; they are numbered from 1."""
        return len(self.times)

    def other(self, site: str) -> str:
        return self.sites[1] if site == self.sites[0] else self.sites[0]

    def take_role(self, site: str, role: str) -> None:
        """What the site's resource asks for. A copy that becomes primary leaves behind what only the other one has."""
        if role == "primary" and self.roles[site] != "primary":
            mine = set(self.copies[site]) | self.given_up
            left = tuple(each for each in range(1, self.written + 1) if each not in mine)
            self.roles[site] = role
            if left:
                self.lost(self, site, "promoted", left)
        self.roles[site] = role

    def write(self, site: str) -> int | None:
        """A guest's write: acknowledged by a primary, refused by a secondary."""
        if self.roles[site] != "primary":
            self.refused_writes += 1
            return None
        self.times.append(self.now())
        self.copies[site].append(self.written)
        return self.written

    def is_behind(self, site: str) -> bool:
        """Whether a copy is a beginning of the other one."""
        mine, theirs = self.copies[site], self.copies[self.other(site)]
        if len(mine) > len(theirs):
            return False
        return not mine or (mine[-1] == theirs[len(mine) - 1] and mine == theirs[: len(mine)])

    def ship(self) -> None:
        """What replication does in a moment: a copy that is a beginning of the other gets the rest."""
        if not self.link:
            return
        for site in self.sites:
            if self.roles[site] == "secondary" and self.is_behind(site):
                mine = self.copies[site]
                mine.extend(self.copies[self.other(site)][len(mine) :])

    def overwrite(self, site: str) -> None:
        """Resynchronise a diverged copy from a primary, giving up what only it has."""
        if self.link and self.roles[self.other(site)] == "primary" and not self.is_behind(site):
            theirs = set(self.copies[self.other(site)])
            gone = tuple(each for each in self.copies[site] if each not in theirs)
            self.discarded.setdefault(site, []).extend(gone)
            self.copies[site] = list(self.copies[self.other(site)])
            self.lost(self, site, "overwritten", gone)

    def in_sync(self, site: str) -> bool:
        """Whether a secondary follows the other copy: a primary's with its lag, another secondary's wholly."""
        if self.roles[self.other(site)] == "primary":
            return self.link and self.is_behind(site)
        return self.link and self.copies[site] == self.copies[self.other(site)]
