"""From a hold to rest: what the command that a hold names commits is what lifts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, cast

import pytest
from two_sites.world import World

from reconciler.cluster import Cluster
from reconciler.errors import Unreachable
from reconciler.failover.execute.api_servers import ApiServers
from reconciler.failover.protocol.documents import read_ack
from reconciler.failover.protocol.values import Ack
from reconciler.fleet.model import Application, Lease, Rewind
from reconciler.fleet.moving import Disaster, plan_move
from reconciler.fleet.restating import Fields, accept_rewind, allow_discard, override_fence

MEANS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "epoch": ("epoch", int),
    "move": ("move", str),
    "reason": ("reason", lambda value: value),
    "declaredDown": ("declared_down", lambda value: tuple(value or ())),
    "allowDataLoss": ("allow_data_loss", lambda value: value),
    "overrideFence": ("override_fence", lambda value: value),
    "allowDiscard": ("allow_discard", lambda value: tuple(value or ())),
    "acceptRewind": ("accept_rewind", lambda value: value and Rewind(value["to"], tuple(value["from"]))),
}
"""A field of placement.yaml: what the controller has of it."""

BRANCH = "refs/heads/main"


def holds(world: World, site: str) -> list[str]:
    process = world.controllers[site]
    return [] if process is None or process.outcome is None else [each.reason for each in process.outcome.holds]


def placed(world: World) -> Application:
    """The application as the branch has it."""
    return replace(world.application, placement=world.placements[world.server.refs[BRANCH]])


def commit(world: World, wanted: Fields | None) -> None:
    """What the command line would write into placement.yaml."""
    assert wanted is not None
    placement = placed(world).placement
    said = {field.name: getattr(placement, field.name) for field in fields(placement)}
    for name, value in wanted.items():
        known, read = MEANS[name]
        said[known] = read(value)
    del said["path"]
    world.commit(said.pop("active"), **said)


def acks(world: World) -> list[Ack]:
    """What the sites said, as the command line reads it from their refs."""
    heads = {name: value for name, value in world.server.refs.items() if "acks" in name}
    return [read_ack(world.server.commits[value].files["ledger.json"], name) for name, value in heads.items()]


def lives(lease: Lease | None = None) -> World:
    """The application is active at a."""
    found = World(lease=lease)
    found.until(lambda: found.is_active("a"), what="a active")
    found.passes(3)
    return found


class NeverAnswers:
    """An API server that is gone."""

    server = "https://gone"

    def create(self, *_: Any, **__: Any) -> Any:
        raise Unreachable("no answer")

    def close(self) -> None:
        pass


@pytest.fixture
def world() -> World:
    """The application was active at a without a lease, which is now dead; its last writes were not shipped."""
    found = lives()
    found.array.link = False
    found.passes(2)
    found.kill_site("a")
    return found


def test_not_fenced_is_lifted_by_override_fence(world: World) -> None:
    world.commit("b", move="disaster", declared_down=("a",), allow_data_loss=60.0, reason="fire")
    world.until(lambda: holds(world, "b") == ["NotFenced"], what="the hold")
    world.passes(20)
    assert world.apis["b"].running() == []
    commit(world, override_fence(placed(world), "power is cut"))
    world.until(lambda: world.is_active("b"), what="b active")


def test_needs_discard_is_lifted_by_allow_discard(world: World) -> None:
    dark = {"declared_down": ("a",), "allow_data_loss": 60.0, "reason": "fire", "override_fence": "power is cut"}
    world.commit("b", move="disaster", **dark)
    world.until(lambda: world.is_active("b"), what="b active")
    world.passes(5)
    world.may_both_run = True  # people answered for it that a is dark: what its cluster starts is stopped again
    world.revive("a")
    world.until(lambda: holds(world, "a") == ["NeedsDiscard"], what="the hold")
    world.may_both_run = False
    assert world.apis["a"].running() == []
    world.passes(20)
    assert world.array.discarded.get("a", []) == []
    commit(world, allow_discard(placed(world), ["a"]))
    world.until(lambda: world.last("a") in ("Demoted@3", "Passive@3"), what="a at rest")
    world.until(lambda: world.array.in_sync("a"), what="in sync")
    assert world.is_active("b")


@pytest.mark.parametrize("back", ["before the move", "to the first commit of another line"])
def test_a_rewound_branch_is_frozen_until_people_accept_it(back: str) -> None:
    world = lives()
    first = world.server.refs[BRANCH]
    world.commit("b")
    world.until(lambda: world.is_active("b"), what="b active")
    world.server.refs[BRANCH] = first
    if back != "before the move":
        world.commit("a")  # epoch 2 once more, and for another site
    world.until(lambda: holds(world, "a") == holds(world, "b") == ["Frozen"], what="both frozen")
    world.passes(10)
    assert (world.apis["a"].running(), world.apis["b"].running()) == ([], ["db", "svc"])
    said = acks(world)
    highest = max(ack.epoch for ack in said)
    marks = [ack.commit for ack in said]
    commit(world, accept_rewind(placed(world), world.server.refs[BRANCH], marks, highest, "restored"))
    world.until(lambda: world.is_active("a"), what="a active, as the branch says")
    assert world.apis["b"].running() == []
    assert holds(world, "a") == holds(world, "b") == []


def test_an_epoch_that_jumps_is_frozen_until_people_accept_it() -> None:
    world = lives()
    world.commit("b", epoch=7)
    world.until(lambda: holds(world, "a") == ["Frozen"], what="frozen")
    said = acks(world)
    commit(world, accept_rewind(placed(world), world.server.refs[BRANCH], [ack.commit for ack in said], 1, None))
    world.until(lambda: world.is_active("b"), what="b active")


def test_an_api_server_that_is_silent_holds_the_proof_until_people_forget_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = lives()
    api, gone = world.apis["a"], "https://gone"
    servers = ApiServers(cast(Cluster, api))
    monkeypatch.setattr(api, "endpoint_addresses", lambda: (api.server, gone))
    servers.known()
    monkeypatch.setattr(api, "endpoint_addresses", lambda: (api.server,))

    monkeypatch.setattr(api, "at", lambda server, **_: NeverAnswers() if server == gone else api)
    world.commit("b")
    world.until(lambda: "ApiServerSilent" in holds(world, "a"), what="the hold")
    world.passes(20)
    assert world.apis["a"].running() == []
    assert world.apis["b"].running() == []
    assert servers.forget(gone)
    world.until(lambda: world.is_active("b"), what="b active")


def test_not_echoed_is_lifted_by_declaring_the_silent_site_down() -> None:
    world = World()
    world.until(lambda: world.is_active("a"), what="a active")
    world.passes(3)
    world.dead.add("b")
    world.cut.add("a")
    world.until(lambda: world.apis["a"].running() == [], what="the lease")
    world.passes(10)
    world.cut.clear()
    world.until(lambda: holds(world, "a") == ["NotEchoed"], what="the hold")
    world.passes(20)
    assert world.apis["a"].running() == []
    take_up_again(world, "b is dark")
    world.until(lambda: world.is_active("a"), what="a active again")
    again = plan_move(placed(world), "a", Disaster(("b",), "0s", "b is still dark"))
    assert again is not None, "the same may be needed again"


def test_a_site_that_its_lease_stopped_while_the_other_burns_down_is_taken_up_again_by_people() -> None:
    """The array that would prove the end of its being primary is gone: nothing but a newer epoch leads out."""
    world = World()
    world.until(lambda: world.is_active("a"), what="a active")
    world.passes(3)
    world.kill_site("b")
    world.cut.add("a")
    world.until(lambda: world.apis["a"].running() == [], what="the lease")
    world.passes(10)
    world.cut.clear()
    world.until(lambda: holds(world, "a") == ["NotInSync"], 400, what="the hold")
    assert world.apis["a"].running() == []
    take_up_again(world, "b burned down")
    world.until(lambda: world.is_active("a"), what="a active again")
    assert set(range(1, world.array.written + 1)) == set(world.array.copies["a"])


def take_up_again(world: World, reason: str) -> None:
    """siteshift failover ledger --to a --disaster --declare-down b"""
    assert plan_move(placed(world), "a", Disaster(("b",), "0s", reason)) is not None
    world.commit("a", move="disaster", declared_down=("b",), allow_data_loss=0.0, reason=reason)


def test_attack_a19_a_failback_before_the_old_site_has_returned_is_undone_by_the_commands_that_the_hold_names() -> None:
    """The failback takes the consent away, and to the active site none can be given."""
    world = World()
    world.until(lambda: world.is_active("a"), what="a active")
    world.passes(3)
    world.array.link = False
    world.passes(2)
    world.kill_site("a")
    dark = {"override_fence": "power is cut", "reason": "fire", "allow_data_loss": "unknown", "allow_discard": ("a",)}
    world.commit("b", move="disaster", declared_down=("a",), **dark)
    world.until(lambda: bool(world.apis["b"].running()), what="b starting")
    world.commit("a")
    world.revive("a")
    world.until(lambda: holds(world, "a") == ["NeedsDiscard"], what="the hold")
    world.until(lambda: world.apis["b"].running() == ["db", "svc"], what="b runs on")
    process = world.controllers["a"]
    assert process is not None
    assert process.outcome is not None
    assert process.outcome.holds[0].lifted_by == (
        "siteshift failover ledger --to b, then siteshift allow-discard ledger --site a"
    )
    move = plan_move(placed(world), "b")
    assert move is not None
    world.commit("b")
    commit(world, allow_discard(placed(world), ["a"]))
    world.until(lambda: world.last("a") in ("Demoted@5", "Passive@5", "Superseded@5"), what="a at rest")
    world.until(lambda: world.is_active("b"), what="b active")
    world.commit("a")
    world.until(lambda: world.is_active("a"), what="a active again")
