"""The start gate over a site whose watch caches lag behind: the cap holds, slots come back, low levels go first."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.controller.starting import Starter, Survey
from reconciler.errors import Refused
from reconciler.fleet.model import Application, Placement, StartLimits
from reconciler.health import Health
from reconciler.objects import Ref, ref_of
from reconciler.status.log import Log
from render.kustomization import Origin
from render.site import SiteManifest

CAP = 3


class ManualClock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


def machine(name: str, level: str) -> SiteManifest:
    manifest = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": "ledger"},
        "spec": {"runStrategy": "Always"},
    }
    return SiteManifest(manifest, level, name, Origin("x.yaml", 0), 0)


@dataclass
class World:
    """A site: what each machine was told, what the caches show of it, and whether it is healthy."""

    told: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    health: dict[str, str] = field(default_factory=dict)
    refuse: bool = False

    def live(self, manifest: dict[str, Any], *, timeout: float) -> dict[str, Any]:
        name = manifest["metadata"]["name"]
        return {**manifest, "spec": {"runStrategy": self.shown.get(name, "Halted")}}

    def judge(self, live: dict[str, Any], role: str) -> Health:
        return Health(self.health.get(live["metadata"]["name"], "Progressing"))  # type: ignore[arg-type]

    def start(self, application: Application, workload: Any) -> bool:
        if self.refuse:
            raise Refused("not now")
        self.told[workload.ref.name] = "Always"
        return True

    @property
    def starting(self) -> set[str]:
        return {name for name in self.told if self.health.get(name) not in ("Healthy", "Failed")}


APPLICATION = Application(
    "ledger", "apps/ledger", ("a",), "a", Placement("a", 1, "planned", "x"), readiness_timeout=300.0
)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def starter(world: World, clock: ManualClock) -> Starter:
    return Starter(world, clock, StartLimits(CAP, 1000), Log("a", "text", io.StringIO()))  # type: ignore[arg-type]


def one_pass(starter: Starter, world: World, items: list[SiteManifest], *, run: bool = True) -> tuple[Ref, ...]:
    found = starter.survey(APPLICATION, items, world)  # type: ignore[arg-type]
    survey = Survey(APPLICATION, found.workloads, found.asked, found.ready, found.failed, run=run)
    survey.candidates.update(workload.ref for workload in survey.workloads if survey.wants_start(workload.ref))
    return starter.start([survey], StartLimits(CAP, 1000), world)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(20))
def test_the_cap_holds_at_every_moment_however_late_the_caches_are(
    world: World, clock: ManualClock, starter: Starter, seed: int
) -> None:
    chance = random.Random(seed)
    items = [machine(f"vm{number:02}", "50") for number in range(12)]
    for _ in range(400):
        clock.now += 0.5
        one_pass(starter, world, items)
        assert len(world.starting) <= CAP
        for name in sorted(world.told):
            if chance.random() < 0.3:
                world.shown[name] = world.told[name]
            if world.shown.get(name) == "Always" and chance.random() < 0.2:
                world.health[name] = chance.choice(("Healthy", "Failed"))
    assert set(world.health) == {item.manifest["metadata"]["name"] for item in items}


def test_the_lowest_run_level_starts_first(world: World, starter: Starter) -> None:
    items = [machine("web", "50"), machine("db", "10"), machine("cache", "20"), machine("queue", "30")]
    assert [ref.name for ref in one_pass(starter, world, items)] == ["db", "cache", "queue"]


def test_a_start_that_is_refused_gives_its_slot_back(world: World, starter: Starter) -> None:
    items = [machine("db", "10")]
    world.refuse = True
    assert one_pass(starter, world, items) == ()
    world.refuse = False
    assert [ref.name for ref in one_pass(starter, world, items)] == ["db"]


def test_what_takes_longer_than_readiness_allows_blocks_nobody(
    world: World, clock: ManualClock, starter: Starter
) -> None:
    items = [machine(name, "50") for name in "abcdef"]
    assert len(one_pass(starter, world, items)) == CAP
    world.shown.update(world.told)
    clock.now += 299
    assert one_pass(starter, world, items) == ()
    clock.now += 2
    assert len(one_pass(starter, world, items)) == CAP


def test_what_was_starting_before_this_process_counts(world: World, starter: Starter) -> None:
    items = [machine(name, "50") for name in "abcd"]
    for name in "ab":
        world.told[name] = world.shown[name] = "Always"
    assert len(one_pass(starter, world, items)) == CAP - 2


def test_nothing_is_in_flight_where_nothing_may_run(world: World, starter: Starter) -> None:
    items = [machine(name, "50") for name in "abc"]
    world.shown.update(dict.fromkeys("abc", "Always"))
    assert one_pass(starter, world, items, run=False) == ()
    survey = starter.survey(APPLICATION, items, world)  # type: ignore[arg-type]
    assert survey.asked == {ref_of(item.manifest) for item in items}
    assert survey.in_flight == frozenset()
