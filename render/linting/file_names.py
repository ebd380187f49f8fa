"""File names that look as if they gave a run level and do not: their objects go to the usual level."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from render.linting.finding import Finding
from render.site import DEFAULT_LEVEL, FILE_NAME

if TYPE_CHECKING:
    from render.linting.watching import Watcher

RULE = "run-level"
_ALMOST = re.compile(r"0{2,}[-_. ]?\d*[-_. ]|\d{2}[-_]\d{2}[-_]|\d{4}[-_]|0000")
"""What people write who mean a run level."""


def almost_run_levels(_watcher: Watcher, read: set[str]) -> Iterator[Finding]:
    """Names that are not quite `0000_<run level>_<component>_<name>.yaml`."""
    for path in sorted(read):
        name = path.rpartition("/")[2]
        if _ALMOST.match(name) and not FILE_NAME.match(name) and name.endswith((".yaml", ".yml", ".json")):
            hint = (
                "write 0000_<run level>_<component>_<name>.yaml, with digits and a component of letters, digits and -"
            )
            message = f"this name gives no run level, so its objects go to level {DEFAULT_LEVEL}"
            yield Finding(path, 1, 1, RULE, message, hint)
