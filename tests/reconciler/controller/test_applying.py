"""One object: nothing is asked about what is as it should be, and nothing is hammered that fails."""

from __future__ import annotations

import copy
import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.controller.adopting import TAKE_OVER, Rights
from reconciler.controller.applying import FIRST_RETRY, LAST_RETRY, Applier
from reconciler.controller.contests import AT_ONCE, MOST_TURNS
from reconciler.errors import Invalid, Refused
from reconciler.fleet.model import Contents
from reconciler.objects import APPLY_MANAGER
from render.kustomization import Origin
from render.site import SiteManifest

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "api", "namespace": "ledger"},
    "spec": {"replicas": 2, "paused": False},
}
CONFIG_MAP: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "ledger"},
    "data": {"a": "1"},
}


class ManualClock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


class OneObject:
    """A cluster and its caches with at most one object; counts what is asked of it."""

    def __init__(self) -> None:
        self.object: dict[str, Any] | None = None
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.refusal: Invalid | None = None
        self.cluster_wide: set[str] = set()
        self.discovery = SimpleNamespace(find=lambda _, kind: SimpleNamespace(namespaced=kind not in self.cluster_wide))
        self.version = 0

    def live(self, manifest: dict[str, Any], *, timeout: float) -> dict[str, Any] | None:
        return self.object if self.object and self.object["kind"] == manifest["kind"] else None

    def absorb(self, manifest: dict[str, Any]) -> None:
        self.object = manifest

    def server_time(self) -> float:
        return 1_000_000.0

    def apply(self, manifest: dict[str, Any], *, manager: str) -> dict[str, Any]:
        self.requests.append(("apply", manifest))
        if self.refusal is not None:
            raise self.refusal
        return self.write(manifest, manager)

    def write(self, manifest: dict[str, Any], manager: str) -> dict[str, Any]:
        self.version += 1
        known = copy.deepcopy(self.object or {})
        spec = {**known.get("spec", {}), **manifest.get("spec", {})}
        fields = {"f:data": {"f:a": {}}} if "data" in manifest else {"f:spec": {f"f:{name}": {} for name in spec}}
        owner = {"manager": manager, "operation": "Apply", "apiVersion": manifest["apiVersion"], "fieldsV1": fields}
        metadata = {**manifest["metadata"], "resourceVersion": str(self.version), "managedFields": [owner]}
        self.object = {**manifest, "metadata": metadata} | ({"spec": spec} if spec else {})
        return copy.deepcopy(self.object)


@pytest.fixture
def world() -> OneObject:
    return OneObject()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def applier(world: OneObject, clock: ManualClock) -> Applier:
    return Applier(world, world, clock)  # type: ignore[arg-type]


def item(manifest: dict[str, Any]) -> SiteManifest:
    return SiteManifest(manifest, "50", "api", Origin("base/x.yaml", 0), 0)


def test_what_is_as_it_should_be_is_asked_about_once(world: OneObject, applier: Applier) -> None:
    found = item(CONFIG_MAP)
    assert applier.bring(found, "active").written
    for _ in range(3):
        state = applier.bring(found, "active")
        assert not state.written
        assert state.health is not None
        assert state.health.state == "Healthy"
    assert [verb for verb, _ in world.requests] == ["apply"]


def test_drift_is_written_over(world: OneObject, applier: Applier) -> None:
    found = item(CONFIG_MAP)
    applier.bring(found, "active")
    assert world.object is not None
    world.object = {
        **world.object,
        "data": {"a": "2"},
        "metadata": {**world.object["metadata"], "resourceVersion": "99"},
    }
    assert applier.bring(found, "active").written
    assert world.object["data"] == {"a": "1"}


def written_by_another(world: OneObject, value: str) -> None:
    """A second writer sets the field, if it is not as it wants."""
    assert world.object is not None
    if world.object["data"] == {"a": value}:
        return
    world.version += 1
    metadata = world.object["metadata"]
    owners = [
        metadata["managedFields"][0],
        {"manager": "fighter", "operation": "Update", "time": "2026-01-01T00:00:00Z"},
    ]
    world.object = {
        **world.object,
        "data": {"a": value},
        "metadata": {**metadata, "resourceVersion": str(world.version), "managedFields": owners},
    }


def test_a_second_writer_is_answered_ever_more_rarely_then_left_alone_and_named(
    world: OneObject, clock: ManualClock, applier: Applier
) -> None:
    found = item(CONFIG_MAP)
    applier.bring(found, "active")
    turns = []
    for _ in range(20_000):
        written_by_another(world, "2")
        state = applier.bring(found, "active")
        if state.written:
            turns.append(clock.now)
        clock.now += 0.05
    assert len(turns) == MOST_TURNS
    pauses = [later - earlier for earlier, later in itertools.pairwise(turns)]
    assert all(later > earlier * 1.8 for earlier, later in itertools.pairwise(pauses[AT_ONCE:]))
    assert state.error == ""
    assert state.contested == (
        "fighter has changed data.a back 10 times: let one of the two set it; it is left as it is now"
    )


def test_a_second_writer_that_gives_in_is_forgotten(world: OneObject, clock: ManualClock, applier: Applier) -> None:
    found = item(CONFIG_MAP)
    applier.bring(found, "active")
    for _ in range(20_000):
        written_by_another(world, "2")
        applier.bring(found, "active")
        clock.now += 0.05
    written_by_another(world, "1")
    assert applier.bring(found, "active").contested == ""
    written_by_another(world, "2")
    assert applier.bring(found, "active").written


def test_another_commit_is_applied_in_the_middle_of_a_contest(world: OneObject, applier: Applier) -> None:
    applier.bring(item(CONFIG_MAP), "active")
    for _ in range(50):
        written_by_another(world, "2")
        applier.bring(item(CONFIG_MAP), "active")
    assert applier.bring(item(CONFIG_MAP | {"data": {"a": "3"}}), "active").written


def test_start_fields_of_an_application_are_created_by_the_moves_and_never_applied(
    world: OneObject, applier: Applier
) -> None:
    created: list[dict[str, Any]] = []

    def create(manifest: dict[str, Any]) -> dict[str, Any]:
        created.append(manifest)
        return world.write({**manifest, "spec": {**manifest["spec"], "replicas": 0}}, "siteshift-moves")

    applier.bring(item(DEPLOYMENT), "passive", create)
    assert created == [DEPLOYMENT]
    assert all("replicas" not in manifest["spec"] for _, manifest in world.requests)
    assert world.object is not None
    assert world.object["spec"]["replicas"] == 0


def test_the_platforms_start_fields_are_applied_as_written(world: OneObject, applier: Applier) -> None:
    applier.bring(item(DEPLOYMENT), "active")
    assert world.requests == [("apply", DEPLOYMENT)]
    assert world.object is not None
    assert world.object["metadata"]["managedFields"][0]["manager"] == APPLY_MANAGER


def test_a_write_that_fails_is_tried_again_ever_more_rarely(
    world: OneObject, clock: ManualClock, applier: Applier
) -> None:
    world.refusal = Invalid("spec.paused: no")
    found = item(DEPLOYMENT)
    tries = []
    for _ in range(1000):
        before = len(world.requests)
        assert applier.bring(found, "active").error == "spec.paused: no"
        if len(world.requests) > before:
            tries.append(clock.now)
        clock.now += 0.25
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert pauses[0] == FIRST_RETRY
    assert all(later in (earlier * 2, LAST_RETRY) for earlier, later in itertools.pairwise(pauses))
    assert pauses[-1] == LAST_RETRY


def test_another_commit_tries_what_failed_at_once(world: OneObject, applier: Applier) -> None:
    world.refusal = Invalid("no")
    applier.bring(item(DEPLOYMENT), "active")
    world.refusal = None
    assert applier.bring(item(copy.deepcopy(DEPLOYMENT)), "active").written


def test_health_that_cannot_be_told_is_the_trouble_of_that_object_alone(
    world: OneObject, applier: Applier, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "postgres", "namespace": "ledger"},
        "spec": {"runStrategy": "Always"},
    }
    live = OneObject.live

    def no_instances(self: OneObject, manifest: dict[str, Any], *, timeout: float) -> dict[str, Any] | None:
        if manifest["kind"] == "VirtualMachineInstance":
            raise Refused("list virtualmachineinstances: forbidden")
        return live(self, manifest, timeout=timeout)

    monkeypatch.setattr(OneObject, "live", no_instances)
    state = applier.bring(item(machine), "active")
    assert (state.written, state.health) == (True, None)
    assert state.error == "its health cannot be told: list virtualmachineinstances: forbidden"


LEDGER = Rights("ledger", Contents())


def foreign(world: OneObject, manager: str, **metadata: Any) -> None:
    """The ConfigMap is there, and somebody else made it."""
    world.write(CONFIG_MAP | {"data": {"a": "theirs"}}, manager)
    assert world.object is not None
    world.object["metadata"] |= metadata


@pytest.mark.parametrize("manager", ["kubectl-client-side-apply", "argocd-controller", "kustomize-controller", "helm"])
def test_what_somebody_else_manages_is_left_as_it_is(applier: Applier, world: OneObject, manager: str) -> None:
    foreign(world, manager)
    state = applier.bring(item(CONFIG_MAP), "active", None, LEDGER)
    assert world.requests == []
    assert state.error == (
        f"ConfigMap ledger/settings is managed by {manager} and is left as it is; to take it over, set the annotation"
        ' siteshift.io/take-over: "true" on it in Git, or list ledger in spec.contents.takeOver of siteshift.yaml'
    )


def test_what_a_controller_made_is_left_as_it_is(applier: Applier, world: OneObject) -> None:
    foreign(world, "x", ownerReferences=[{"kind": "Operator", "name": "db", "controller": True}])
    assert "is managed by Operator db" in applier.bring(item(CONFIG_MAP), "active", None, LEDGER).error


def test_git_consents_to_a_take_over_for_one_object(applier: Applier, world: OneObject) -> None:
    foreign(world, "argocd-controller")
    consenting = CONFIG_MAP | {"metadata": CONFIG_MAP["metadata"] | {"annotations": {TAKE_OVER: "true"}}}
    assert applier.bring(item(consenting), "active", None, LEDGER).error == ""
    assert [name for name, _ in world.requests] == ["apply"]


def test_the_fleet_consents_to_a_take_over_for_a_namespace(applier: Applier, world: OneObject) -> None:
    foreign(world, "argocd-controller")
    rights = Rights("ledger", Contents(take_over=("ledger",)))
    assert applier.bring(item(CONFIG_MAP), "active", None, rights).error == ""


def test_what_siteshift_has_applied_before_needs_no_consent(applier: Applier, world: OneObject) -> None:
    applier.bring(item(CONFIG_MAP), "active", None, LEDGER)
    assert world.object is not None
    world.object["metadata"]["managedFields"].append({"manager": "autoscaler", "fieldsV1": {"f:data": {}}})
    world.object["metadata"]["resourceVersion"] = "99"
    changed = CONFIG_MAP | {"data": {"a": "2"}}
    assert applier.bring(item(changed), "active", None, LEDGER).error == ""


def test_a_kind_that_the_cluster_has_for_all_namespaces_is_refused(applier: Applier, world: OneObject) -> None:
    world.cluster_wide = {"ConfigMap"}
    state = applier.bring(item(CONFIG_MAP), "active", None, LEDGER)
    assert state.error.endswith("is cluster-scoped, and spec.contents.clusterKinds does not allow it")
    assert world.requests == []


def test_a_workload_of_somebody_else_is_refused_before_a_move_could_stop_it(applier: Applier, world: OneObject) -> None:
    world.write(DEPLOYMENT, "helm")
    with pytest.raises(Refused, match="Deployment ledger/api is managed by helm"):
        applier.refuse_foreign_workloads([item(CONFIG_MAP), item(DEPLOYMENT)], LEDGER)
