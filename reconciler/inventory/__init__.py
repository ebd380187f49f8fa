"""Room `inventory`: what a unit has put into a site's cluster, and what of it may be pruned.

Holds the inventory of each application and platform folder, the guards against pruning, the plan of a prune as a value,
and its execution. Knows nothing of run levels but their order, and nothing of Git: what is desired is handed in.
"""

from __future__ import annotations

from reconciler.inventory.guards import Candidate, Kept, Reason
from reconciler.inventory.plan import Deletion, PrunePlan, plan
from reconciler.inventory.prune import Pruned, prune
from reconciler.inventory.record import Entry
from reconciler.inventory.store import Ledger, read_inventories, read_inventory
from reconciler.inventory.surroundings import Surroundings, look_around

__all__ = [
    "Candidate",
    "Deletion",
    "Entry",
    "Kept",
    "Ledger",
    "PrunePlan",
    "Pruned",
    "Reason",
    "Surroundings",
    "look_around",
    "plan",
    "prune",
    "read_inventories",
    "read_inventory",
]
