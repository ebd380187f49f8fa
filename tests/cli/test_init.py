"""A new fleet repository works as it stands, and no half of one is ever left behind."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from clones import Clone

from reconciler.cli.init import contents, write
from reconciler.errors import SiteshiftError
from reconciler.fleet.load import load
from render.tree import FolderTree, MemoryTree

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("sites", [["a", "b"], ["only"], ["seoul", "busan", "jeju"]], ids=len)
def test_it_loads_with_any_number_of_sites(sites: list[str]) -> None:
    fleet = load(MemoryTree({path: text.encode() for path, text in contents("bank", sites).items()}))
    (hello,) = fleet.applications
    assert (fleet.name, [site.name for site in fleet.sites]) == ("bank", sites)
    assert (hello.placement.active, hello.home, hello.sites) == (sites[0], sites[0], tuple(sites))


def test_the_folder_holds_a_fleet_a_readme_and_one_commit(clone: Clone, siteshift: Run, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "bank"
    code, out, err = siteshift("init", str(folder))
    assert (code, err) == (0, "")
    assert "fleet bank, committed on branch main" in out
    assert load(FolderTree(str(folder))).name == "bank"
    assert (folder / "README.md").read_text().startswith("# bank\n")
    assert clone.git("log", "--format=%s", folder=folder) == "Begin the fleet bank"
    assert clone.git("status", "--porcelain", folder=folder) == ""


def test_a_clone_of_an_empty_repository_is_filled(clone: Clone, siteshift: Run, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    clone.git("init", "-q", "--bare", "-b", "trunk", str(tmp_path / "empty.git"), folder=tmp_path)
    clone.git("clone", "-q", str(tmp_path / "empty.git"), "bank", folder=tmp_path)
    monkeypatch.chdir(tmp_path / "bank")
    code, out, err = siteshift("init", ".")
    assert (code, err) == (0, "")
    assert out.startswith(".: fleet bank, committed on branch trunk\n")
    assert clone.git("status", "--porcelain", folder=tmp_path / "bank") == ""
    clone.git("push", "-q", "origin", "trunk", folder=tmp_path / "bank")
    assert siteshift("validate")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_clone_with_a_commit_is_left_alone(clone: Clone, siteshift: Run) -> None:
    head = clone.head
    clone.git("rm", "-rq", ".")
    assert "not committed: the folder is inside another" in siteshift("init", str(clone.folder), "--name", "bank")[1]
    assert clone.head == head


def test_editors_find_the_schema_of_each_file(siteshift: Run, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    siteshift("init", str(folder), "--name", "bank")
    for path in ("siteshift.yaml", "apps/hello/application.yaml", "apps/hello/placement.yaml"):
        line = (folder / path).read_text().splitlines()[0]
        assert line.startswith("# yaml-language-server: $schema=")
        schema = (folder / path).parent / line.partition("=")[2]
        assert json.loads(schema.read_text())["title"]


@pytest.mark.parametrize("name", ["active-passive", "symmetric"])
def test_an_example_can_be_copied(siteshift: Run, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "new"
    assert siteshift("init", str(folder), "--example", name)[0] == 0
    assert siteshift("validate", "--fleet", str(folder))[0] == 0
    assert siteshift("init", str(tmp_path / "other"), "--example", name, "--sites", "a,b")[0] == 2


def test_inside_another_repository_nothing_is_committed(clone: Clone, siteshift: Run) -> None:
    head = clone.head
    assert "inside another Git repository" in siteshift("init", "fleets/new")[1]
    assert clone.head == head
    assert not (clone.folder / "fleets" / "new" / ".git").exists()


def test_a_folder_with_something_in_it_is_left_alone(siteshift: Run, tmp_path: Path) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / "thesis").write_text("x")
    code, _, err = siteshift("init", str(folder))
    assert (code, err) == (1, f"error: {folder} exists and is not empty\n")
    assert [path.name for path in folder.iterdir()] == ["thesis"]


@pytest.mark.parametrize("line", [["--sites", "a,A"], ["--sites", "a,,b"], ["--sites", "a,a"], ["--name", "B!"]])
def test_bad_names_are_wrong_usage(siteshift: Run, tmp_path: Path, line: list[str]) -> None:
    assert siteshift("init", str(tmp_path / "new"), *line)[0] == 2
    assert not (tmp_path / "new").exists()


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SiteshiftError):
        write(tmp_path / "new", {"a": "1", "a/b": "2"})
    assert list(tmp_path.iterdir()) == []


def test_the_commit_names_nobody_that_git_does_not_know(tmp_path: Path, siteshift: Run, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, "/dev/null")
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.useConfigOnly")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    assert "tell Git your user.name" in siteshift("init", str(tmp_path / "new"))[1]
    shown = subprocess.run(["git", "log"], cwd=tmp_path / "new", capture_output=True, check=False)
    assert shown.returncode != 0
