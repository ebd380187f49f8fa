"""Is the gate as it should be? Every field of a policy or binding is compared, and a difference is named by its path.

A policy that somebody changed (`failurePolicy: Ignore`, one namespace less, an exclusion more) is an open gate that
still looks like one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.failover.admission.policies import bindings, policies
from reconciler.objects import Manifest

SHOWN = 60
"""Characters of a value that a message shows."""


@dataclass(frozen=True, slots=True)
class Tampered:
    """A policy or binding that is not as it should be. `wanted`: as it should be; `found`: as it is, None where it is
    missing; `because`: the difference, in words."""

    wanted: Manifest
    found: Manifest | None
    because: str

    def __str__(self) -> str:
        return f"{self.wanted['kind']} {self.wanted['metadata']['name']}: {self.because}"


def wanted(applications: Mapping[str, Iterable[str]]) -> tuple[Manifest, ...]:
    """All policies and bindings of a site. `applications`: name → namespaces."""
    if not applications:
        return ()
    return (*policies(), *(each for name in sorted(applications) for each in bindings(name, applications[name])))


def differences(should_be: Iterable[Manifest], are: Iterable[Manifest]) -> tuple[Tampered, ...]:
    """What is missing or different; more than should be is no harm, since policies only refuse."""
    found = {(each["kind"], each["metadata"]["name"]): each for each in are}
    return tuple(_of_each(should_be, found))


def _of_each(should_be: Iterable[Manifest], found: Mapping[tuple[str, str], Manifest]) -> Iterator[Tampered]:
    for each in should_be:
        there = found.get((each["kind"], each["metadata"]["name"]))
        if there is None:
            yield Tampered(each, None, "is missing")
        elif there["metadata"].get("deletionTimestamp"):
            yield Tampered(each, there, "is being deleted")
        else:
            because = next(_compare(each["spec"], there.get("spec"), "spec"), "")
            if because:
                yield Tampered(each, there, because)


def _compare(should_be: Any, found: Any, path: str) -> Iterator[str]:
    if isinstance(should_be, dict) and isinstance(found, dict):
        for key in sorted(should_be.keys() | found.keys()):
            if key not in found:
                yield f"{path}.{key} is missing, expected {_shown(should_be[key])}"
            elif key not in should_be:
                yield f"{path}.{key} is {_shown(found[key])}, expected none"
            else:
                yield from _compare(should_be[key], found[key], f"{path}.{key}")
    elif isinstance(should_be, list) and isinstance(found, list) and len(should_be) == len(found):
        for index, (one, other) in enumerate(zip(should_be, found, strict=True)):
            yield from _compare(one, other, f"{path}[{index}]")
    elif should_be != found:
        yield f"{path} is {_shown(found)}, expected {_shown(should_be)}"


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
