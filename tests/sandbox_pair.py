"""Two embedded sites with real processes, and the applications that tests run on them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.cluster.client import Cluster
from reconciler.errors import NotFound
from reconciler.objects import Manifest
from sandbox.processes import Processes
from sandbox.simulation.ledger import lost_records
from sandbox.site import Site

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
