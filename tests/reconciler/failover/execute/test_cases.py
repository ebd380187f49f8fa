"""Cases that a failover must survive, one a test, told to two whole sites; I1 is looked at in every moment."""

from __future__ import annotations

from typing import Any

import pytest
from two_sites.api import Api
from two_sites.world import World

from reconciler.errors import SourceError, Unreachable
from reconciler.objects import SYSTEM_NAMESPACE

LIVING = {("ConfigMap", SYSTEM_NAMESPACE, name) for name in ("permit-ledger", "siteshift-site", "siteshift-guard")}
"""What a steady site renews: permits, its counter, the guard's count."""


@pytest.fixture
def world() -> World:
    """The application is active at a, and protected."""
    found = World()
    found.until(lambda: found.is_active("a"), what="a active")
    found.passes(2)
    return found


def versions(api: Api) -> dict[Any, str]:
    return {key: each["metadata"]["resourceVersion"] for key, each in api.objects.items() if key not in LIVING}


def test_a_steady_fleet_changes_nothing(world: World) -> None:
    before = {site: versions(api) for site, api in world.apis.items()}
    said = {name: commit for name, commit in world.server.refs.items() if "acks" in name}
    world.passes(30)
    after = {site: versions(api) for site, api in world.apis.items()}
    assert {site: _but_status(found) for site, found in before.items()} == {
        site: _but_status(found) for site, found in after.items()
    }
    assert {name: commit for name, commit in world.server.refs.items() if "acks" in name} == said


def _but_status(found: dict[Any, str]) -> dict[Any, str]:
    return {key: version for key, version in found.items() if key[0] != "VirtualMachineInstance"}


def test_what_runs_already_is_adopted_without_a_restart() -> None:
    world = World()
    api = world.apis["a"]
    for name in ("db", "svc"):
        api.objects["VirtualMachine", "bank", name]["spec"]["runStrategy"] = "Always"
    api.objects["VolumeReplication", "bank", "ledger"]["spec"]["replicationState"] = "primary"
    world.tick(40)
    before = {name: api.objects["VirtualMachineInstance", "bank", name]["metadata"]["uid"] for name in ("db", "svc")}
    world.until(lambda: world.is_active("a"), what="a active")
    after = {name: api.objects["VirtualMachineInstance", "bank", name]["metadata"]["uid"] for name in ("db", "svc")}
    assert before == after
    assert ("ValidatingAdmissionPolicyBinding", "", "siteshift-gate-ledger") in api.objects


def test_a_target_that_lacks_something_stops_nobody(world: World) -> None:
    world.apis["b"].unserved = frozenset({"VirtualMachine"})
    world.commit("b")
    world.passes(20)
    assert world.apis["a"].running() == ["db", "svc"]
    process = world.controllers["a"]
    assert process is not None
    assert process.outcome is not None
    assert [each.reason for each in process.outcome.holds] == ["TargetNotReady"]
    world.apis["b"].unserved = frozenset()
    world.until(lambda: world.is_active("b"), what="b active")


def test_a_dead_target_stops_nobody(world: World) -> None:
    world.dead.add("b")
    world.commit("b")
    world.passes(30)
    assert world.apis["a"].running() == ["db", "svc"]


def test_a_guest_that_ignores_shutdown_is_waited_for_and_named(world: World) -> None:
    world.apis["a"].stop_time = 40.0
    world.commit("b")
    world.passes(25)
    process = world.controllers["a"]
    assert process is not None
    assert process.outcome is not None
    assert [each.reason for each in process.outcome.holds] == ["StopTakesTooLong"]
    assert world.apis["b"].running() == []
    world.until(lambda: world.is_active("b"), 200, "b active")


def test_a_site_cut_from_git_stops_when_its_lease_runs_out_and_takes_up_again_when_it_is_back(world: World) -> None:
    world.cut.add("a")
    world.passes(12)
    assert world.apis["a"].running() == []
    assert world.array.roles["a"] == "secondary"
    world.cut.clear()
    world.until(lambda: world.is_active("a"), what="a active again")


def test_without_a_lease_an_outage_of_git_stops_nobody_and_a_lost_guest_starts_again() -> None:
    world = World(lease=None)
    world.until(lambda: world.is_active("a"), what="a active")
    world.cut.update("ab")
    world.passes(60)
    del world.apis["a"].objects["VirtualMachineInstance", "bank", "svc"]
    world.passes(10)
    assert world.apis["a"].running() == ["db", "svc"]


def test_a_controller_that_restarts_while_cut_off_does_not_revive_its_lease(world: World) -> None:
    world.cut.add("a")
    world.passes(3)
    world.controllers["a"] = None
    world.clock.now += 4
    world.passes(6)
    assert world.apis["a"].running() == []


def test_a_push_that_was_accepted_and_not_answered_changes_nothing(world: World) -> None:
    for site in ("a", "b"):
        process = world.controllers[site]
        assert process is not None
        repository = process.around.publisher.repository
        push = repository.append

        def unanswered(*given: Any, push: Any = push) -> Any:
            push(*given)
            raise SourceError("the connection was lost")

        repository.append = unanswered  # type: ignore[method-assign]
    world.commit("b")
    world.until(lambda: world.is_active("b"), 200, "b active")


def test_nothing_is_concluded_from_what_cannot_be_read(world: World) -> None:
    api = world.apis["a"]
    listed = api.list

    def broken(api_version: str, kind: str, *given: Any, **named: Any) -> Any:
        if kind == "Pod":
            raise Unreachable("the API server does not answer")
        return listed(api_version, kind, *given, **named)

    api.list = broken  # type: ignore[method-assign]
    before = versions(api)
    world.commit("b")
    world.passes(20)
    assert versions(api) == before
    assert api.running() == ["db", "svc"]
    api.list = listed  # type: ignore[method-assign]
    world.until(lambda: world.is_active("b"), what="b active")


@pytest.mark.parametrize("verb", ["replace", "patch"], ids=["the window for the promotion", "the promotion"])
def test_a_controller_paused_before_a_write_of_a_promotion_writes_nothing_after_its_successor(
    world: World, verb: str
) -> None:
    """P10: it has read the object and looked at the journal; then a long time passes, and others go on."""
    after: list[dict[Any, str]] = []
    process = world.controllers["b"]

    def reached(site: str, verb_now: str) -> None:
        if after or site != "b" or verb_now != verb or world.last("b") != "Promoting@2":
            return
        after.append({})
        world.controllers["b"] = None
        world.commit("a")
        world.until(lambda: world.is_active("a"), 200, "a active again")
        after[0] = versions(world.apis["b"])

    world.before_request = reached
    world.commit("b")
    world.until(lambda: bool(after and after[0]), what="the pause")
    assert world.controllers["b"] is not process
    assert world.array.roles == {"a": "primary", "b": "secondary"}
    assert world.apis["b"].running() == []
    assert versions(world.apis["b"]) == after[0]


def test_flip_flop_within_one_poll_ends_at_the_newest_and_never_runs_twice(world: World) -> None:
    for active in ("b", "a", "b", "a", "b"):
        world.commit(active)
    world.until(lambda: world.is_active("b"), what="b active")
    assert set(range(1, world.array.written + 1)) == set(world.array.copies["b"])


def test_ten_moves_to_and_fro_lose_nothing(world: World) -> None:
    for active in ("b", "a") * 5:
        world.commit(active)
        world.until(lambda active=active: world.is_active(active), what=f"{active} active")  # type: ignore[misc]
    assert set(range(1, world.array.written + 1)) == set(world.array.copies["a"])


def test_a_disaster_with_a_living_site_waits_for_its_word_or_its_lease(world: World) -> None:
    world.commit("b", move="disaster", declared_down=("a",), allow_data_loss="unknown", reason="fire")
    world.until(lambda: world.is_active("b"), what="b active")
    assert world.last("a").split("@")[0] in ("Demoted", "Stopped")


def test_a_returning_site_keeps_its_copy_until_people_let_it_go(world: World) -> None:
    world.array.link = False
    world.passes(2)
    world.kill_site("a")
    world.commit("b", move="disaster", declared_down=("a",), allow_data_loss="unknown", reason="fire")
    world.until(lambda: world.is_active("b"), what="b active")
    world.revive("a")
    world.passes(30)
    assert "a" not in world.array.discarded
    process = world.controllers["a"]
    assert process is not None
    assert process.outcome is not None
    assert [each.reason for each in process.outcome.holds] == ["NeedsDiscard"]
    world.commit("b", allow_discard=("a",))
    world.until(lambda: world.last("a").startswith("Demoted"), what="a demoted")
    assert world.array.discarded["a"]
