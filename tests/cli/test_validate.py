"""What `siteshift validate` prints and returns, with and without Git, for people and for programs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from clones import Clone

Run = Callable[..., tuple[int, str, str]]
LEDGER = "apps/ledger/placement.yaml"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_valid_fleet_is_said_to_be_one(clone: Clone, siteshift: Run) -> None:
    code, out, err = siteshift("validate")
    assert (code, err) == (0, "")
    base = clone.head[:7]
    assert out == (
        f"fleet bank is valid: 2 sites, 2 applications, 4 objects, epochs compared with origin/main@{base}\n"
    )


def test_all_errors_are_printed_sorted_and_counted(clone: Clone, siteshift: Run) -> None:
    edit(clone.folder / LEDGER, "'a'", "'c'")
    edit(clone.folder / "apps/payments/application.yaml", "home:", "hoem:")
    code, out, err = siteshift("validate")
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        'apps/ledger/placement.yaml:7:5: error: spec.active is "c", which is no site of this fleet (a, b)',
        "  hint: sites are listed in siteshift.yaml:5",
        'apps/payments/application.yaml:5:3: error: unknown field "hoem" in spec',
        '  hint: did you mean "home"?',
        "epochs were not compared: the fleet cannot be loaded",
        "2 errors",
    ]


def test_an_error_of_the_renderer_is_one_of_the_fleet(clone: Clone, siteshift: Run) -> None:
    edit(clone.folder / "apps/ledger/base/kustomization.yaml", "resources:", "resource:")
    code, _, err = siteshift("validate")
    assert code == 1
    assert err.startswith("apps/ledger/base/kustomization.yaml:1:1: error: ")
    assert "resource" in err.splitlines()[0]


def test_two_objects_with_one_identity_are_found_by_rendering(clone: Clone, siteshift: Run) -> None:
    edit(clone.folder / "apps/payments/base/0000_50_web_01_deployment.yaml", "payments", "ledger")
    code, _, err = siteshift("validate")
    assert code == 1
    assert "Deployment ledger/ledger is also in application ledger at site a" in err


def test_paths_are_seen_from_where_the_person_stands(clone: Clone, siteshift: Run, monkeypatch) -> None:
    edit(clone.folder / LEDGER, "'a'", "'c'")
    monkeypatch.chdir(clone.folder.parent)
    assert siteshift("validate", "--fleet", "clone")[2].startswith(f"clone/{LEDGER}:7:5: error: ")


@pytest.mark.parametrize(("epoch", "said"), [("3", "spec.epoch jumps from 1 to 3"), ("1", None), ("2", None)])
def test_an_epoch_is_compared_with_the_upstream(clone: Clone, siteshift: Run, epoch: str, said: str | None) -> None:
    edit(clone.folder / LEDGER, "epoch: 1", f"epoch: {epoch}")
    code, _, err = siteshift("validate")
    assert code == (1 if said else 0)
    assert (said or "") in err


def test_each_commit_since_the_upstream_is_a_step_of_its_own(clone: Clone, siteshift: Run) -> None:
    for epoch in (2, 3):
        edit(clone.folder / LEDGER, f"epoch: {epoch - 1}", f"epoch: {epoch}")
        clone.git("commit", "-qam", f"epoch {epoch}")
    assert siteshift("validate")[0] == 0
    assert siteshift("validate", "--rev", "HEAD")[0] == 0


def test_a_jump_in_a_commit_is_found_although_a_later_one_is_right(clone: Clone, siteshift: Run) -> None:
    for before, after in ((1, 5), (5, 2)):
        edit(clone.folder / LEDGER, f"epoch: {before}", f"epoch: {after}")
        clone.git("commit", "-qam", f"epoch {after}")
    code, _, err = siteshift("validate")
    assert code == 1
    assert "spec.epoch jumps from 1 to 5 (commit " in err
    assert "spec.epoch falls from 5 to 2 (commit " in err


def test_the_repair_of_a_broken_branch_is_accepted(clone: Clone, siteshift: Run) -> None:
    """Its epochs are compared with what controllers know: the last fleet that could be loaded."""
    for epoch in (2, 3):
        edit(clone.folder / LEDGER, f"epoch: {epoch - 1}", f"epoch: {epoch}")
        clone.git("commit", "-qam", f"epoch {epoch}")
    text = clone.read("siteshift.yaml")
    edit(clone.folder / "siteshift.yaml", "applications:", "aplications:")
    clone.git("commit", "-qam", "a slip")
    clone.git("push", "-q")
    (clone.folder / "siteshift.yaml").write_text(text)
    code, out, err = siteshift("validate")
    assert (code, err) == (0, "")
    assert "epochs compared with origin/main@" in out
    edit(clone.folder / LEDGER, "epoch: 3", "epoch: 5")
    assert "spec.epoch jumps from 3 to 5" in siteshift("validate")[2]


def test_a_placement_of_a_broken_commit_counts(clone: Clone, siteshift: Run) -> None:
    """Controllers read placements one by one: a move in a commit that is broken elsewhere is a move."""
    text = clone.read("siteshift.yaml")
    edit(clone.folder / "siteshift.yaml", "applications:", "aplications:")
    for epoch in (2, 3):
        edit(clone.folder / LEDGER, f"epoch: {epoch - 1}", f"epoch: {epoch}")
        clone.git("commit", "-qam", f"broken, epoch {epoch}")
    clone.git("push", "-q")
    (clone.folder / "siteshift.yaml").write_text(text)
    assert siteshift("validate")[0] == 0
    edit(clone.folder / LEDGER, "epoch: 3", "epoch: 2")
    assert "spec.epoch falls from 3 to 2" in siteshift("validate")[2]


def test_replication_that_goes_while_claims_stay_is_an_error(clone: Clone, siteshift: Run) -> None:
    application, base = clone.folder / "apps/ledger/application.yaml", clone.folder / "apps/ledger/base"
    without, group = application.read_text(), "{kind: VolumeGroupReplication, name: l, namespace: ledger}"
    application.write_text(f"{without}  replication:\n    driver: csi-addons\n    rpo: 5m\n    groups: [{group}]\n")
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: ledger}\nspec: {}\n"
    (base / "claim.yaml").write_text(claim)
    edit(base / "kustomization.yaml", "resources:", "resources:\n- claim.yaml")
    clone.git("add", "-A")
    clone.git("commit", "-qm", "replicated")
    clone.git("push", "-q")
    application.write_text(without)
    code, _, err = siteshift("validate")
    assert code == 1
    assert (
        "apps/ledger/application.yaml:4:1: error: ledger is replicated no longer,"
        " and keeps PersistentVolumeClaim ledger/data" in err
    )
    edit(base / "kustomization.yaml", "resources:\n- claim.yaml", "resources:")
    assert siteshift("validate")[0] == 0


def test_a_revision_is_validated_without_touching_the_files(clone: Clone, siteshift: Run) -> None:
    (clone.folder / LEDGER).write_text("broken: [")
    assert siteshift("validate", "--rev", "HEAD")[0] == 0
    assert siteshift("validate", "--rev", "nonsense")[2] == 'error: there is no commit "nonsense" in this repository\n'


def test_without_git_it_says_what_was_left_out(clone: Clone, siteshift: Run) -> None:
    shutil.rmtree(clone.folder / ".git")
    code, out, err = siteshift("validate")
    assert code == 0
    assert out.startswith("fleet bank is valid")
    assert err.startswith("epochs were not compared: ")


def test_json_has_every_error_with_its_place(clone: Clone, siteshift: Run) -> None:
    edit(clone.folder / LEDGER, "epoch: 1", "epoch: 7")
    code, out, _ = siteshift("validate", "-o", "json")
    assert code == 1
    assert json.loads(out) == {
        "fleet": "bank",
        "valid": False,
        "errors": [
            {
                "path": LEDGER,
                "line": 10,
                "column": 5,
                "message": "spec.epoch jumps from 1 to 7",
                "hint": "every change raises it by one: the next is 2",
            }
        ],
        "warnings": [],
        "epochs": {"comparedWith": f"origin/main@{clone.head[:7]}", "leftOut": None},
    }


def test_a_disaster_that_allows_less_than_the_rpo_is_warned_of(clone: Clone, siteshift: Run) -> None:
    application = clone.folder / "apps/ledger/application.yaml"
    application.write_text(
        application.read_text() + "  replication:\n    driver: csi-addons\n    rpo: 5m\n"
        "    groups: [{kind: VolumeGroupReplication, name: l, namespace: l}]\n"
    )
    base = clone.folder / "apps/ledger/base"
    group = "apiVersion: replication.storage.openshift.io/v1alpha1\nkind: VolumeGroupReplication\n"
    (base / "group.yaml").write_text(group + "metadata: {name: l, namespace: l}\nspec: {replicationState: primary}\n")
    edit(base / "kustomization.yaml", "resources:", "resources:\n- group.yaml")
    edit(
        clone.folder / LEDGER,
        "epoch: 1",
        "epoch: 2\n    move: disaster\n    declaredDown: [b]\n    allowDataLoss: 1m\n    reason: x",
    )
    code, _, err = siteshift("validate")
    assert code == 0
    assert f"{LEDGER}:13:5: warning: spec.allowDataLoss is 1m, expected at least 5m" in err


def test_no_fleet_is_wrong_usage(siteshift: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = siteshift("validate")
    assert code == 2
    assert "there is no siteshift.yaml here or in a folder above" in err


def test_a_new_fleet_is_valid(siteshift: Run, tmp_path: Path) -> None:
    siteshift("init", str(tmp_path / "new"), "--name", "bank")
    assert siteshift("validate", "--fleet", str(tmp_path / "new"))[0] == 0
