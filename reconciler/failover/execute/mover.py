"""The edge of the failover protocol: reads what `decide` needs to know, and carries out what it decides.

One call a pass and application. It never waits: what takes time is a state of the journal, found again in the next
pass or by the next process. The order of `Decision` is kept: the record (journal, permit and card in one write),
effects, ack. Permits are renewed, leases obeyed and gates watched by the guard, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.drivers import driver_of
from reconciler.errors import AlreadyExists, Conflict, SourceError
from reconciler.failover.admission import permits
from reconciler.failover.execute.admission_gate import AdmissionGate
from reconciler.failover.execute.definition import Workload, card_of, widened
from reconciler.failover.execute.effects import Doing, Effects, PendingError
from reconciler.failover.execute.knowing import Around, know, lease_facts
from reconciler.failover.execute.memory import Memory, Outcome, Task
from reconciler.failover.execute.placement_history import PlacementHistory
from reconciler.failover.execute.record import Record, Records, Window
from reconciler.failover.protocol.card import replication_in_force
from reconciler.failover.protocol.case import RESTS
from reconciler.failover.protocol.decide import decide
from reconciler.failover.protocol.decisions import Decision, Wait
from reconciler.failover.protocol.knowledge import Knowledge
from reconciler.failover.protocol.lease import is_over, named, obeyed
from reconciler.failover.protocol.values import (
    Journal,
    Listing,
    Running,
    Step,
)
from reconciler.fleet.model import Application
from reconciler.objects import Manifest
from reconciler.replica import Replica
from reconciler.starts.fields import START_FIELDS, start_value, with_stopped_values

ROUNDS = 8
"""How many steps one pass may take one after the other; the next pass goes on."""

STEADY_POLLS = 10
"""How often, in polls, a steady application is read anew although nothing asks for it."""

STEADY = frozenset({Step.ACTIVE, Step.PASSIVE, Step.DEMOTED})

KEPT_READINGS = frozenset({(Step.STOPPING, Step.DEMOTING)})
"""Entries that follow each other with nothing written between them that was read: what was read counts on."""


class Mover:
    """Carries out the protocol for all applications of one site."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._cluster = around.cluster
        self._records = Records(around.cluster)
        self._gate = AdmissionGate(around.cluster)
        self._effects = Effects(around.cluster, around.clock)
        self._memories: dict[str, Memory] = {}

    def pinned(self, application: str) -> str:
        """The commit whose definition a move of the application acts on (P12); "" where none is pinned."""
        journal = self._journal(application)
        return journal.definition if journal else ""

    def marked(self, application: str) -> str:
        """The commit last acted on; "" where there is none."""
        journal = self._journal(application)
        return journal.commit if journal else ""

    def unfinished(self, application: str) -> bool:
        """Whether this site has not yet proven that it gave the application up, whoever carries it now (P12)."""
        journal = self._journal(application)
        return journal is not None and (journal.step not in RESTS or journal.primary_since)

    def _journal(self, application: str) -> Journal | None:
        memory = self._memory(application)
        if memory.record is None:
            memory.record = self._records.read(application)
        return memory.journal

    def pass_(self, task: Task) -> Outcome:
        """Read, decide, carry out, until nothing more can be done now. Raises ClusterError when what must be read
        cannot be; nothing is concluded from that. A Git server that takes no push is a wait, not an error."""
        memory = self._memory(task.application.name)
        changed = False
        for _ in range(ROUNDS):
            pinned = memory.journal.definition if memory.journal else ""
            outcome, decision, worked = self._round(memory, task)
            changed = changed or worked
            if not worked:
                break
            refused = self._push(decision)
            if refused is not None:
                return replace(outcome, changed=changed, waits=(*outcome.waits, refused))
            if decision.entry is not None and decision.entry.definition != pinned:
                break  # the next pass acts on another definition
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

        outcome, record = memory.outcome, memory.record
        if outcome is None or record is None:
            return False
        if not outcome.run and not (workload.standby and outcome.run_standby):
            return False
        ref = workload.ref
        writer = self._effects.writer(application.name)
        return writer.change(record, workload.api_version, ref.kind, ref.namespace, ref.name, started)

    def create(self, application: Application, manifest: Manifest) -> Manifest:
        """Create an object that has start or role fields, whole, by the moves' manager: with its stopped values, but a
        replication object at the active site with the role that the site has (P10). What is there already is returned
        as it is: that is how running workloads are adopted."""
        memory = self._memory(application.name)
        made = with_stopped_values(manifest)
        if memory.record is not None:
            application = _in_force(application, memory.record)
        driver = driver_of(application.replication.driver)
        mine = {(each.kind, each.namespace, each.name) for each in driver.role_objects(application)}
        metadata = manifest["metadata"]
        is_role = (manifest["kind"], metadata.get("namespace") or "", metadata["name"]) in mine
        if is_role and memory.journal is not None and memory.journal.step in (Step.STARTING, Step.ACTIVE):
            made = made | {"spec": made.get("spec", {}) | driver.primary()}
        try:
            return self._effects.writer(application.name).create(made)
        except AlreadyExists:
            namespace = metadata.get("namespace")
            return self._cluster.get(manifest["apiVersion"], manifest["kind"], namespace, metadata["name"])

    def says(self) -> dict[str, Running]:
        """What the heartbeat says of each application, as last read. What was not shipped by then may still not be:
        passes may hang while heartbeats go on."""
        now = self._around.clock.monotonic()
        outcomes = [(name, memory.outcome) for name, memory in list(self._memories.items())]
        return {name: _aged(each.says, now - each.read_at) for name, each in outcomes if each and each.says}

    def sequences(self) -> dict[str, int]:
        """The sequence of each application's journal, as the cluster has it now: one consistent list."""
        records = self._records.list()
        return {name: each.journal.sequence for name, each in records.items() if each.journal is not None}

    def _round(self, memory: Memory, task: Task) -> tuple[Outcome, Decision, bool]:
        """Read, decide and carry out once, but for the ack. Whether there was anything to do."""
        steady = None if memory.record is None else self._steady(memory, _held(task, memory.record))
        if steady is not None:
            return (*steady, False)
        record = self._records.read(task.application.name)
        task = _held(task, record)
        record = memory.record = self._keep_card(task, record, memory)
        k = know(self._around, self._gate, memory, task, record)
        decision = decide(k)
        memory.decision = decision
        memory.waiting = {each.key: each.since for each in decision.waits}
        memory.decided_on = self._said(k.listing), task.application
        memory.looked_at = k.now
        memory.outcome = _outcome(k, decision)
        worked = False
        try:
            if decision.entry is not None or decision.permit is not None:
                self._enter(memory, task, record, decision)
                worked = True
            for effect in decision.effects:
                assert memory.record is not None
                worked = self._effects.do(Doing(memory, task, memory.record), effect) or worked
        except (Conflict, AlreadyExists, PendingError):
            # Somebody else wrote, or it takes longer: the next pass reads again, and nothing is said before.
            return memory.outcome, replace(decision, ack=None), False
        return memory.outcome, decision, worked or decision.ack is not None

    def _enter(self, memory: Memory, task: Task, record: Record, decision: Decision) -> None:
        """Journal, permit and card in one write; the card first where it lists more than before."""
        journal = decision.entry or record.journal or Journal()
        if decision.permit is not None:
            memory.closed_since, memory.answers = None, {}
        card = self._card(task, journal, record, memory)
        memory.record = self._records.write(
            record, journal=decision.entry, card=card, window=self._window(task, journal, decision, record)
        )
        if record.journal is not None and (record.journal.step, journal.step) in KEPT_READINGS:
            memory.sequence = journal.sequence

    def _window(self, task: Task, journal: Journal, decision: Decision, record: Record) -> Window | None:
        if decision.permit == "close":
            return lambda data, _: permits.closed(data)
        if decision.permit is None:
            begun = record.journal is not None and journal.promotion != record.journal.promotion
            return (lambda data, _: permits.without_accepted(data)) if begun else None
        lease = obeyed(journal.leases)
        accepted = self._around.site_record.accepted
        end = None if lease is None else (accepted + lease.time if accepted is not None else float("-inf"))
        return lambda data, now: permits.opened(data, now, task.fleet.permit, end)

    def _keep_card(self, task: Task, record: Record, memory: Memory) -> Record:
        """The stop card says what there is to stop before anything of a new definition is there."""
        if record.journal is None or not record.version:
            return record
        card = self._card(task, record.journal, record, memory)
        if card == record.card:
            return record
        return self._records.write(record, card=card)

    def _card(self, task: Task, journal: Journal, record: Record, memory: Memory) -> Any:
        accepted = record.card.accepted if record.card else None
        card = card_of(task.application, task.definition, journal, accepted, task.fleet.permit)
        objects = memory.readings[-1].observation.objects if memory.readings else ()
        there = frozenset(each.ref for each in objects)
        resting = journal.step in RESTS and not journal.primary_since
        return card if resting else widened(card, record.card, there)

    def _push(self, decision: Decision) -> Wait | None:
        if decision.ack is None:
            return None
        try:
            self._around.publisher.push(decision.ack, decision.expects)
        except SourceError as error:
            why = f"{decision.ack.state.value} could not be pushed: {error}"
            return Wait("the Git server", why, self._around.clock.monotonic())
        return None

    def _steady(self, memory: Memory, task: Task) -> tuple[Outcome, Decision] | None:
        """The last decision, where nothing has changed that it was drawn from (I5): then only the replica of an active
        application is read, whose age the heartbeat tells."""
        decision, outcome, record = memory.decision, memory.outcome, memory.record
        if decision is None or outcome is None or record is None or record.journal is None or not memory.readings:
            return None
        at_rest = record.journal.step in STEADY and not (decision.works or decision.waits or decision.holds)
        now = self._around.publisher.of(task.application.name)
        same = now is not None and memory.decided_on == (self._said(now), task.application)
        due = self._around.clock.monotonic() - memory.looked_at >= STEADY_POLLS * task.fleet.poll
        over = is_over(record.journal.leases, lease_facts(self._around, record))
        if not at_rest or not same or due or (over and record.journal.step not in RESTS):
            return None
        if record.journal.step is not Step.ACTIVE:
            return outcome, decision
        fresh, began = self._records.read(task.application.name), self._around.clock.monotonic()
        replica = self._replica(task)
        shown, *before = [
            (each.replica.role, each.replica.asked, each.replica.sync) for each in memory.readings[:-3:-1]
        ]
        valid = fresh.permit.since <= self._cluster.server_time() < fresh.permit.until
        # A state that two readings do not share yet is read once more: it would flap, or stay what it was.
        told = (replica.role, replica.asked, replica.sync)
        if not valid or not fresh.same_entry(record) or [told] != [shown] or before != [shown]:
            return None
        says = None if outcome.says is None else replace(outcome.says, exposure=replica.exposure)
        memory.outcome = replace(outcome, exposure=replica.exposure, says=says, read_at=began)
        return memory.outcome, decision

    def _replica(self, task: Task) -> Replica:
        driver = driver_of(task.application.replication.driver)
        return driver.observe(self._cluster, task.application, self._around.site, self._cluster.server_time())

    def _said(self, listing: Listing | None) -> tuple[object, ...]:
        """What a steady site acts on: whose cluster this is, the branch's head, and each site's ack and trust."""
        cluster = (self._around.site_record.unbound, self._around.site_record.restored)
        if listing is None:
            return cluster
        words = {site: (seen.ack, seen.distrust) for site, seen in listing.sites.items()}
        return *cluster, listing.head, listing.diverged, words

    def _memory(self, application: str) -> Memory:
        if application not in self._memories:
            history = PlacementHistory(self._around.publisher.repository, self._around.placement_at)
            self._memories[application] = Memory(history)
        return self._memories[application]


def _in_force(application: Application, record: Record) -> Application:
    """The application with the replication that holds its data."""
    found = replication_in_force(record.card or record.copy, record.journal or Journal(), application)
    return application if found == application.replication else replace(application, replication=found)


def _held(task: Task, record: Record) -> Task:
    """The task, under the driver that holds the data."""
    application = _in_force(task.application, record)
    if application is task.application:
        return task
    return replace(task, application=application, other_driver=task.application.replication.driver)


def _aged(says: Running, age: float) -> Running:
    return says if says.exposure is None else replace(says, exposure=says.exposure + max(0.0, age))


def _outcome(k: Knowledge, decision: Decision) -> Outcome:
    journal = decision.entry or k.journal
    replica, observation = k.replica, k.observation
    says = None
    if replica is not None and observation is not None:
        says = Running(bool(observation.running), replica.role, replica.exposure, named(journal.leases))
    return Outcome(
        effective_role=decision.effective_role,
        run=decision.run,
        run_standby=decision.run_standby,
        state=decision.state,
        epoch=journal.epoch,
        waits=decision.waits,
        holds=decision.holds,
        changed=False,
        exposure=replica.exposure if replica and journal.role == "active" else None,
        journal=journal,
        says=says,
        read_at=k.now,
    )
