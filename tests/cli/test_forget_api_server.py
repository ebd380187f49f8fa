"""forget-api-server: only people forget one, and only one that is not in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.cluster import Cluster
from reconciler.failover.execute.api_servers import FILE, NAME
from sandbox.apiserver import ApiServer

Run = Callable[..., tuple[int, str, str]]
GONE = "https://10.0.0.13:6443"


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A cluster that remembers an API server which is not among its endpoints any more."""
    with ApiServer() as server:
        (tmp_path / "kubeconfig").write_text(server.kubeconfig())
        monkeypatch.setenv("SITESHIFT_KUBECONFIG", str(tmp_path / "kubeconfig"))
        found = Cluster.from_endpoint(server.url, server.tokens["admin"], str(server.ca_file))
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "siteshift-system"}}
        metadata = {"name": NAME, "namespace": "siteshift-system"}
        remembered = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {FILE: f"{GONE}\n"}}
        for manifest in (space, remembered):
            found.create(manifest, manager="test")
        yield found
        found.close()


def remembered(cluster: Cluster) -> list[str]:
    text: str = cluster.get("v1", "ConfigMap", "siteshift-system", NAME)["data"][FILE]
    return text.split()


def test_people_forget_one_that_is_gone(cluster: Cluster, siteshift: Run) -> None:
    line = ["forget-api-server", GONE, "--context", "sandbox"]
    code, out, _ = siteshift(*line, "--dry-run")
    assert code == 0
    assert "Nothing was changed" in out
    assert GONE in remembered(cluster)
    code, out, err = siteshift(*line, "--yes")
    assert (code, err) == (0, "")
    assert f"{GONE} is forgotten" in out
    assert GONE not in remembered(cluster)
    assert "is none of the API servers that this cluster remembers" in siteshift(*line, "--yes")[2]


def test_one_in_use_is_not_forgotten(cluster: Cluster, siteshift: Run) -> None:
    code, _, err = siteshift("forget-api-server", cluster.server, "--context", "sandbox", "--yes")
    assert code == 1
    assert "is in use" in err
    assert GONE in remembered(cluster)


def test_whose_api_server_it_is_must_be_said(siteshift: Run) -> None:
    code, _, err = siteshift("forget-api-server", GONE, "--yes")
    assert code == 2
    assert "--site or --context is needed" in err
