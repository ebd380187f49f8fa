"""What is kept over restarts, and what a kill at any moment cannot take away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from reconciler.errors import SiteshiftError
from sandbox.apiserver import ApiServer, persistence
from sandbox.apiserver.persistence import NAME
from sandbox.apiserver.store import Store

MAPS = "/api/v1/namespaces/default/configmaps"


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def manifest(name, **more):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, **more}


def test_everything_is_there_again_after_a_restart(tmp_path, connect) -> None:
    with ApiServer(tmp_path) as first:
        tokens = first.tokens
        made = connect(first)("POST", MAPS, config_map("a", k="v"))[1]
    with ApiServer(tmp_path) as second:
        client = connect(second)
        assert second.tokens == tokens
        assert client("GET", f"{MAPS}/a") == (200, made)
        later = client("POST", MAPS, config_map("b"))[1]
    assert int(later["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])


def test_custom_kinds_are_served_again_after_a_restart(tmp_path, connect) -> None:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": "e.com", "scope": "Cluster", "names": {"plural": "things", "kind": "Thing"}, "versions": [version]}
    kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    thing = {"apiVersion": "e.com/v1", "kind": "Thing", "metadata": {"name": "t"}, "any": {"thing": 1}}
    with ApiServer(tmp_path) as first:
        client = connect(first)
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        client("POST", path, {**kind, "metadata": {"name": "things.e.com"}, "spec": spec})
        made = client("POST", "/apis/e.com/v1/things", thing)[1]
    with ApiServer(tmp_path) as second:
        assert connect(second)("GET", "/apis/e.com/v1/things/t") == (200, made)


def test_a_watch_may_go_on_over_a_restart(tmp_path) -> None:
    store = Store(tmp_path)
    before = store.put("configmaps", manifest("a")).version
    store.put("configmaps", manifest("b"))
    store.close()
    again = Store(tmp_path)
    assert [event.version for event in again.bucket("configmaps").events if event.version > before] == [before + 1]
    assert again.bucket("configmaps").oldest <= before


def test_a_torn_last_line_is_dropped_and_the_next_write_follows_cleanly(tmp_path) -> None:
    store = Store(tmp_path)
    store.put("configmaps", manifest("a"))
    store.put("configmaps", manifest("b"))
    store.close()
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes()[:-5])
    again = Store(tmp_path)
    assert [key[1] for key in again.bucket("configmaps").objects] == ["a"]
    again.put("configmaps", manifest("c"))
    again.close()
    assert sorted(key[1] for key in Store(tmp_path).bucket("configmaps").objects) == ["a", "c"]


def test_every_prefix_of_the_file_is_a_store_of_some_moment(tmp_path) -> None:
    store = Store(tmp_path)
    moments = [{}]
    for number in range(5):
        store.put("configmaps", manifest(f"n{number % 2}", data={"n": str(number)}))
        moments.append({key[1]: one.object["data"]["n"] for key, one in store.bucket("configmaps").objects.items()})
    one = store.get("configmaps", "n", "n0")
    assert one is not None
    store.remove("configmaps", one)
    moments.append({key[1]: one.object["data"]["n"] for key, one in store.bucket("configmaps").objects.items()})
    store.close()
    whole = (tmp_path / NAME).read_bytes()
    header = whole.index(b"\n") + 1
    for size in range(header, len(whole) + 1):
        (tmp_path / NAME).write_bytes(whole[:size])
        torn = Store(tmp_path)
        found = {key[1]: one.object["data"]["n"] for key, one in torn.bucket("configmaps").objects.items()}
        torn.close()
        assert found in moments


def test_a_new_snapshot_keeps_all_objects_and_shrinks_the_file(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("sandbox.apiserver.store.REWRITE_AFTER", 2_000)
    store = Store(tmp_path)
    for number in range(100):
        store.put("configmaps", manifest("a", data={"n": str(number)}))
    version = store.version
    store.close()
    assert (tmp_path / NAME).stat().st_size < 5_000
    again = Store(tmp_path)
    found = again.get("configmaps", "n", "a")
    assert found is not None
    assert (found.object["data"], again.version) == ({"n": "99"}, version)


def test_a_file_of_something_else_is_an_error_and_not_an_empty_store(tmp_path) -> None:
    (tmp_path / NAME).write_text("hello\n")
    with pytest.raises(SiteshiftError, match="not a store of this API server"):
        persistence.Log(tmp_path).read()


def test_what_was_answered_is_there_after_a_kill(tmp_path, connect) -> None:
    command = [sys.executable, "-m", "sandbox.apiserver", "--data", str(tmp_path / "data")]
    process = subprocess.Popen(
        [*command, "--kubeconfig", str(tmp_path / "kube")], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        config = json.loads((tmp_path / "kube" / "admin.kubeconfig").read_text())
        assert config["clusters"][0]["cluster"]["server"] == url
        remote = type("Remote", (), {})()
        remote.url, remote.ca_file = url, tmp_path / "data" / "ca.crt"
        remote.tokens = {"admin": config["users"][0]["user"]["token"]}
        client = connect(remote)
        made = {client("POST", MAPS, config_map(f"n{n}"))[1]["metadata"]["name"] for n in range(30)}
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    with ApiServer(tmp_path / "data") as again:
        listed = connect(again)("GET", MAPS)[1]["items"]
    assert made == {item["metadata"]["name"] for item in listed}


def test_it_stops_when_asked_to(tmp_path) -> None:
    command = [sys.executable, "-m", "sandbox.apiserver", "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("https://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
