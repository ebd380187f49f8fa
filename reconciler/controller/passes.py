"""One pass over a site: platform, then every application, then the starts that may happen now.

A pass never waits. What is not there yet is a reason in its report, and the next pass looks again; so a new commit is
acted on at once, and a controller that was killed goes on where its cluster says that it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from reconciler.controller.acting import Acting, Definitions
from reconciler.controller.adopting import Rights
from reconciler.controller.applying import Applier, ObjectState
from reconciler.controller.desired import Desired, Places, Revision, definition_of
from reconciler.controller.pruning import Pruner
from reconciler.controller.starting import Starter, Survey
from reconciler.errors import ClusterError, SiteshiftError, unexpected
from reconciler.failover.execute.memory import Outcome, Task
from reconciler.failover.execute.mover import Mover
from reconciler.fleet.model import Application, Role
from reconciler.fleet.territory import Territory
from reconciler.objects import Ref, ref_of
from reconciler.run_levels import executor, graph
from render.errors import InputError
from render.site import SiteManifest

ROLES: tuple[Role, ...] = ("active", "passive")

WORKERS = 8
"""Nodes of a graph that are worked on side by side."""

PASSING = frozenset({"Healthy", "NoRule"})
"""Health that lets the next level begin. "No rule" is shown as such; nothing could ever make it more."""


@dataclass(frozen=True, slots=True)
class UnitState:
    """What a pass found of the platform or of one application. `desired` is what Git has of it, `rendered` an
    application's manifests, one object for as long as nothing of them changes; `error` why something could not be done;
    `payload` the platform that was last complete, by its digest."""

    name: str
    objects: tuple[ObjectState, ...] = ()
    unfinished: tuple[tuple[str, str], ...] = ()
    total: int = 0
    done: int = 0
    outcome: Outcome | None = None
    error: str = ""
    desired: frozenset[Ref] = frozenset()
    rendered: tuple[SiteManifest, ...] = ()
    payload: str = ""

    @property
    def contested(self) -> bool:
        """Whether somebody else keeps writing an object."""
        return any(state.contested for state in self.objects)

    @property
    def problems(self) -> tuple[tuple[str, str], ...]:
        """What does not get well by waiting: (object or unit, what is wrong)."""
        own = ((self.name, self.error),) if self.error else ()
        found = ((str(state.ref), state.error or state.contested) for state in self.objects)
        return own + tuple((name, text) for name, text in found if text)

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
            unit.complete
            and not unit.contested
            and (unit.outcome is None or not (unit.outcome.waits or unit.outcome.holds))
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
    """Makes the passes of one site."""

    site: str
    desired: Desired
    applier: Applier
    starter: Starter
    pruner: Pruner
    mover: Mover
    definitions: Definitions
    platform: Platform = field(default_factory=Platform)
    territory: Territory = field(default_factory=Territory)
    places: Places = field(default_factory=Places)
    _roles: dict[str, Role] = field(default_factory=dict)
    _well: dict[str, bool] = field(default_factory=dict)

    def run(self, revision: Revision, cancelled: Callable[[], bool] = lambda: False) -> PassReport:
        """One pass at a revision; `cancelled` ends it at the next object."""
        try:
            platform, mode = self._platform(revision, cancelled)
        except Exception as error:
            platform, mode = UnitState("platform", error=unexpected(error), payload=self.platform.completed), "updating"
        self.territory.keep_only({each.name for each in revision.fleet.applications} | set(revision.broken))
        applications: list[UnitState] = []
        surveys: list[Survey] = []
        apply = mode != "installing" or platform.complete
        everyone = True
        for acting in self.definitions.here(revision):
            if cancelled():
                everyone = False
                break
            state, survey = self._guarded(acting, cancelled, apply=apply)
            self._well[state.name] = state.complete and self._roles.get(state.name) == "active"
            applications.append(state)
            surveys.append(survey)
        if everyone and apply and not revision.broken:
            self._prune(revision, (platform, *applications))
        started = self.starter.start(surveys, revision.fleet.starts, self.mover)
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

    def _prune(self, revision: Revision, units: Sequence[UnitState]) -> None:
        """Units that are complete lose what Git no longer has. While any unit was not looked at or cannot be rendered
        it is not known what Git has as a whole, and an object that only changed hands could be taken for one that is
        gone."""
        if all(unit.desired or unit.complete for unit in units):
            everything = frozenset(ref for unit in units for ref in unit.desired)
            for unit in units:
                if unit.complete:
                    self.pruner.prune(unit.objects, everything, revision.fleet.prune_budget)

    def _platform(self, revision: Revision, cancelled: Callable[[], bool]) -> tuple[UnitState, graph.Mode]:
        try:
            rendered = [found for _, found in self.desired.platform(revision)]
        except InputError as error:
            # What is there stays as it is, and applications can still be moved: only the platform's change waits.
            mode: graph.Mode = "updating" if self.platform.completed else "installing"
            return UnitState("platform", error=str(error), payload=self.platform.completed), mode
        self.territory.give_platform(self.places.of(None, rendered), revision.fleet.contents)
        items = sorted((item for found in rendered for item in found), key=lambda item: item.order)
        payload = _digest(items)
        mode = self.platform.mode(payload)
        self.platform.attempt = self.platform.attempt + 1 if mode == "steady" else 0
        nodes = graph.build(_tasks(items), mode, self.platform.attempt)
        try:
            self.pruner.cover(items)
        except ClusterError as error:
            return UnitState("platform", error=str(error), desired=_refs(items), payload=self.platform.completed), mode
        state = self._execute("platform", nodes, "active", cancelled, lambda item: self.applier.bring(item, "active"))
        if state.complete:
            self.platform.completed = payload
        return replace(state, payload=self.platform.completed, desired=_refs(items)), mode

    def _guarded(self, acting: Acting, cancelled: Callable[[], bool], *, apply: bool) -> tuple[UnitState, Survey]:
        """One application's trouble is its own, whatever it is (I6)."""
        name = acting.application.name
        if not acting.usable:
            return UnitState(name, error=acting.error), Survey(acting.application)
        try:
            acting = self._renders(acting)
            if not acting.usable:
                return UnitState(name, error=acting.error), Survey(acting.application)
            state, survey = self._application(acting, cancelled, apply=apply)
        except Exception as error:
            return UnitState(name, error=unexpected(error)), Survey(acting.application)
        return (replace(state, error=acting.error) if acting.error and not state.error else state), survey

    def _renders(self, acting: Acting) -> Acting:
        """The definition itself if it can be rendered in both roles and takes nothing that is another's, else the last
        one that could."""
        application, contents = acting.application, acting.revision.fleet.contents
        try:
            items = [self.desired.application(acting.revision, application, role) for role in ROLES]
            if not acting.error:
                for error in self.territory.claim(application, self.places.of(application, items), contents):
                    return self.definitions.before(acting, str(error))
                if not self.definitions.knows(acting):
                    self.applier.refuse_foreign_workloads(items[0], Rights(application.name, contents))
        except (InputError, ClusterError) as error:
            return self.definitions.before(acting, str(error))
        self.definitions.works(acting)
        return acting

    def _application(self, acting: Acting, cancelled: Callable[[], bool], *, apply: bool) -> tuple[UnitState, Survey]:
        """Move it, then bring its objects to the role that it has reached. What a move cannot do now, because
        something could not be read or is not there yet, keeps nobody from bringing the objects."""
        application, revision = acting.application, acting.revision
        outcome, error, survey = None, "", Survey(application)
        try:
            active = self.desired.application(revision, application, "active")
            survey = self.starter.survey(application, active, self.applier)
            definition = definition_of(revision.commit, application, active, survey.workloads)
            outcome = self.mover.pass_(Task(revision.fleet, application, definition, acting.newer))
            self._roles[application.name] = outcome.effective_role
        except InputError as invalid:
            return UnitState(application.name, error=str(invalid)), survey
        except SiteshiftError as failed:
            error = str(failed)
        role = self._roles.get(application.name)
        if role is None or not apply:
            return UnitState(application.name, outcome=outcome, error=error), survey
        try:
            items = self.desired.application(revision, application, role)
        except InputError as invalid:
            return UnitState(application.name, outcome=outcome, error=str(invalid)), survey
        if application.suspended:
            return UnitState(
                application.name, outcome=outcome, error=error, rendered=items, desired=_refs(items)
            ), survey
        survey = replace(survey.allowed(outcome), needs=self._unmet(application, revision))
        rights = Rights(application.name, revision.fleet.contents)
        try:
            self.pruner.cover(items)
        except ClusterError as failed:
            return UnitState(
                application.name, outcome=outcome, error=str(failed), rendered=items, desired=_refs(items)
            ), survey
        state = self._execute(
            application.name,
            graph.barriers(_tasks(items)),
            role,
            cancelled,
            lambda item: self.applier.bring(
                item, role, lambda manifest: self.mover.create(application, manifest), rights
            ),
            survey=survey,
        )
        return replace(state, outcome=outcome, error=error, rendered=items, desired=_refs(items)), survey

    def _unmet(self, application: Application, revision: Revision) -> tuple[str, ...]:
        """The applications that must be healthy before this one starts, and are not yet. One that is placed at another
        site is not waited for: no site can tell how it fares there."""
        here = {each.name for each in revision.fleet.applications if each.placement.active == self.site}
        return tuple(name for name in application.depends_on if name in here and not self._well.get(name, False))

    def _execute(
        self,
        name: str,
        nodes: graph.Graph[SiteManifest],
        role: Role,
        cancelled: Callable[[], bool],
        bring: Callable[[SiteManifest], ObjectState],
        *,
        survey: Survey | None = None,
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
        )


def _judge(state: ObjectState, role: Role, survey: Survey | None) -> executor.Outcome:
    if state.error:
        return executor.Outcome("failed", state.error)
    if state.live is None or state.health is None:
        return executor.Outcome("waiting", "it is not there yet")
    if survey is not None and survey.wants_start(state.ref):
        if survey.needs:
            return executor.Outcome("waiting", f"application {survey.needs[0]} must be healthy first (dependsOn)")
        survey.candidates.add(state.ref)
        return executor.Outcome("waiting", "the start gate lets it start in its turn")
    if state.health.state in PASSING:
        return executor.DONE
    if role == "active" and survey is not None and not survey.run and survey.is_workload(state.ref):
        return executor.Outcome("waiting", "it may not be started now")
    return executor.Outcome("waiting", f"{state.health.state}: {state.health.message or state.health.reason}")


def _tasks(items: Iterable[SiteManifest]) -> list[graph.Task[SiteManifest]]:
    """A task for each object. One whose component nobody names is a component of its own, so that the objects of a
    plain folder go side by side in their level."""
    return [
        graph.Task(
            str(ref_of(item.manifest)),
            item,
            item.run_level,
            item.component if item.named else str(ref_of(item.manifest)),
            item.manifest["kind"] == "Job" and item.manifest["apiVersion"] == "batch/v1",
        )
        for item in items
    ]


def _refs(items: Iterable[SiteManifest]) -> frozenset[Ref]:
    return frozenset(ref_of(item.manifest) for item in items)


def _digest(items: Iterable[SiteManifest]) -> str:
    text = json.dumps([(item.run_level, item.component, item.manifest) for item in items], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
