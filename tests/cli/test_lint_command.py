"""`siteshift lint`: of a fleet, of a folder, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from clones import Clone

Run = Callable[..., tuple[int, str, str]]
BASE = "apps/ledger/base"


def test_a_clean_fleet_has_no_findings(clone: Clone, siteshift: Run) -> None:
    assert siteshift("lint") == (0, "", "no findings\n")


def test_findings_of_a_fleet_have_its_paths(clone: Clone, siteshift: Run) -> None:
    base = clone.folder / BASE
    (base / "0000-50-extra.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\n")
    (base / "left.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: left}\n")
    with (base / "kustomization.yaml").open("a") as file:
        file.write("- 0000-50-extra.yaml\ncommonLabels: {team: bank}\n")
    code, out, err = siteshift("lint")
    assert (code, err) == (1, "4 findings\n")
    assert [line for line in out.splitlines() if not line.startswith("  hint: ")] == [
        f"{BASE}/0000-50-extra.yaml:1:1: warning: this name gives no run level, so its objects go to level 50",
        f"{BASE}/kustomization.yaml:4:1: warning: the field commonLabels is deprecated",
        f"{BASE}/kustomization.yaml:4:1: warning: commonLabels also changes the selector of Deployment ledger, which"
        " cannot change once it is there",
        f"{BASE}/left.yaml:1:1: warning: no kustomization reads this file",
    ]


def test_programs_get_json(clone: Clone, siteshift: Run) -> None:
    with (clone.folder / BASE / "kustomization.yaml").open("a") as file:
        file.write("images: [{name: nothing, newTag: '1'}]\n")
    code, out, _ = siteshift("lint", "-o", "json")
    (finding,) = json.loads(out)
    assert code == 1
    assert (finding["path"], finding["line"], finding["rule"], finding["level"]) == (
        f"{BASE}/kustomization.yaml",
        3,
        "unmatched",
        "warning",
    )


def test_a_folder_is_linted_with_all_that_lies_below_it(
    tmp_path: Path, siteshift: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"one": "bases: [../two]\n", "two": "resources: [r.yaml]\n", "part": "kind: Component\n"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "kustomization.yaml").write_text(text)
    (tmp_path / "two" / "r.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: r}\n")
    monkeypatch.chdir(tmp_path)
    for folder in (".", "one"):
        code, out, _ = siteshift("lint", folder)
        assert (code, out.splitlines()[0]) == (1, "one/kustomization.yaml:1:1: warning: the field bases is deprecated")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("nowhere",), "nowhere: there is no such folder"),
        ((".",), ".: there is no kustomization in it or below it"),
        ((".", "--rev", "HEAD"), "--rev is about a fleet"),
    ],
    ids=["no-folder", "no-kustomization", "revision"],
)
def test_what_cannot_be_linted_is_wrong_usage(
    tmp_path: Path, siteshift: Run, monkeypatch: pytest.MonkeyPatch, line: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = siteshift("lint", *line)
    assert (code, out) == (2, "")
    assert said in err


def test_charts_are_of_folders_only(clone: Clone, siteshift: Run) -> None:
    code, _, err = siteshift("lint", "--enable-helm")
    assert (code, "--enable-helm is about a folder" in err) == (2, True)
