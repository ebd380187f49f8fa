"""Where a file lies, as somebody at this shell would write it: builds read from `/`, and say so in their errors."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.errors import InputError

_PATH = re.compile(r"[^\s'\",]+/[^\s'\",]+")


def place(path: str) -> str:
    """A file below `/`: relative if it is in or below the current folder, else absolute; anything else unchanged."""
    absolute = f"/{path}"
    if not os.path.lexists(absolute):
        return path
    here = os.getcwd()
    return os.path.relpath(absolute, here) if f"{absolute}/".startswith(f"{here.rstrip('/')}/") else absolute


def placed(error: InputError) -> InputError:
    """The same error with the places of this machine, in its hint too."""
    if error.path is not None:
        error.path = place(error.path)
    if error.hint is not None:
        error.hint = _PATH.sub(lambda found: place(found[0]), error.hint)
    return error
