"""What people do at one site's cluster: break the glass, promote by hand, point it at another Git server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli.speaking import server_of
from clones import Clone

from reconciler.cluster import Cluster
from reconciler.controller import remote
from reconciler.failover.admission import permits
from reconciler.failover.execute.record import Records
from reconciler.failover.protocol.values import Journal, Step
from sandbox.apiserver import ApiServer

Run = Callable[..., tuple[int, str, str]]
GLASS = ["break-glass", "ledger", "--context", "sandbox", "--reason", "INC-1"]
BY_HAND = ["promote-by-hand", "ledger", "--site", "a", "--context", "sandbox", "--reason", "INC-1"]


@pytest.fixture
def cluster(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Site a's cluster, with a record of ledger that is at rest."""
    with ApiServer() as server:
        (tmp_path / "kubeconfig").write_text(server.kubeconfig())
        monkeypatch.setenv("SITESHIFT_KUBECONFIG", str(tmp_path / "kubeconfig"))
        found = Cluster.from_endpoint(server.url, server.tokens["admin"], str(server.ca_file))
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "siteshift-system"}}
        found.create(space, manager="test")
        records = Records(found)
        records.write(records.read("ledger"), journal=Journal(sequence=1, epoch=3, step=Step.PASSIVE))
        yield found
        found.close()


def glass(cluster: Cluster) -> float:
    return permits.broken_until(Records(cluster).read("ledger").data)


def test_the_glass_is_broken_for_a_while_and_mended(cluster: Cluster, siteshift: Run) -> None:
    code, out, _ = siteshift(*GLASS, "--dry-run")
    assert (code, glass(cluster)) == (0, 0.0)
    assert "two sites write at once" in out
    code, out, err = siteshift(*GLASS, "--for", "10m", "--yes")
    assert (code, err) == (0, "")
    assert "broken until" in out
    assert 590 < glass(cluster) - cluster.server_time() <= 601
    record = Records(cluster).read("ledger")
    assert record.data[permits.GLASS_REASON].endswith(": INC-1")
    assert record.permit.closed
    assert siteshift("break-glass", "ledger", "--context", "sandbox", "--mend", "--yes")[0] == 0
    assert glass(cluster) == 0.0


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (["break-glass", "ledger", "--context", "sandbox", "--yes"], 2, "--reason is needed"),
        ([*GLASS, "--for", "2d", "--yes"], 2, '--for is "2d", expected a time such as 15m, of 1d at most'),
        ([*GLASS, "--mend", "--yes"], 1, "the glass of ledger is not broken here"),
        ([GLASS[0], "payments", *GLASS[2:], "--yes"], 1, "this cluster has no permit for payments"),
        ([*BY_HAND, "--yes"], 1, "ledger is not replicated (driver none)"),
        (["remote", "--site", "a", "--reason", "x", "--yes"], 2, "say either URL or --reset"),
        (["remote", "https://u:p@host/x", "--site", "a", "--reason", "x", "--yes"], 2, "has a password in it"),
    ],
)
@pytest.mark.usefixtures("cluster")
def test_what_makes_no_sense_is_refused(siteshift: Run, line: list[str], code: int, said: str) -> None:
    result = siteshift(*line)
    assert result[0] == code
    assert said in result[2]


def test_a_copy_at_a_passive_site_is_promoted_by_hand_only_with_a_reason_why_no_other_writes(
    clone: Clone, cluster: Cluster, siteshift: Run
) -> None:
    path = clone.folder / "apps/ledger/application.yaml"
    group = "{kind: VolumeReplication, name: data, namespace: ledger}"
    path.write_text(path.read_text() + f"  replication: {{driver: csi-addons, rpo: 1m, groups: [{group}]}}\n")
    code, _, err = siteshift(*BY_HAND, "--yes")
    assert code == 1
    assert "ledger is not active at a: its journal says Passive at epoch 3" in err
    code, _, err = siteshift(*BY_HAND, "--override-fence", "b's power is cut", "--yes")
    assert (code, err) == (1, "error: VolumeReplication ledger/data is not there\n")


def test_a_site_is_pointed_at_another_server_and_back(
    clone: Clone, cluster: Cluster, siteshift: Run, tmp_path: Path
) -> None:
    other = str(tmp_path / "other.git")
    clone.git("clone", "-q", "--mirror", str(clone.bare), other, folder=tmp_path)
    line = ["remote", "--site", "a", "--context", "sandbox", "--reason", "INC-1"]
    code, out, _ = siteshift(*line, other, "--dry-run")
    assert (code, remote.bound_url(cluster, "a")) == (0, "")
    assert f"where main is at {clone.head[:7]}" in out
    code, _, err = siteshift(*line, other, "--yes")
    assert (code, err) == (0, "")
    assert remote.bound_url(cluster, "a") == other
    assert remote.bound_url(cluster, "b") == ""
    assert "is pointed there already" in siteshift(*line, other, "--yes")[1]
    assert siteshift(*line, "--reset", "--yes")[0] == 0
    assert remote.bound_url(cluster, "a") == ""


def test_a_server_that_does_not_answer_or_has_another_fleet_is_refused(
    clone: Clone, cluster: Cluster, siteshift: Run, tmp_path: Path
) -> None:
    server_of(clone, tmp_path)
    line = ["remote", "--context", "sandbox", "--reason", "INC-1", "--yes"]
    assert siteshift(*line, str(tmp_path / "nowhere.git"), "--site", "a")[0] == 1
    code, _, err = siteshift(*line, str(clone.bare), "--site", "z")
    assert code == 1
    assert "has no site z (a, b)" in err
    assert remote.bound_url(cluster, "a") == remote.bound_url(cluster, "z") == ""


def test_a_site_is_taken_out_of_an_application(clone: Clone, siteshift: Run) -> None:
    path = "apps/ledger/application.yaml"
    before, head = clone.read(path), clone.head
    code, out, _ = siteshift("retire", "ledger", "--site", "b", "--dry-run")
    assert (code, clone.head) == (0, head)
    assert "+  sites: [a]" in out
    code, _, err = siteshift("retire", "ledger", "--site", "b", "--reason", "given up", "--yes")
    assert (code, err) == (0, "")
    assert clone.read(path) == before.rstrip("\n") + "\n  sites: [a]\n"
    assert clone.git("log", "-1", "--format=%B") == "Take site b out of ledger\n\nReason: given up"
    assert siteshift("validate")[0] == 0
    assert "ledger is not at site b" in siteshift("retire", "ledger", "--site", "b", "--yes")[1]


@pytest.mark.parametrize(
    ("site", "said"), [("a", "a is the active site of payments"), ("b", "b is the only site of payments")]
)
def test_the_active_site_and_the_only_one_stay(clone: Clone, siteshift: Run, site: str, said: str) -> None:
    path = clone.folder / "apps/payments/application.yaml"
    if site == "b":
        path.write_text(path.read_text().replace("home: a", "home: b") + "  sites: [b]\n")
        place = clone.folder / "apps/payments/placement.yaml"
        place.write_text(place.read_text().replace("'a'", "none"))
        clone.git("commit", "-q", "-am", "one site")
        clone.git("push", "-q")
    code, _, err = siteshift("retire", "payments", "--site", site, "--yes")
    assert code == 1
    assert said in err
