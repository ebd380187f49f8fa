"""One pass over a site: what one object's or one application's trouble does to the others, and what may be pruned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.controller.acting import Definitions
from reconciler.controller.applying import ObjectState
from reconciler.controller.desired import Revision
from reconciler.controller.passes import Passes, PassReport
from reconciler.controller.starting import Survey
from reconciler.errors import InputErrors, Refused
from reconciler.failover.execute.definition import Workload
from reconciler.failover.execute.memory import Outcome, Task
from reconciler.failover.protocol.decisions import State
from reconciler.failover.protocol.values import Journal
from reconciler.fleet.load import Broken
from reconciler.fleet.model import Application, Fleet, Placement
from reconciler.health import Health
from reconciler.objects import APPLICATION_LABEL, PLATFORM_LABEL, Ref, ref_of
from render.errors import InputError
from render.kustomization import Origin
from render.site import SiteManifest, Unit
from render.tree import MemoryTree


def settings(name: str, label: str, unit: str) -> SiteManifest:
    metadata = {"name": name, "namespace": unit, "labels": {label: unit}}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {}}
    return SiteManifest(manifest, "50", unit, Origin(f"{unit}/{name}.yaml", 0), 0)


class World:
    """Everything that a pass talks to: what Git has by unit, and what was pruned."""

    def __init__(self) -> None:
        self.platform_items = (settings("shared", PLATFORM_LABEL, "storage"),)
        self.items: dict[str, Any] = {
            "ledger": (settings("ledger", APPLICATION_LABEL, "ledger"),),
            "payments": (settings("payments", APPLICATION_LABEL, "payments"),),
        }
        self.pruned: list[tuple[list[str], set[str]]] = []
        self.brought: list[str] = []
        self.epochs: dict[str, int] = {}
        self.broken_at = ("", "")
        self.revisions: dict[str, Revision] = {}
        self.pins: dict[str, str] = {}
        self.unwell: set[str] = set()

        self.foreign: set[str] = set()

    def at(self, commit: str) -> Revision:
        if commit not in self.revisions:
            raise InputErrors([InputError("siteshift.yaml is wrong")])
        return self.revisions[commit]

    def platform(self, _: Revision) -> tuple[tuple[Unit, tuple[SiteManifest, ...]], ...]:
        return ((Unit("storage", "platform/storage", PLATFORM_LABEL), self.platform_items),)

    def application(self, revision: Revision, application: Application, _: str) -> tuple[SiteManifest, ...]:
        if self.broken_at == (revision.commit, application.name):
            raise InputError("broken")
        found = self.items[application.name]
        if callable(found):
            found = found(revision.commit)
        if isinstance(found, Exception):
            raise found
        return tuple(found)

    def survey(self, application: Application, *_: object) -> Survey:
        return Survey(application)

    def start(self, *_: object) -> tuple[Ref, ...]:
        return ()

    def pass_(self, task: Task) -> Outcome:
        self.epochs[task.application.name] = task.application.placement.epoch
        return Outcome("active", True, False, State.PROTECTED, 1, (), (), False, None, Journal())

    def pinned(self, name: str) -> str:
        return self.pins.get(name, "")

    def marked(self, _: str) -> str:
        return ""

    def cover(self, _: object) -> None:
        pass

    def refuse_foreign_workloads(self, items: Sequence[SiteManifest], _: object) -> None:
        if self.foreign & {item.manifest["metadata"]["name"] for item in items}:
            raise Refused("it is managed by helm")

    def prune(self, states: Sequence[ObjectState], everything: frozenset[Ref], _: int) -> None:
        self.pruned.append(([state.ref.name for state in states], {ref.name for ref in everything}))

    def bring(self, item: SiteManifest, *_: object) -> ObjectState:
        ref = ref_of(item.manifest)
        self.brought.append(ref.name)
        return ObjectState(item, ref, item.manifest, Health("Progressing" if ref.name in self.unwell else "Healthy"))


def application(name: str, **changes: Any) -> Application:
    placed = Placement("a", 1, "planned", f"apps/{name}/placement.yaml")
    return replace(Application(name, f"apps/{name}", ("a", "b"), "a", placed), **changes)


@pytest.fixture
def world() -> World:
    return World()


def passes_of(world: World, *applications: Application) -> tuple[Passes, Revision]:
    fleet = Fleet("bank", "symmetric", (), (), applications)
    parts: Any = world
    passes = Passes("a", parts, parts, parts, parts, parts, Definitions("a", parts, parts))
    return passes, Revision("c", MemoryTree({}), fleet)


def run(world: World, *applications: Application, cancelled: Callable[[], bool] = lambda: False) -> PassReport:
    passes, revision = passes_of(world, *applications)
    return passes.run(revision, cancelled)


BOTH = (application("ledger"), application("payments"))


def test_a_pass_over_everything_may_prune_beside_everything_that_git_has(world: World) -> None:
    run(world, *BOTH)
    assert [names for names, _ in world.pruned] == [["shared"], ["ledger"], ["payments"]]
    assert all(everything == {"shared", "ledger", "payments"} for _, everything in world.pruned)


def test_nothing_is_pruned_while_an_application_cannot_be_rendered(world: World) -> None:
    world.items["payments"] = InputError("broken")
    report = run(world, *BOTH)
    assert world.pruned == []
    assert [unit.error for unit in report.applications] == ["", "error: broken"]


def test_what_a_suspended_application_has_in_git_counts_when_others_are_pruned(world: World) -> None:
    run(world, application("ledger"), application("payments", suspended=True))
    assert "payments" not in world.brought
    assert all("payments" in everything for _, everything in world.pruned)


def test_nothing_is_pruned_by_a_pass_that_was_overtaken(world: World) -> None:
    run(world, *BOTH, cancelled=lambda: "ledger" in world.brought)
    assert "payments" not in world.brought
    assert world.pruned == []


def test_whatever_goes_wrong_with_one_application_is_its_own(world: World) -> None:
    """I6: also what nobody foresaw."""
    world.items["ledger"] = ZeroDivisionError("oh")
    report = run(world, *BOTH)
    assert "payments" in world.brought
    assert [unit.error.startswith("a bug: ZeroDivisionError") for unit in report.applications] == [True, False]


def test_an_application_that_is_wrong_in_git_goes_on_as_it_was_and_is_named(world: World) -> None:
    right = Fleet("bank", "symmetric", (), (), BOTH)
    fleet = Fleet("bank", "symmetric", (), (), BOTH[1:])
    broken = {"ledger": Broken("apps/ledger", (InputError("a typo"),), replace(BOTH[0].placement, epoch=2))}
    parts: Any = world
    passes = Passes("a", parts, parts, parts, parts, parts, Definitions("a", parts, parts))
    world.revisions = {"good": Revision("good", MemoryTree({}), right)}
    passes.run(world.revisions["good"])
    world.brought.clear()
    report = passes.run(Revision("bad", MemoryTree({}), fleet, broken))
    assert {"ledger", "payments"} <= set(world.brought)
    assert {unit.name: unit.error for unit in report.applications} == {"payments": "", "ledger": "error: a typo"}
    assert world.epochs["ledger"] == 2, "its placement is a unit of its own"
    assert world.pruned[-3:] == world.pruned[:3], "nothing is pruned while something cannot be read"


def test_an_application_that_was_never_right_is_named_and_not_acted_on(world: World) -> None:
    broken = {"new": Broken("apps/new", (InputError("a typo"),), None)}
    world.revisions = {}
    parts: Any = world
    passes = Passes("a", parts, parts, parts, parts, parts, Definitions("a", parts, parts))
    report = passes.run(Revision("c", MemoryTree({}), Fleet("bank", "symmetric", (), (), BOTH), broken))
    assert {unit.name: unit.error for unit in report.applications} == {
        "ledger": "",
        "payments": "",
        "new": "error: a typo",
    }
    assert "new" not in world.epochs


def test_a_definition_that_cannot_be_rendered_gives_way_to_the_last_one_that_could(world: World) -> None:
    """A broken manifest must not swallow a stop order: the move acts on, under the newest placement."""
    fleet = Fleet("bank", "symmetric", (), (), BOTH)
    world.revisions = {"good": Revision("good", MemoryTree({}), fleet)}
    parts: Any = world
    passes = Passes("a", parts, parts, parts, parts, parts, Definitions("a", parts, parts))
    passes.run(world.revisions["good"])
    moved = replace(BOTH[0], placement=replace(BOTH[0].placement, epoch=2))
    world.broken_at = ("bad", "ledger")
    report = passes.run(Revision("bad", MemoryTree({}), replace(fleet, applications=(moved, BOTH[1]))))
    assert world.epochs["ledger"] == 2
    assert {unit.name: unit.error for unit in report.applications} == {"ledger": "error: broken", "payments": ""}


def test_attack_a_fleet_that_was_broken_in_the_commit_before_a_move_ends_no_move(world: World) -> None:
    """The definition that the move pinned cannot be read, and no later commit would change that."""
    fleet = Fleet("bank", "symmetric", (), (), BOTH)
    parts: Any = world
    passes = Passes("a", parts, parts, parts, parts, parts, Definitions("a", parts, parts))
    world.pins = {"ledger": "broken"}
    report = passes.run(Revision("head", MemoryTree({}), fleet))
    assert set(world.epochs) == {"ledger", "payments"}
    errors = {unit.name: unit.error for unit in report.applications}
    assert errors["payments"] == ""
    assert "commit broken" in errors["ledger"]


WEB = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "n"}, "spec": {}}


class Starting(World):
    """A world in which storefront has a Deployment to start, and the ledger is as healthy as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.items["storefront"] = (SiteManifest(WEB, "50", "web", Origin("storefront/web.yaml", 0), 0),)
        self.ledger, self.roles = "Progressing", {"ledger": "active"}
        self.candidates: list[str] = []

    def survey(self, application: Application, *_: object) -> Survey:
        workload = Workload(ref_of(WEB), "apps/v1", "50", "web", 1)
        return Survey(application, (workload,) if application.name == "storefront" else ())

    def pass_(self, task: Task) -> Outcome:
        role: Any = self.roles.get(task.application.name, "active")
        return replace(super().pass_(task), effective_role=role)

    def bring(self, item: SiteManifest, *rest: object) -> ObjectState:
        state = super().bring(item, *rest)
        return replace(state, health=Health(self.ledger)) if state.ref.name == "ledger" else state  # type: ignore[arg-type]

    def start(self, surveys: Sequence[Survey], *_: object) -> tuple[Ref, ...]:
        self.candidates = [ref.name for survey in surveys for ref in survey.candidates]
        return ()


DEPENDENT = application("storefront", depends_on=("ledger",))


def test_an_application_starts_once_what_it_depends_on_is_healthy() -> None:
    world = Starting()
    passes, revision = passes_of(world, DEPENDENT, application("ledger"))
    report = passes.run(revision)
    assert (world.candidates, report.applications[0].unfinished) == (
        [],
        (("Deployment n/web", "application ledger must be healthy first (dependsOn)"),),
    )
    world.ledger = "Healthy"
    passes.run(revision)
    passes.run(revision)
    assert world.candidates == ["web"]


@pytest.mark.parametrize(("active", "candidates"), [("a", []), ("b", ["web"])])
def test_what_is_placed_here_is_waited_for_also_before_its_promotion_and_what_is_not_never(
    active: str, candidates: list[str]
) -> None:
    world = Starting()
    world.roles["ledger"], world.ledger = "passive", "Healthy"
    placed = Placement(active, 1, "planned", "apps/ledger/placement.yaml")
    passes, revision = passes_of(world, application("ledger", placement=placed), DEPENDENT)
    passes.run(revision)
    passes.run(revision)
    assert world.candidates == candidates


@pytest.mark.parametrize(
    ("path", "annotations", "brought"),
    [
        ("base/{name}.yaml", {}, ["one", "three", "two"]),
        ("base/0000_50_all_{name}.yaml", {}, ["one"]),
        ("base/{name}.yaml", {"siteshift.io/component": "all"}, ["one"]),
    ],
    ids=["nobody names one", "file name", "annotation"],
)
def test_objects_without_a_component_go_side_by_side(
    world: World, path: str, annotations: dict[str, str], brought: list[str]
) -> None:
    """Of a component only the first is brought until it is healthy; without one, none waits for another."""

    def item(name: str) -> SiteManifest:
        found = settings(name, APPLICATION_LABEL, "ledger")
        found.manifest["metadata"]["annotations"] = annotations
        return found._replace(origin=Origin(path.format(name=name), 0), component="all")

    world.items["ledger"] = tuple(map(item, ("one", "two", "three")))
    world.unwell = {"one", "two", "three"}
    run(world, application("ledger"))
    assert sorted(set(world.brought) - {"shared"}) == brought


def test_an_application_that_takes_anothers_namespace_keeps_its_last_good_definition(world: World) -> None:
    """It comes first by its name, and harms nobody all the same."""
    parts: Any = world
    attacker = application("aaa")
    world.items["aaa"] = (settings("aaa", APPLICATION_LABEL, "aaa"),)
    passes = Passes("a", parts, parts, parts, parts, parts, Definitions("a", parts, parts))
    fleet = Fleet("bank", "symmetric", (), (), (attacker, *BOTH))
    world.revisions["c1"] = Revision("c1", MemoryTree({}), fleet)
    assert [unit.error for unit in passes.run(world.revisions["c1"]).applications] == ["", "", ""]

    world.items["aaa"] = lambda commit: (settings("x", APPLICATION_LABEL, "aaa" if commit == "c1" else "payments"),)
    world.brought.clear()
    bad, *others = passes.run(Revision("c2", MemoryTree({}), fleet)).applications
    assert "uses namespace payments, which belongs to application payments" in bad.error
    assert bad.outcome is not None, "the last good definition is still looked after"
    assert [unit.error for unit in others] == ["", ""]
    assert world.brought == ["shared", "x", "ledger", "payments"]


def test_an_application_with_a_workload_of_somebody_else_is_not_moved(world: World) -> None:
    world.foreign = {"payments"}
    ledger, payments = run(world, *BOTH).applications
    assert ledger.error == ""
    assert payments.error == "it is managed by helm"
    assert "payments" not in world.epochs
    assert "payments" not in world.brought
