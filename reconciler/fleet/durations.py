"""Durations as people write them (30s, 1h30m) and as everything else wants them: seconds."""

from __future__ import annotations

import re

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")


def seconds(text: str) -> float:
    """The seconds of a duration whose form the schema has checked; "1m30s" is 90.0."""
    return sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text))


def show(duration: float) -> str:
    """A number of seconds in the form that people write, in at most two units; 90.0 is "1m30s"."""
    if duration < 1:
        return f"{round(duration * 1000)}ms"
    if duration < 60:
        return f"{round(duration, 1):g}s"
    rest, parts = round(duration), []
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(rest, int(UNITS[unit]))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2])
