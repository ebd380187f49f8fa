"""What a site's history says: the lives of its workloads and of its virtual machine instances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.demo.checker.observer import Key, Seen

WORKLOADS = ("VirtualMachine", "Deployment")
INSTANCE = "VirtualMachineInstance"


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """A moment of one site: `version` orders it exactly among that site's own, `at` (monotonic seconds) among all."""

    version: int
    at: float = field(compare=False)


@dataclass(frozen=True, slots=True)
class Life:
    """One life of a workload: asked to run, ready, asked to stop; None: not yet."""

    key: Key
    asked: Point
    ready: Point | None = None
    stopped: Point | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """One virtual machine instance: when it was first there, its phases in order, and when it was gone (None: it is
    there still)."""

    uid: str
    namespace: str
    name: str
    first: Point
    phases: tuple[tuple[Point, str], ...]
    gone: Point | None = None


def lives(history: Iterable[Seen], namespaces: Iterable[str]) -> list[Life]:
    """Every life of the workloads in these namespaces, in the order in which they began."""
    wanted = frozenset(namespaces)
    current: dict[Key, Life] = {}
    found: list[Life] = []
    for seen in in_order(history):
        if seen.key[0] not in WORKLOADS or seen.key[1] not in wanted:
            continue
        now = Point(seen.version, seen.at)
        running = seen.value is not None and asked(seen.value)
        life = current.get(seen.key)
        if running and life is None:
            life = current[seen.key] = Life(seen.key, now)
        if life is not None and life.ready is None and running and seen.value is not None and is_ready(seen.value):
            current[seen.key] = Life(seen.key, life.asked, now)
        if life is not None and not running:
            life = current.pop(seen.key)
            found.append(Life(seen.key, life.asked, life.ready, now))
    return sorted([*found, *current.values()], key=lambda each: each.asked)


def instances(history: Iterable[Seen], namespaces: Iterable[str]) -> list[Instance]:
    """Every virtual machine instance that was ever in these namespaces, in the order in which they came."""
    wanted = frozenset(namespaces)
    alive: dict[Key, Instance] = {}
    found: list[Instance] = []
    for seen in in_order(history):
        if seen.key[0] != INSTANCE or seen.key[1] not in wanted:
            continue
        now = Point(seen.version, seen.at)
        before = alive.pop(seen.key, None)
        uid = None if seen.value is None else str(seen.value["metadata"]["uid"])
        if before is not None and uid != before.uid:
            found.append(Instance(before.uid, before.namespace, before.name, before.first, before.phases, now))
            before = None
        if seen.value is not None and uid is not None:
            phase = (now, str(seen.value.get("status", {}).get("phase", "")))
            first, phases = (now, ()) if before is None else (before.first, before.phases)
            alive[seen.key] = Instance(uid, seen.key[1], seen.key[2], first, (*phases, phase))
    return sorted([*found, *alive.values()], key=lambda each: each.first)


def points(
    history: Iterable[Seen], kind: str, namespace: str, path: Sequence[str], value: Any, since: float = 0.0
) -> list[Point]:
    """When the objects of a kind in a namespace showed this value at this path, from `since` on."""
    return [
        Point(seen.version, seen.at)
        for seen in in_order(history)
        if seen.at >= since
        and seen.key[:2] == (kind, namespace)
        and seen.value is not None
        and at_path(seen.value, path) == value
    ]


def in_order(history: Iterable[Seen]) -> list[Seen]:
    """One site's events as its store ordered them; each kind is watched on a connection of its own."""
    return sorted(history, key=lambda seen: seen.version)


def asked(value: Mapping[str, Any]) -> bool:
    """Whether a workload is asked to run."""
    spec = value.get("spec", {})
    if value["kind"] == "VirtualMachine":
        return bool(spec.get("runStrategy") not in (None, "Halted"))
    return int(spec.get("replicas", 1)) > 0


def is_ready(value: Mapping[str, Any]) -> bool:
    """Whether all of a workload that is asked to run does."""
    status = value.get("status", {})
    if value["kind"] == "VirtualMachine":
        return bool(status.get("ready"))
    seen = status.get("observedGeneration") == value["metadata"].get("generation")
    return bool(seen and status.get("readyReplicas", 0) >= value["spec"].get("replicas", 1))


def condition(value: Mapping[str, Any], kind: str) -> str:
    """The status of an object's condition; empty if it has none of this type."""
    found = value.get("status", {}).get("conditions") or []
    return next((str(entry["status"]) for entry in found if entry["type"] == kind), "")


def at_path(value: Any, path: Sequence[str]) -> Any:
    """What lies at a path of fields; None where that ends early."""
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
