"""Which workloads run, which are on their way up, and which may start now: the start gate over one site.

A workload is in flight from the write of its start value until it is healthy, as the watch caches show it; a write that
the caches do not show yet counts too. So the cap holds at every instant, also after the controller was killed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.clock import Clock
from reconciler.controller.applying import READ_TIMEOUT, Applier
from reconciler.controller.desired import workloads
from reconciler.errors import ClusterError
from reconciler.failover.execute.definition import Workload
from reconciler.failover.execute.memory import Outcome
from reconciler.failover.execute.mover import Mover
from reconciler.fleet.model import Application, StartLimits
from reconciler.objects import Ref, ref_of
from reconciler.starts.fields import START_FIELDS, kind_of, runs_as_asked
from reconciler.starts.gate import Candidate, StartGate
from reconciler.status.log import Log
from render.site import SiteManifest

if TYPE_CHECKING:
    from reconciler.cluster import Caches


@dataclass(frozen=True, slots=True)
class Survey:
    """The workloads of one application as they are: asked to run (`asked`), of those healthy (`ready`) or `failed`.
    `needs`: applications that must be healthy first. `candidates` are those whose turn it is, filled while the
    application's graph runs."""

    application: Application
    workloads: tuple[Workload, ...] = ()
    asked: frozenset[Ref] = frozenset()
    ready: frozenset[Ref] = frozenset()
    failed: frozenset[Ref] = frozenset()
    run: bool = False
    run_standby: bool = False
    needs: tuple[str, ...] = ()
    candidates: set[Ref] = field(default_factory=set)

    @property
    def in_flight(self) -> frozenset[Ref]:
        """Asked to run and neither healthy nor failed yet."""
        return self.asked - self.ready - self.failed if self.run or self.run_standby else frozenset()

    @property
    def on_their_way(self) -> frozenset[Ref]:
        """In flight, or allowed to run and perhaps just started: the caches may not show yet what was written."""
        if not (self.run or self.run_standby):
            return frozenset()
        return frozenset(workload.ref for workload in self.workloads) - self.ready - self.failed

    def allowed(self, outcome: Outcome | None) -> Survey:
        """The same with what the protocol allows in this pass."""
        return self if outcome is None else replace(self, run=outcome.run, run_standby=outcome.run_standby)

    def is_workload(self, ref: Ref) -> bool:
        """Whether the object has a start field."""
        return any(workload.ref == ref for workload in self.workloads)

    def wants_start(self, ref: Ref) -> bool:
        """Whether the object is a workload that may run and is not asked to yet."""
        return ref not in self.asked and any(
            workload.ref == ref and (self.run or (self.run_standby and workload.standby)) for workload in self.workloads
        )


class Starter:
    """Starts workloads through the start gate of one site."""

    def __init__(self, caches: Caches, clock: Clock, limits: StartLimits, log: Log) -> None:
        self._caches = caches
        self._clock = clock
        self._log = log
        self._gate = StartGate(limits)
        self._given_up: frozenset[Ref] = frozenset()

    def survey(self, application: Application, active: Sequence[SiteManifest], applier: Applier) -> Survey:
        """What runs of an application, by the watch caches; `active` are its manifests for the active role."""
        asked: set[Ref] = set()
        ready: set[Ref] = set()
        failed: set[Ref] = set()
        for item in active:
            if kind_of(item.manifest) not in START_FIELDS:
                continue
            live = self._caches.live(item.manifest, timeout=READ_TIMEOUT)
            if live is None or not runs_as_asked(live, item.manifest):
                continue
            ref = ref_of(item.manifest)
            asked.add(ref)
            health = applier.judge(live, "active")
            if health is not None and health.state in ("Healthy", "Failed"):
                (ready if health.state == "Healthy" else failed).add(ref)
        found = workloads(active, frozenset(ready))
        return Survey(application, found, frozenset(asked), frozenset(ready), frozenset(failed))

    def start(self, surveys: Sequence[Survey], limits: StartLimits, mover: Mover) -> tuple[Ref, ...]:
        """Start what the gate admits now, lowest run level first; returns what was started."""
        now = self._clock.monotonic()
        self._gate = replace(self._gate, limits=limits).settle(self._finished(surveys, now), now, math.inf)
        turn = {
            workload.ref: (survey, workload)
            for survey in surveys
            for workload in survey.workloads
            if workload.ref in survey.candidates
        }
        candidates = [
            Candidate(workload.ref, workload.run_level, workload.component, survey.application.name)
            for survey, workload in turn.values()
        ]
        busy = {ref for survey in surveys for ref in survey.in_flight} - self._given_up
        admitted, self._gate = self._gate.admit(candidates, now, busy)
        started = [each.ref for each in admitted if self._start(mover, *turn[each.ref])]
        self._gate = self._gate.settle({each.ref for each in admitted} - set(started), now, math.inf)
        return tuple(started)

    def _start(self, mover: Mover, survey: Survey, workload: Workload) -> bool:
        """Whether the start value was written; what was refused or failed gives its slot back and is tried again."""
        try:
            return mover.start(survey.application, workload)
        except ClusterError as error:
            self._log.change("failed", f"start {workload.ref}", str(error), application=survey.application.name)
            return False

    def _finished(self, surveys: Sequence[Survey], now: float) -> frozenset[Ref]:
        """What holds no slot any more: ready, failed, not to be started now, or longer on its way than its
        application's readiness allows."""
        going: set[Ref] = set()
        late: set[Ref] = set()
        for survey in surveys:
            since = {ref: self._gate.in_flight.get(ref, now) for ref in survey.on_their_way}
            overdue = {ref for ref, at in since.items() if now - at >= survey.application.readiness_timeout}
            going |= survey.on_their_way - overdue
            late |= overdue
        self._given_up = frozenset(late | (self._given_up & {ref for survey in surveys for ref in survey.on_their_way}))
        return frozenset(self._gate.in_flight) - (going - self._given_up)
