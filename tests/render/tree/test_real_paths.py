"""Trees say where a path really leads, so that the engine's restrictions hold for symbolic links too."""

from __future__ import annotations

import os
from pathlib import Path

import pygit2
import pytest

from render.errors import NotInTree, TreeError
from render.tree import FolderTree, GitTree, MemoryTree, OverlayTree, RecordingTree, Tree
from render.tree.remembering import RememberingTree
from render.tree.seam import real_path

LINKS = {"a/file": "../b/file", "folder": "b", "chain": "folder", "inner": "."}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "b").mkdir(parents=True)
    (root / "a").mkdir()
    (root / "b" / "file").write_text("x")
    for name, target in LINKS.items():
        os.symlink(target, root / name)
    return root


def git_tree(folder: Path) -> GitTree:
    repository = pygit2.init_repository(str(folder))
    repository.index.add_all()
    tree = repository.index.write_tree()
    author = pygit2.Signature("a", "a@b")
    return GitTree(repository, str(repository.create_commit("HEAD", author, author, "x", tree, [])))


def trees(folder: Path) -> dict[str, Tree]:
    plain = FolderTree(folder)
    return {
        "folder": plain,
        "commit": git_tree(folder),
        "overlay": OverlayTree(plain, {"mounted": MemoryTree({"f": ""})}),
        "recording": RecordingTree(plain),
        "remembering": RememberingTree(lambda: plain),
    }


@pytest.mark.parametrize("kind", ["folder", "commit", "overlay", "recording", "remembering"])
@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("b/file", "b/file"),
        ("a/file", "b/file"),
        ("folder", "b"),
        ("folder/file", "b/file"),
        ("chain/file", "b/file"),
        ("inner/inner/b", "b"),
        ("b/../a/file", "b/file"),
        ("", ""),
    ],
)
def test_links_are_resolved(folder: Path, kind: str, path: str, real: str) -> None:
    assert real_path(trees(folder)[kind], path) == real


@pytest.mark.parametrize("kind", ["folder", "commit", "overlay", "recording", "remembering"])
def test_nothing_has_no_real_path(folder: Path, kind: str) -> None:
    with pytest.raises(NotInTree):
        real_path(trees(folder)[kind], "b/nothing")


def test_a_mount_answers_for_itself(folder: Path) -> None:
    tree = trees(folder)["overlay"]
    assert [real_path(tree, path) for path in ("mounted", "mounted/f")] == ["mounted", "mounted/f"]


def test_a_link_out_of_the_root_is_an_error(folder: Path) -> None:
    os.symlink("../..", folder / "out")
    with pytest.raises(TreeError, match="outside"):
        real_path(FolderTree(folder), "out")


def test_where_a_path_led_is_recorded(folder: Path) -> None:
    tree = RecordingTree(FolderTree(folder))
    real_path(tree, "a/file")
    with pytest.raises(NotInTree):
        real_path(tree, "b/nothing")
    assert tree.seen == {("real", "a/file"): "b/file", ("real", "b/nothing"): None}
