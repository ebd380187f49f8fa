"""Colour on a terminal: who may have it, and which lines get it. Text that is piped never has any."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import IO

RED, GREEN, YELLOW, BOLD = "31", "32", "33", "1"

_SIGNS = {"+": GREEN, "-": RED, "~": YELLOW}
_SIGN = re.compile(r"^(?:.*?  )?([-+~])(?= )|^([-+])")
_LEVEL = re.compile(r"^((?:\S+: )?)(error|warning)(?=:)", re.MULTILINE)
_LEVELS = {"error": RED, "warning": YELLOW}


def wanted(when: str, stream: IO[str]) -> bool:
    """Whether a stream gets colour: `when` is never, auto or always."""
    if when != "auto":
        return when == "always"
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def asked(words: Sequence[str]) -> str:
    """What a command line says about colour, read before it is parsed: errors of parsing have colour, too."""
    for word, following in pairwise([*words, ""]):
        if word == "--color" and following in ("never", "always"):
            return following
        if word in ("--color=never", "--color=always"):
            return word.partition("=")[2]
    found = os.environ.get("SITESHIFT_COLOR", "auto")
    return found if found in ("never", "always") else "auto"


def paint(text: str, code: str, *, on: bool) -> str:
    """The text in a colour, if that is on."""
    return f"\033[{code}m{text}\033[0m" if on and text else text


def change(line: str, when: str) -> str:
    """A line of a difference on standard output: added, removed and changed lines have their colour."""
    found = _SIGN.match(line) if wanted(when, sys.stdout) else None
    return line if found is None else paint(line, _SIGNS[found.group(1) or found.group(2)], on=True)


def report(text: str, when: str) -> str:
    """Errors and warnings on standard error: the word that says which is painted."""
    if not wanted(when, sys.stderr):
        return text
    return _LEVEL.sub(lambda found: found.group(1) + paint(found.group(2), _LEVELS[found.group(2)], on=True), text)
