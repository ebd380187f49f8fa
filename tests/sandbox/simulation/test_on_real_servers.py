"""The simulation as a client of a real API server: alone on a bare one, and beside a whole site's controllers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_pair import (
    KUBEVIRT,
    QUICK,
    REPLICATION,
    application,
    classes,
    condition,
    eventually,
    named,
)
from testbed.servers import ApiServer, ControlPlane

from reconciler.cluster.client import Cluster
from reconciler.objects import Manifest
from sandbox.processes import Processes

pytestmark = pytest.mark.testbed


class Served:
    """A real API server with a simulation on it."""

    def __init__(self, cluster: Cluster, array: Path) -> None:
        self.cluster, self.array = cluster, array

    def apply(self, *manifests: Manifest) -> None:
        for manifest in manifests:
            self.cluster.apply(manifest, manager="test")

    def strategy(self, namespace: str, strategy: str) -> None:
        body = {"spec": {"runStrategy": strategy}}
        self.cluster.patch(KUBEVIRT, "VirtualMachine", namespace, "db", body, manager="test")

    def group(self, namespace: str) -> Manifest:
        return self.cluster.get(REPLICATION, "VolumeGroupReplication", namespace, "data")

    def machine(self, namespace: str) -> Manifest:
        return self.cluster.get(KUBEVIRT, "VirtualMachine", namespace, "db")

    def leftovers(self, namespace: str) -> list[Manifest]:
        instances = self.cluster.list(KUBEVIRT, "VirtualMachineInstance", namespace).items
        pods = self.cluster.list("v1", "Pod", namespace).items
        return [*instances, *pods]


def serve(server: ApiServer, folder: Path, processes: Processes, only: str) -> Served:
    settings = folder / "settings.json"
    settings.write_text(json.dumps(QUICK))
    command = [sys.executable, "-m", "sandbox.simulation", "--site", "a", "--only", only]
    command += ["--kubeconfig", str(server.kubeconfig()), "--array", str(folder / "array"), "--settings", str(settings)]
    process = processes.start("simulation", command, folder / "log")
    process.wait_line(lambda line: line == "ready", 120)
    return Served(Cluster.connect(str(server.kubeconfig()), None), folder / "array")


@pytest.fixture
def alone(real_api: ApiServer, tmp_path: Path) -> Iterator[Served]:
    with Processes() as processes:
        yield serve(real_api, tmp_path, processes, "pods,workloads,storage,attachments,kubevirt,replication")


@pytest.fixture
def beside(real_site: ControlPlane, tmp_path: Path) -> Iterator[Served]:
    with Processes() as processes:
        yield serve(real_site, tmp_path, processes, "kubevirt,replication")


def goes_through_its_life(served: Served, namespace: str) -> None:
    served.apply(*classes(), *application(namespace, role="primary", strategy="Always"))
    eventually(lambda: condition(served.machine(namespace), "AgentConnected") == "True")
    eventually(lambda: condition(served.group(namespace), "Completed") == "True")
    records = served.array / "volumes" / f"{namespace}-data" / "records"
    eventually(lambda: records.exists() and records.stat().st_size > 0)
    served.strategy(namespace, "Halted")
    eventually(lambda: not served.leftovers(namespace))
    body = {"spec": {"replicationState": "secondary"}}
    served.cluster.patch(REPLICATION, "VolumeGroupReplication", namespace, "data", body, manager="test")
    eventually(lambda: served.group(namespace)["status"]["state"] == "Secondary")
    served.cluster.delete(KUBEVIRT, "VirtualMachine", namespace, "db")
    served.cluster.delete(REPLICATION, "VolumeGroupReplication", namespace, "data")
    eventually(lambda: not served.cluster.list(KUBEVIRT, "VirtualMachine", namespace).items)
    eventually(lambda: not served.cluster.list(REPLICATION, "VolumeReplication", namespace).items)
    eventually(lambda: not served.cluster.list(REPLICATION, "VolumeGroupReplication", namespace).items)


def test_an_application_lives_on_a_bare_api_server(alone: Served) -> None:
    goes_through_its_life(alone, "sim-alone")


def test_an_application_lives_beside_the_real_controllers(beside: Served) -> None:
    goes_through_its_life(beside, "sim-beside")


def test_workloads_live_on_a_bare_api_server(alone: Served) -> None:
    pod = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    once = {"spec": {"restartPolicy": "Never", "containers": [{"name": "x", "image": "x"}]}}
    selector = {"matchLabels": {"app": "x"}}
    size = {"requests": {"storage": "1Gi"}}
    claim = {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast", "resources": size}
    templates = [{"metadata": {"name": "disk"}, "spec": claim}]
    ordered = {"replicas": 2, "serviceName": "s", "selector": selector, "template": pod}
    alone.apply(
        *classes(),
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sim-work"}},
        named("apps/v1", "Deployment", "sim-work", "web", {"replicas": 2, "selector": selector, "template": pod}),
        named("apps/v1", "StatefulSet", "sim-work", "store", {**ordered, "volumeClaimTemplates": templates}),
        named("batch/v1", "Job", "sim-work", "load", {"template": once}),
    )

    def seen(api_version: str, kind: str, name: str) -> Manifest:
        return alone.cluster.get(api_version, kind, "sim-work", name)

    eventually(lambda: condition(seen("apps/v1", "Deployment", "web"), "Available") == "True")
    eventually(lambda: seen("apps/v1", "StatefulSet", "store")["status"].get("readyReplicas") == 2)
    eventually(lambda: condition(seen("batch/v1", "Job", "load"), "Complete") == "True")
