"""Deletes what Git no longer has, once everything that it does have is there and healthy; never before.

What a unit may have put into the cluster is recorded before it is applied, so a controller that is killed in between
forgets nothing. What belongs to a unit that Git no longer has at all is reported and left as it is (P11).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reconciler.controller.applying import READ_TIMEOUT, Applier, ObjectState
from reconciler.errors import ClusterError
from reconciler.inventory import Ledger, look_around, plan, prune, read_inventories
from reconciler.inventory.record import Entry, entry_of
from reconciler.objects import APPLICATION_LABEL, PLATFORM_LABEL, Manifest, Ref
from reconciler.status.log import Log
from render.site import SiteManifest

if TYPE_CHECKING:
    from reconciler.cluster import Caches, Cluster

UnitKey = tuple[str, str]
"""The label that a unit puts on everything, and its value."""

PREFIXES = {PLATFORM_LABEL: "platform-", APPLICATION_LABEL: "application-"}


class Pruner:
    """The inventories of one site's units, and what is pruned from them."""

    def __init__(self, cluster: Cluster, caches: Caches, applier: Applier, log: Log) -> None:
        self._cluster = cluster
        self._caches = caches
        self._applier = applier
        self._log = log
        self._ledger = Ledger(cluster)

    def cover(self, items: Iterable[SiteManifest]) -> None:
        """Before applying: record the objects beside all that was recorded. After a ClusterError, do not apply."""
        for unit, found in _by_unit(items).items():
            self._ledger.cover(inventory_of(unit), [entry_of(item.manifest, item.run_level) for item in found])

    def prune(self, states: Sequence[ObjectState], everything: frozenset[Ref], budget: int) -> None:
        """Prune the units of these objects, all of which are there and healthy. `everything` is what any unit of the
        site has in Git."""
        desired = {state.ref for state in states}
        for unit in _by_unit(state.item for state in states):
            recorded = self._ledger.entries(inventory_of(unit))
            left = [entry for entry in recorded if entry.ref not in desired]
            if left:
                self._prune(unit, recorded, left, desired, everything, budget)

    def namespaces(self) -> dict[str, set[str]]:
        """The namespaces of what each application has put into the cluster, by its name. Raises ClusterError."""
        prefix = PREFIXES[APPLICATION_LABEL]
        return {
            name.removeprefix(prefix): {entry.ref.namespace for entry in entries} - {""}
            for name, entries in read_inventories(self._cluster).items()
            if name.startswith(prefix)
        }

    def report_unmanaged(self, units: Iterable[UnitKey]) -> None:
        """Say which recorded units Git no longer has; nothing of them is touched."""
        known = {inventory_of(unit) for unit in units}
        for name, entries in read_inventories(self._cluster).items():
            gone = f"{len(entries)} objects are left as they are" if entries and name not in known else ""
            self._log.change("no-longer-managed", name, gone)

    def _prune(
        self,
        unit: UnitKey,
        recorded: Sequence[Entry],
        left: Sequence[Entry],
        desired: set[Ref],
        everything: frozenset[Ref],
        budget: int,
    ) -> None:
        live = {entry.ref: found for entry in left if (found := self._live(entry)) is not None}
        try:
            around = look_around(self._cluster, list(live.values()), everything)
        except ClusterError as unread:
            # What hangs on an object must be known before it goes; the pass and the other units go on.
            self._log.change("failed", f"prune {unit[1]}", f"nothing of {unit[1]} is pruned: {unread}")
            return
        self._log.change("failed", f"prune {unit[1]}", "")
        decided = plan(recorded, desired, live, budget, label=unit, around=around)
        for kept in decided.kept:
            self._log.change("kept", str(kept.ref), f"{kept.ref}: {kept.message}; {kept.lifted_by}")
        result = prune(self._cluster, decided)
        for entry in result.deleted:
            self._log.say("pruned", str(entry.ref))
        for entry, error in result.failed:
            self._log.change("failed", str(entry.ref), str(error))
        self._applier.forget(frozenset(entry.ref for entry in decided.gone))
        self._ledger.settle(inventory_of(unit), decided.gone)

    def _live(self, entry: Entry) -> Manifest | None:
        metadata = {"name": entry.ref.name, "namespace": entry.ref.namespace or None}
        wanted = {"apiVersion": entry.api_version, "kind": entry.ref.kind, "metadata": metadata}
        return self._caches.live(wanted, timeout=READ_TIMEOUT)


def _by_unit(items: Iterable[SiteManifest]) -> dict[UnitKey, list[SiteManifest]]:
    found: dict[UnitKey, list[SiteManifest]] = {}
    for item in items:
        labels = item.manifest["metadata"]["labels"]
        label = APPLICATION_LABEL if APPLICATION_LABEL in labels else PLATFORM_LABEL
        found.setdefault((label, labels[label]), []).append(item)
    return found


def inventory_of(unit: UnitKey) -> str:
    """What the unit's inventory is called."""
    return PREFIXES[unit[0]] + unit[1]
