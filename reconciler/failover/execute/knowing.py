"""Reads everything that the protocol needs to know about one application: consistent lists of what runs, the replica,
the permit, the gate; and what Git last said. A read that fails is an error; nothing is ever concluded from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.clock import Clock
from reconciler.drivers import driver_of
from reconciler.errors import SourceError
from reconciler.failover.admission import permits
from reconciler.failover.execute.admission_gate import AdmissionGate
from reconciler.failover.execute.fitness import lacks
from reconciler.failover.execute.memory import Memory, Task
from reconciler.failover.execute.observe import observe
from reconciler.failover.execute.record import Record
from reconciler.failover.protocol import heartbeat_age
from reconciler.failover.protocol.case import RESTS
from reconciler.failover.protocol.knowledge import Knowledge, Limits
from reconciler.failover.protocol.values import (
    Ack,
    Gate,
    Journal,
    LeaseFacts,
    Listing,
    Reading,
    Step,
)
from reconciler.fleet.model import Application, Placement
from reconciler.fleet.times import CLOCK_TOLERANCE, FORCED_STOP, guard_time

if TYPE_CHECKING:
    from reconciler.cluster import Cluster
    from reconciler.failover.execute.publisher import Publisher
    from reconciler.failover.execute.site_record import SiteRecord

PROMOTION_LIMIT = 300.0
"""Seconds that a driver may take to change a replica's role before status asks people to look."""

SILENT_POLLS = 10
"""T_fence, in polls, for a site that was once declared down where no lease says it."""

PREPARES = RESTS | {Step.PROMOTING}
"""Where it matters whether the target fits."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a site is besides its applications. `placement_at(commit, application)`: None if it is not there or cannot
    be understood."""

    site: str
    cluster: Cluster
    publisher: Publisher
    site_record: SiteRecord
    clock: Clock
    placement_at: Callable[[str, Application], Placement | None]

    def listing(self, application: Application) -> Listing | None:
        """What Git last said, with the placements that the acks speak of."""

        def place(ack: Ack, head: str) -> tuple[bool, Placement | None]:
            if not ack.commit:
                return False, None
            try:
                self.publisher.repository.first_parents(ack.commit, head)
            except SourceError:  # rewound, or a commit that nobody has: not on the branch as far as can be told
                return False, None
            return True, self.placement_at(ack.commit, application)

        return self.publisher.of(application.name, place)


def know(around: Around, gate: AdmissionGate, memory: Memory, task: Task, record: Record) -> Knowledge:
    """Everything, read now. Raises ClusterError where what must be read cannot be."""
    journal = record.journal or Journal()
    application, cluster, now = task.application, around.cluster, around.clock.monotonic()
    listing = around.listing(application)
    history = memory.history.walk(application, journal.commit, listing.head) if listing else None
    if memory.step is not journal.step:
        memory.step, memory.step_since = journal.step, now
    _note_declared(memory, application.placement, journal, now)
    observation = observe(cluster, application.name, task.definition.workloads, task.definition.namespaces, now)
    replica = driver_of(application.replication.driver).observe(
        cluster, application, around.site, cluster.server_time()
    )
    readings = memory.note(journal.sequence, Reading(observation, replica))
    prepares = journal.step in PREPARES and application.placement.active == around.site
    return Knowledge(
        site=around.site,
        cluster=around.site_record.cluster,
        application=application,
        limits=limits_of(task),
        now=now,
        server_time=cluster.server_time(),
        history=history,
        listing=listing,
        journal=journal,
        permit=record.permit if record.version else None,
        gate=_gate(around, gate, memory, task, record),
        readings=readings,
        newer_definition=task.newer,
        other_driver=task.other_driver,
        voided=memory.voided_under == journal.sequence,
        lease=lease_facts(around, record),
        unfit=lacks(cluster, task.definition) if prepares else (),
        restored=around.site_record.restored,
        unbound=around.site_record.unbound,
        waiting=memory.waiting,
        step_since=memory.step_since,
        declared_since={site: since for site, (_, since) in memory.declared.items()},
    )


def lease_facts(around: Around, record: Record) -> LeaseFacts:
    """P6: how long ago a heartbeat was last accepted, by this process and by the cluster's clock, judged as the guard
    judges it."""
    accepted, now, server = around.site_record.accepted, around.clock.monotonic(), around.cluster.server_time()
    count = heartbeat_age.Count(accepted, around.publisher.accepted_at)
    return heartbeat_age.ages(count, accepted, record.accepted, server, now)


def _note_declared(memory: Memory, placement: Placement, journal: Journal, now: float) -> None:
    """When this process first saw each declared-down site's epoch: counting begins anew with each process, and with
    each epoch that declares the site down again."""
    for site in journal.down:
        memory.declared.setdefault(site, (0, now))
    for site in placement.declared_down:
        if memory.declared.get(site, (0, now))[0] < placement.epoch:
            memory.declared[site] = (placement.epoch, now)


def _gate(around: Around, gate: AdmissionGate, memory: Memory, task: Task, record: Record) -> Gate:
    """Whether policies and bindings are as they should be; and, from the moment when the permit was closed until every
    API server has refused, what each of them answers."""
    name, namespaces = task.application.name, task.definition.namespaces
    installed = bool(record.version) and not gate.check({name: namespaces})
    broken = permits.broken_until(record.data) > around.cluster.server_time()
    if not record.version or not record.permit.closed or broken:
        memory.closed_since, memory.answers = None, {}
    elif memory.closed_since is None and installed:
        probe = gate.probe(name, namespaces)
        memory.answers = probe.answers
        if probe.closed:
            memory.closed_since = around.clock.monotonic()
    return Gate(installed, memory.answers, memory.closed_since)


def limits_of(task: Task) -> Limits:
    """The times that bound the protocol, for one application."""
    fleet = task.fleet
    return Limits(
        poll=fleet.poll,
        freshness=fleet.freshness,
        permit=fleet.permit,
        request_timeout=fleet.request_timeout,
        tolerance=CLOCK_TOLERANCE,
        stop=max((each.grace for each in task.definition.workloads), default=0.0) + FORCED_STOP,
        guard=guard_time(fleet, len(task.definition.workloads)),
        promotion=PROMOTION_LIMIT,
        silence=SILENT_POLLS * fleet.poll,
        readiness=task.application.readiness_timeout,
    )
