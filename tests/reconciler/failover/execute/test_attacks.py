"""Attacks: stories that made two writers run, lost records or came to a dead end, told so that they must fail to.

I1 is looked at in every moment of them (`World.check`).
"""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import cast

import pytest
from two_sites.world import LEASE, World

from reconciler.cluster import Cluster
from reconciler.errors import SourceError
from reconciler.failover.admission.permits import moment
from reconciler.failover.execute.knowing import lease_facts
from reconciler.failover.execute.record import Records
from reconciler.fleet.model import Lease, Replication


def active_at_a(lease: Lease | None = LEASE) -> World:
    world = World(lease=lease)
    world.until(lambda: world.is_active("a"), what="a active")
    world.passes(3)
    return world


def holds(world: World, site: str) -> list[str]:
    process = world.controllers[site]
    return [] if process is None or process.outcome is None else [each.reason for each in process.outcome.holds]


def speaks(world: World, site: str) -> None:
    """A controller's Git thread alone: it speaks, and nothing is read of the cluster."""
    process = world.controllers[site]
    assert process is not None
    try:
        process.speaker.speak(world.fleet, leads=True, moving=True)
    except SourceError as error:
        world.say(f"{site}: {error}")


# The Git server is restored from a backup that is older than the disaster (P14)


def after_a_restore(lease: Lease | None, *, lost: str) -> World:
    """b took over from a, then the server forgot it. a was dead ("site"), or cut from Git and stopped by its lease."""
    world = active_at_a(lease)
    backup = dict(world.server.refs)
    if lost == "site":
        world.kill_site("a")
    else:
        world.cut.add("a")
    dark = {"override_fence": "power is cut", "reason": "fire", "allow_data_loss": "unknown", "allow_discard": ("a",)}
    world.commit("b", move="disaster", declared_down=("a",), **(dark if lease is None else dark | FENCED))
    world.until(lambda: world.is_active("b"), what="b active")
    world.passes(5)
    world.server.refs.clear()
    world.server.refs.update(backup)
    world.say("the server is restored")
    world.cut.clear()
    if lost == "site":
        world.revive("a")
    return world


FENCED = {"override_fence": None}


@pytest.mark.parametrize("lease", [LEASE, None], ids=["lease", "keep"])
def test_attack_a03_a_server_restored_from_a_backup_starts_no_second_writer(lease: Lease | None) -> None:
    world = after_a_restore(lease, lost="site")
    world.passes(60)
    assert world.apis["a"].running() == []
    assert world.last("b") == "Active@2"


@pytest.mark.parametrize("lease", [LEASE, None], ids=["lease", "keep"])
def test_a_new_process_that_speaks_before_it_has_looked_lets_nobody_start_after_a_restore(lease: Lease | None) -> None:
    world = after_a_restore(lease, lost="site")
    for step in range(90):
        world.tick(2)
        world.run("a")
        if step % 3 == 0:
            world.controllers["b"] = world.process("b")
            speaks(world, "b")
    assert world.apis["a"].running() == []
    world.run("b")
    assert "Frozen" in holds(world, "b")
    assert world.last("b") == "Active@2", "a process that remembers no push says it from its journal"


def test_a_site_that_its_lease_stopped_and_that_polls_first_after_a_restore_waits_for_the_other() -> None:
    world = after_a_restore(LEASE, lost="link")
    for _ in range(150):
        world.tick(2)
        world.run("a")
    assert world.apis["a"].running() == []
    assert world.array.roles["a"] == "secondary"


# What a heartbeat says of the data


def test_the_loss_is_not_judged_smaller_because_passes_hang_while_heartbeats_go_on() -> None:
    """I2: the exposure that a heartbeat tells grows with the age of the reading that it comes from."""
    world = active_at_a()
    world.array.link = False
    for _ in range(60):
        world.tick(10)
        speaks(world, "a")
        world.run("b")
    world.kill_site("a")
    dark = {"override_fence": "power is cut", "reason": "fire"}
    world.commit("b", move="disaster", declared_down=("a",), allow_data_loss=30.0, **dark)
    for _ in range(150):
        world.tick(2)
        world.run("b")
    assert holds(world, "b") == ["DataLoss"]
    assert world.array.roles["b"] == "secondary"


# The driver of the data (P12)


@pytest.mark.parametrize("beside", ["before the move", "in the move's commit"])
def test_attack_a15_a_commit_that_takes_the_driver_away_lets_no_move_leave_the_data_behind(beside: str) -> None:
    world = active_at_a(None)
    world.array.link = False
    world.passes(5)
    if beside == "before the move":
        world.application = replace(world.application, replication=Replication("none"))
        world.passes(5)
        assert holds(world, "a") == ["DriverChanged"]
        assert world.apis["a"].running() == ["db", "svc"]
        world.commit("b")
    else:
        world.commit("b")
        world.application = replace(world.application, replication=Replication("none"))
    world.passes(60)
    assert world.apis["b"].running() == [], "what a wrote last has not reached b"
    world.array.link = True
    world.until(lambda: world.is_active("b"), what="b active")
    assert set(range(1, world.array.written + 1)) == set(world.array.copies["b"])
    assert world.array.roles["b"] == "primary"


def test_a_driver_changes_while_the_application_is_placed_nowhere() -> None:
    world = active_at_a(None)
    world.commit("none")
    world.until(lambda: (world.last("a"), world.last("b")) == ("Demoted@2", "Passive@2"), what="nowhere")
    world.application = replace(world.application, replication=Replication("none"))
    world.passes(30)
    assert holds(world, "a") == holds(world, "b") == []
    assert all('"driver":"none"' in card_of(world, site) for site in ("a", "b"))


def card_of(world: World, site: str) -> str:
    found = world.apis[site].get("v1", "ConfigMap", "siteshift-system", "permit-ledger")
    return "".join(found["data"]["card.json"].split())


# A steady site (P14, P19)


@pytest.mark.parametrize("site", ["a", "b"])
def test_a_cluster_whose_store_is_restored_under_a_steady_controller_says_so_within_two_polls(site: str) -> None:
    world = active_at_a(None)
    api = world.apis[site]
    backup = copy.deepcopy(api.objects)
    world.passes(5)
    api.objects = backup
    world.passes(2)
    assert holds(world, site) == ["Restored"]
    world.passes(10)
    assert api.running() == []


def test_lease_ages_are_judged_by_the_controller_as_by_the_guard() -> None:
    """A moment before the one of the last renewal tells no age: whoever took it for one would open what the guard
    closes again at once."""
    world = active_at_a()
    process, record = world.controllers["a"], Records(cast(Cluster, world.apis["a"])).read("ledger")
    assert process is not None
    assert record.accepted is not None
    assert lease_facts(process.around, record).recorded is not None
    later = {"accepted": moment(record.accepted + 30)}
    assert lease_facts(process.around, replace(record, data={**record.data, **later})).recorded is None


# Which lease a heartbeat names (P5, P6)


def named_by(world: World, site: str) -> Lease | None:
    """The lease that a site's heartbeat on the server names."""
    ref = world.server.refs[f"refs/siteshift/heartbeats/{site}"]
    document = json.loads(world.server.commits[ref].files["heartbeat.json"])
    lease = document["applications"]["ledger"]["lease"]
    return None if lease is None else LEASE


def test_a_new_controller_beside_a_dead_guard_names_no_lease() -> None:
    """Nobody would obey it, and another site would count on it."""
    world = active_at_a()
    assert named_by(world, "a") == LEASE
    world.guards["a"].paused = True
    world.passes(15)
    world.controllers["a"] = process = world.process("a")
    process.speaker.speak = lambda *_, **__: process.around.publisher.fetch()  # its first passes are faster than it
    world.run("a")
    del process.speaker.speak
    for _ in range(3):
        speaks(world, "a")
        assert named_by(world, "a") is None
        world.tick(12)


def test_two_heartbeats_between_two_counts_of_a_living_guard_name_the_same_lease() -> None:
    world = active_at_a()
    for _ in range(3):
        world.guards["a"].paused = True
        process = world.controllers["a"]
        assert process is not None
        process.speaker._beat_at = float("-inf")
        speaks(world, "a")
        world.tick(1)
        process.speaker._beat_at = float("-inf")
        speaks(world, "a")
        assert named_by(world, "a") == LEASE
        world.guards["a"].paused = False
        world.passes(3)


def test_a_guard_that_stands_still_is_named_no_longer_soon() -> None:
    world = active_at_a()
    world.guards["a"].paused = True
    world.passes(15)
    assert named_by(world, "a") is None


# Clocks


def test_a_clock_that_goes_back_revives_no_permit_that_ran_out() -> None:
    """The gate compares creation times with a window: one that lies in the past is not yet closed."""
    world = active_at_a(None)
    world.kill_site("a")
    dark = {"override_fence": "power is cut", "reason": "fire", "allow_data_loss": "unknown", "allow_discard": ("a",)}
    world.commit("b", move="disaster", declared_down=("a",), **dark)
    world.until(lambda: world.is_active("b"), what="b active")
    world.cut.add("a")
    world.revive("a")
    world.passes(3)
    now = world.apis["a"].now
    world.apis["a"].now = lambda: now() - 35
    world.passes(20)
    assert world.apis["a"].running() == []
