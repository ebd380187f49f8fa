"""install and uninstall against an API server: what they show, what they write, and what they leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.main import main
from reconciler.cluster import Cluster
from reconciler.objects import SYSTEM_NAMESPACE
from sandbox.apiserver import ApiServer

WORDS = ("--site", "b", "--fleet-url", "https://git.example.com/bank.git", "--image", "siteshift:1.0")


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    with ApiServer() as server:
        (tmp_path / "kubeconfig").write_text(server.kubeconfig())
        monkeypatch.setenv("SITESHIFT_KUBECONFIG", str(tmp_path / "kubeconfig"))
        found = Cluster.from_endpoint(server.url, server.tokens["admin"], str(server.ca_file))
        yield found
        found.close()


def names(cluster: Cluster, api_version: str, kind: str, namespace: str | None = SYSTEM_NAMESPACE) -> set[str]:
    return {each["metadata"]["name"] for each in cluster.list(api_version, kind, namespace).items}


def test_export_prints_the_objects_and_needs_no_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", *WORDS, "--export", "--kubeconfig", "nowhere"]) == 0
    shown = capsys.readouterr().out
    assert "kind: Deployment\n" in shown
    assert "SITESHIFT_SITE: b\n" in shown


def test_what_is_missing_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SITESHIFT_SITE", raising=False)
    assert main(["install", *WORDS[2:], "--export"]) == 2
    assert capsys.readouterr().err.startswith("error: --site is missing\n")


def test_a_dry_run_writes_nothing(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", *WORDS, "--dry-run"]) == 0
    assert "Deployment siteshift-system/siteshift\n" in capsys.readouterr().out
    assert names(cluster, "apps/v1", "Deployment") == set()


def test_an_uninstall_takes_the_program_and_leaves_records_and_kinds(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["install", *WORDS, "--yes", "--no-wait"]) == 0
    assert main(["install", *WORDS, "--yes", "--no-wait"]) == 0, "a second one changes nothing"
    assert names(cluster, "apps/v1", "Deployment") == {"siteshift"}
    record = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "permit-x", "namespace": SYSTEM_NAMESPACE}}
    cluster.create(record, manager="siteshift-moves")
    capsys.readouterr()
    assert main(["uninstall", "--yes"]) == 0
    assert capsys.readouterr().out.endswith("are left as they are.\n")
    assert names(cluster, "apps/v1", "Deployment") == set()
    assert names(cluster, "v1", "ConfigMap") == {"permit-x"}
    definitions = names(cluster, "apiextensions.k8s.io/v1", "CustomResourceDefinition", None)
    assert definitions == {"sites.siteshift.io", "siteapplications.siteshift.io"}
    assert main(["uninstall", "--yes"]) == 0, "a second one finds nothing"
