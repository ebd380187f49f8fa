"""What simulated virtual machines say of themselves, as the real ones were seen to."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.simulation.kubevirt_status import (
    instance_status,
    machine_status,
    pending_requests,
    running_conditions,
    strategy_of,
    waiting_conditions,
)
from sandbox.simulation.machines import instance_of

START = {"action": "Start"}
STOP = {"action": "Stop", "uid": "i1"}


def machine(strategy: str = "Always", **status: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"siteshift.io/application": "ledger"}}, "spec": {"domain": {}}}
    metadata = {"name": "db", "namespace": "ledger", "uid": "m1", "generation": 3}
    spec = {"runStrategy": strategy, "template": template}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }


def instance(phase: str, conditions: list[dict[str, Any]] | None = None, *, going: bool = False) -> dict[str, Any]:
    made = instance_of(machine())
    made["metadata"]["uid"] = "i1"
    if going:
        made["metadata"]["deletionTimestamp"] = "2026-11-22T00:00:00Z"
    made["status"] = instance_status(made, phase, conditions or waiting_conditions("", ""))
    return made


RUNNING = running_conditions(agent=True, ready=True, problem="")
PAUSED = running_conditions(agent=True, ready=True, problem="volume is secondary")


@pytest.mark.parametrize(
    ("found", "options", "printed", "ready"),
    [
        (None, {}, "Stopped", None),
        (None, {"starting": True}, "Starting", None),
        (None, {"starting": True, "crashes": 2}, "CrashLoopBackOff", None),
        (instance("Scheduling"), {}, "Starting", None),
        (instance("Pending", waiting_conditions("FailedPvcNotFound", "x")), {}, "ErrorPvcNotFound", None),
        (instance("Running", RUNNING), {}, "Running", True),
        (instance("Running", RUNNING, going=True), {}, "Running", True),
        (instance("Running", PAUSED), {}, "Paused", None),
        (instance("Succeeded", going=True), {}, "Stopped", None),
    ],
    ids=[
        "none",
        "none, a start is tried",
        "none, starts failed",
        "scheduling",
        "claim missing",
        "running",
        "shutting down still runs",
        "paused",
        "stopped before the instance is gone",
    ],
)
def test_printable_status_and_ready(found: Any, options: dict[str, Any], printed: str, ready: bool | None) -> None:
    status = machine_status(machine(), found, **options)
    assert (status["printableStatus"], status.get("ready")) == (printed, ready)
    assert status["observedGeneration"] == 3


def test_a_refused_start_is_a_condition() -> None:
    status = machine_status(machine(), None, failure="the gate is closed", starting=True)
    found = {entry["type"]: (entry["status"], entry.get("message")) for entry in status["conditions"]}
    assert found["Failure"] == ("True", "the gate is closed")
    assert found["Ready"] == ("False", "VMI does not exist")


@pytest.mark.parametrize(
    ("requests", "found", "left"),
    [
        ([START], None, [START]),
        ([START], instance("Scheduling"), []),
        ([STOP, START], instance("Running", RUNNING), [STOP, START]),
        ([STOP, START], instance("Running", RUNNING, going=True), [START]),
        ([STOP, START], None, [START]),
    ],
    ids=["start waits", "start served", "restart waits", "restart stops", "restart has stopped"],
)
def test_requests_stay_until_they_are_served(requests: list[Any], found: Any, left: list[Any]) -> None:
    assert pending_requests(machine(stateChangeRequests=requests), found) == left


@pytest.mark.parametrize(
    ("spec", "expected"),
    [({"runStrategy": "Manual"}, "Manual"), ({"running": True}, "Always"), ({"running": False}, "Halted")],
    ids=["strategy", "running", "not running"],
)
def test_the_older_field_is_understood(spec: dict[str, Any], expected: str) -> None:
    assert strategy_of({"spec": spec}) == expected


def test_an_instance_bears_the_labels_of_the_template() -> None:
    labels = instance_of(machine())["metadata"]["labels"]
    assert labels == {"siteshift.io/application": "ledger", "vm.kubevirt.io/name": "db"}


def test_the_moments_of_phases_are_kept() -> None:
    made = instance("Scheduling")
    made["status"] = instance_status(made, "Running", RUNNING)
    made["status"] = instance_status(made, "Running", RUNNING)
    assert [moment["phase"] for moment in made["status"]["phaseTransitionTimestamps"]] == ["Scheduling", "Running"]
