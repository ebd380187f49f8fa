"""A tree that asks once, and again what it is told to forget."""

from __future__ import annotations

import pytest

from render.errors import NotInTree
from render.tree import MemoryTree
from render.tree.remembering import RememberingTree


class Files:
    """Files that change, and a count of the trees that were made of them."""

    def __init__(self) -> None:
        self.content = {"a/b/x": "1", "a/y": "2"}
        self.made = 0

    def __call__(self) -> MemoryTree:
        self.made += 1
        return MemoryTree(dict(self.content))


def test_answers_stay_until_they_are_forgotten() -> None:
    files = Files()
    tree = RememberingTree(files)
    assert (tree.read("a/b/x"), tree.kind("a/b/x"), tree.list("a"), tree.kind("a/z")) == (
        b"1",
        "file",
        ["b", "y"],
        None,
    )
    with pytest.raises(NotInTree):
        tree.read("a/z")
    files.content |= {"a/b/x": "3", "a/z": "4"}
    tree.forget("a/b/x")
    assert (tree.read("a/b/x"), tree.kind("a/z")) == (b"3", None)
    tree.forget("a/z")
    assert (tree.kind("a/z"), tree.read("a/z"), tree.list("a")) == ("file", b"4", ["b", "y", "z"])


def test_what_is_beside_a_change_stays_remembered() -> None:
    files = Files()
    tree = RememberingTree(files)
    assert tree.read("a/y") == b"2"
    files.content["a/y"] = "5"
    tree.forget("a/b/x")
    assert tree.read("a/y") == b"2"
    assert tree.is_known_file("a/y") is False
    tree.forget_all()
    assert tree.read("a/y") == b"5"


def test_a_folder_that_comes_or_goes_takes_what_is_below_with_it() -> None:
    files = Files()
    tree = RememberingTree(files)
    assert (tree.kind("a/b"), tree.kind("a/b/x"), tree.kind("c")) == ("folder", "file", None)
    files.content = {"c/d/e": "6"}
    tree.forget("a/b")
    tree.forget("c/d/e")
    assert (tree.kind("a/b"), tree.kind("a/b/x"), tree.kind("c")) == (None, None, "folder")
