"""Whether a tree would answer again what another one has answered, without asking every question.

The questions of a build are kept by folder. Where a tree has a name for all that is in a folder (Git's tree ids), an
equal name answers for everything below, so that looking through a commit costs what has changed in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from render.errors import NotInTree, SiteshiftError
from render.tree.layers import Question
from render.tree.seam import Tree, listing_identity, real_path, sealed


class Answers:
    """What a tree has answered; `seen` is as `RecordingTree` has it."""

    def __init__(self, seen: Mapping[tuple[Question, str], str | None], tree: Tree) -> None:
        self._top = _Folder("", tree)
        folders = {"": self._top}
        for (question, path), answer in seen.items():
            folder = path if question == "list" else path.rpartition("/")[0]
            self._folder(folder, folders, tree).asked.append((question, path, answer))

    def stand(self, tree: Tree) -> bool:
        """Whether `tree` gives every one of the answers. Raises `TreeError` where it cannot tell."""
        return self._top.stands(tree)

    def _folder(self, path: str, folders: dict[str, _Folder], tree: Tree) -> _Folder:
        found = folders.get(path)
        if found is None:
            found = folders[path] = _Folder(path, tree)
            self._folder(path.rpartition("/")[0], folders, tree).inside.append(found)
        return found


class _Folder:
    """What was asked about things in one folder, and the folders inside of which something was asked."""

    __slots__ = ("_path", "_seal", "asked", "inside")

    def __init__(self, path: str, tree: Tree) -> None:
        self.asked: list[tuple[Question, str, str | None]] = []
        self.inside: list[_Folder] = []
        self._path = path
        self._seal = _seal(tree, path)

    def stands(self, tree: Tree) -> bool:
        if self._seal is not None and _seal(tree, self._path) == self._seal:
            return True
        return all(_answer(question, path, tree) == answer for question, path, answer in self.asked) and all(
            folder.stands(tree) for folder in self.inside
        )


def _seal(tree: Tree, path: str) -> str | None:
    try:
        return sealed(tree, path)
    except SiteshiftError:  # each question has an error of its own
        return None


def _answer(question: Question, path: str, tree: Tree) -> str | None:
    if question == "kind":
        return tree.kind(path)
    try:
        if question == "real":
            return real_path(tree, path)
        return tree.identity(path) if question == "read" else listing_identity(tree.list(path))
    except NotInTree:
        return None
