"""The edge of the failover protocol: reads what `moves.decide` needs to know, and carries out what it decides.

One call a pass and application. It never waits: what takes time is a state of the journal, found again in the next
pass or by the next process. The order of `Decision` is kept: journal entry, effects, ack.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reconciler.clock import Clock
from reconciler.drivers import driver_of
from reconciler.errors import AlreadyExists, ClusterError, Conflict, SourceError
from reconciler.failover.execute.admission_gate import AdmissionGate
from reconciler.failover.execute.effects import Effects, PendingError
from reconciler.failover.execute.fenced_writer import FencedWriter
from reconciler.failover.execute.memory import Memory, Outcome, Reading, Task, task_of
from reconciler.failover.execute.observe import Workload, namespaces_of, observe, unserved
from reconciler.failover.execute.placement_history import PlacementAt, PlacementHistory
from reconciler.failover.protocol.decide import decide
from reconciler.failover.protocol.decisions import Decision, Wait
from reconciler.failover.protocol.table import MAY_BE_WRITING, RUNS
from reconciler.failover.protocol.values import (
    Gate,
    Knowledge,
    Limits,
    Step,
)
from reconciler.fleet.model import Application, Fleet
from reconciler.fleet.times import CLOCK_TOLERANCE, FORCED_STOP
from reconciler.objects import Manifest
from reconciler.replica import Replica
from reconciler.starts.fields import START_FIELDS, start_value, with_stopped_values

if TYPE_CHECKING:
    from reconciler.cluster import Cluster
    from reconciler.failover.execute.publisher import Publisher

__all__ = ["Mover", "Outcome", "Workload"]

ROUNDS = 8
"""How many steps one pass may take one after the other; the next pass goes on."""

PROMOTION_LIMIT = 300.0
"""Seconds that a driver may take to change a copy's role before status asks people to look."""

SILENT_POLLS = 10
"""T_fence, in polls, for a site that was once declared down where no lease says it."""

STEADY_POLLS = 10
"""How often, in polls, a steady application is read anew although nothing asks for it."""

CLOCK_STEP = 2.0
"""Seconds by which the API server's clock and ours may part between two renewals; its dates are whole seconds."""

RESTS = frozenset({Step.ACTIVE, Step.PASSIVE, Step.DEMOTED})


class Mover:
    """Carries out the protocol for all applications of one site. `placement_at(commit, application)` reads one
    application's placement at a commit (None: not there or not readable)."""

    def __init__(
        self, site: str, cluster: Cluster, publisher: Publisher, clock: Clock, placement_at: PlacementAt
    ) -> None:
        self._site = site
        self._cluster = cluster
        self._publisher = publisher
        self._clock = clock
        self._placement_at = placement_at
        self._effects = Effects(cluster, publisher, clock)
        self._memories: dict[str, Memory] = {}
        self._lock = threading.Lock()
        self._uid: str | None = None

    def pass_(self, fleet: Fleet, application: Application, workloads: Sequence[Workload]) -> Outcome:
        """Read, decide, carry out, until nothing more can be done now. Raises ClusterError when what must be read
        cannot be; nothing is concluded from that. A Git server that takes no push is a wait, not an error."""
        groups = {group.namespace for group in application.replication.groups}
        task = task_of(fleet, application, workloads, namespaces_of(workloads, groups))
        memory = self._memory(application.name)
        changed = False
        for _ in range(ROUNDS):
            with memory.lock:
                memory.task = task
                outcome, decision, worked = self._round(memory, task)
            changed = changed or worked
            if not worked:
                break
            # Outside the lock: a Git server that does not answer must not keep the lease's task waiting.
            refused = self._push(decision)
            if refused is not None:
                return replace(outcome, changed=changed, waits=(*outcome.waits, refused))
        return replace(outcome, changed=changed)

    def start(self, application: Application, workload: Workload) -> bool:
        """Give one workload its start value, if the journal and the permit still allow it. True if it was written."""
        memory = self._memory(application.name)
        owned = START_FIELDS[(workload.ref.group, workload.ref.kind)]

        def started(found: Manifest) -> Mapping[str, Any] | None:
            if start_value(found) == workload.start_value:
                return None
            older = {owned.older: None} if owned.older in found.get("spec", {}) else {}
            return {"spec": {owned.name: workload.start_value, **older}}

        with memory.lock:
            outcome = memory.outcome
            if outcome is None or memory.entry is None:
                return False
            allowed = outcome.run and memory.running
            if not allowed and not (workload.standby and outcome.run_standby):
                return False
            return self._effects.change(memory, memory.entry, workload.ref, started)

    def create(self, application: Application, manifest: Manifest) -> Manifest:
        """Create an object that has start or role fields, whole, with its stopped values, by the moves' manager. What
        is there already is returned as it is: that is how running workloads are adopted."""
        try:
            return self._memory(application.name).hand.create(with_stopped_values(manifest))
        except AlreadyExists:
            metadata = manifest["metadata"]
            namespace = metadata.get("namespace")
            return self._cluster.get(manifest["apiVersion"], manifest["kind"], namespace, metadata["name"])

    def renew_permits(self) -> None:
        """Renew the permits of what is active here; quick, for a thread of its own. A permit that ran out is not
        renewed here: a new one needs freshness, and a pass."""
        self._each(self._renew)

    def check_leases(self) -> None:
        """Stop what has outlived its lease; quick, for a thread of its own. No push or wait of a pass holds it up."""
        self._each(self._obey_lease)

    def _each(self, do: Callable[[Memory, Task], None]) -> None:
        """For every application that a pass has seen; one that fails keeps none of the others waiting."""
        failed: ClusterError | None = None
        for memory in self._known():
            with memory.lock:
                try:
                    if memory.task is not None and memory.entry is not None:
                        do(memory, memory.task)
                except ClusterError as error:
                    failed = error
        if failed is not None:
            raise failed

    def _renew(self, memory: Memory, task: Task) -> None:
        if memory.entry is None or memory.outcome is None or not (memory.running and memory.outcome.run):
            return
        if self._lease_over(memory, task) or not self._may_renew(memory):
            return
        # A Conflict is somebody else's write: the next pass reads what it was.
        with suppress(Conflict):
            if self._effects.renew(memory, memory.entry, task):
                memory.permit = memory.keeper.permit()

    def _obey_lease(self, memory: Memory, task: Task) -> None:
        if self._lease_over(memory, task):
            self._round(memory, task)

    def _round(self, memory: Memory, task: Task) -> tuple[Outcome, Decision, bool]:
        """Read, decide and carry out once, but for the ack. Whether there was anything to do."""
        steady = self._steady(memory, task)
        if steady is not None:
            return (*steady, False)
        memory.entry = memory.hand.read()
        k = self._know(memory, task)
        decision = decide(k)
        memory.decision = decision
        memory.waiting = {each.key: each.since for each in decision.waits}
        memory.decided_on = (k.listing, task.application)
        memory.looked_at = k.now
        memory.outcome = _outcome(k, decision)
        worked = False
        try:
            if decision.entry is not None:
                memory.entry = memory.hand.enter(memory.entry, decision.entry)
                worked = True
            for effect in decision.effects:
                worked = self._effects.do(memory, memory.entry, task, effect) or worked
        except (Conflict, AlreadyExists, PendingError):
            # Somebody else wrote, or it takes longer: the next pass reads again, and nothing is said before.
            return memory.outcome, replace(decision, ack=None), False
        return memory.outcome, decision, worked or decision.ack is not None

    def _push(self, decision: Decision) -> Wait | None:
        if decision.ack is None:
            return None
        try:
            self._publisher.push(decision.ack)
        except SourceError as error:
            return Wait("the Git server", f"{decision.ack.state.value} could not be pushed: {error}", self._now())
        return None

    def _steady(self, memory: Memory, task: Task) -> tuple[Outcome, Decision] | None:
        """The last decision, where nothing has changed that it was drawn from (I5): then only the copy of an active
        application is read, whose age the heartbeat tells."""
        decision, outcome, reading = memory.decision, memory.outcome, memory.reading
        if decision is None or outcome is None or reading is None or memory.entry is None:
            return None
        at_rest = memory.entry.journal.step in RESTS and not (decision.works or decision.waits or decision.holds)
        listing, application = memory.decided_on or (None, None)
        now = self._publisher.of(task.application.name)
        same = (
            listing and now and (listing.head, listing.acks) == (now.head, now.acks) and application == task.application
        )
        due = self._now() - memory.looked_at >= STEADY_POLLS * task.fleet.poll
        if not at_rest or not same or due or self._lease_over(memory, task):
            return None
        if not memory.running:
            return outcome, decision
        permit = memory.permit
        replica = self._replica(task)
        shown = (reading.replica.role, reading.replica.asked, reading.replica.sync)
        valid = permit is not None and permit.since <= self._cluster.server_time() < permit.until
        if not valid or (replica.role, replica.asked, replica.sync) != shown:
            return None
        memory.outcome = replace(outcome, exposure=replica.exposure)
        return memory.outcome, decision

    def _know(self, memory: Memory, task: Task) -> Knowledge:
        """Read everything: consistent lists of what runs, the copy, the permit, the gate; and what Git last said."""
        assert memory.entry is not None
        journal = memory.entry.journal
        listing = self._publisher.of(task.application.name)
        history = memory.walker.walk(task.application, journal.commit, listing.head) if listing else None
        if memory.step is not journal.step:
            memory.step, memory.step_since = journal.step, self._now()
        memory.permit = memory.keeper.permit()
        self._ask_the_gate(memory, task)
        observation = observe(self._cluster, task.application.name, task.workloads, task.namespaces, self._now())
        reading = Reading(journal.sequence, observation, self._replica(task))
        before = memory.before(reading, task.fleet.poll / 4)
        return Knowledge(
            site=self._site,
            cluster=self._cluster_uid(),
            application=task.application,
            limits=_limits(task),
            now=self._now(),
            server_time=self._cluster.server_time(),
            history=history,
            listing=listing,
            journal=journal,
            permit=memory.permit,
            gate=Gate(memory.keeper.installed(), memory.refused, memory.closed_since),
            observation=observation,
            replica=reading.replica,
            before=before.observation if before else None,
            replica_before=before.replica if before else None,
            voided=memory.voided_under == journal.sequence,
            lease_over=self._lease_over(memory, task),
            unfit=unserved(self._cluster, task.workloads),
            waiting=memory.waiting,
            step_since=memory.step_since,
        )

    def _ask_the_gate(self, memory: Memory, task: Task) -> None:
        """Probe the gate from the moment when it was shut until every API server has refused."""
        if memory.permit is None or memory.permit.withdrawn is None:
            memory.closed_since, memory.refused = None, {}
        elif memory.closed_since is None:
            memory.refused = memory.keeper.probe(task.namespaces)
            if memory.refused and all(memory.refused.values()):
                memory.closed_since = self._now()

    def _replica(self, task: Task) -> Replica:
        driver = driver_of(task.application.replication.driver)
        return driver.observe(self._cluster, task.application, self._site, self._cluster.server_time())

    def _lease_over(self, memory: Memory, task: Task) -> bool:
        """P6: no push was accepted for the lease's time. Counted from this process's last accepted push, or from the
        one that the permit tells; a process that finds the lease run out does not revive it by a push of its own."""
        lease = task.application.lease
        if lease is None or memory.entry is None:
            return False
        step = memory.entry.journal.step
        told = memory.permit.accepted if memory.permit else None
        server_time = self._cluster.server_time()
        recorded = server_time - told if told is not None and told <= server_time + CLOCK_STEP else float("inf")
        if not memory.lease_looked:
            memory.lease_looked = True
            memory.lease_ran_out = step in RUNS and recorded > lease.time
        if step not in RUNS:
            memory.lease_ran_out = False
        accepted = self._publisher.accepted_at
        counted = self._now() - accepted if accepted is not None else float("inf")
        return step in MAY_BE_WRITING and (memory.lease_ran_out or min(counted, recorded) > lease.time)

    def _may_renew(self, memory: Memory) -> bool:
        """P7: after a boot or a clock step a permit is not renewed before a push was accepted."""
        offset = self._cluster.server_time() - self._now()
        if memory.clock_offset is None or abs(offset - memory.clock_offset) > CLOCK_STEP:
            if memory.clock_offset is not None:
                memory.push_needed_since = self._now()
            memory.clock_offset = offset
        accepted = self._publisher.accepted_at
        return accepted is not None and accepted >= memory.push_needed_since

    def _memory(self, application: str) -> Memory:
        with self._lock:
            if application not in self._memories:
                hand = FencedWriter(self._cluster, application)
                walker = PlacementHistory(self._publisher.repository, self._placement_at)
                self._memories[application] = Memory(threading.RLock(), hand, AdmissionGate(hand, application), walker)
            return self._memories[application]

    def _known(self) -> tuple[Memory, ...]:
        with self._lock:
            return tuple(self._memories.values())

    def _cluster_uid(self) -> str:
        if self._uid is None:
            self._uid = str(self._cluster.get("v1", "Namespace", None, "kube-system")["metadata"]["uid"])
        return self._uid

    def _now(self) -> float:
        return self._clock.monotonic()


def _outcome(k: Knowledge, decision: Decision) -> Outcome:
    journal = decision.entry or k.journal
    return Outcome(
        effective_role=decision.effective_role,
        run=decision.run,
        run_standby=decision.run_standby,
        state=decision.state,
        epoch=journal.epoch,
        waits=decision.waits,
        holds=decision.holds,
        changed=False,
        exposure=k.replica.exposure if k.replica and journal.role == "active" else None,
        journal=journal,
    )


def _limits(task: Task) -> Limits:
    fleet = task.fleet
    return Limits(
        poll=fleet.poll,
        freshness=fleet.freshness,
        permit=fleet.permit,
        request_timeout=fleet.request_timeout,
        tolerance=CLOCK_TOLERANCE,
        stop=max((each.grace for each in task.workloads), default=0.0) + FORCED_STOP,
        promotion=PROMOTION_LIMIT,
        fence=SILENT_POLLS * fleet.poll,
        readiness=task.application.readiness_timeout,
    )
