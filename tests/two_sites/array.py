"""Storage replicated between two sites: asynchronous, prefix-consistent, and able to diverge."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Array:
    """One volume's copies, as the numbered records that they hold. `link`: whether the arrays reach each other."""

    sites: tuple[str, str]
    copies: dict[str, list[int]] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    link: bool = True
    written: int = 0
    refused_writes: int = 0
    discarded: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for site in self.sites:
            self.copies.setdefault(site, [])
            self.roles.setdefault(site, "secondary")

    def other(self, site: str) -> str:
        return next(each for each in self.sites if each != site)

    def write(self, site: str) -> int | None:
        """A guest's write: acknowledged by a primary, refused by a secondary."""
        if self.roles[site] != "primary":
            self.refused_writes += 1
            return None
        self.written += 1
        self.copies[site].append(self.written)
        return self.written

    def is_behind(self, site: str) -> bool:
        """Whether a copy is a beginning of the other one."""
        mine, theirs = self.copies[site], self.copies[self.other(site)]
        return mine == theirs[: len(mine)]

    def ship(self) -> None:
        """What replication does in a moment: a copy that is a beginning of the other gets the rest."""
        if not self.link:
            return
        for site in self.sites:
            if self.roles[site] == "secondary" and self.is_behind(site):
                self.copies[site] = list(self.copies[self.other(site)])

    def overwrite(self, site: str) -> None:
        """Resynchronise a diverged copy from a primary, giving up what only it has."""
        if self.link and self.roles[self.other(site)] == "primary" and not self.is_behind(site):
            theirs = set(self.copies[self.other(site)])
            self.discarded.setdefault(site, []).extend(each for each in self.copies[site] if each not in theirs)
            self.copies[site] = list(self.copies[self.other(site)])

    def in_sync(self, site: str) -> bool:
        """Whether a secondary follows the other copy: a primary's with its lag, another secondary's wholly."""
        if self.roles[self.other(site)] == "primary":
            return self.link and self.is_behind(site)
        return self.link and self.copies[site] == self.copies[self.other(site)]
