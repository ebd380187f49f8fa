"""Places in an object as people write them: `spec.containers[name=web].image`, and what is there before and after.

Lists grow and are reordered while a build goes on, so an element is known by a key of its own where it has one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

Trail = tuple[str | int, ...]
Steps = tuple[Any, ...]
"""Keys, positions in lists, and (key, value) for the element of a list that has that."""

ABSENT: Any = object()
"""What is at a place that is not there."""

ELEMENT_KEYS = ("name", "key", "mountPath", "containerPort", "port", "host", "ip")
"""By what elements of lists are told apart, the first that an element has."""

_ELEMENT = re.compile(r"\[(?:(?P<position>\d+)|(?P<key>[^\]=]+)=(?P<value>[^\]]*))\]")


def at(node: Any, steps: Steps) -> Any:
    """What is at a place, `ABSENT` if nothing is."""
    for step in steps:
        if isinstance(step, tuple):
            items = node if isinstance(node, list) else ()
            node = next((item for item in items if isinstance(item, dict) and item.get(step[0]) == step[1]), ABSENT)
        elif step in (node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()):
            node = node[step]
        else:
            return ABSENT
    return ABSENT if node is None and not steps else node


def resolve(manifests: Sequence[Any], field: str) -> Trail | None:
    """The trail of a written field in the first manifest that has it, or None. Keys with dots need no quotes."""
    for manifest in manifests:
        trail = _resolve(manifest, field)
        if trail is not None:
            return trail
    return None


def _resolve(node: Any, field: str) -> Trail | None:
    if not field:
        return ()
    if isinstance(node, dict):
        keys = [key for key in node if field.startswith(key) and field[len(key) : len(key) + 1] in ("", ".", "[")]
        for key in sorted(keys, key=len, reverse=True):
            rest = _resolve(node[key], field[len(key) :].removeprefix("."))
            if rest is not None:
                return (key, *rest)
    elif isinstance(node, list):
        element = _ELEMENT.match(field) or re.match(r"(?P<position>\d+)(?=\.|$)", field)
        for place, item in enumerate(node):
            if element is not None and _is_meant(element.groupdict(), place, item):
                rest = _resolve(item, field[element.end() :].removeprefix("."))
                if rest is not None:
                    return (place, *rest)
    return None


def _is_meant(wanted: dict[str, str | None], place: int, item: Any) -> bool:
    if wanted["position"] is not None:
        return int(wanted["position"]) == place
    return isinstance(item, dict) and str(item.get(wanted["key"])) == wanted["value"]


def steps_of(manifest: Any, trail: Trail) -> Steps:
    """A trail with the elements of lists told by a key where they have one."""
    steps: list[Any] = []
    node = manifest
    for step in trail:
        inner = at(node, (step,))
        if isinstance(step, int) and isinstance(inner, dict):
            key = next((key for key in ELEMENT_KEYS if isinstance(inner.get(key), str | int)), None)
            if key is not None and sum(isinstance(item, dict) and item.get(key) == inner[key] for item in node) == 1:
                steps.append((key, inner[key]))
                node = inner
                continue
        steps.append(step)
        node = inner
    return tuple(steps)


def differences(before: Any, after: Any, place: str = "") -> list[str]:
    """The places that differ, as people write them."""
    if isinstance(before, dict) and isinstance(after, dict):
        found: list[str] = []
        for key in dict.fromkeys((*before, *after)):
            found += differences(
                before.get(key, ABSENT), after.get(key, ABSENT), f"{place}.{key}" if place else str(key)
            )
        return found
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            line
            for number, (old, new) in enumerate(zip(before, after, strict=True))
            for line in differences(old, new, f"{place}[{number}]")
        ]
    return [] if same(before, after) else [place]


def same(one: Any, other: Any) -> bool:
    """Whether two values print the same: as `==`, but 1 is not true. What they share is not looked at."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        if len(one) != len(other):
            return False
        for key, value in one.items():
            there = other.get(key, ABSENT)
            if value is not there and not same(value, there):  # most of what is compared is shared
                return False
        return True
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def shown(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, str) and value.isprintable() and value == value.strip() and value:
        return value
    return json.dumps(value, ensure_ascii=False)
