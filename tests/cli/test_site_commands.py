"""diff and apply against an API server: what they show, what they write, and what they never do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import main
from reconciler.cluster import Cluster
from sandbox.apiserver import ApiServer
from sandbox.simulation.install import install

Run = Callable[..., int]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer() as server:
        (tmp_path / "kubeconfig").write_text(server.kubeconfig())
        yield server


@pytest.fixture
def cluster(api: ApiServer) -> Iterator[Cluster]:
    found = Cluster.from_endpoint(api.url, api.tokens["admin"], str(api.ca_file))
    install(found)
    yield found
    found.close()


@pytest.fixture
def run(tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Run:
    assert main(["init", str(tmp_path / "bank"), "--name", "bank"]) == 0
    monkeypatch.setenv("SITESHIFT_KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("SITESHIFT_CONTEXT", "sandbox")
    monkeypatch.setenv("SITESHIFT_FLEET", str(tmp_path / "bank"))
    return lambda *words: main(list(words))


def machine(cluster: Cluster) -> dict[str, Any]:
    return cluster.get("kubevirt.io/v1", "VirtualMachine", "hello", "database")


def test_a_site_without_anything_differs_and_is_the_same_after_an_apply(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("diff", "--site", "b") == 1
    text = capsys.readouterr().out
    assert "0000_10 database  + VirtualMachine hello/database" in text
    assert text.splitlines()[-1].endswith(" to create, 0 to change, 0 to delete, 0 unchanged")
    assert run("apply", "--site", "b", "--yes") == 0
    capsys.readouterr()
    assert run("diff", "--site", "b") == 0
    assert capsys.readouterr().out == "0 to create, 0 to change, 0 to delete, 10 unchanged\n"


def test_an_apply_creates_what_starts_in_its_stopped_state_and_never_starts_it(run: Run, cluster: Cluster) -> None:
    assert run("apply", "--site", "b", "--yes") == 0
    assert machine(cluster)["spec"]["runStrategy"] == "Halted"
    assert cluster.get("apps/v1", "Deployment", "hello", "web")["spec"]["replicas"] == 0
    group = cluster.get("replication.storage.openshift.io/v1alpha1", "VolumeGroupReplication", "hello", "hello")
    assert group["spec"]["replicationState"] == "secondary"


def test_an_apply_leaves_running_what_runs(run: Run, cluster: Cluster) -> None:
    assert run("apply", "--site", "b", "--yes") == 0
    started = {"spec": {"runStrategy": "Always"}}
    cluster.patch("kubevirt.io/v1", "VirtualMachine", "hello", "database", started, manager="siteshift-moves")
    assert run("apply", "--site", "b", "--yes") == 0
    assert machine(cluster)["spec"]["runStrategy"] == "Always"


def test_drift_is_shown_by_field_and_repaired(run: Run, cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    run("apply", "--site", "b", "--yes")
    drift = {"metadata": {"labels": {"siteshift.io/application": "other"}}}
    cluster.patch("v1", "PersistentVolumeClaim", "hello", "database", drift, manager="somebody")
    capsys.readouterr()
    assert run("diff", "--site", "b", "--app", "hello") == 1
    assert "    metadata.labels.siteshift.io/application: other > hello\n" in capsys.readouterr().out
    assert run("apply", "--site", "b", "--yes") == 0
    assert run("diff", "--site", "b") == 0


def test_names_alone_and_json(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("diff", "--site", "b", "--app", "hello", "-o", "name") == 1
    assert "created VirtualMachine hello/database" in capsys.readouterr().out.splitlines()
    assert run("diff", "--site", "b", "--app", "hello", "-o", "json") == 1
    records = json.loads(capsys.readouterr().out)
    assert {"place", "ref", "verdict", "fields"} == set(records[0])


def test_a_dry_run_writes_nothing_and_a_question_needs_somebody_to_answer(
    run: Run, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("apply", "--site", "b", "--dry-run") == 0
    assert run("apply", "--site", "b") == 2
    assert "--yes or --dry-run" in capsys.readouterr().err
    assert cluster.list("kubevirt.io/v1", "VirtualMachine").items == ()


def test_an_api_server_that_does_not_answer_is_an_error_not_a_difference(
    run: Run, api: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    api.stop()
    assert run("diff", "--site", "b") == 2
    assert capsys.readouterr().err.startswith("error: ")
