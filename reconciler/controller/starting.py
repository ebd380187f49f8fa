"""Which workloads run, which are on their way up, and which may start now: the start gate over one site.

A workload is in flight from the write of its start value until it is healthy, as the watch caches show it; a write that
the caches do not show yet counts too. So the cap holds at every instant, also after the controller was killed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.clock import Clock
from reconciler.controller.applying import READ_TIMEOUT, Applier
from reconciler.controller.carry_out import Mover, Outcome, Workload
from reconciler.controller.desired import workloads
from reconciler.fleet.model import Application, StartLimits
from reconciler.objects import Ref
from reconciler.starts.fields import start_value
from reconciler.starts.gate import Candidate, StartGate
from render.site import SiteManifest

if TYPE_CHECKING:
    from reconciler.cluster import Caches


@dataclass(frozen=True, slots=True)
class Survey:
    """The workloads of one application as they are: asked to run (`asked`), of those healthy (`ready`). `candidates`
    are filled while its graph runs: those whose turn it is."""

    application: Application
    workloads: tuple[Workload, ...] = ()
    asked: frozenset[Ref] = frozenset()
    ready: frozenset[Ref] = frozenset()
    run: bool = False
    run_standby: bool = False
    candidates: set[Ref] = field(default_factory=set)

    @property
    def in_flight(self) -> tuple[Ref, ...]:
        """Asked to run and not healthy yet."""
        return tuple(ref for ref in sorted(self.asked) if ref not in self.ready) if self.starts else ()

    @property
    def starts(self) -> bool:
        """Whether anything of the application may start now."""
        return self.run or self.run_standby

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

    def __init__(self, caches: Caches, clock: Clock) -> None:
        self._caches = caches
        self._clock = clock
        self._gate = StartGate()
        self._unseen: dict[Ref, float] = {}

    def survey(self, application: Application, active: Sequence[SiteManifest], applier: Applier) -> Survey:
        """What runs of an application, by the watch caches; `active` are its manifests for the active role."""
        asked, ready = set(), set()
        found = workloads(active, frozenset())
        values = {workload.ref: workload for workload in found}
        by_ref = {(item.manifest["kind"], item.manifest["metadata"]["name"]): item for item in active}
        for ref, workload in values.items():
            item = by_ref[ref.kind, ref.name]
            live = self._caches.live(item.manifest, timeout=READ_TIMEOUT)
            if live is None or start_value(live) != workload.start_value:
                if ref in self._unseen:
                    asked.add(ref)
                continue
            self._unseen.pop(ref, None)
            asked.add(ref)
            health = applier.judge(live, "active")
            if health is not None and health.state == "Healthy":
                ready.add(ref)
        return Survey(application, found, frozenset(asked), frozenset(ready))

    def start(self, surveys: Iterable[Survey], limits: StartLimits, mover: Mover) -> tuple[Ref, ...]:
        """Start what the gate admits now, lowest run level first; returns what was started."""
        found = tuple(surveys)
        turn = {
            workload.ref: (survey, workload)
            for survey in found
            for workload in survey.workloads
            if workload.ref in survey.candidates
        }
        candidates = [
            Candidate(workload.ref, workload.run_level, workload.component, survey.application.name)
            for survey, workload in turn.values()
        ]
        in_flight = frozenset(ref for survey in found for ref in survey.in_flight)
        now = self._clock.monotonic()
        started = []
        for candidate in self._gate.admit(candidates, in_flight, limits, now):
            survey, workload = turn[candidate.ref]
            if mover.start(survey.application, workload):
                self._unseen[candidate.ref] = now
                started.append(candidate.ref)
        return tuple(started)
