"""When two values mean the same to an API server, although they are not written the same."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

QUANTITY_PARENTS = frozenset(
    {
        "averageValue",
        "capacity",
        "default",
        "defaultRequest",
        "divisor",
        "guest",
        "hard",
        "limits",
        "maxLimitRequestRatio",
        "overcommit",
        "podFixed",
        "requests",
        "sizeLimit",
    }
)
"""Fields that are quantities or whose values are; only below them may "1000m" and "1" be the same."""

DEFAULTS: tuple[tuple[str, Any], ...] = (
    ("apiVersion", "v1"),
    ("creationTimestamp", None),
    ("divisor", "0"),
    ("kind", "PersistentVolumeClaim"),
    ("protocol", "TCP"),
    ("scope", "*"),
    ("status", {"phase": "Pending"}),
    ("volumeMode", "Filesystem"),
)
"""What servers add inside values that have one owner as a whole (the parts of a claim template, a field reference)."""

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(m|u|n|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?")
_SUFFIXES = {
    **{suffix: Decimal(10) ** power for suffix, power in zip("num", (-9, -6, -3), strict=True)},
    **{suffix: Decimal(10) ** (3 * power) for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}

Path = tuple[str, ...]


def is_empty(value: Any) -> bool:
    """Nothing, or a container with nothing in it."""
    return value is None or value == {} or value == []


def equal(desired: Any, live: Any, path: Path) -> bool:
    """Whether live is what a server makes of desired. What live has beyond that must be a known default."""
    if isinstance(desired, dict) and isinstance(live, dict):
        return _equal_maps(desired, live, path)
    if isinstance(desired, list) and isinstance(live, list):
        return len(desired) == len(live) and all(equal(d, v, path) for d, v in zip(desired, live, strict=True))
    if live is None:
        # Servers leave out what has its zero value.
        return is_empty(desired) or desired in (False, 0, "")
    if is_empty(desired) and is_empty(live):
        return True
    if isinstance(desired, bool) or isinstance(live, bool):
        return desired is live
    return bool(desired == live) or _equal_quantities(desired, live, path)


def covers(live: Any, desired: Any, path: Path) -> bool:
    """Whether everything desired is live, whatever is live beside it."""
    if isinstance(desired, dict) and isinstance(live, dict):
        return all(covers(live.get(key), value, (*path, key)) for key, value in desired.items())
    if isinstance(desired, list) and isinstance(live, list):
        return len(desired) == len(live) and all(covers(v, d, path) for d, v in zip(desired, live, strict=True))
    return equal(desired, live, path)


def _equal_maps(desired: dict[str, Any], live: dict[str, Any], path: Path) -> bool:
    if not all(equal(value, live.get(key), (*path, key)) for key, value in desired.items()):
        return False
    extra = ((key, value) for key, value in live.items() if key not in desired)
    return all(is_empty(value) or (key, value) in DEFAULTS for key, value in extra)


def _equal_quantities(desired: Any, live: Any, path: Path) -> bool:
    if path[:1] != ("spec",) or not QUANTITY_PARENTS.intersection(path):
        return False
    amounts = quantity(desired), quantity(live)
    return None not in amounts and amounts[0] == amounts[1]


def quantity(value: Any) -> Decimal | None:
    """The amount that a Kubernetes quantity is; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = _QUANTITY.fullmatch(str(value))
    if found is None:
        return None
    amount, suffix = Decimal(found[1]), found[2] or ""
    if suffix[:1] in ("e", "E") and len(suffix) > 1 and suffix != "Ei":
        return amount * Decimal(10) ** int(suffix[1:])
    return amount * _SUFFIXES.get(suffix, Decimal(1))
