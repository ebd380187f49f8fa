"""Carrying out a plan: run level by run level, backwards, one level a pass.

The next level is deleted only by a later pass, when its plan no longer shows the level above: so nothing here waits,
and an object that is slow to go holds back only what was there before it.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.cluster import Cluster
from reconciler.errors import ClusterError, Conflict, NotFound
from reconciler.inventory.plan import PrunePlan
from reconciler.inventory.record import Entry


@dataclass(frozen=True, slots=True)
class Pruned:
    """What became of one level: `deleted` was asked for, `failed` maps what was refused to the reason."""

    deleted: tuple[Entry, ...] = ()
    failed: tuple[tuple[Entry, ClusterError], ...] = ()


def prune(cluster: Cluster, plan: PrunePlan) -> Pruned:
    """Delete the highest run level of the plan, unless something of a higher one is still leaving.

    Each object is deleted by its UID: one that was made anew meanwhile is left alone, for the next plan to judge.
    """
    levels = [int(each.entry.run_level) for each in plan.delete]
    if not levels or any(int(entry.run_level) > max(levels) for entry in plan.leaving):
        return Pruned()
    deleted: list[Entry] = []
    failed: list[tuple[Entry, ClusterError]] = []
    for deletion in plan.delete:
        entry = deletion.entry
        if int(entry.run_level) != max(levels):
            continue
        try:
            cluster.delete(entry.api_version, entry.ref.kind, entry.ref.namespace, entry.ref.name, uid=deletion.uid)
            deleted.append(entry)
        except (NotFound, Conflict):
            # Gone, or another object by now: nothing of ours to delete.
            continue
        except ClusterError as error:
            failed.append((entry, error))
    return Pruned(tuple(deleted), tuple(failed))
