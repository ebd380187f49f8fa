"""One pass over a site: platform, then every application, then the starts that may happen now.

A pass never waits. What is not there yet is a reason in its report, and the next pass looks again; so a new commit is
acted on at once, and a controller that was killed goes on where its cluster says that it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from reconciler.controller.applying import Applier, ObjectState
from reconciler.controller.carry_out import Mover, Outcome, Workload
from reconciler.controller.desired import Desired, Revision, workloads
from reconciler.controller.starting import Starter, Survey
from reconciler.errors import ClusterError, SiteshiftError
from reconciler.fleet.model import Application, Role
from reconciler.objects import Ref, ref_of
from reconciler.run_levels import executor, graph
from render.errors import InputError
from render.site import SiteManifest

WORKERS = 8
"""Nodes of a graph that are worked on side by side."""

PASSING = frozenset({"Healthy", "NoRule"})
"""Health that lets the next level begin. "No rule" is shown as such; nothing could ever make it more."""


@dataclass(frozen=True, slots=True)
class UnitState:
    """What a pass found of the platform or of one application; `error` is why nothing could be done about it, and
    `payload` the platform that was last complete, by its digest."""

    name: str
    objects: tuple[ObjectState, ...] = ()
    unfinished: tuple[tuple[str, str], ...] = ()
    total: int = 0
    done: int = 0
    outcome: Outcome | None = None
    error: str = ""
    payload: str = ""

    @property
    def complete(self) -> bool:
        """Whether every object is there, as Git says, and healthy."""
        return not self.error and self.done == self.total


@dataclass(frozen=True, slots=True)
class PassReport:
    """What one pass came to; everything that status and log show is made from it."""

    revision: Revision
    mode: graph.Mode
    platform: UnitState
    applications: tuple[UnitState, ...] = ()
    in_flight: tuple[Ref, ...] = ()
    started: tuple[Ref, ...] = ()
    changed: bool = False

    @property
    def quiet(self) -> bool:
        """Whether only a change could make the next pass find anything else: nothing is waited for, so time cannot."""
        return all(
            unit.complete and (unit.outcome is None or not (unit.outcome.waits or unit.outcome.holds))
            for unit in (self.platform, *self.applications)
        )


@dataclass(slots=True)
class Platform:
    """How far the platform is: `completed` is the payload that was last complete here, "" if none ever was."""

    completed: str = ""
    attempt: int = 0

    def mode(self, payload: str) -> graph.Mode:
        """CVO's three modes, from what was last complete."""
        if not self.completed:
            return "installing"
        return "steady" if self.completed == payload else "updating"


@dataclass(slots=True)
class Passes:
    """Makes the passes of one site. `mover` is None for a pass that must neither start nor promote anything; then
    `role_of` says which role each application has reached."""

    site: str
    desired: Desired
    applier: Applier
    starter: Starter
    mover: Mover | None
    platform: Platform = field(default_factory=Platform)
    role_of: Callable[[Application], Role] = lambda _: "passive"

    def run(self, revision: Revision, cancelled: Callable[[], bool] = lambda: False) -> PassReport:
        """One pass at a revision; `cancelled` ends it at the next object."""
        platform, mode = self._platform(revision, cancelled)
        applications: list[UnitState] = []
        surveys: list[Survey] = []
        if mode != "installing" or platform.complete:
            for application in revision.fleet.applications:
                if self.site in application.sites and not cancelled():
                    state, survey = self._application(revision, application, cancelled)
                    applications.append(state)
                    surveys.append(survey)
        started = self.starter.start(surveys, revision.fleet.starts, self.mover) if self.mover else ()
        in_flight = tuple(ref for survey in surveys for ref in sorted(survey.in_flight)) + started
        written = any(state.written for unit in (platform, *applications) for state in unit.objects)
        moved = any(unit.outcome is not None and unit.outcome.changed for unit in applications)
        return PassReport(
            revision,
            mode,
            platform,
            tuple(applications),
            in_flight,
            started,
            changed=written or moved or bool(started),
        )

    def _platform(self, revision: Revision, cancelled: Callable[[], bool]) -> tuple[UnitState, graph.Mode]:
        try:
            items = [item for _, found in self.desired.platform(revision) for item in found]
        except InputError as error:
            # What is there stays as it is, and applications can still be moved: only the platform's change waits.
            mode: graph.Mode = "updating" if self.platform.completed else "installing"
            return UnitState("platform", error=str(error)), mode
        items.sort(key=lambda item: item.order)
        payload = _digest(items)
        mode = self.platform.mode(payload)
        self.platform.attempt = self.platform.attempt + 1 if mode == "steady" else 0
        nodes = graph.build(_tasks(items), mode, self.platform.attempt)
        state = self._execute("platform", nodes, "active", cancelled, lambda item: self.applier.bring(item, "active"))
        if state.complete:
            self.platform.completed = payload
        return replace(state, payload=self.platform.completed), mode

    def _application(
        self, revision: Revision, application: Application, cancelled: Callable[[], bool]
    ) -> tuple[UnitState, Survey]:
        nothing = Survey(application)
        outcome: Outcome | None = None
        try:
            active = self.desired.application(revision, application, "active")
            survey = self.starter.survey(application, active, self.applier)
            outcome = self._move(revision, application, workloads(active, survey.ready))
            role = outcome.effective_role if outcome else self.role_of(application)
            items = self.desired.application(revision, application, role)
            if application.suspended:
                return UnitState(application.name, outcome=outcome, total=len(items), done=0), nothing
        except SiteshiftError as error:
            return UnitState(application.name, outcome=outcome, error=str(error)), nothing
        mover = self.mover

        def bring(item: SiteManifest) -> ObjectState:
            if mover is None:
                return self.applier.bring(item, role, _refuse_creation)
            return self.applier.bring(item, role, lambda manifest: mover.create(application, manifest))

        survey = survey.allowed(outcome)
        state = self._execute(
            application.name, graph.barriers(_tasks(items)), role, cancelled, bring, survey=survey, outcome=outcome
        )
        return state, survey

    def _move(self, revision: Revision, application: Application, found: Sequence[Workload]) -> Outcome | None:
        return None if self.mover is None else self.mover.pass_(revision.fleet, application, found)

    def _execute(
        self,
        name: str,
        nodes: graph.Graph[SiteManifest],
        role: Role,
        cancelled: Callable[[], bool],
        bring: Callable[[SiteManifest], ObjectState],
        *,
        survey: Survey | None = None,
        outcome: Outcome | None = None,
    ) -> UnitState:
        states: dict[int, ObjectState] = {}

        def run(task: graph.Task[SiteManifest]) -> executor.Outcome:
            state = bring(task.payload)
            states[id(task)] = state
            return _judge(state, role, survey)

        report = executor.execute(nodes, run, workers=WORKERS, cancelled=cancelled)
        return UnitState(
            name,
            tuple(states[id(task)] for task, _ in report.ended),
            tuple((task.name, result.reason) for task, result in report.unfinished),
            report.total,
            report.done,
            outcome,
        )


def _judge(state: ObjectState, role: Role, survey: Survey | None) -> executor.Outcome:
    if state.error:
        return executor.Outcome("failed", state.error)
    if state.live is None or state.health is None:
        return executor.Outcome("waiting", "it is not there yet")
    if survey is not None and survey.wants_start(state.ref):
        survey.candidates.add(state.ref)
        return executor.Outcome("waiting", "the start gate lets it start in its turn")
    if state.health.state in PASSING:
        return executor.DONE
    if role == "active" and survey is not None and not survey.run and survey.is_workload(state.ref):
        return executor.Outcome("waiting", "it may not be started now")
    return executor.Outcome("waiting", f"{state.health.state}: {state.health.message or state.health.reason}")


def _refuse_creation(manifest: dict[str, object]) -> dict[str, object]:
    ref = ref_of(manifest)
    raise ClusterError(f"{ref} has fields that moves own: only the site's running controller creates it")


def _tasks(items: Iterable[SiteManifest]) -> list[graph.Task[SiteManifest]]:
    return [
        graph.Task(
            str(ref_of(item.manifest)),
            item,
            item.run_level,
            item.component,
            item.manifest["kind"] == "Job" and item.manifest["apiVersion"] == "batch/v1",
        )
        for item in items
    ]


def _digest(items: Iterable[SiteManifest]) -> str:
    text = json.dumps([(item.run_level, item.component, item.manifest) for item in items], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
