"""A kubeconfig that checks no certificate is warned of once, however many requests there are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.cluster import Cluster
from sandbox.apiserver import ApiServer


def test_the_warning_comes_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ApiServer() as server:
        config = json.loads(server.kubeconfig())
        config["clusters"][0]["cluster"] = {"server": server.url, "insecure-skip-tls-verify": True}
        (tmp_path / "kubeconfig").write_text(json.dumps(config))
        for _ in range(2):
            cluster = Cluster.connect(str(tmp_path / "kubeconfig"), None)
            for _ in range(3):
                cluster.list("v1", "Namespace")
            cluster.close()
    expected = f"warning: {server.url}: its certificate is not checked (insecure-skip-tls-verify)\n"
    assert capsys.readouterr().err == expected
