"""Plays the story: does each step, watches until all that was claimed of it was observed, and shows both.

The one loop that waits (`Stage.look`) also draws, follows the time line and is where an interruption is noticed, so
everything that takes time happens in threads or processes beside it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, TypeVar

from sandbox.demo.checker.history import Instance, Life, instances, lives
from sandbox.demo.checker.observer import Key, Seen
from sandbox.demo.screen import Screen
from sandbox.demo.table import Row
from sandbox.demo.timeline import of_commit, of_event, of_word
from sandbox.demo.view import view_of
from sandbox.demo.world import Background, World

LOOK = 0.05
"""Seconds between two looks at what happened."""

JUDGE = 0.25
"""Seconds between two judgements of a claim that does not hold yet."""

SHOWN = 5
"""How much of what is wrong is shown at most; more would hide the first."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that must be observed. `wrong` says what speaks against it now; `within` is how many seconds it may
    take to come true (0: it must hold already); `note` adds what was counted."""

    text: str
    wrong: Callable[[Stage], Iterable[str]]
    within: float = 0.0
    note: Callable[[Stage], str] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the story: what is done, and what must then be observed, in this order."""

    title: str
    act: Callable[[Stage], None]
    claims: tuple[Claim, ...]


@dataclass(slots=True)
class Death:
    """The end of a site's processes: when (monotonic, and seconds since 1970), and which instances died with them."""

    site: str
    at: float
    clock: float
    pids: tuple[int, ...]
    uids: frozenset[str]


@dataclass(slots=True)
class Notes:
    """What the story keeps from one step to the next."""

    committed: float = 0.0
    death: Death | None = None
    returned: float = 0.0
    returned_clock: str = ""
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)


class Interrupts:
    """SIGINT, SIGTERM and SIGHUP are noted here, and acted on at the next look; while things are put away, never."""

    NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self._noted: int | None = None
        for number in self.NUMBERS:
            signal.signal(number, self._note)

    def check(self) -> None:
        """Raise KeyboardInterrupt if one of them came."""
        if self._noted is not None:
            raise KeyboardInterrupt(f"interrupted by {signal.Signals(self._noted).name}; nothing is left running")

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self._noted is None:
            os.write(2, b"\ninterrupted: stopping the sites\n")
        self._noted = number


class Stage:
    """The world, the screen, and what happened so far."""

    def __init__(self, world: World, screen: Screen, interrupts: Interrupts) -> None:
        self.world = world
        self.notes = Notes()
        self._screen = screen
        self._interrupts = interrupts
        self._zero = time.monotonic()
        self._waiting = ""
        self._read: dict[str, int] = {}
        self._before: dict[tuple[str, Key], Mapping[str, Any] | None] = {}

    def play(self, number: int, step: Step) -> bool:
        """Do a step and observe it; whether everything that it claims was."""
        self._zero = time.monotonic()
        self._waiting = step.title
        self._screen.say(f"\n{number}  {step.title}")
        step.act(self)
        return all(self._observe(claim) for claim in step.claims)

    def during(self, work: Callable[[], Answer]) -> Answer:
        """Do something that takes time in the background, and look on."""
        background = Background(work)
        while not background.done:
            self.look()
        return background.answer()

    def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Look on until something holds; False if it does not within so many seconds."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                return False
            self.look()
        return True

    def look(self) -> None:
        """Take in what happened since the last look, show it, and rest for a moment."""
        self._interrupts.check()
        world = self.world
        if world.words is not None:
            commit = world.words.commit()
            if commit is not None:
                self.notes.committed = self._zero = commit.at
                self._screen.moment(of_commit(commit), self._zero)
        events = [(seen.at, site, seen) for site in world.observers for seen in self._news(site)]
        for _, site, seen in sorted(events, key=lambda event: event[0]):
            for moment in of_event(site, seen, self._before.get((site, seen.key)), world.levels):
                self._screen.moment(moment, self._zero)
            self._before[site, seen.key] = seen.value
        for word in world.words.look() if world.words is not None else ():
            self._screen.moment(of_word(word), self._zero)
        views = [view_of(name, world.alive(name), each.objects(), world.levels) for name, each in self._watched()]
        self._screen.draw(views, f"{time.monotonic() - self._zero:6.1f}s  {self._waiting}")
        time.sleep(LOOK)

    def lives(self, site: str, *applications: str) -> list[Life]:
        """Every life of these applications' workloads at a site."""
        return lives(self.history(site), applications)

    def instances(self, site: str, *applications: str) -> list[Instance]:
        """Every instance of these applications that was ever seen at a site."""
        return instances(self.history(site), applications)

    def history(self, site: str) -> list[Seen]:
        """Everything that a site's API has shown so far."""
        return list(self.world.observers[site].history)

    def objects(self, site: str) -> dict[Key, dict[str, Any]]:
        """A site's objects as they were seen last."""
        return self.world.observers[site].objects()

    def _observe(self, claim: Claim) -> bool:
        self._waiting = claim.text
        deadline = time.monotonic() + claim.within
        while wrong := list(claim.wrong(self)):
            broken = self.world.broken()
            if time.monotonic() > deadline or broken:
                self._fail(claim, [*broken, *wrong])
                return False
            judged = time.monotonic()
            self.until(lambda judged=judged: time.monotonic() - judged >= JUDGE, JUDGE)  # type: ignore[misc]
        self.look()
        note = f" ({claim.note(self)})" if claim.note is not None else ""
        self._screen.claim(f"{claim.text}{note}", ())
        return True

    def _fail(self, claim: Claim, wrong: list[str]) -> None:
        self._screen.claim(claim.text, wrong)
        limit = f" within {claim.within:g} s" if claim.within else ""
        self._screen.say(f"          expected{limit}: {claim.text}")
        for text in wrong[:SHOWN]:
            self._screen.say(f"          seen: {text}")
        if len(wrong) > SHOWN:
            self._screen.say(f"          and {len(wrong) - SHOWN} more")

    def _news(self, site: str) -> list[Seen]:
        history = self.world.observers[site].history
        start = self._read.get(site, 0)
        news = history[start:]
        self._read[site] = start + len(news)
        return news

    def _watched(self) -> list[tuple[str, Any]]:
        return sorted(self.world.observers.items())
