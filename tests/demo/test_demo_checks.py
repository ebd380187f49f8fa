"""Every check of the demo holds of a right history, and says what is wrong with a wrong one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from demo.histories import DATABASE, LEVELS, SERVICES, deployment, instance, life, machine, running

from sandbox.demo.checker import checks
from sandbox.demo.checker.history import Life, Point, condition, instances, lives, points
from sandbox.demo.checker.observer import Seen

WEB = ("Deployment", "ledger", "web")


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param([machine(1, "Halted")], [], id="halted is no life"),
        pytest.param([machine(1, "Always")], [life(DATABASE, 1)], id="asked"),
        pytest.param(
            [machine(1, "Always"), machine(2, "Always", ready=True)], [life(DATABASE, 1, 2)], id="asked and ready"
        ),
        pytest.param(
            [machine(1, "Always"), machine(2, "Always", ready=True), machine(3, "Halted")],
            [life(DATABASE, 1, 2, 3)],
            id="stopped",
        ),
        pytest.param(
            [machine(1, "Always"), Seen(2.0, 20, DATABASE, None)], [life(DATABASE, 1, None, 2)], id="deleted is stopped"
        ),
        pytest.param(
            [machine(1, "Always"), machine(2, "Halted"), machine(3, "Always")],
            [life(DATABASE, 1, None, 2), life(DATABASE, 3)],
            id="two lives",
        ),
        pytest.param([deployment(1, 0, 0)], [], id="no replicas is no life"),
        pytest.param([deployment(1, 2, 1), deployment(2, 2, 2)], [life(WEB, 1, 2)], id="all replicas are ready"),
        pytest.param([deployment(1, 2, 2, observed=0)], [life(WEB, 1)], id="a status of before proves nothing"),
    ],
)
def test_lives_are_read_from_events(history: list[Seen], expected: list[Life]) -> None:
    assert lives(history, ["ledger"]) == expected


def test_the_order_of_the_store_counts_not_that_of_arrival() -> None:
    late = [machine(5, "Always", ready=True, version=20), machine(6, "Always", version=10)]
    assert lives(late, ["ledger"]) == [Life(DATABASE, Point(10, 6), Point(20, 5), None)]


def test_lives_of_other_namespaces_are_left_out() -> None:
    assert lives([machine(1, "Always")], ["orders"]) == []


def test_instances_are_told_apart_by_uid() -> None:
    history = [running(1, "one"), running(2, "two"), running(3, "two", "Failed"), running(4, None)]
    found = instances(history, ["ledger"])
    assert [(each.uid, each.first.at, each.gone and each.gone.at) for each in found] == [("one", 1, 2), ("two", 2, 4)]
    assert [phase for _, phase in found[1].phases] == ["Running", "Failed"]


def test_points_are_those_that_show_the_value() -> None:
    history = [machine(1, "Always"), machine(2, "Halted"), machine(3, "Always")]
    found = points(history, "VirtualMachine", "ledger", ("spec", "runStrategy"), "Always", since=2.0)
    assert [point.at for point in found] == [3]


def test_a_condition_that_is_not_there_is_empty() -> None:
    found = {"status": {"conditions": [{"type": "Degraded", "status": "False"}]}}
    assert (condition(found, "Degraded"), condition(found, "Ready"), condition({}, "Ready")) == ("False", "", "")


@pytest.mark.parametrize(
    ("found", "most"),
    [
        pytest.param([], 0, id="nothing"),
        pytest.param(
            [life(SERVICES[0], 1, 3), life(SERVICES[1], 2, 4), life(SERVICES[2], 3.5, 5)], 2, id="two at once"
        ),
        pytest.param([life(SERVICES[0], 1), life(SERVICES[1], 2), life(SERVICES[2], 3)], 3, id="never ready"),
        pytest.param([life(SERVICES[0], 1, None, 2), life(SERVICES[1], 3)], 1, id="stopped is not starting"),
        pytest.param([life(SERVICES[0], 1, 2), life(SERVICES[1], 2, 3)], 1, id="one ends as the next begins"),
    ],
)
def test_how_many_were_starting_at_once(found: list[Life], most: int) -> None:
    assert checks.most_in_flight(found) == most


@pytest.mark.parametrize(
    ("at_once", "reached", "wrong"),
    [
        (3, True, []),
        (2, False, []),
        (2, True, ["at most 2 workloads were starting at one moment, the cap of 3 was never reached"]),
        (4, False, ["4 workloads were starting at one moment, the cap is 3"]),
    ],
    ids=["reached", "kept", "never reached", "passed"],
)
def test_the_gate(at_once: int, reached: bool, wrong: list[str]) -> None:
    found = [life(key, 1, 2) for key in SERVICES[:at_once]]
    assert checks.within_the_gate(found, 3, reached=reached) == wrong


def test_what_could_start_at_once_waits_for_what_is_below() -> None:
    services = [life(key, 2 + number, 2.5 + number) for number, key in enumerate(SERVICES)]
    assert checks.most_startable([life(DATABASE, 1, 2), *services], LEVELS) == 9
    assert checks.most_startable([life(DATABASE, 1, 8), *services], LEVELS) == 3, "the others were ready by then"
    assert checks.most_startable([life(DATABASE, 1), *services], LEVELS) == 1, "only the database itself"


ORDERLY = [life(DATABASE, 1, 2), *(life(key, 3, 4) for key in SERVICES)]


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        pytest.param(ORDERLY, [], id="in order"),
        pytest.param(ORDERLY[:-1], ["VirtualMachine ledger/vm9 was never started"], id="one left out"),
        pytest.param(
            [*ORDERLY[:-1], life(SERVICES[-1], 3)], ["VirtualMachine ledger/vm9 was never ready"], id="one not ready"
        ),
        pytest.param([*ORDERLY, life(SERVICES[0], 6, 7)], ["VirtualMachine ledger/vm1 was started twice"], id="twice"),
        pytest.param(
            [*ORDERLY[:-1], life(SERVICES[-1], 1.5, 4)],
            ["VirtualMachine ledger/vm9 was started before VirtualMachine ledger/db was ready"],
            id="too early",
        ),
    ],
)
def test_starting_in_order(found: list[Life], wrong: list[str]) -> None:
    assert checks.started_in_order(found, LEVELS, ["ledger"]) == wrong


SMALL = {DATABASE: 10, SERVICES[0]: 50}
DB, VM1 = "VirtualMachine ledger/db", "VirtualMachine ledger/vm1"


@pytest.mark.parametrize(
    ("database", "service", "service_gone", "wrong"),
    [
        pytest.param(5.0, 3.0, 4.0, [], id="in order"),
        pytest.param(None, 3.0, 4.0, [f"{DB} was never told to stop"], id="never told"),
        pytest.param(5.0, 6.0, 7.0, [f"{DB} was told to stop before {VM1} was"], id="too early"),
        pytest.param(5.0, 3.0, 6.0, [f"{DB} was told to stop while {VM1} still ran"], id="while it ran"),
        pytest.param(5.0, 3.0, None, [f"{DB} was told to stop while {VM1} still ran"], id="it still runs"),
    ],
)
def test_stopping_in_order(
    database: float | None, service: float, service_gone: float | None, wrong: list[str]
) -> None:
    found = [life(DATABASE, 1, 2, database), life(SERVICES[0], 1, 2, service)]
    ran = [instance("i", 1, service_gone, name="vm1")]
    assert checks.stopped_in_order(found, ran, SMALL, ["ledger"]) == wrong


BOTH = ["ledger had instances at both sites at one moment"]


@pytest.mark.parametrize(
    ("there", "dead", "wrong"),
    [
        pytest.param(instance("two", 3), {}, [], id="one after the other"),
        pytest.param(instance("two", 1.5), {}, BOTH, id="at both"),
        pytest.param(instance("two", 0, 0.5), {}, [], id="before"),
        pytest.param(instance("two", 0), {}, BOTH, id="it never ended there"),
        pytest.param(instance("two", 0), {"two": 0.9}, [], id="it was killed there, its object stayed"),
        pytest.param(instance("two", 0), {"two": 1.1}, BOTH, id="it was killed too late"),
    ],
)
def test_never_at_both_sites(there: Any, dead: dict[str, float], wrong: list[str]) -> None:
    assert checks.overlaps([instance("one", 1, 2)], [there], dead) == wrong


def test_instances_of_different_applications_may_run_at_once() -> None:
    other = instances(
        [Seen(1.0, 1, ("VirtualMachineInstance", "orders", "db"), {"metadata": {"uid": "x"}})], ["orders"]
    )
    assert checks.overlaps([instance("one", 0, 9)], other, {}) == []


def test_newcomers_are_those_that_nobody_knew() -> None:
    found = [instance("old", 1), instance("remnant", 5), instance("new", 6)]
    wrong = checks.newcomers(found, frozenset({"remnant"}), since=4.0)
    assert wrong == ["VirtualMachineInstance ledger/db was created"]


RUNS_AGAIN = "VirtualMachineInstance ledger/db, whose processes were killed, runs again"
STILL_THERE = "VirtualMachineInstance ledger/db, whose processes were killed, is still there"


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        pytest.param(instance("dead", 1, 7, (5, "Running"), (6, "Failed")), [], id="it fails and goes"),
        pytest.param(instance("dead", 1, 7, (2, "Failed"), (5, "Running")), [], id="what was before does not count"),
        pytest.param(instance("dead", 1, 8, (5, "Failed"), (6, "Running")), [RUNS_AGAIN], id="it runs again"),
        pytest.param(instance("dead", 1, None, (5, "Running"), (6, "Failed")), [STILL_THERE], id="it stays"),
        pytest.param(instance("other", 1, None, (5, "Running")), [], id="another one"),
    ],
)
def test_what_was_killed_does_not_come_back(found: Any, wrong: list[str]) -> None:
    assert checks.revived([found], frozenset({"dead"}), since=4.0) == wrong


def test_a_changed_gone_or_new_object_is_named() -> None:
    before, after = {"/pods/x": "1", "/pods/y": "2", "/pods/z": "3"}, {"/pods/x": "1", "/pods/y": "4", "/pods/w": "5"}
    assert checks.changed(before, after) == [
        "/pods/w: resourceVersion - > 5",
        "/pods/y: resourceVersion 2 > 4",
        "/pods/z: resourceVersion 3 > -",
    ]
    assert checks.changed(before, before) == []


def audit(code: int, *, at: str = "2026-01-01T00:00:05.000000Z", **changes: Any) -> dict[str, Any]:
    event: dict[str, Any] = {
        "verb": "create",
        "requestURI": "/apis/kubevirt.io/v1/namespaces/ledger/virtualmachineinstances",
        "user": {"username": "simulation"},
        "objectRef": {"resource": "virtualmachineinstances", "namespace": "ledger"},
        "responseStatus": {"code": code},
        "requestReceivedTimestamp": at,
    }
    return event | changes


@pytest.mark.parametrize(
    ("event", "counts"),
    [
        pytest.param(audit(422), True, id="refused"),
        pytest.param(audit(403), True, id="forbidden"),
        pytest.param(audit(201), False, id="admitted"),
        pytest.param(audit(422, at="2026-01-01T00:00:03.999999Z"), False, id="before"),
        pytest.param(audit(422, verb="update"), False, id="an update"),
        pytest.param(audit(422, requestURI="/x?dryRun=All"), False, id="a dry run"),
        pytest.param(audit(422, objectRef={"resource": "pods", "namespace": "orders"}), False, id="another namespace"),
        pytest.param(audit(422, objectRef={"resource": "secrets", "namespace": "ledger"}), False, id="another kind"),
        pytest.param(
            audit(422, objectRef={"resource": "pods", "namespace": "ledger", "subresource": "binding"}),
            False,
            id="a subresource",
        ),
    ],
)
def test_refusals_are_read_from_the_audit_log(tmp_path: Path, event: dict[str, Any], counts: bool) -> None:
    log = tmp_path / "audit.log"
    log.write_text(json.dumps(event) + "\n")
    found = checks.creations(log, frozenset({"ledger"}), "2026-01-01T00:00:04.000000Z", checks.REFUSED)
    assert found == (["simulation created virtualmachineinstances in ledger"] if counts else [])
