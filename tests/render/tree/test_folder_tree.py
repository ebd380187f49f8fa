"""A folder on disk: links, permissions, odd names and odd files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from render.errors import NotInTree, TreeError
from render.tree import FolderTree


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "real" / "deep").mkdir(parents=True)
    (folder / "real" / "file").write_text("text")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    return folder


def test_links_inside_the_root_are_followed(root: Path) -> None:
    (root / "folder").symlink_to("real")
    (root / "real" / "deep" / "up").symlink_to("../file")
    (root / "absolute").symlink_to(root / "real" / "file")
    tree = FolderTree(root)
    assert tree.read("folder/file") == tree.read("real/deep/up") == tree.read("absolute") == b"text"
    assert tree.list("folder") == ["deep", "file"]


def test_root_may_itself_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert FolderTree(tmp_path / "link").read("real/file") == b"text"


@pytest.mark.parametrize("path", ["file", "folder/secret", "folder", "chain/secret"])
def test_link_that_leaves_the_root_is_refused_by_name(root: Path, tmp_path: Path, path: str) -> None:
    (root / "file").symlink_to("../outside/secret")
    (root / "folder").symlink_to(tmp_path / "outside")
    (root / "chain").symlink_to("folder")
    tree = FolderTree(root)
    for ask in (tree.kind, tree.read):
        with pytest.raises(TreeError, match=r"outside.*, which is outside of .*root"):
            ask(path)


def test_root_whose_name_begins_another_folder_name_keeps_them_apart(root: Path, tmp_path: Path) -> None:
    (tmp_path / "root-too").mkdir()
    (root / "link").symlink_to("../root-too")
    with pytest.raises(TreeError, match="outside of"):
        FolderTree(root).kind("link")


def test_paths_and_links_above_the_root_are_read_if_allowed(root: Path, tmp_path: Path) -> None:
    (root / "link").symlink_to(tmp_path / "outside")
    tree = FolderTree(root, outside=True)
    assert tree.read("../outside/secret") == tree.read("link/secret") == b"secret"
    assert tree.kind("..") == "folder"
    assert tree.kind("../absent/x") is None


@pytest.mark.parametrize("path", ["dangling", "dangling/x", "real/also/x/y"])
def test_dangling_link_is_an_error_and_not_an_absent_file(root: Path, path: str) -> None:
    (root / "dangling").symlink_to("nowhere")
    (root / "real" / "also").symlink_to("nowhere")
    with pytest.raises(TreeError, match="a symbolic link leads to nowhere, where nothing is") as caught:
        FolderTree(root).kind(path)
    assert not isinstance(caught.value, NotInTree)


def test_circle_of_links_is_an_error(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    with pytest.raises(TreeError, match="cannot be read: Too many levels of symbolic links"):
        FolderTree(root).kind("a")


@pytest.mark.parametrize("call", ["lstat", "listdir"])
def test_unreadable_is_an_error_and_not_an_absent_file(root: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    tree = FolderTree(root)
    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(TreeError, match="real: error: cannot be read: Permission denied") as caught:
        tree.list("real")
    assert not isinstance(caught.value, NotInTree)


def test_unreadable_file_is_an_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "read", refuse)
    with pytest.raises(TreeError, match="cannot be read: Input/output error"):
        FolderTree(root).read("real/file")


def test_pipe_is_neither_file_nor_folder(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(TreeError, match="neither a file nor a folder"):
        FolderTree(root).kind("pipe")


def test_name_that_is_not_utf_8_is_refused(root: Path) -> None:
    os.close(os.open(os.fsencode(root / "real") + b"/caf\xe9", os.O_CREAT))
    with pytest.raises(TreeError, match=r"a name that is not UTF-8: b'caf\\xe9'"):
        FolderTree(root).list("real")


def test_name_longer_than_any_file_system_takes_is_an_error(root: Path) -> None:
    with pytest.raises(TreeError, match="cannot be read: File name too long"):
        FolderTree(root).kind("x" * 300)


def test_what_changes_on_disk_is_seen(root: Path) -> None:
    tree = FolderTree(root)
    before = tree.identity(""), tree.identity("real/file"), tree.kind("real/new")
    (root / "real" / "file").write_text("other")
    (root / "real" / "new").write_text("")
    assert tree.kind("real/new") == "file"
    assert tree.identity("") != before[0]
    assert tree.identity("real/file") != before[1]


def test_identity_of_a_folder_is_finite_where_links_go_round(root: Path) -> None:
    (root / "real" / "again").symlink_to("..")
    tree = FolderTree(root)
    before = tree.identity("")
    (root / "real" / "again").unlink()
    (root / "real" / "again").symlink_to(".")
    assert tree.identity("") != before
