"""One fixture, two servers: the gates are tried at the sandbox's API server and at a real kube-apiserver."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gated import Gated

from reconciler.cluster import Cluster
from reconciler.errors import AlreadyExists, ClusterError
from sandbox.apiserver import ApiServer

PATIENCE = 60.0
"""Seconds within which a server must notice a new definition, policy or binding."""


def _eventually(ask: Callable[[], Any]) -> None:
    """Ask until the answer is true; an error counts as a false one."""
    end, failure = time.monotonic() + PATIENCE, None
    while time.monotonic() < end:
        try:
            if ask():
                return
        except ClusterError as error:
            failure = error
        time.sleep(0.05)
    pytest.fail(f"the server did not come to it in time: {failure}")


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], None]:
    return _eventually


def _definition(group: str, plural: str, kind: str) -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = "v1" if group == "kubevirt.io" else "v1alpha1"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


DEFINITIONS = (
    _definition("kubevirt.io", "virtualmachines", "VirtualMachine"),
    _definition("kubevirt.io", "virtualmachineinstances", "VirtualMachineInstance"),
    _definition("replication.storage.openshift.io", "volumereplications", "VolumeReplication"),
    _definition("replication.storage.openshift.io", "volumegroupreplications", "VolumeGroupReplication"),
)


@pytest.fixture(scope="session")
def gate_sandbox() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.testbed)])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The server that the test runs against, with the kinds that the gates speak of."""
    if request.param == "sandbox":
        server = request.getfixturevalue("gate_sandbox")
        found = Cluster.from_endpoint(server.url, server.tokens["admin"], Path(server.ca_file).read_text())
    else:
        real = request.getfixturevalue("real_api")
        found = Cluster.from_endpoint(real.server, real.token(), Path(real.ca_file).read_text())
    for definition in DEFINITIONS:
        found.apply(definition, manager="test")
    group_version = "replication.storage.openshift.io/v1alpha1"
    _eventually(lambda: found.list("kubevirt.io/v1", "VirtualMachineInstance") is not None)
    _eventually(lambda: found.list(group_version, "VolumeReplication") is not None)
    _eventually(lambda: found.list(group_version, "VolumeGroupReplication") is not None)
    with contextlib.suppress(AlreadyExists):
        system = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "siteshift-system"}}
        found.create(system, manager="test")
    yield found
    found.close()


@pytest.fixture
def place(cluster: Cluster) -> str:
    """A namespace of the test's own; also the name of its application."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, manager="test")
    return name


@pytest.fixture
def gated(cluster: Cluster, place: str) -> Gated:
    return Gated(cluster, place, _eventually)
