"""What must hold of the sites' histories. Every check returns what it found wrong, in words; nothing: it holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.demo.checker.history import INSTANCE, Instance, Life, Point
from sandbox.demo.checker.observer import Key

REFUSED = (403, 422)
CREATED = (200, 201)


def most_in_flight(found: Iterable[Life]) -> int:
    """The highest number of workloads that were on their way up at one moment."""
    turns: list[tuple[Point, int]] = []
    for life in found:
        turns.append((life.asked, 1))
        ends = [moment for moment in (life.ready, life.stopped) if moment is not None]
        if ends:
            turns.append((min(ends), -1))
    count = most = 0
    for _, turn in sorted(turns):
        count += turn
        most = max(most, count)
    return most


def most_startable(found: Sequence[Life], levels: Mapping[Key, int]) -> int:
    """The highest number of workloads of one run level that only the start gate held back at one moment: everything
    below them was ready, and they were not."""
    free: dict[Key, Point | None] = {}
    for life in found:
        below = [other.ready for other in found if _is_below(other, life, levels)]
        known = [moment for moment in below if moment is not None]
        free[life.key] = None if len(known) < len(below) else max(known, default=Point(0, 0.0))
    most = 0
    for moment in (life.ready for life in found if life.ready is not None):
        for level in set(levels.values()):
            waiting = 0
            for life in found:
                since = free[life.key]
                held = since is not None and since <= moment and (life.ready is None or life.ready >= moment)
                waiting += held and levels[life.key] == level
            most = max(most, waiting)
    return most


def within_the_gate(found: Sequence[Life], cap: int, *, reached: bool) -> list[str]:
    """Never more than `cap` workloads on their way up at once; where asked for, that many at some moment."""
    most = most_in_flight(found)
    if most > cap:
        return [f"{most} workloads were starting at one moment, the cap is {cap}"]
    if reached and most < cap:
        return [f"at most {most} workloads were starting at one moment, the cap of {cap} was never reached"]
    return []


def started_in_order(found: Sequence[Life], levels: Mapping[Key, int], namespaces: Iterable[str]) -> list[str]:
    """Everything was started once and got ready, nothing before all of the lower run levels was."""
    wrong: list[str] = []
    wanted = [key for key in levels if key[1] in frozenset(namespaces)]
    by_key: dict[Key, Life] = {}
    for life in found:
        if life.key in by_key:
            wrong.append(f"{name_of(life.key)} was started twice")
        by_key[life.key] = life
    for key in wanted:
        if key not in by_key:
            wrong.append(f"{name_of(key)} was never started")
        elif by_key[key].ready is None:
            wrong.append(f"{name_of(key)} was never ready")
    for life in found:
        for lower in found:
            if _is_below(lower, life, levels) and (lower.ready is None or lower.ready > life.asked):
                wrong.append(f"{name_of(life.key)} was started before {name_of(lower.key)} was ready")
    return wrong


def stopped_in_order(
    found: Sequence[Life], ran: Sequence[Instance], levels: Mapping[Key, int], namespaces: Iterable[str]
) -> list[str]:
    """Everything was stopped, nothing before all of the higher run levels was told to and their instances were gone.

    `found` are the lives and `ran` the instances that this stop ended.
    """
    wrong: list[str] = []
    stopped = {life.key: life.stopped for life in found}
    for key in levels:
        if key[1] in frozenset(namespaces) and stopped.get(key) is None:
            wrong.append(f"{name_of(key)} was never told to stop")
    gone = {("VirtualMachine", each.namespace, each.name): each.gone for each in ran}
    for life in found:
        for higher in found:
            if life.stopped is None or not _is_below(life, higher, levels):
                continue
            told = higher.stopped
            if told is None or told > life.stopped:
                wrong.append(f"{name_of(life.key)} was told to stop before {name_of(higher.key)} was")
            elif higher.key in gone and _not_before(gone[higher.key], life.stopped):
                wrong.append(f"{name_of(life.key)} was told to stop while {name_of(higher.key)} still ran")
    return wrong


def overlaps(here: Iterable[Instance], there: Iterable[Instance], dead: Mapping[str, float]) -> list[str]:
    """Instances of one application at two sites at one moment. `dead` says when the processes of an instance were
    killed, by its uid: an object that outlived them in the store writes nothing."""
    others = list(there)
    wrong = {
        f"{one.namespace} had instances at both sites at one moment"
        for one in here
        for other in others
        if one.namespace == other.namespace and one.first.at < _end(other, dead) and other.first.at < _end(one, dead)
    }
    return sorted(wrong)


def newcomers(found: Iterable[Instance], known: frozenset[str], since: float) -> list[str]:
    """Instances that came after a moment and are not among the known."""
    return [
        f"{INSTANCE} {each.namespace}/{each.name} was created"
        for each in found
        if each.uid not in known and each.first.at >= since
    ]


def revived(found: Iterable[Instance], remnants: frozenset[str], since: float) -> list[str]:
    """Remnants of killed instances that came to life again after a moment, or have not gone."""
    wrong = []
    for each in found:
        if each.uid not in remnants:
            continue
        phases = [phase for point, phase in each.phases if point.at >= since]
        ended = next((number for number, phase in enumerate(phases) if phase != "Running"), len(phases))
        if "Running" in phases[ended:]:
            wrong.append(f"{INSTANCE} {each.namespace}/{each.name}, whose processes were killed, runs again")
        if each.gone is None:
            wrong.append(f"{INSTANCE} {each.namespace}/{each.name}, whose processes were killed, is still there")
    return wrong


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Objects whose resourceVersion is another one, that are gone, or that are new."""
    paths = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    return [f"{path}: resourceVersion {before.get(path, '-')} > {after.get(path, '-')}" for path in paths]


def creations(audit_log: Path, namespaces: frozenset[str], after: str, codes: Sequence[int]) -> list[str]:
    """Creations of instances and pods in these namespaces that the API server answered with one of these codes after a
    moment (RFC 3339 in UTC, with microseconds), as its own audit log has them. Dry runs do not count."""
    found = []
    for line in audit_log.read_text().splitlines():
        event = json.loads(line)
        target: dict[str, Any] = event.get("objectRef") or {}
        if (
            event.get("verb") == "create"
            and target.get("resource") in ("virtualmachineinstances", "pods")
            and not target.get("subresource")
            and target.get("namespace") in namespaces
            and int(event.get("responseStatus", {}).get("code", 0)) in codes
            and event["requestReceivedTimestamp"] >= after
            and "dryRun" not in event.get("requestURI", "")
        ):
            user = event.get("user", {}).get("username", "somebody")
            found.append(f"{user} created {target['resource']} in {target['namespace']}")
    return found


def name_of(key: Key) -> str:
    """An object as people write it."""
    return f"{key[0]} {key[1]}/{key[2]}"


def _is_below(lower: Life, higher: Life, levels: Mapping[Key, int]) -> bool:
    return lower.key[1] == higher.key[1] and levels[lower.key] < levels[higher.key]


def _not_before(moment: Point | None, limit: Point) -> bool:
    return moment is None or moment > limit


def _end(instance: Instance, dead: Mapping[str, float]) -> float:
    gone = float("inf") if instance.gone is None else instance.gone.at
    return min(gone, dead.get(instance.uid, float("inf")))
