"""What the live screen shows of the sites, as values taken from what their APIs said last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.demo.checker.history import asked, at_path, is_ready
from sandbox.demo.checker.observer import Key


@dataclass(frozen=True, slots=True)
class Level:
    """One run level of an application: how many of its workloads are ready."""

    number: int
    ready: int
    total: int


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """One application at one site; `starting` are the names of what is on its way up."""

    name: str
    role: str
    state: str
    epoch: str
    levels: tuple[Level, ...]
    starting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SiteView:
    """One site; `alive` is whether its processes run."""

    name: str
    alive: bool
    applications: tuple[ApplicationView, ...] = ()

    @property
    def starting(self) -> int:
        """How many workloads are on their way up."""
        return sum(len(application.starting) for application in self.applications)


def view_of(site: str, alive: bool, now: Mapping[Key, Mapping[str, Any]], levels: Mapping[Key, int]) -> SiteView:
    """What a site's API said last, for the applications that have workloads."""
    names = sorted({key[1] for key in levels})
    return SiteView(site, alive, tuple(_application(name, now, levels) for name in names))


def _application(name: str, now: Mapping[Key, Mapping[str, Any]], levels: Mapping[Key, int]) -> ApplicationView:
    status = at_path(now.get(("SiteApplication", "siteshift-system", name)), ("status",)) or {}
    own = {key: level for key, level in levels.items() if key[1] == name}
    found = {key: now[key] for key in own if key in now}
    up = {key for key, value in found.items() if asked(value) and is_ready(value)}
    return ApplicationView(
        name,
        str(status.get("role", "-")),
        str(status.get("state", "-")),
        str(status.get("epoch", "-")),
        tuple(
            Level(number, sum(own[key] == number for key in up), sum(level == number for level in own.values()))
            for number in sorted(set(own.values()))
        ),
        tuple(sorted(key[2] for key, value in found.items() if asked(value) and key not in up)),
    )
