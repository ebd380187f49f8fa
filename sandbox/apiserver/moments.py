"""Times as the API writes them: RFC 3339 in UTC, whole seconds."""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable

WallClock = Callable[[], float]
"""Seconds since the epoch; passed in, so that a rehearsal owns the time that objects carry."""


def rfc3339(seconds: float) -> str:
    """`2026-11-22T10:00:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def rfc3339_micro(seconds: float) -> str:
    """With microseconds, as audit events carry it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1_000_000):06d}Z"


def epoch(text: str) -> float:
    """Seconds since the epoch of a time without an offset."""
    return float(calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")))
