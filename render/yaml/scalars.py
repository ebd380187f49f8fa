"""What a scalar means: go-yaml's rules, version 3 for resources and version 2 for kustomization.yaml.

Kustomize reads resources with one generation of go-yaml and its own file with an older one. They agree on numbers and
differ on the words of YAML 1.1 (`yes`, `on`, `n`) and on dates, so each has a table of words and a flag.
"""

from __future__ import annotations

import re
from typing import Any

WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
"""Plain words that are no strings, in resources."""

OLD_BOOLEANS: dict[str, bool] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}
"""Booleans of YAML 1.1 only: strings in resources, booleans in kustomization.yaml, always quoted when printed."""

LOWEST_INTEGER, HIGHEST_INTEGER = -(2**63), 2**64 - 1
MOST_DIGITS = 20
"""More decimal digits fit in no 64 bits; Python refuses to count 4,300."""

_NUMERIC_START = frozenset("0123456789+-.")
_INTEGER = re.compile(
    r"([-+]?)(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO]?(?P<o>[0-7]+)|(?P<d>0|[1-9][0-9]*))", re.ASCII
)
_BASES = {"x": 16, "b": 2, "o": 8, "d": 10}
_SIGN_AFTER_BASE = r"0(?:b(?P<b>[-+][01]+)|o(?P<o>[-+][0-7]+))"
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_POINT_FIRST = r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?"
"""Where the point comes first, Go's own parser decides: underscores only between digits."""
_TIME = (
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"(?:(?P<gap>[Tt]| +)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2}):(?P<second>[0-9]{1,2})"
    r"(?:[.,](?P<fraction>[0-9]+))?"
    r"(?P<zone>Z|[-+][0-9]{2}:[0-9]{2})?)?"
)
"""What is rare is compiled when it is first needed."""


class OutsideTime(ValueError):
    """A time that go-yaml reads and JSON cannot hold, for its zone is a day or more away; holds the text."""


def resolve(text: str) -> Any:
    """The value of a plain scalar in a resource: None, a bool, an int, a float or a str (dates as RFC 3339 text).

    Raises `OutsideTime`.
    """
    if text in WORDS:
        return WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    time = timestamp(text)
    if time is not None and time[-6:-5] in ("+", "-") and time[-5:-3] > "23":
        raise OutsideTime(text)
    return time if time is not None else _number(text)


def resolve_old(text: str) -> Any:
    """The value of a plain scalar in kustomization.yaml: YAML 1.1's booleans count, dates stay as they are written."""
    if text in OLD_BOOLEANS:
        return OLD_BOOLEANS[text]
    if text in WORDS:
        return WORDS[text]
    return _number(text) if text[0] in _NUMERIC_START else text


def may_be_time(text: str) -> bool:
    """Whether a value may have been read from a date that is written otherwise."""
    return text[10:11] == "T" and text[4:5] == "-"


def is_string(text: str) -> bool:
    """Whether go-yaml reads the plain text as a string (a date is none)."""
    return text not in WORDS and (text[0] not in _NUMERIC_START or (timestamp(text) is None and _number(text) is text))


def _number(text: str) -> Any:
    """The number that the text is, or the text itself."""
    if text[0] == ".":
        return _float(text.replace("_", ""), text) if re.fullmatch(_POINT_FIRST, text) else text
    plain = text.replace("_", "")
    if match := _INTEGER.fullmatch(plain):
        base = match.lastgroup or "d"
        if base == "d" and len(match[base]) > MOST_DIGITS:
            return _float(plain, text)
        number = int(match[1] + match[base], _BASES[base])
        signed_too_high = match[1] == "+" and number >= 2**63
        if LOWEST_INTEGER <= number <= HIGHEST_INTEGER and not signed_too_high:
            return number
    elif match := re.fullmatch(_SIGN_AFTER_BASE, plain):
        base = match.lastgroup or "o"
        number = int(match[base], _BASES[base])
        return number if LOWEST_INTEGER <= number < 2**63 else text
    return _float(plain, text) if _FLOAT.fullmatch(plain) else text


def _float(digits: str, text: str) -> float | str:
    number = float(digits)
    return text if number in (float("inf"), float("-inf")) else number


def timestamp(text: str) -> str | None:
    """The text as RFC 3339 if go-yaml takes it for a date or time, else None."""
    if len(text) < 8 or text[4] != "-":
        return None
    match = re.fullmatch(_TIME, text)
    if match is None or not _zone_fits(match["gap"], match["zone"]):
        return None
    month, day = int(match["month"]), int(match["day"])
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    if not (1 <= month <= 12 and 1 <= day <= _days(int(match["year"]), month)):
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    fraction = (match["fraction"] or "")[:9].rstrip("0")
    zone = match["zone"] or "Z"
    if zone[1:] == "00:00":
        zone = "Z"
    elif zone != "Z":
        if int(zone[1:3]) > 24 or int(zone[4:6]) > 60:
            return None
        hours, minutes = divmod(int(zone[1:3]) * 60 + int(zone[4:6]), 60)
        zone = f"{zone[0]}{hours:02}:{minutes:02}"
    point = f".{fraction}" if fraction else ""
    return f"{match['year']}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{point}{zone}"


def _zone_fits(gap: str | None, zone: str | None) -> bool:
    """A form with `T` needs a zone, one with a space must not have one."""
    return (gap in ("T", "t")) == (zone is not None)


def _days(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31
