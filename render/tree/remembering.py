"""A tree that asks each question once, until it is told what has changed: for builds after each save."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from render.errors import NotInTree
from render.tree.seam import Kind, Tree, normalise, real_path

Answer = TypeVar("Answer")


class RememberingTree:
    """The tree that `make` makes, with its answers remembered; a new one is made whenever something has changed.

    What fails is not remembered, except that nothing is there.
    """

    def __init__(self, make: Callable[[], Tree]) -> None:
        self._make = make
        self._tree = make()
        self.root = self._tree.root
        self._kinds: dict[str, Kind | None] = {}
        self._files: dict[str, bytes | NotInTree] = {}
        self._names: dict[str, list[str] | NotInTree] = {}
        self._places: dict[str, str | NotInTree] = {}

    def kind(self, path: str) -> Kind | None:
        """What is there; None if nothing is."""
        if path not in self._kinds:
            self._kinds[path] = self._tree.kind(path)
        return self._kinds[path]

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        return _answer(self._files, path, self._tree.read)

    def list(self, path: str) -> list[str]:
        """The names in a folder, sorted."""
        return _answer(self._names, path, self._tree.list)

    def identity(self, path: str) -> str:
        """What the content is, as a name."""
        return self._tree.identity(path)

    def real_path(self, path: str) -> str:
        """The path without symbolic links. Who has any must forget everything on each change."""
        return _answer(self._places, path, lambda asked: real_path(self._tree, asked))

    def is_known_file(self, path: str) -> bool:
        """Whether it is remembered that a file is there."""
        return self._kinds.get(path) == "file"

    def forget(self, path: str) -> None:
        """Something has happened to a path: forget it, all below it, and what is known of the folders above."""
        self._tree = self._make()
        clean = normalise(path)
        for answers in (self._kinds, self._files, self._names, self._places):
            for known in [known for known in answers if _touches(normalise(known), clean)]:
                del answers[known]

    def forget_all(self) -> None:
        """Nobody knows what has happened."""
        self._tree = self._make()
        for answers in (self._kinds, self._files, self._names, self._places):
            answers.clear()


def _touches(known: str, changed: str) -> bool:
    return f"{known}/".startswith(f"{changed}/" if changed else "") or not known or changed.startswith(f"{known}/")


def _answer(answers: dict[str, Answer | NotInTree], path: str, ask: Callable[[str], Answer]) -> Answer:
    if path not in answers:
        try:
            answers[path] = ask(path)
        except NotInTree as error:
            answers[path] = error
    answer = answers[path]
    if isinstance(answer, NotInTree):
        raise answer
    return answer
