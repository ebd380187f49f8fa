"""The small part of JSONPath that printer columns use, such as `.spec.conditions[?(@.type=="Ready")].status`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_STEP = re.compile(
    r"""\.(?P<name>(?:[^.\[\]\\]|\\.)+)
      | \['(?P<quoted>[^']*)'\]
      | \[(?P<index>-?\d+)\]
      | \[(?P<all>\*)\]
      | \[\?\(\s*@\.(?P<field>[\w.\-/]+)\s*==\s*(?P<quote>["'])(?P<value>.*?)(?P=quote)\s*\)\]""",
    re.VERBOSE,
)


@lru_cache(maxsize=512)
def _steps(path: str) -> tuple[re.Match[str], ...] | None:
    text = path if path.startswith((".", "[")) else f".{path}"
    steps, position = [], 0
    while position < len(text):
        found = _STEP.match(text, position)
        if not found:
            return None
        steps.append(found)
        position = found.end()
    return tuple(steps)


def values(manifest: Any, path: str) -> list[Any] | None:
    """Every value that the path leads to; None if the path is beyond what is understood here."""
    steps = _steps(path.strip("{}"))
    if steps is None:
        return None
    found = [manifest]
    for step in steps:
        found = [value for one in found for value in _walk(one, step)]
    return found


def _walk(value: Any, step: re.Match[str]) -> list[Any]:
    name = step["name"] or step["quoted"]
    if name:
        name = name.replace("\\.", ".")
        return [value[name]] if isinstance(value, dict) and name in value else []
    if not isinstance(value, list):
        return list(value.values()) if step["all"] and isinstance(value, dict) else []
    if step["all"]:
        return value
    if step["index"]:
        index = int(step["index"])
        return [value[index]] if -len(value) <= index < len(value) else []
    return [one for one in value if isinstance(one, dict) and str(one.get(step["field"])) == step["value"]]
