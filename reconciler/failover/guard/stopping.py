"""Carries a stop out: close first, in one write with its reason; then the objects, the highest run level first; when
nothing runs any more, the replicas.

A person in a hurry would do the same by hand: no step waits for a proof, and one object that cannot be written keeps no
other from being stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.errors import ClusterError, Conflict, NotFound
from reconciler.failover.admission import permits
from reconciler.failover.execute.fenced_writer import FencedWriter
from reconciler.failover.execute.record import Record, Records
from reconciler.failover.guard.decide import INTERRUPTED
from reconciler.failover.protocol.card import CardObject, StopCard
from reconciler.failover.protocol.values import Journal, Step
from reconciler.fleet.times import GUARD_AT_ONCE
from reconciler.objects import MOVES_MANAGER, STANDBY_LABEL, SYSTEM_NAMESPACE, Manifest

if TYPE_CHECKING:
    from reconciler.cluster.client import Cluster

ENDED = frozenset({"Succeeded", "Failed"})
RUNNING_KINDS = (("v1", "Pod"), ("kubevirt.io/v1", "VirtualMachineInstance"))


@dataclass(frozen=True, slots=True)
class Stopped:
    """What came of one try. `written`: objects that were given their safe value now; `failed`: what could not be
    written, in words; `runs`: whether something still runs, None where that could not be read."""

    written: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    runs: bool | None = None


def close(records: Records, record: Record) -> Record:
    """A window that no time satisfies. Conflict where somebody wrote the record meanwhile."""
    return records.write(record, window=_closed)


def halt(records: Records, record: Record, reason: str, server_time: float) -> Record:
    """Journal the stop and close the gate, in one write. Conflict where somebody wrote the record meanwhile."""
    if record.journal is None:
        return close(records, record)
    entry = stopping(record.journal, record.card, reason, server_time)
    return records.write(record, journal=entry, window=_closed)


def _closed(data: Mapping[str, str], server_time: float) -> permits.Data:
    del server_time
    return permits.closed(data)


def stopping(journal: Journal, card: StopCard | None, reason: str, server_time: float) -> Journal:
    """The entry of a stop."""
    interrupted = journal.step in INTERRUPTED
    orders = dict.fromkeys((*journal.stop_orders, *(card.stop_orders if card else ())))
    return replace(
        journal,
        sequence=journal.sequence + 1,
        step=Step.STOPPING if interrupted else journal.step,
        since=server_time if interrupted else journal.since,
        stopped_for=reason,
        stop_orders=tuple(orders),
        lapse=None,
    )


def close_regardless(cluster: Cluster, application: str) -> None:
    """Close a gate whose record takes no ordinary write: closing is right whatever is there. Raises ClusterError."""
    body = {"data": {**permits.closed({}), permits.PRIMARY: "false", permits.NONCE: None}}
    name = permits.name_of(application)
    cluster.patch(permits.API_VERSION, permits.KIND, SYSTEM_NAMESPACE, name, body, manager=MOVES_MANAGER)


def stop(cluster: Cluster, record: Record | None, card: StopCard, *, roles: bool) -> Stopped:
    """Stop everything on a card, as far as it can be written now. `record`: under whose entry (None: under none).
    Conflict where the entry is no longer the newest."""
    writer = FencedWriter(cluster, card.application)
    written, failed = _make_safe(writer, record, in_order(card.starts))
    runs = _runs(cluster, card.namespaces)
    if roles and runs is False:
        more = _make_safe(writer, record, card.roles)
        written, failed = (*written, *more[0]), (*failed, *more[1])
    return Stopped(written, failed, runs)


def in_order(starts: Iterable[CardObject]) -> tuple[CardObject, ...]:
    """What is to be stopped, the highest run level first; what stands by writes nothing and goes on."""
    return tuple(sorted((each for each in starts if not each.standby), key=_level, reverse=True))


def _level(each: CardObject) -> tuple[int, str]:
    digits = "".join(filter(str.isdigit, each.run_level))
    return int(digits) if digits else -1, each.run_level


def _make_safe(
    writer: FencedWriter, record: Record | None, objects: Sequence[CardObject]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """In their order, some at once: a slow API server must not make the last wait for the sum of all before."""
    if not objects:
        return (), ()

    def one(each: CardObject) -> tuple[bool, ClusterError | None]:
        try:
            return writer.make_safe(record, each), None
        except ClusterError as error:
            return False, error

    with ThreadPoolExecutor(max_workers=min(GUARD_AT_ONCE, len(objects))) as pool:
        found = list(zip(objects, pool.map(one, objects), strict=True))
    if record is not None and any(isinstance(error, Conflict) for _, (_, error) in found):
        writer.holds(record)
    written = tuple(str(each.ref) for each, (wrote, _) in found if wrote)
    return written, tuple(f"{each.ref}: {error}" for each, (_, error) in found if error is not None)


def _runs(cluster: Cluster, namespaces: Sequence[str]) -> bool | None:
    """Whether anything of the application still runs; what stands by does not count."""

    def going(each: Manifest) -> bool:
        standby = STANDBY_LABEL in (each["metadata"].get("labels") or {})
        return not standby and (each.get("status") or {}).get("phase") not in ENDED

    try:
        return any(going(each) for name in namespaces for kind in RUNNING_KINDS for each in _list(cluster, *kind, name))
    except ClusterError:
        return None


def _list(cluster: Cluster, version: str, kind: str, namespace: str) -> tuple[Manifest, ...]:
    try:
        return cluster.list(version, kind, namespace).items
    except NotFound:
        return ()
