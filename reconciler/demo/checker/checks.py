"""What must hold of a site's history. Every check returns what it found wrong, in words; nothing: it holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.demo.checker.observer import Key, Seen

WORKLOADS = ("VirtualMachine", "Deployment")


@dataclass(frozen=True, slots=True)
class Life:
    """One life of a workload: asked to run at `asked`, ready at `ready`, asked to stop at `stopped` (None: not yet)."""

    key: Key
    asked: float
    ready: float | None
    stopped: float | None


def lives(history: Sequence[Seen], namespaces: frozenset[str], since: float = 0.0) -> list[Life]:
    """Every life of the workloads in these namespaces that began at or after `since`, in order."""
    open_lives: dict[Key, list[float | None]] = {}
    found: list[Life] = []
    for seen in history:
        if seen.key[0] not in WORKLOADS or seen.key[1] not in namespaces or seen.at < since:
            continue
        running = seen.value is not None and _asked(seen.value)
        life = open_lives.get(seen.key)
        if running and life is None:
            life = open_lives[seen.key] = [seen.at, None]
        if life is not None and life[1] is None and seen.value is not None and running and _ready(seen.value):
            life[1] = seen.at
        if not running and life is not None:
            asked, ready = open_lives.pop(seen.key)
            found.append(Life(seen.key, asked or 0.0, ready, seen.at))
    found += [Life(key, asked or 0.0, ready, None) for key, (asked, ready) in open_lives.items()]
    return sorted(found, key=lambda life: life.asked)


def most_in_flight(found: Iterable[Life]) -> int:
    """The highest number of workloads that were on their way up at one moment."""
    turns: list[tuple[float, int]] = []
    for life in found:
        ends = [moment for moment in (life.ready, life.stopped) if moment is not None]
        turns.append((life.asked, 1))
        if ends:
            turns.append((min(ends), -1))
    count = most = 0
    for _, turn in sorted(turns):
        count += turn
        most = max(most, count)
    return most


def started_in_order(found: Sequence[Life], levels: Mapping[Key, int]) -> list[str]:
    """Within each namespace nothing starts before everything of a lower run level is ready."""
    wrong = []
    for life in found:
        for lower in found:
            same = lower.key[1] == life.key[1] and levels[lower.key] < levels[life.key]
            if same and (lower.ready is None or lower.ready > life.asked):
                wrong.append(f"{_name(life.key)} started before {_name(lower.key)} was ready")
    return wrong


def stopped_in_order(found: Sequence[Life], levels: Mapping[Key, int]) -> list[str]:
    """Within each namespace nothing is stopped before everything of a higher run level was told to stop."""
    wrong = []
    for life in found:
        for higher in found:
            same = higher.key[1] == life.key[1] and levels[higher.key] > levels[life.key]
            if same and life.stopped is not None and (higher.stopped is None or higher.stopped > life.stopped):
                wrong.append(f"{_name(life.key)} was stopped before {_name(higher.key)}")
    return wrong


def instances(history: Sequence[Seen], namespaces: frozenset[str]) -> dict[str, tuple[str, float, float | None]]:
    """Every virtual machine instance that was ever there: uid → (namespace, first seen, gone)."""
    found: dict[str, tuple[str, float, float | None]] = {}
    alive: dict[Key, str] = {}
    for seen in history:
        if seen.key[0] != "VirtualMachineInstance" or seen.key[1] not in namespaces:
            continue
        uid = None if seen.value is None else seen.value["metadata"]["uid"]
        before = alive.get(seen.key)
        if before is not None and uid != before:
            namespace, first, _ = found[before]
            found[before] = (namespace, first, seen.at)
            del alive[seen.key]
        if uid is not None and uid not in found:
            found[uid] = (seen.key[1], seen.at, None)
            alive[seen.key] = uid
    return found


def overlaps(
    here: Mapping[str, tuple[str, float, float | None]], there: Mapping[str, Any], dead: Mapping[str, float]
) -> list[str]:
    """Instances of one application at two sites at one moment. `dead` says when the processes of an instance were
    killed, by its uid: an object that outlived them in the store writes nothing."""
    wrong = []
    for uid, (namespace, first, gone) in here.items():
        end = min(moment for moment in (gone, dead.get(uid), float("inf")) if moment is not None)
        for other, (elsewhere, began, ended) in there.items():
            other_end = min(moment for moment in (ended, dead.get(other), float("inf")) if moment is not None)
            if namespace == elsewhere and first < other_end and began < end:
                wrong.append(f"{namespace} had instances at both sites at one moment")
    return sorted(set(wrong))


def moments(
    history: Sequence[Seen], kind: str, namespace: str, path: Sequence[str], value: Any, since: float
) -> list[float]:
    """When the objects of a kind in a namespace showed this value at this path, from `since` on."""
    return [
        seen.at
        for seen in history
        if seen.at >= since
        and seen.key[:2] == (kind, namespace)
        and seen.value is not None
        and _at(seen.value, path) == value
    ]


def refusals(audit_log: Path, namespaces: frozenset[str], after: str) -> list[dict[str, Any]]:
    """Creates of instances and pods in these namespaces that the API server refused after a moment (RFC 3339), as its
    own audit log has them."""
    found = []
    for line in audit_log.read_text().splitlines():
        event = json.loads(line)
        target = event.get("objectRef") or {}
        if (
            event.get("verb") == "create"
            and target.get("resource") in ("virtualmachineinstances", "pods")
            and target.get("namespace") in namespaces
            and int(event.get("responseStatus", {}).get("code", 0)) in (403, 422)
            and event["requestReceivedTimestamp"] >= after
            and "dryRun" not in event.get("requestURI", "")
        ):
            found.append(event)
    return found


def _asked(value: dict[str, Any]) -> bool:
    spec = value.get("spec", {})
    if value["kind"] == "VirtualMachine":
        return bool(spec.get("runStrategy") not in (None, "Halted"))
    return int(spec.get("replicas", 1)) > 0


def _ready(value: dict[str, Any]) -> bool:
    status = value.get("status", {})
    if value["kind"] == "VirtualMachine":
        return bool(status.get("ready"))
    seen = status.get("observedGeneration") == value["metadata"].get("generation")
    return bool(seen and status.get("readyReplicas", 0) >= value["spec"].get("replicas", 1))


def _at(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _name(key: Key) -> str:
    return f"{key[0]} {key[1]}/{key[2]}"
