"""Inventories in the cluster: written before what they list is applied, and shortened only after it is gone.

So an object that was applied before an error, or before the controller was killed, is never forgotten.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass

from reconciler.cluster import Cluster
from reconciler.errors import Conflict, NotFound
from reconciler.inventory.record import UNIT_LABEL, Entry, from_manifest, inventory_name, to_manifest
from reconciler.objects import APPLY_MANAGER, SYSTEM_NAMESPACE


def read_inventory(cluster: Cluster, unit: str) -> tuple[Entry, ...]:
    """The entries of a unit's inventory, none if it has no inventory yet. A consistent read; raises ClusterError."""
    return _read(cluster, unit).entries


def read_inventories(cluster: Cluster) -> dict[str, tuple[Entry, ...]]:
    """Every unit's inventory. A unit here that Git no longer has is not managed any more: to be told, not deleted."""
    listing = cluster.list("v1", "ConfigMap", SYSTEM_NAMESPACE, f"{UNIT_LABEL}=true")
    return dict(from_manifest(item) for item in listing.items)


@dataclass(frozen=True, slots=True)
class _Recorded:
    entries: tuple[Entry, ...]
    version: str | None


class Ledger:
    """The inventories of one controller. Each is read once; after that a write is made only when it changes one.

    Every write carries the version that was read, so that a second controller cannot shorten what the first has
    written: it gets a Conflict, and reads again.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[str, _Recorded] = {}
        self._lock = threading.Lock()

    def entries(self, unit: str) -> tuple[Entry, ...]:
        """What is recorded of a unit."""
        with self._lock:
            return self._recorded(unit).entries

    def cover(self, unit: str, wanted: Collection[Entry]) -> None:
        """Before applying: record what is wanted beside all that was recorded. After a ClusterError, do not apply."""
        with self._lock:
            recorded = {entry.ref: entry for entry in self._recorded(unit).entries}
            self._write(unit, (recorded | {entry.ref: entry for entry in wanted}).values())

    def settle(self, unit: str, gone: Collection[Entry]) -> None:
        """After pruning: forget what is gone from the cluster."""
        with self._lock:
            left = {entry.ref for entry in gone}
            self._write(unit, [entry for entry in self._recorded(unit).entries if entry.ref not in left])

    def _recorded(self, unit: str) -> _Recorded:
        if unit not in self._known:
            self._known[unit] = _read(self._cluster, unit)
        return self._known[unit]

    def _write(self, unit: str, entries: Collection[Entry]) -> None:
        """Write an inventory if it differs from what is recorded."""
        before = self._known[unit]
        if set(entries) == set(before.entries):
            return
        manifest = to_manifest(unit, entries)
        if before.version is not None:
            manifest["metadata"]["resourceVersion"] = before.version
        try:
            if before.version is None:
                written = self._cluster.create(manifest, manager=APPLY_MANAGER)
            else:
                written = self._cluster.replace(manifest, manager=APPLY_MANAGER)
        except Conflict:
            del self._known[unit]
            raise
        self._known[unit] = _Recorded(tuple(sorted(set(entries))), written["metadata"]["resourceVersion"])


def _read(cluster: Cluster, unit: str) -> _Recorded:
    try:
        found = cluster.get("v1", "ConfigMap", SYSTEM_NAMESPACE, inventory_name(unit))
    except NotFound:
        return _Recorded((), None)
    return _Recorded(from_manifest(found)[1], found["metadata"]["resourceVersion"])
