"""What every kind of tree promises: the same files, the same answers, the same refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pygit2
import pytest

from render.errors import NotInTree, TreeError
from render.tree import FolderTree, GitTree, MemoryTree, OverlayTree, RecordingTree, Tree

FILES = {
    "a.yaml": b"a: 1\n",
    "empty": b"",
    "base/b.yaml": b"b: 1\n",
    "base/deep/er/c.yaml": b"\xff\x00",
    "base/é ü.yaml": b"",
}


def folder_tree(tmp_path: Path) -> Tree:
    for path, content in FILES.items():
        file = tmp_path / "root" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return FolderTree(tmp_path / "root")


def git_tree(tmp_path: Path) -> Tree:
    folder_tree(tmp_path)
    repository = pygit2.init_repository(str(tmp_path / "root"))
    index = repository.index
    index.add_all()
    author = pygit2.Signature("A", "a@example.com", 0, 0)
    commit = repository.create_commit("refs/heads/main", author, author, "all files", index.write_tree(), [])
    return GitTree(repository, str(commit))


def memory_tree(tmp_path: Path) -> Tree:
    return MemoryTree(FILES)


def overlay_tree(tmp_path: Path) -> Tree:
    base = {path: content for path, content in FILES.items() if not path.startswith("base/deep")}
    return OverlayTree(MemoryTree(base), {"base/deep": MemoryTree({"er/c.yaml": FILES["base/deep/er/c.yaml"]})})


def recording_tree(tmp_path: Path) -> Tree:
    return RecordingTree(MemoryTree(FILES))


KINDS: list[Callable[[Path], Tree]] = [folder_tree, git_tree, memory_tree, overlay_tree, recording_tree]


@pytest.fixture(params=KINDS, ids=lambda make: make.__name__)
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Tree:
    made: Tree = request.param(tmp_path)
    return made


@pytest.mark.parametrize("path", FILES)
def test_file_is_found_and_read(tree: Tree, path: str) -> None:
    assert (tree.kind(path), tree.read(path)) == ("file", FILES[path])


@pytest.mark.parametrize(("path", "names"), [
    ("base", ["b.yaml", "deep", "é ü.yaml"]),
    ("base/deep", ["er"]),
    ("base/deep/er/", ["c.yaml"]),
    ("./base/../base/./deep", ["er"]),
])  # fmt: skip
def test_folder_is_found_and_listed(tree: Tree, path: str, names: list[str]) -> None:
    assert (tree.kind(path), tree.list(path)) == ("folder", names)


@pytest.mark.parametrize("path", ["", ".", "base/.."])
def test_root_is_a_folder(tree: Tree, path: str) -> None:
    assert tree.kind(path) == "folder"
    assert [name for name in tree.list(path) if name != ".git"] == ["a.yaml", "base", "empty"]


@pytest.mark.parametrize("path", ["b.yaml", "base/a.yaml", "a.yaml/x", "a.yaml/x/y", "x/y/z", "A.yaml"])
def test_nothing_there_is_an_answer_for_kind_and_an_error_of_its_own_for_the_rest(tree: Tree, path: str) -> None:
    assert tree.kind(path) is None
    for ask in (tree.read, tree.list, tree.identity):
        with pytest.raises(NotInTree, match="there is no such file or folder"):
            ask(path)


@pytest.mark.parametrize("path", ["..", "../x", "base/../../x", "../elsewhere/a.yaml"])
def test_path_above_the_root_is_refused(tree: Tree, path: str) -> None:
    for ask in (tree.kind, tree.read, tree.list, tree.identity):
        with pytest.raises(TreeError, match="the path leaves") as caught:
            ask(path)
        assert not isinstance(caught.value, NotInTree)


@pytest.mark.parametrize("path", ["/a.yaml", "a\0b"])
def test_path_that_no_tree_can_hold_is_refused(tree: Tree, path: str) -> None:
    with pytest.raises(TreeError, match=r"absolute|NUL"):
        tree.kind(path)


def test_folder_is_not_read_and_file_is_not_listed(tree: Tree) -> None:
    with pytest.raises(TreeError, match="a folder, not a file"):
        tree.read("base")
    with pytest.raises(TreeError, match="a file, not a folder"):
        tree.list("a.yaml")


def test_identity_of_a_file_is_its_git_blob_id(tree: Tree) -> None:
    assert tree.identity("empty") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert tree.identity("a.yaml") == str(pygit2.hash(FILES["a.yaml"]))


def test_identity_of_a_folder_tells_folders_apart(tree: Tree) -> None:
    assert tree.identity("base") == tree.identity("base/deep/..")
    assert len({tree.identity(path) for path in ("base", "base/deep", "base/deep/er")}) == 3
