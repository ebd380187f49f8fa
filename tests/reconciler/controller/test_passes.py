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
from reconciler.errors import InputErrors
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
    metadata = {"name": name, "namespace": "n", "labels": {label: unit}}
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

    def prune(self, states: Sequence[ObjectState], everything: frozenset[Ref], _: int) -> None:
        self.pruned.append(([state.ref.name for state in states], {ref.name for ref in everything}))

    def bring(self, item: SiteManifest, *_: object) -> ObjectState:
        ref = ref_of(item.manifest)
        self.brought.append(ref.name)
        return ObjectState(item, ref, item.manifest, Health("Healthy"))


def application(name: str, **changes: Any) -> Application:
    placed = Placement("a", 1, "planned", f"apps/{name}/placement.yaml")
    return replace(Application(name, f"apps/{name}", ("a", "b"), "a", placed), **changes)


@pytest.fixture
def world() -> World:
    return World()


def run(world: World, *applications: Application, cancelled: Callable[[], bool] = lambda: False) -> PassReport:
    fleet = Fleet("bank", "symmetric", (), (), applications)
    parts: Any = world
    passes = Passes("a", parts, parts, parts, parts, parts, Definitions("a", parts, parts))
    return passes.run(Revision("c", MemoryTree({}), fleet), cancelled)


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
