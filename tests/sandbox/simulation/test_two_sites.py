"""Two embedded sites with real processes between them: workloads, moves of volumes, death and return, faults."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sandbox_pair import (
    ADMISSION,
    KUBEVIRT,
    Pair,
    application,
    classes,
    closed_gate,
    condition,
    eventually,
    named,
    protected,
)

from sandbox.processes import Processes


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with Processes() as processes:
        both = Pair(tmp_path_factory.mktemp("sites"), processes)
        for name in both.sites:
            both.start(name)
            both.apply(name, *classes())
        yield both
        for cluster in both.clusters.values():
            cluster.close()


def test_workloads_come_up_and_go(pair: Pair) -> None:
    pod = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    selector = {"matchLabels": {"app": "x"}}
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    templates = [{"metadata": {"name": "disk"}, "spec": claim}]
    once = {"spec": {"restartPolicy": "Never", "containers": [{"name": "x", "image": "x"}]}}
    ordered = {
        "replicas": 2,
        "serviceName": "s",
        "selector": selector,
        "template": pod,
        "volumeClaimTemplates": templates,
    }
    pair.apply(
        "a",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "work"}},
        named("apps/v1", "Deployment", "work", "web", {"replicas": 3, "selector": selector, "template": pod}),
        named("apps/v1", "StatefulSet", "work", "store", ordered),
        named("batch/v1", "Job", "work", "load", {"template": once}),
    )
    eventually(lambda: condition(pair.get("a", "apps/v1", "Deployment", "work", "web"), "Available") == "True")
    eventually(lambda: pair.get("a", "apps/v1", "StatefulSet", "work", "store")["status"].get("readyReplicas") == 2)
    eventually(lambda: condition(pair.get("a", "batch/v1", "Job", "work", "load"), "Complete") == "True")
    bound = pair.get("a", "v1", "PersistentVolumeClaim", "work", "disk-store-1")
    assert bound["status"]["phase"] == "Bound"

    pair.patch("a", "apps/v1", "Deployment", "work", "web", {"spec": {"replicas": 0}})
    pair.patch("a", "apps/v1", "StatefulSet", "work", "store", {"spec": {"replicas": 0}})
    cluster = pair.clusters["a"]

    def nothing_left() -> bool:
        pods = [found for found in cluster.list("v1", "Pod", "work").items if found["status"]["phase"] != "Succeeded"]
        attached = [
            found
            for found in cluster.list("storage.k8s.io/v1", "VolumeAttachment").items
            if found["spec"]["source"]["persistentVolumeName"] == bound["spec"]["volumeName"]
        ]
        return not pods and not attached

    eventually(nothing_left)


def test_a_planned_move_of_a_volume_loses_nothing(pair: Pair) -> None:
    protected(pair, "planned")
    pair.strategy("a", "planned", "Halted")
    pair.wait_stopped("a", "planned")
    pair.role("a", "planned", "secondary")
    pair.wait_group("a", "planned", state="Secondary", Degraded="False", Resyncing="False")
    pair.role("b", "planned", "primary")
    pair.wait_group("b", "planned", state="Primary", Completed="True")
    pair.strategy("b", "planned", "Always")
    pair.wait_running("b", "planned")
    eventually(lambda: pair.records("b", "planned")[-1]["site"] == "b")
    numbers = [record["n"] for record in pair.records("b", "planned")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert pair.lost("b", "planned") == 0
    forced = [
        json.loads(line)["forced"]
        for line in (pair.sites["b"].array / "events.jsonl").read_text().splitlines()
        if '"promoted", "volume": "planned-data"' in line
    ]
    assert forced == [False]


def test_a_guest_on_a_secondary_volume_pauses_with_an_error(pair: Pair) -> None:
    protected(pair, "paused")
    pair.strategy("b", "paused", "Always")
    eventually(lambda: pair.printed("b", "paused") == "Paused")
    instance = pair.get("b", KUBEVIRT, "VirtualMachineInstance", "paused", "db")
    reasons = [found.get("reason") for found in instance["status"]["conditions"] if found["type"] == "Paused"]
    assert reasons == ["PausedIOError"]
    assert {record["site"] for record in pair.records("b", "paused")} == {"a"}


def test_a_pending_start_undoes_halted(pair: Pair) -> None:
    pair.apply("a", *application("undone", role="primary", strategy="Halted"))
    eventually(lambda: pair.printed("a", "undone") == "Stopped")
    requests = {"status": {"stateChangeRequests": [{"action": "Start"}]}}
    pair.patch_status("a", KUBEVIRT, "VirtualMachine", "undone", "db", requests)
    pair.wait_running("a", "undone")
    machine = pair.machine("a", "undone")
    assert machine["spec"]["runStrategy"] == "Always"
    assert "stateChangeRequests" not in machine["status"]


def test_a_machine_gains_fields_that_nobody_wrote(pair: Pair) -> None:
    pair.apply("a", *application("drift", role="primary", strategy="Halted"))
    eventually(lambda: "machine" in pair.machine("a", "drift")["spec"]["template"]["spec"]["domain"])
    eventually(lambda: pair.printed("a", "drift") == "Stopped")
    assert "ready" not in pair.machine("a", "drift")["status"]


def test_a_guest_that_ignores_shutdown_is_killed_after_its_grace_period(pair: Pair) -> None:
    protected(pair, "stubborn")
    pair.strategy("a", "stubborn", "Halted")
    eventually(
        lambda: "deletionTimestamp" in pair.get("a", KUBEVIRT, "VirtualMachineInstance", "stubborn", "db")["metadata"]
    )
    assert pair.printed("a", "stubborn") == "Running"
    pair.wait_stopped("a", "stubborn")


def test_a_start_that_admission_refuses_is_tried_again(pair: Pair) -> None:
    pair.apply("a", *closed_gate("gated"), *application("gated", role="primary", strategy="Always"))
    eventually(lambda: condition(pair.machine("a", "gated"), "Failure") == "True")
    assert not pair.has_instance("a", "gated")
    pair.clusters["a"].delete(ADMISSION, "ValidatingAdmissionPolicyBinding", None, "gate-gated")
    pair.wait_running("a", "gated")
    assert condition(pair.machine("a", "gated"), "Failure") == ""


def test_a_site_that_returns_behind_a_closed_gate_runs_no_instance(pair: Pair) -> None:
    protected(pair, "barred")
    pair.apply("a", *closed_gate("barred"))
    pair.sites["a"].kill()
    pair.clusters["a"].close()
    pair.start("a")
    assert not pair.has_instance("a", "barred")
    eventually(lambda: condition(pair.machine("a", "barred"), "Failure") == "True")
    assert pair.machine("a", "barred")["spec"]["runStrategy"] == "Always"
    assert not pair.has_instance("a", "barred")
    events = [json.loads(line) for line in pair.sites["a"].audit_log.read_text().splitlines()]
    refused = [
        event
        for event in events
        if event.get("objectRef", {}).get("resource") == "virtualmachineinstances"
        and event["objectRef"].get("namespace") == "barred"
        and event["verb"] == "create"
        and event.get("responseStatus", {}).get("code", 0) in (403, 422)
    ]
    assert refused


def test_a_killed_site_returns_with_its_state_and_starts_its_machines_again(pair: Pair) -> None:
    protected(pair, "disaster")
    before = len(pair.records("b", "disaster"))
    eventually(lambda: len(pair.records("b", "disaster")) > before)
    pair.sites["a"].change(link_cut=True)
    eventually(lambda: (pair.sites["a"].array / "link-cut").exists())
    shipped = len(pair.records("b", "disaster"))
    eventually(lambda: len(pair.records("a", "disaster")) > shipped + 3)
    pair.sites["a"].kill()
    on_disk = pair.records("a", "disaster")

    pair.role("b", "disaster", "primary")
    pair.wait_group("b", "disaster", state="Primary", Completed="True")
    pair.strategy("b", "disaster", "Always")
    pair.wait_running("b", "disaster")
    eventually(lambda: pair.records("b", "disaster")[-1]["site"] == "b")
    lost = pair.lost("b", "disaster")
    assert 3 < lost <= len(on_disk) - shipped

    pair.sites["a"].change(link_cut=False)
    pair.clusters["a"].close()
    pair.start("a")
    assert pair.records("a", "disaster")[: len(on_disk)] == on_disk
    pair.wait_running("a", "disaster")
    eventually(lambda: len(pair.records("a", "disaster")) > len(on_disk))

    pair.strategy("a", "disaster", "Halted")
    pair.wait_stopped("a", "disaster")
    pair.role("a", "disaster", "secondary")
    pair.wait_group("a", "disaster", state="Secondary", Completed="True", Degraded="True", Resyncing="False")
    pair.role("a", "disaster", "secondary", resync=True)
    pair.wait_group("a", "disaster", state="Secondary", Degraded="False", Resyncing="False")
    assert list((pair.sites["a"].array / "snapshots" / "disaster-data").iterdir())
    eventually(lambda: pair.records("a", "disaster")[-1]["site"] == "b")
