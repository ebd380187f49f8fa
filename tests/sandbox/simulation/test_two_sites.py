"""Two embedded sites with real processes between them: workloads, moves of volumes, death and return, faults."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cluster.client import Cluster
from reconciler.errors import NotFound
from reconciler.objects import Manifest
from reconciler.sandbox.processes import Processes
from reconciler.sandbox.simulation.ledger import lost_records
from reconciler.sandbox.site import Site

REPLICATION = "replication.storage.openshift.io/v1alpha1"
KUBEVIRT = "kubevirt.io/v1"
DRIVER = "array.sandbox.siteshift.io"
PATIENCE = 60.0

QUICK = {
    "pod_start": 0.05,
    "pod_stop": 0.02,
    "job_run": 0.05,
    "guest_start": 0.02,
    "guest_boot": 0.1,
    "guest_stop": 0.05,
    "retry_base": 0.1,
    "retry_cap": 0.2,
    "replication_interval": 0.1,
    "report_interval": 0.3,
    "promote_time": 0.02,
    "demote_time": 0.02,
    "settle_interval": 0.05,
    "write_rate": 40,
    "ignore_shutdown": ["stubborn/*"],
}


class Pair:
    """The two sites, and what tests do to them."""

    def __init__(self, root: Path, processes: Processes) -> None:
        folders = {name: root / name for name in ("a", "b")}
        self.sites = {
            name: Site(name, folder, processes, peers={n: f for n, f in folders.items() if n != name}, settings=QUICK)
            for name, folder in folders.items()
        }
        self.clusters: dict[str, Cluster] = {}

    def start(self, name: str) -> None:
        self.sites[name].start()
        self.clusters[name] = Cluster.connect(str(self.sites[name].kubeconfig()), None)

    def apply(self, name: str, *manifests: Manifest) -> None:
        for manifest in manifests:
            self.clusters[name].apply(manifest, manager="test")

    def get(self, name: str, api_version: str, kind: str, namespace: str | None, called: str) -> Manifest:
        return self.clusters[name].get(api_version, kind, namespace, called)

    def patch(self, name: str, api_version: str, kind: str, namespace: str, called: str, body: Any) -> None:
        self.clusters[name].patch(api_version, kind, namespace, called, body, manager="test")

    def patch_status(self, name: str, api_version: str, kind: str, namespace: str, called: str, body: Any) -> None:
        cluster = self.clusters[name]
        cluster.patch(api_version, kind, namespace, called, body, manager="test", subresource="status")

    def role(self, name: str, namespace: str, role: str, *, resync: bool = False) -> None:
        body = {"spec": {"replicationState": role, "autoResync": resync}}
        self.patch(name, REPLICATION, "VolumeGroupReplication", namespace, "data", body)

    def strategy(self, name: str, namespace: str, strategy: str) -> None:
        self.patch(name, KUBEVIRT, "VirtualMachine", namespace, "db", {"spec": {"runStrategy": strategy}})

    def records(self, name: str, namespace: str) -> list[Any]:
        path = self.sites[name].array / "volumes" / f"{namespace}-data" / "records"
        return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []

    def lost(self, surviving: str, namespace: str) -> int:
        arrays = [site.array for site in self.sites.values()]
        return len(lost_records(f"{namespace}-data", surviving=self.sites[surviving].array, arrays=arrays))

    def machine(self, name: str, namespace: str) -> Manifest:
        return self.get(name, KUBEVIRT, "VirtualMachine", namespace, "db")

    def printed(self, name: str, namespace: str) -> str:
        return str(self.machine(name, namespace).get("status", {}).get("printableStatus", ""))

    def has_instance(self, name: str, namespace: str) -> bool:
        return bool(self.clusters[name].list(KUBEVIRT, "VirtualMachineInstance", namespace).items)

    def wait_running(self, name: str, namespace: str) -> None:
        eventually(lambda: condition(self.machine(name, namespace), "AgentConnected") == "True")

    def wait_stopped(self, name: str, namespace: str) -> None:
        eventually(lambda: not self.has_instance(name, namespace))

    def wait_group(self, name: str, namespace: str, **wanted: str) -> None:
        def reached() -> bool:
            group = self.get(name, REPLICATION, "VolumeGroupReplication", namespace, "data")
            seen = {"state": group.get("status", {}).get("state", "")}
            seen |= {kind: condition(group, kind) for kind in wanted if kind != "state"}
            return seen == {"state": seen["state"]} | wanted

        eventually(reached)


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


def eventually(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if happened():
                return
        except NotFound:
            pass
        if time.monotonic() > deadline:
            pytest.fail("it did not happen")
        time.sleep(0.05)


def condition(manifest: Manifest, kind: str) -> str:
    """A condition's status; of a condition from an earlier generation: stale."""
    for found in manifest.get("status", {}).get("conditions", []):
        if found["type"] == kind:
            stale = (
                found.get("observedGeneration", manifest["metadata"]["generation"])
                != manifest["metadata"]["generation"]
            )
            return "stale" if stale else str(found["status"])
    return ""


def classes() -> list[Manifest]:
    spec = {"provisioner": DRIVER}
    kinds = ("VolumeReplicationClass", "VolumeGroupReplicationClass")
    replication = [
        {"apiVersion": REPLICATION, "kind": kind, "metadata": {"name": "fast"}, "spec": spec} for kind in kinds
    ]
    storage = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"}, **spec}
    return [*replication, {**storage, "reclaimPolicy": "Retain"}]


def application(namespace: str, *, role: str, strategy: str) -> list[Manifest]:
    """A namespace, a replicated volume in a group, and a machine that writes to it."""
    handle = f"{namespace}-data"
    size = {"storage": "1Gi"}
    volume = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": size,
        "claimRef": {"namespace": namespace, "name": "data"},
        "csi": {"driver": DRIVER, "volumeHandle": handle},
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "fast",
    }
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": size},
        "storageClassName": "fast",
        "volumeName": handle,
    }
    labels = {"replication": namespace}
    group = {
        "volumeGroupReplicationClassName": "fast",
        "volumeReplicationClassName": "fast",
        "replicationState": role,
        "autoResync": False,
        "source": {"selector": {"matchLabels": labels}},
    }
    disks = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    template = {
        "metadata": {"labels": {"app": "db"}},
        "spec": {"domain": {}, "terminationGracePeriodSeconds": 3, "volumes": disks},
    }
    machine = {"runStrategy": strategy, "template": template}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": handle}, "spec": volume},
        named("v1", "PersistentVolumeClaim", namespace, "data", claim, labels),
        named(REPLICATION, "VolumeGroupReplication", namespace, "data", group),
        named(KUBEVIRT, "VirtualMachine", namespace, "db", machine),
    ]


def named(
    api_version: str, kind: str, namespace: str, name: str, spec: Any, labels: dict[str, str] | None = None
) -> Manifest:
    metadata = {"name": name, "namespace": namespace, "labels": labels or {}}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def protected(pair: Pair, namespace: str) -> None:
    """An application that runs at a and is followed by b."""
    pair.apply("a", *application(namespace, role="primary", strategy="Always"))
    pair.apply("b", *application(namespace, role="secondary", strategy="Halted"))
    pair.wait_running("a", namespace)
    pair.wait_group("a", namespace, state="Primary", Completed="True", Replicating="True")
    pair.wait_group("b", namespace, state="Secondary", Degraded="False", Resyncing="False")


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
    assert "ready" not in pair.machine("a", "drift")["status"]


def test_a_guest_that_ignores_shutdown_is_killed_after_its_grace_period(pair: Pair) -> None:
    protected(pair, "stubborn")
    pair.strategy("a", "stubborn", "Halted")
    eventually(
        lambda: "deletionTimestamp" in pair.get("a", KUBEVIRT, "VirtualMachineInstance", "stubborn", "db")["metadata"]
    )
    assert pair.printed("a", "stubborn") == "Running"
    pair.wait_stopped("a", "stubborn")


ADMISSION = "admissionregistration.k8s.io/v1"


def closed_gate(namespace: str) -> list[Manifest]:
    """A policy that refuses every instance in a namespace."""
    rule = {
        "apiGroups": ["kubevirt.io"],
        "apiVersions": ["*"],
        "operations": ["CREATE"],
        "resources": ["virtualmachineinstances"],
    }
    policy = {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "resourceRules": [rule],
        },
        "validations": [{"expression": "false", "message": "the gate is closed"}],
    }
    binding = {"policyName": f"gate-{namespace}", "validationActions": ["Deny"]}
    specs = {"ValidatingAdmissionPolicy": policy, "ValidatingAdmissionPolicyBinding": binding}
    metadata = {"name": f"gate-{namespace}"}
    return [{"apiVersion": ADMISSION, "kind": kind, "metadata": metadata, "spec": spec} for kind, spec in specs.items()]


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
