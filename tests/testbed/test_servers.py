"""The testbed itself: what it starts is real and whole."""

from __future__ import annotations

import uuid

import pytest
from testbed.client import ApiError, History, Manifest, eventually
from testbed.servers import ApiServer, ControlPlane, Options

pytestmark = pytest.mark.testbed


def test_api_server_says_which_version_it_is(real_api: ApiServer) -> None:
    assert real_api.client().request("GET", "/version")["gitVersion"] == "v1.34.4"


def test_kubectl_talks_to_the_api_server(real_api: ApiServer) -> None:
    assert "v1.34.4" in real_api.kubectl("version")


def test_a_user_without_rights_is_refused(tmp_path, api_binaries) -> None:
    server = ApiServer(api_binaries, tmp_path, Options(audit=True, users={"nobody": ()}))
    try:
        server.start()
        with pytest.raises(ApiError, match="403"):
            server.client("nobody").list("v1", "Secret", "default")
        refusals = [event for event in server.audit_events() if event["user"]["username"] == "nobody"]
        assert [event["responseStatus"]["code"] for event in refusals] == [403]
    finally:
        server.close()


def test_state_survives_a_kill_and_histories_go_on(tmp_path, api_binaries) -> None:
    server = ApiServer(api_binaries, tmp_path, Options(durable=True))
    try:
        client = server.start().client()
        history = client.history("v1", "ConfigMap", "default")
        before = client.create(_config_map("kept"))
        eventually("it was seen", lambda: "kept" in _names(history), seconds=20)
        client.create(_config_map("other", "kube-system"))
        server.kill()
        assert not any(process.running for process in server.processes)
        assert server.start().client().get("v1", "ConfigMap", "kept", "default") == before
        client.create(_config_map("later"))
        eventually("what came later was seen", lambda: "later" in _names(history), seconds=20)
        history.close()
        assert not any(kind == "DELETED" for _, kind, _ in history.events())
    finally:
        server.close()


def test_a_history_keeps_every_state_in_order(real_api: ApiServer) -> None:
    client = real_api.client()
    namespace = _namespace(real_api)
    history = client.history("v1", "ConfigMap", namespace)
    for number in range(3):
        client.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "counter", "namespace": namespace},
                "data": {"n": str(number)},
            }
        )
    client.delete("v1", "ConfigMap", "counter", namespace)
    eventually("four events", lambda: len(history.events()) >= 4, seconds=20)
    history.close()
    seen = [(kind, item["data"]["n"]) for _, kind, item in history.events() if item["metadata"]["name"] == "counter"]
    assert seen == [("ADDED", "0"), ("MODIFIED", "1"), ("MODIFIED", "2"), ("DELETED", "2")]
    assert history.troubles == []


def test_a_deployment_becomes_available_on_a_played_node(real_site: ControlPlane) -> None:
    client = real_site.client()
    namespace = _namespace(real_site)
    labels = {"app": "web"}
    client.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "web", "image": "registry.example/web:1"}]},
                },
            },
        }
    )

    def available() -> bool:
        status = client.get("apps/v1", "Deployment", "web", namespace).get("status", {})
        return bool(status.get("availableReplicas") == 3)

    eventually("three replicas available", available, detail=lambda: real_site.controller_manager.tail())


def _config_map(name: str, namespace: str = "default") -> Manifest:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"n": "1"}}


def _names(history: History) -> set[str]:
    return {item["metadata"]["name"] for item in history.objects()}


def _namespace(server: ApiServer) -> str:
    name = f"t-{uuid.uuid4().hex[:8]}"
    server.client().create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name
