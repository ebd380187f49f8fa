"""What an application is at this site (P12), as plain values: workloads, claims, and what its cluster must have.

A move acts on one definition from its beginning to its end; the stop card says the same to the guard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.drivers import driver_of
from reconciler.failover.protocol.card import CardObject, StopCard
from reconciler.failover.protocol.values import Journal
from reconciler.fleet.model import Application
from reconciler.objects import Ref
from reconciler.starts.fields import START_FIELDS


@dataclass(frozen=True, slots=True)
class Workload:
    """An object with a start field, as rendered for the active role: `start_value` is what its field shall be when it
    runs. `ready` is the caller's judgement of its health in this pass; `grace` the seconds that it may take to stop."""

    ref: Ref
    api_version: str
    run_level: str
    component: str
    start_value: Any
    standby: bool = False
    ready: bool = False
    grace: float = 30.0


@dataclass(frozen=True, slots=True)
class Definition:
    """`commit`: where it was read; `claims`: (namespace, name) of each claim; `kinds`: (apiVersion, kind) of
    everything; `storage_classes`: the names that claims ask for."""

    commit: str = ""
    workloads: tuple[Workload, ...] = ()
    namespaces: tuple[str, ...] = ()
    claims: tuple[tuple[str, str], ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()
    storage_classes: tuple[str, ...] = ()


def namespaces_of(workloads: Sequence[Workload], others: Iterable[str] = ()) -> tuple[str, ...]:
    """The namespaces that an application lives in."""
    return tuple(sorted({each.ref.namespace for each in workloads if each.ref.namespace} | set(others)))


def start_object(ref: Ref, api_version: str, run_level: str = "99", standby: bool = False) -> CardObject:
    """An object with a start field, and the value that stops it."""
    owned = START_FIELDS[ref.group, ref.kind]
    return CardObject(ref, api_version, {owned.name: owned.stopped}, run_level, standby)


def role_objects(application: Application) -> tuple[CardObject, ...]:
    """The driver's objects, and the fields that make them secondary."""
    driver = driver_of(application.replication.driver)
    safe: Mapping[str, Any] = driver.secondary(discard_local=False)
    return tuple(
        CardObject(
            Ref(each.api_version.rpartition("/")[0], each.kind, each.namespace, each.name), each.api_version, safe
        )
        for each in driver.role_objects(application)
    )


def card_of(
    application: Application, definition: Definition, journal: Journal, accepted: float | None, permit: float
) -> StopCard:
    """Everything that stopping needs. `permit`: how long a permit lasts (seconds)."""
    starts = tuple(
        start_object(each.ref, each.api_version, each.run_level, each.standby) for each in definition.workloads
    )
    return StopCard(
        application=application.name,
        namespaces=definition.namespaces,
        starts=starts,
        roles=role_objects(application),
        driver=application.replication.driver,
        leases=journal.leases or (application.lease,),
        stop_orders=journal.stop_orders,
        accepted=accepted,
        permit=permit,
    )


def widened(card: StopCard, old: StopCard | None, there: frozenset[Ref]) -> StopCard:
    """The card with what an older one lists and the cluster still has: while a definition changes, both are listed."""
    if old is None:
        return card
    known = {each.ref for each in (*card.starts, *card.roles)}
    starts = tuple(each for each in old.starts if each.ref not in known and each.ref in there)
    roles = tuple(
        each for each in old.roles if each.ref not in known and old.driver == card.driver and each.ref in there
    )
    namespaces = {each.ref.namespace for each in (*starts, *roles) if each.ref.namespace}
    return replace(
        card,
        namespaces=tuple(sorted({*card.namespaces, *namespaces})),
        starts=(*card.starts, *starts),
        roles=(*card.roles, *roles),
    )
