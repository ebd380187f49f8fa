"""Whether answers still stand: by asking again, or by the name of a whole folder where a tree has one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pygit2
import pytest

from render.errors import TreeError
from render.tree import Answers, FolderTree, GitTree, MemoryTree, OverlayTree, RecordingTree, Tree
from render.tree.git import FOLDER, LINK, SUBMODULE
from render.tree.remote import Remote, RemoteTree
from render.tree.seam import sealed

FILE = 0o100644
AUTHOR = pygit2.Signature("A", "a@example.com", 0, 0)
Entries = dict[str, tuple[int, Any]]

APP: Entries = {"base": (FOLDER, {"x": (FILE, b"x")}), "y": (FILE, b"y")}


@pytest.fixture
def repository(tmp_path: Path) -> pygit2.Repository:
    return pygit2.init_repository(str(tmp_path / "repo.git"), bare=True)


def tree_of(repository: pygit2.Repository, entries: Entries) -> pygit2.Oid:
    builder = repository.TreeBuilder()
    for name, (mode, content) in entries.items():
        made = tree_of(repository, content) if isinstance(content, dict) else content
        builder.insert(name, repository.create_blob(made) if isinstance(made, bytes) else made, mode)
    return builder.write()


def commit(repository: pygit2.Repository, entries: Entries) -> GitTree:
    made = repository.create_commit(None, AUTHOR, AUTHOR, "message", tree_of(repository, entries), [])
    return GitTree(repository, str(made))


class Counting(RecordingTree):
    """A tree that counts the questions to single files, and seals what the tree beneath seals."""

    def __init__(self, tree: Tree) -> None:
        super().__init__(tree)
        self.beneath = tree

    def sealed(self, path: str) -> str | None:
        return sealed(self.beneath, path)


def asked(tree: Tree) -> RecordingTree:
    recording = RecordingTree(tree)
    recording.kind("one/base")
    recording.read("one/base/x")
    recording.list("one")
    assert recording.kind("one/none") is None
    return recording


def test_a_folder_is_sealed_by_its_content(repository: pygit2.Repository) -> None:
    first, second = (
        commit(repository, {"one": (FOLDER, APP), "two": (FOLDER, {"z": (FILE, z)})}) for z in (b"1", b"2")
    )
    assert sealed(first, "one") == sealed(second, "one") is not None
    assert sealed(first, "two") != sealed(second, "two")
    assert sealed(first, "") != sealed(second, "")


@pytest.mark.parametrize("path", ["one/y", "none", "one/none"], ids=["file", "absent", "absent-below"])
def test_only_folders_are_sealed(repository: pygit2.Repository, path: str) -> None:
    assert sealed(commit(repository, {"one": (FOLDER, APP)}), path) is None
    assert sealed(MemoryTree({"one/y": "y"}), path) is None


@pytest.mark.parametrize(
    ("path", "is_sealed"), [("", False), ("two", False), ("two/in", False), ("way", False), ("one", True)]
)
def test_a_folder_with_a_link_on_the_way_or_inside_is_not_sealed(
    repository: pygit2.Repository, path: str, is_sealed: bool
) -> None:
    inside: Entries = {"in": (FOLDER, {"link": (LINK, b"../../one/y")})}
    tree = commit(repository, {"one": (FOLDER, APP), "two": (FOLDER, inside), "way": (LINK, b"one")})
    assert (sealed(tree, path) is not None) is is_sealed


def test_a_link_that_leads_out_of_a_folder_is_followed_again(repository: pygit2.Repository) -> None:
    def at(text: bytes) -> GitTree:
        return commit(
            repository, {"one": (FOLDER, {"link": (LINK, b"../two/z")}), "two": (FOLDER, {"z": (FILE, text)})}
        )

    recording = RecordingTree(at(b"1"))
    recording.read("one/link")
    answers = Answers(recording.seen, at(b"1"))
    assert answers.stand(at(b"1"))
    assert not answers.stand(at(b"2"))


def test_what_a_seal_answers_is_not_asked_again(repository: pygit2.Repository) -> None:
    before = commit(repository, {"one": (FOLDER, APP), "two": (FILE, b"1")})
    after = Counting(commit(repository, {"one": (FOLDER, APP), "two": (FILE, b"2")}))
    assert Answers(asked(before).seen, before).stand(after)
    assert after.seen == {}


@pytest.mark.parametrize(
    ("changed", "stands"),
    [
        ({**APP, "base": (FOLDER, {"x": (FILE, b"other")})}, False),
        ({**APP, "base": (FOLDER, {"x": (FILE, b"x"), "more": (FILE, b"")})}, True),
        ({**APP, "none": (FILE, b"")}, False),
        ({**APP, "y": (FILE, b"other")}, True),
        ({"base": APP["base"]}, False),
    ],
    ids=["file", "unasked-file-appears", "absent-file-appears", "unasked-file", "listing"],
)
def test_where_a_seal_is_broken_each_question_is_asked(
    repository: pygit2.Repository, changed: Entries, stands: bool
) -> None:
    before, after = (commit(repository, {"one": (FOLDER, app)}) for app in (APP, changed))
    assert Answers(asked(before).seen, before).stand(after) is stands


def test_layers_seal_what_lies_wholly_in_one_of_them(repository: pygit2.Repository) -> None:
    tree = OverlayTree(MemoryTree({"k": ""}), {"fleet": commit(repository, {"one": (FOLDER, APP)})})
    assert sealed(tree, "") is None
    assert sealed(tree, "fleet/one") is not None
    assert sealed(tree, "fleet/one/y") is None


def test_repositories_of_elsewhere_are_never_sealed_by_the_top(repository: pygit2.Repository) -> None:
    tree = RemoteTree(commit(repository, {"one": (FOLDER, APP)}), lambda _: MemoryTree({"z": "z"}))
    assert sealed(tree, "") is None
    assert sealed(tree, "one") is not None
    assert sealed(tree, Remote("https://example.com/a/b", "v1", "").place) is not None


def test_a_folder_on_disk_is_asked_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "one/base").mkdir(parents=True)
    (tmp_path / "one/base/x").write_text("x")
    (tmp_path / "one/y").write_text("y")
    answers = Answers(asked(FolderTree(tmp_path)).seen, FolderTree(tmp_path))
    assert answers.stand(FolderTree(tmp_path))
    (tmp_path / "one/base/x").write_text("other")
    assert not answers.stand(FolderTree(tmp_path))


def test_what_cannot_be_told_is_an_error(repository: pygit2.Repository) -> None:
    before = commit(repository, {"one": (FOLDER, APP)})
    after = commit(repository, {"one": (SUBMODULE, tree_of(repository, {}))})
    with pytest.raises(TreeError, match="submodule"):
        Answers(asked(before).seen, before).stand(after)
