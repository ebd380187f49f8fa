"""Reading fields of live objects, whose every level may be absent or null."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from reconciler.objects import Manifest

Condition = dict[str, Any]


def field(manifest: Manifest, *path: str) -> Any:
    """The value at a path of maps; None where anything on the way is absent or null."""
    value: Any = manifest
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def number(manifest: Manifest, *path: str, default: int = 0) -> int:
    """The whole number at a path, the default where there is none."""
    value = field(manifest, *path)
    return value if isinstance(value, int) else default


def conditions(manifest: Manifest) -> Iterator[Condition]:
    """The conditions in their order."""
    for condition in field(manifest, "status", "conditions") or ():
        if isinstance(condition, dict):
            yield condition


def condition(manifest: Manifest, kind: str) -> Condition | None:
    """The condition of a type, if there is one."""
    return next((each for each in conditions(manifest) if each.get("type") == kind), None)


def is_condition(manifest: Manifest, kind: str, status: str) -> bool:
    """Whether the condition is there with that status."""
    found = condition(manifest, kind)
    return found is not None and found.get("status") == status


def epoch_seconds(text: Any) -> float | None:
    """Seconds of an RFC 3339 time; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def why(found: Condition, default: str) -> tuple[str, str]:
    """Reason and message of a condition."""
    return found.get("reason") or default, found.get("message") or ""
