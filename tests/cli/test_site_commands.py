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
from sandbox.apiserver.faults import Fault
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
    assert {"place", "ref", "verdict", "fields", "refusal"} == set(records[0])


def test_a_dry_run_writes_nothing_and_a_question_needs_somebody_to_answer(
    run: Run, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("apply", "--site", "b", "--dry-run") == 0
    assert run("apply", "--site", "b") == 2
    assert "--yes or --dry-run" in capsys.readouterr().err
    assert cluster.list("kubevirt.io/v1", "VirtualMachine").items == ()


GIZMO = {"apiVersion": "example.org/v1", "kind": "Gizmo", "metadata": {"name": "one", "namespace": "default"}}


def add(fleet: Path, name: str, *manifests: dict[str, Any]) -> None:
    """A folder of the platform with the manifests."""
    folder = fleet / "platform" / name
    folder.mkdir(parents=True)
    (folder / "all.yaml").write_text("---\n".join(json.dumps(manifest) + "\n" for manifest in manifests))
    (folder / "kustomization.yaml").write_text("resources: [all.yaml]\n")


def definition() -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Gizmo", "plural": "gizmos", "singular": "gizmo", "listKind": "GizmoList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gizmos.example.org"},
        "spec": {"group": "example.org", "scope": "Namespaced", "names": names, "versions": [version]},
    }


def test_an_object_whose_kind_comes_with_it_is_one_to_create(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(tmp_path / "bank", "things", definition(), GIZMO)
    assert run("diff", "--site", "b") == 1
    shown = capsys.readouterr().out
    assert "+ Gizmo default/one" in shown
    assert "refused" not in shown
    assert run("apply", "--site", "b", "--yes") == 0
    assert run("diff", "--site", "b") == 0, capsys.readouterr().out


def test_an_object_whose_kind_nothing_defines_is_refused_and_hides_nothing_else(
    run: Run, tmp_path: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    add(tmp_path / "bank", "things", GIZMO)
    assert run("diff", "--site", "a") == 2
    shown = capsys.readouterr().out
    assert "    refused: the cluster has no Gizmo of example.org/v1\n" in shown
    assert "+ VirtualMachine hello/database" in shown
    assert shown.endswith(", 1 refused\n")
    assert run("apply", "--site", "a", "--dry-run") == 1
    assert run("apply", "--site", "a", "--yes") == 1, "one error, and all else is applied"
    assert machine(cluster)


def test_a_change_that_the_server_refuses_is_shown_with_its_reason(
    run: Run, api: ApiServer, cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "default"}}
    add(tmp_path / "bank", "things", settings | {"data": {"level": "info"}})
    assert run("apply", "--site", "a", "--yes") == 0
    (tmp_path / "bank" / "platform" / "things" / "all.yaml").write_text(json.dumps(settings | {"data": {"level": "x"}}))
    api.faults.add(Fault(verb="patch", resource="configmaps", name="settings", code=403))
    capsys.readouterr()
    assert run("diff", "--site", "a") == 2
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if "~ ConfigMap default/settings" in line)
    assert lines[at + 1] == "    data.level: info > x"
    assert lines[at + 2].startswith("    refused: ")


def test_an_api_server_that_does_not_answer_is_an_error_not_a_difference(
    run: Run, api: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    api.stop()
    assert run("diff", "--site", "b") == 2
    assert capsys.readouterr().err.startswith("error: ")
