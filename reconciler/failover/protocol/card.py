"""The stop card: everything that stopping one application needs, kept in its own cluster (P20).

It lies in the application's record, beside journal and permit, and once more in a copy. The guard reads nothing else:
no Git, no rendered manifest, no other application.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.failover.protocol.values import Journal, Step, StopOrder
from reconciler.fleet.model import NOWHERE, Application, Group, Lease, Replication
from reconciler.objects import Ref


@dataclass(frozen=True, slots=True)
class CardObject:
    """An object that the guard may write: where it is served, and the fields of `spec` that make it safe (a stopped
    value, the role secondary). `run_level` orders starts; stops go the other way."""

    ref: Ref
    api_version: str
    safe: Mapping[str, Any]
    run_level: str = ""
    standby: bool = False


@dataclass(frozen=True, slots=True)
class StopCard:
    """`leases`: those in force; while a commit changes the lease, the old one and the new one (None in it: `keep`); the
    guard obeys the shortest, heartbeats name the longest. `accepted`: when a heartbeat was last accepted, by the API
    server's clock, as of the last renewal of the permit. `permit`: how long a permit lasts, in seconds. While the
    definition changes, objects and namespaces of both definitions are listed."""

    application: str
    namespaces: tuple[str, ...]
    starts: tuple[CardObject, ...]
    roles: tuple[CardObject, ...]
    driver: str
    leases: tuple[Lease | None, ...] = (None,)
    stop_orders: tuple[StopOrder, ...] = ()
    accepted: float | None = None
    permit: float = 120.0


def replication_in_force(card: StopCard | None, journal: Journal, application: Application) -> Replication:
    """P12: the replication that holds the data, whatever the newest definition says. A driver changes only while the
    application is placed nowhere and this site is at rest at that very epoch."""
    newest, placement = application.replication, application.placement
    if card is None or card.driver == newest.driver:
        return newest
    rests = journal.step in (Step.PASSIVE, Step.DEMOTED) and not journal.primary_since
    if placement.active == NOWHERE and rests and journal.epoch == placement.epoch:
        return newest
    groups = (Group(each.ref.kind, each.ref.name, each.ref.namespace) for each in card.roles)
    return Replication(card.driver, tuple(groups), newest.rpo)
