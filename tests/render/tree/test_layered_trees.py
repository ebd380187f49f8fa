"""Trees made of trees: what a mount hides, and what a recording knows."""

from __future__ import annotations

import pytest

from render.errors import NotInTree, TreeError
from render.tree import Answers, MemoryTree, OverlayTree, RecordingTree, Tree

BASE = MemoryTree({"a": "base", "apps/shop/x": "base", "apps/shop/role/x": "base"}, root="fleet")


def test_mount_hides_what_the_base_has_there_and_nothing_else() -> None:
    tree = OverlayTree(BASE, {"apps/shop/role": MemoryTree({"y": "mounted"})})
    assert tree.read("apps/shop/role/y") == b"mounted"
    assert tree.kind("apps/shop/role/x") is None
    assert tree.read("apps/shop/x") == b"base"
    assert tree.list("apps/shop") == ["role", "x"]
    assert tree.root == "fleet"


def test_folders_on_the_way_to_a_mount_exist() -> None:
    tree = OverlayTree(BASE, {"new/deep/er": MemoryTree({"y": "mounted"})})
    assert [tree.kind(path) for path in ("new", "new/deep", "new/deep/er", "new/other")] == ["folder"] * 3 + [None]
    assert tree.list("") == ["a", "apps", "new"]
    assert tree.list("new") == ["deep"]


def test_deeper_mount_wins() -> None:
    tree = OverlayTree(BASE, {"m": MemoryTree({"n/x": "outer", "y": "outer"}), "m/n": MemoryTree({"x": "inner"})})
    assert (tree.read("m/n/x"), tree.read("m/y")) == (b"inner", b"outer")
    assert tree.list("m") == ["n", "y"]


def test_mount_at_the_root_replaces_the_base() -> None:
    tree = OverlayTree(BASE, {"": MemoryTree({"only": ""})})
    assert (tree.list(""), tree.kind("a")) == (["only"], None)


def test_identity_covers_mounts() -> None:
    one, other = (OverlayTree(BASE, {"m/n": MemoryTree({"x": content})}) for content in ("1", "2"))
    assert one.identity("m") != other.identity("m")
    assert one.identity("") != other.identity("")
    assert one.identity("apps") == other.identity("apps")


def recorded(tree: Tree) -> RecordingTree:
    """A recording of: a file read, one looked for in vain, a folder listed, a kind asked."""
    recording = RecordingTree(tree)
    recording.read("a/../a")
    recording.kind("apps/kustomization.yaml")
    with pytest.raises(NotInTree):
        recording.read("b")
    recording.list("apps")
    recording.kind("apps/shop/x")
    return recording


def test_recording_says_what_each_answer_depended_on() -> None:
    seen = recorded(BASE).seen
    assert seen["read", "a"] == BASE.identity("a")
    assert seen["kind", "apps/kustomization.yaml"] is None
    assert seen["read", "b"] is None
    assert seen["kind", "apps/shop/x"] == "file"
    assert len(seen) == 5


FILES = {"a": "base", "apps/shop/x": "base", "apps/shop/role/x": "base"}


@pytest.mark.parametrize(
    ("files", "same"),
    [
        (FILES, True),
        (FILES | {"unrelated": "1"}, True),
        (FILES | {"apps/shop/x": "only its kind was asked"}, True),
        (FILES | {"a": "changed"}, False),
        (FILES | {"b": "appeared"}, False),
        (FILES | {"apps/kustomization.yaml": "appeared"}, False),
        (FILES | {"apps/other": "appeared"}, False),
        ({"a": "base", "apps/shop/role/x": "base"}, False),
        ({}, False),
    ],
)
def test_recording_holds_as_long_as_nothing_that_was_asked_changes(files: dict[str, str], same: bool) -> None:
    assert Answers(recorded(BASE).seen, BASE).stand(MemoryTree(files)) is same


def test_failed_read_is_not_recorded() -> None:
    recording = RecordingTree(BASE)
    with pytest.raises(TreeError):
        recording.read("apps")
    assert recording.seen == {}


def test_asking_for_an_identity_counts_as_having_read() -> None:
    recording = RecordingTree(BASE)
    recording.identity("apps")
    answers = Answers(recording.seen, BASE)
    assert answers.stand(BASE)
    assert not answers.stand(MemoryTree(FILES | {"apps/shop/x": "changed"}))
