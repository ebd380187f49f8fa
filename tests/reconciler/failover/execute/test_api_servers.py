"""Attack a21: an API server that froze drops out of the endpoints, and is asked all the same until people forget it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from reconciler.cluster import Cluster
from reconciler.failover.execute import admission_gate
from reconciler.failover.execute.admission_gate import AdmissionGate
from reconciler.failover.execute.api_servers import FILE, NAME, ApiServers
from sandbox.apiserver import ApiServer


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as found:
        yield found


@pytest.fixture
def own(server: ApiServer) -> Iterator[Cluster]:
    found = Cluster.from_endpoint(server.url, server.tokens["admin"], server.ca_file.read_text())
    found.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "siteshift-system"}}, manager="test")
    yield found
    found.close()


@pytest.fixture
def frozen() -> Iterator[str]:
    """The address of a server that takes connections and never answers, as a stopped process does."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"


def endpoints(own: Cluster, *addresses: str) -> None:
    ports = {address: int(address.rpartition(":")[2]) for address in addresses}
    subsets = [
        {"addresses": [{"ip": "127.0.0.1"}], "ports": [{"name": "https", "port": port}]} for port in ports.values()
    ]
    found = own.get("v1", "Endpoints", "default", "kubernetes")
    own.replace(found | {"subsets": subsets}, manager="test")


def test_every_address_ever_seen_is_remembered(own: Cluster, frozen: str) -> None:
    endpoints(own, own.server, frozen)
    assert set(ApiServers(own).known()) == {own.server, frozen}
    endpoints(own, own.server)
    assert set(ApiServers(own).known()) == {own.server, frozen}, "its Lease ended, it did not"
    before = own.get("v1", "ConfigMap", "siteshift-system", NAME)
    ApiServers(own).known()
    assert own.get("v1", "ConfigMap", "siteshift-system", NAME) == before, "nothing new, nothing written"


def test_only_people_forget_one(own: Cluster, frozen: str) -> None:
    endpoints(own, own.server, frozen)
    ApiServers(own).known()
    endpoints(own, own.server)
    assert ApiServers(own).forget(frozen)
    assert not ApiServers(own).forget(frozen)
    assert frozen not in ApiServers(own).known()


def test_attack_a21_a_frozen_server_that_left_the_endpoints_keeps_the_gate_unproven(
    own: Cluster, frozen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission_gate, "PROBE_TIMEOUT", 0.5)
    endpoints(own, own.server, frozen)
    gate = AdmissionGate(own)
    gate.probe("ledger", [])
    endpoints(own, own.server)
    probe = gate.probe("ledger", ["bank"])
    assert probe.answers[frozen] is None
    assert not probe.closed
    assert "did not answer" in probe.reasons[frozen]
    ApiServers(own).forget(frozen)
    assert gate.probe("ledger", ["bank"]).closed, "there is no such namespace, so nothing can be started"


def test_a_remembered_list_that_people_edited_is_read_line_by_line(own: Cluster) -> None:
    ApiServers(own).known()
    found = own.get("v1", "ConfigMap", "siteshift-system", NAME)
    own.replace(found | {"data": {FILE: "\n https://10.0.0.9:6443\n\n"}}, manager="person")
    assert "https://10.0.0.9:6443" in ApiServers(own).known()
