"""Who else keeps writing a field that Git sets: a second writer is answered with patience, and named.

Each time that an object which was as Git says differs again without a change in Git is a turn. A few turns are taken at
once, as people do change things by hand. Then each turn waits twice as long as the one before, and after the last one
the object is left alone until Git changes it or the other writer gives in.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from reconciler.clock import Clock
from reconciler.diff import Change
from reconciler.objects import APPLY_MANAGER, Manifest, Ref

AT_ONCE = 3
"""Turns that are answered at once."""

MOST_TURNS = 10
"""Turns after which the object is left alone."""

FIRST_PAUSE = 1.0
"""Seconds before the first turn that is not answered at once; doubled with each one after it."""

OVER_AFTER = 600.0
"""Seconds without a turn after which a contest is over."""


@dataclass(slots=True)
class _Contest:
    manifest: Manifest
    turns: int = 0
    last: float = 0.0
    again: float = 0.0
    said: str = ""

    @property
    def left_alone(self) -> bool:
        return self.turns >= MOST_TURNS

    def over(self, now: float) -> bool:
        return not self.left_alone and now - self.last > OVER_AFTER


@dataclass(slots=True)
class Contests:
    """The contests of one site. Safe to call from the executor's workers."""

    clock: Clock
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: dict[Ref, _Contest] = field(default_factory=dict)

    def turn(self, ref: Ref, manifest: Manifest, live: Manifest, change: Change) -> bool:
        """Whether the object may be written now. `change` is how `live` differs from what it was after our last write
        of the same manifest."""
        now = self.clock.monotonic()
        with self._lock:
            known = self._known.get(ref)
            if known is None or known.manifest != manifest or known.over(now):
                known = self._known[ref] = _Contest(manifest)
            if known.left_alone or now < known.again:
                return False
            known.turns, known.last = known.turns + 1, now
            if known.turns >= AT_ONCE:
                known.again = now + FIRST_PAUSE * 2.0 ** (known.turns - AT_ONCE)
                known.said = _sentence(change, live, known.turns)
            return True

    def said(self, ref: Ref) -> str:
        """What a person should know of the contest about an object; "" where there is none."""
        with self._lock:
            known = self._known.get(ref)
            if known is None or not known.said or known.over(self.clock.monotonic()):
                return ""
            return f"{known.said}; it is left as it is now" if known.left_alone else known.said

    def settled(self, ref: Ref) -> None:
        """The object is as Git says: an object that was left alone is ours again."""
        with self._lock:
            known = self._known.get(ref)
            if known is not None and known.left_alone:
                del self._known[ref]

    def forget(self, refs: frozenset[Ref]) -> None:
        """Drop what is known of objects that are no longer desired."""
        with self._lock:
            for ref in refs:
                self._known.pop(ref, None)


def _sentence(change: Change, live: Manifest, turns: int) -> str:
    fields = ", ".join(each.path for each in change.fields[:3]) or "its fields"
    return f"{_others(live) or 'somebody'} has changed {fields} back {turns} times: let one of the two set it"


def _others(live: Manifest) -> str:
    """The manager that wrote last beside us, by its name."""
    entries = [
        each
        for each in live["metadata"].get("managedFields") or ()
        if each["manager"] != APPLY_MANAGER and not each.get("subresource")
    ]
    return max(entries, key=lambda each: each.get("time", ""))["manager"] if entries else ""
