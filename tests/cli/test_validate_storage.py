"""`validate` refuses what cannot work once an application has to move: each case breaks one thing in an example."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
Run = Callable[..., tuple[int, str, str]]
LEDGER = "apps/ledger"
CLAIM = f"{LEDGER}/base/0000_10_postgres_01_volumes.yaml"
GROUP = f"{LEDGER}/base/0000_10_postgres_02_replication.yaml"
API = f"{LEDGER}/base/0000_50_api_01_deployment.yaml"
VOLUME_B = f"{LEDGER}/sites/b/0000_10_postgres_00_volume.yaml"


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "fleet"
    shutil.copytree(EXAMPLES / "symmetric", folder)
    monkeypatch.chdir(folder)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


CASES = {
    "a group that no object defines": (
        f"{LEDGER}/application.yaml",
        "name: ledger, namespace: ledger}",
        "name: ledgr, namespace: ledger}",
        f"{LEDGER}/application.yaml:12:7: error: VolumeGroupReplication ledger/ledgr is not among the objects of"
        " application ledger at site a",
    ),
    "a selector that matches no claim": (
        GROUP,
        "replication: ledger",
        "replication: legder",
        f"{GROUP}:12:5: error: VolumeGroupReplication ledger/ledger matches no PersistentVolumeClaim",
    ),
    "a volume missing at b": (
        f"{LEDGER}/sites/b/kustomization.yaml",
        "- 0000_10_postgres_00_volume.yaml\n",
        "",
        f"{CLAIM}:11:3: error: PersistentVolumeClaim ledger/postgres-data asks for PersistentVolume ledger-postgres,"
        " which site b does not have",
    ),
    "a volume that is another claim's": (
        VOLUME_B,
        "name: postgres-data",
        "name: postgres-other",
        "PersistentVolumeClaim ledger/postgres-data asks for PersistentVolume ledger-postgres, which is reserved for"
        f" ledger/postgres-other ({VOLUME_B})",
    ),
    "a volume of another class": (
        VOLUME_B,
        "storageClassName: replicated",
        "storageClassName: slow",
        'has storage class "replicated" and PersistentVolume ledger-postgres has "slow" at site b:',
    ),
    "a storage class that the sites do not have": (
        CLAIM,
        "storageClassName: replicated",
        "storageClassName: fast",
        f"{CLAIM}:10:3: error: PersistentVolumeClaim ledger/postgres-data needs StorageClass fast,"
        " which site a does not have (it has replicated)",
    ),
    "a replication class that the sites do not have": (
        GROUP,
        "volumeGroupReplicationClassName: replicated",
        "volumeGroupReplicationClassName: replicate",
        "needs VolumeGroupReplicationClass replicate, which site a does not have (it has replicated)",
    ),
    "a misspelt field of a known kind": (
        API,
        "replicas:",
        "replcas:",
        f'{API}:7:3: error: Deployment ledger/api: unknown field "replcas" in spec',
    ),
    "a timeout that no API server has": (
        "siteshift.yaml",
        "requestTimeout: 60s",
        "requestTimeout: 1ms",
        "error: spec.requestTimeout is 1ms, expected at least 1s",
    ),
    "active at both sites although active-passive": (
        "siteshift.yaml",
        "topology: symmetric",
        "topology: active-passive",
        "error: spec.topology is active-passive, and applications are active at several sites:",
    ),
}


@pytest.mark.parametrize(("path", "old", "new", "said"), CASES.values(), ids=CASES)
def test_what_cannot_work(fleet: Path, siteshift: Run, path: str, old: str, new: str, said: str) -> None:
    edit(fleet / path, old, new)
    code, out, err = siteshift("validate")
    assert (code, out) == (1, "")
    assert said in err


@pytest.mark.parametrize("example", ["symmetric", "active-passive"])
def test_the_examples_are_right(siteshift: Run, example: str, tmp_path: Path) -> None:
    code, out, err = siteshift("validate", "--fleet", str(EXAMPLES / example))
    assert code == 0, err
    assert "is valid" in out
    assert "warning" not in err


def test_both_roles_are_checked_at_each_site(fleet: Path, siteshift: Run) -> None:
    """ledger is active at a: its claim there becomes a replica's after the next move."""
    edit(fleet / f"{LEDGER}/sites/a/kustomization.yaml", "- 0000_10_postgres_00_volume.yaml\n", "")
    edit(fleet / CLAIM, "  volumeName: ledger-postgres\n", "")
    code, _, err = siteshift("validate")
    assert code == 1
    assert "PersistentVolumeClaim ledger/postgres-data has no spec.volumeName at a passive site" in err


def test_a_claim_that_no_group_covers_is_a_warning(fleet: Path, siteshift: Run) -> None:
    path = fleet / CLAIM
    free = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: scratch, namespace: ledger}\nspec:\n"
    volume = "  volumeName: ledger-postgres2\n  storageClassName: replicated\n  accessModes: [ReadWriteOnce]\n"
    path.write_text(path.read_text() + free + volume)
    for site in ("a", "b"):
        own = fleet / LEDGER / "sites" / site / "0000_10_postgres_00_volume.yaml"
        copy = own.read_text().replace("ledger-postgres", "ledger-postgres2").replace("postgres-data", "scratch")
        own.write_text(f"{own.read_text()}---\n{copy}")
    code, _, err = siteshift("validate")
    assert code == 0, err
    assert (
        f"{LEDGER}/application.yaml:9:3: warning: PersistentVolumeClaim ledger/scratch is not replicated:"
        " after a move application ledger finds other data in it" in err
    )
