"""A simulated array: one volume group with a copy at each of two sites, which fails as real ones do.

It knows what is true of a copy. What an operator reports of it, late, stale or wrong, is the business of `Storage`; the
kit compares what a driver concludes with the truth here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SITES = ("a", "b")


@dataclass(slots=True)
class Copy:
    """One site's copy. `records`: the numbers of the writes that it holds; `primary`: whether it takes writes; `told`:
    whether it was told to (None: nothing yet), `discard` to give up what only it holds; `generation` counts what it was
    told, `done` is the last of them that the array has carried out; `failed` why it could not."""

    records: list[int] = field(default_factory=list)
    primary: bool = False
    told: bool | None = None
    discard: bool = False
    generation: int = 0
    done: int = 0
    failed: str = ""
    synced_at: float | None = None


@dataclass(slots=True)
class Faults:
    """How it misbehaves now. `refuses`: roles ("primary", "secondary") that it fails to take; `stuck`: it carries
    nothing out; `slow`: a resynchronisation never ends."""

    link_cut: bool = False
    stuck: bool = False
    refuses: frozenset[str] = frozenset()
    slow: bool = False


class Array:
    """Both copies and the time, in seconds since 1970."""

    def __init__(self, now: float = 1_795_334_400.0) -> None:
        self.now = now
        self.copies = {site: Copy() for site in SITES}
        self.faults = Faults()
        self.discarded: dict[str, list[int]] = {site: [] for site in SITES}
        self._written = 0

    def other(self, site: str) -> Copy:
        """The copy of the other site."""
        return self.copies[SITES[1 - SITES.index(site)]]

    def tell(self, site: str, *, primary: bool, discard: bool = False) -> None:
        """Ask a copy for a role; nothing changes before `step`. To say it again is no news."""
        copy = self.copies[site]
        if (copy.told, copy.discard) != (primary, discard):
            copy.told, copy.discard, copy.generation, copy.failed = primary, discard, copy.generation + 1, ""

    def write(self, site: str) -> None:
        """A guest writes; a secondary refuses."""
        if self.copies[site].primary:
            self._written += 1
            self.copies[site].records.append(self._written)

    def step(self, seconds: float = 1.0) -> None:
        """Time passes: roles are taken, and a secondary gets what the other copy has."""
        self.now += seconds
        for site, copy in self.copies.items():
            self._obey(copy)
            if not copy.primary and not self.faults.link_cut and not self.faults.slow:
                self._ship(site, copy)

    def _obey(self, copy: Copy) -> None:
        if copy.told is None or copy.done == copy.generation or self.faults.stuck:
            return
        wanted = "primary" if copy.told else "secondary"
        if wanted in self.faults.refuses:
            copy.failed = f"it cannot become {wanted}"
            return
        copy.primary, copy.done, copy.failed = copy.told, copy.generation, ""

    def _ship(self, site: str, copy: Copy) -> None:
        other = self.other(site)
        if self.is_diverged(site):
            if not (copy.discard and copy.done == copy.generation and other.primary):
                return
            self.discarded[site] += [each for each in copy.records if each not in other.records]
        elif len(copy.records) > len(other.records):
            return
        copy.records, other.synced_at = list(other.records), self.now

    def is_diverged(self, site: str) -> bool:
        """Whether a copy holds what the other one does not."""
        return not set(self.copies[site].records) <= set(self.other(site).records)

    def is_complete(self, site: str) -> bool:
        """Whether the two copies hold the same."""
        return set(self.copies[site].records) == set(self.other(site).records)

    def follows(self, site: str) -> bool:
        """Whether a secondary gets, or has, all that the other copy holds."""
        if self.is_complete(site):
            return True
        return not (self.is_diverged(site) or self.faults.link_cut or self.faults.slow)

    def exposure(self, site: str) -> float | None:
        """Seconds of writes of a primary that the other copy does not have for certain; None: it never had any."""
        synced = self.copies[site].synced_at
        return None if synced is None else self.now - synced
