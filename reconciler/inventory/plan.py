"""What a prune would delete and what it would keep, and why: a value that can be shown before anything is done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from reconciler.inventory.guards import Candidate, Kept, keep
from reconciler.inventory.record import Entry
from reconciler.inventory.surroundings import Surroundings
from reconciler.objects import Manifest, Ref


@dataclass(frozen=True, slots=True)
class Deletion:
    """One object to delete: the very one that was judged, by its UID."""

    entry: Entry
    uid: str


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """The plan for one unit.

    `delete` is in the order of deletion, highest run level first; `leaving` is being deleted already; `gone` is no
    longer there, or another unit has it in Git now: the inventory may forget it.
    """

    delete: tuple[Deletion, ...] = ()
    kept: tuple[Kept, ...] = ()
    leaving: tuple[Entry, ...] = ()
    gone: tuple[Entry, ...] = ()


def plan(
    old: Collection[Entry],
    desired: Collection[Ref],
    live: Mapping[Ref, Manifest],
    budget: int,
    *,
    label: tuple[str, str],
    around: Surroundings,
) -> PrunePlan:
    """What to do about the recorded objects of a unit that its part of Git no longer has.

    `old` is the unit's inventory, `desired` what the unit has in Git now, `live` its recorded objects as they are now
    (those that are not there are left out), `label` what the unit puts on everything. `around.desired` is what any
    unit of the site has in Git: an object that changed hands is nobody's to prune. More than `budget` deletions are
    none at all.
    """
    left = [entry for entry in sorted(old) if entry.ref not in desired]
    gone = tuple(entry for entry in left if entry.ref not in live or entry.ref in around.desired)
    present = [Candidate(entry, live[entry.ref], label) for entry in left if entry not in gone]
    leaving = tuple(each.entry for each in present if each.live["metadata"].get("deletionTimestamp"))
    judged = [(each, keep(each, around)) for each in present if each.entry not in leaving]
    kept = tuple(reason for _, reason in judged if reason is not None)
    free = sorted((each for each, reason in judged if reason is None), key=_order, reverse=True)
    if len(free) + len(leaving) > budget and free:
        return PrunePlan(
            (), kept + tuple(_over_budget(each, len(free) + len(leaving), budget) for each in free), leaving, gone
        )
    return PrunePlan(tuple(Deletion(each.entry, each.live["metadata"]["uid"]) for each in free), kept, leaving, gone)


def _order(candidate: Candidate) -> tuple[int, bool, Ref]:
    """The order of application: namespaces and definitions before what lives in them or is of them."""
    return int(candidate.entry.run_level), bool(candidate.ref.namespace), candidate.ref


def _over_budget(candidate: Candidate, count: int, budget: int) -> Kept:
    return Kept(
        candidate.ref,
        "Budget",
        f"{count} objects would be deleted at once, and the fleet allows {budget}",
        "take fewer objects out of Git at once, or raise spec.prune.budget in siteshift.yaml",
    )
