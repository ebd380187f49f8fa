"""A tree that fails or lies once, at any moment of any build: an error or the whole result, never half of it.

`Lying` passes each question on, except one: the build's n-th, whatever it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from corpus import BUILDS, Case, read_case

from render import yaml
from render.cache import UnitCache
from render.errors import InputError, NotInTree, SiteshiftError, TreeError
from render.kustomization import build
from render.site import Unit
from render.tree import Kind, MemoryTree, Tree
from render.tree.seam import normalise

Answer = TypeVar("Answer")

Lie = Callable[[str, str, Callable[[], Any]], Any]
"""Answers instead of the tree: which question, about which path, and how to ask the tree."""


class Lying:
    def __init__(self, tree: Tree, moment: int, lie: Lie) -> None:
        self.root = tree.root
        self.asked = 0
        self._tree, self._moment, self._lie = tree, moment, lie

    def kind(self, path: str) -> Kind | None:
        return self._answer("kind", path, lambda: self._tree.kind(path))

    def read(self, path: str) -> bytes:
        return self._answer("read", path, lambda: self._tree.read(path))

    def list(self, path: str) -> list[str]:
        return self._answer("list", path, lambda: self._tree.list(path))

    def identity(self, path: str) -> str:
        return self._answer("identity", path, lambda: self._tree.identity(path))

    def real_path(self, path: str) -> str:
        return self._answer("real", path, lambda: self._real(path))

    def _real(self, path: str) -> str:
        if self._tree.kind(path) is None:
            raise NotInTree("nothing", path=path)
        return normalise(path)

    def _answer(self, question: str, path: str, ask: Callable[[], Answer]) -> Answer:
        self.asked += 1
        answer: Answer = self._lie(question, path, ask) if self.asked == self._moment else ask()
        return answer


def _broken(_question: str, path: str, _ask: Callable[[], Any]) -> Any:
    raise TreeError("cannot be read: Input/output error", path=path)


def _vanished(question: str, path: str, _ask: Callable[[], Any]) -> Any:
    if question == "kind":
        return None
    raise NotInTree("nothing", path=path)


def _a_file(question: str, _path: str, ask: Callable[[], Any]) -> Any:
    return "file" if question == "kind" else ask()


def _a_folder(question: str, _path: str, ask: Callable[[], Any]) -> Any:
    return "folder" if question == "kind" else ask()


def _elsewhere(question: str, _path: str, ask: Callable[[], Any]) -> Any:
    return "else/where" if question == "real" else ask()


def _half(question: str, _path: str, ask: Callable[[], Any]) -> Any:
    answer = ask()
    return answer[: len(answer) // 2] if question == "read" else answer


def _noise(question: str, _path: str, ask: Callable[[], Any]) -> Any:
    return b"\xff\xfe\x00[: {" if question == "read" else ask()


def cases() -> Iterator[tuple[Case, str, int]]:
    """Each case with what it prints and how many questions it asks."""
    for path in BUILDS:
        case = read_case(path)
        tree = Lying(MemoryTree(case.files, ""), 0, _broken)
        yield case, printed(tree, case), tree.asked


def printed(tree: Tree, case: Case) -> str:
    return yaml.dump(resource.manifest for resource in build(tree, case.target))


def outcomes(lie: Lie) -> Iterator[tuple[str | SiteshiftError, str]]:
    """What comes of the lie told at each moment, and what should be printed."""
    for case, truth, questions in cases():
        for moment in range(1, questions + 1):
            try:
                yield printed(Lying(MemoryTree(case.files, ""), moment, lie), case), truth
            except SiteshiftError as error:
                yield error, truth


@pytest.mark.parametrize("lie", [_broken, _vanished, _a_file, _a_folder, _elsewhere], ids=lambda lie: lie.__name__[1:])
def test_what_is_found_is_everything_or_an_error_with_a_place(lie: Lie) -> None:
    found = list(outcomes(lie))
    errors = [output for output, _ in found if not isinstance(output, str)]
    assert all(output == truth for output, truth in found if isinstance(output, str))
    assert all(isinstance(error, InputError) and error.path is not None for error in errors)
    assert len(errors) > len(found) // 10, "most questions matter"


def test_a_question_without_an_answer_is_always_an_error() -> None:
    assert not any(isinstance(output, str) for output, _ in outcomes(_broken))


@pytest.mark.parametrize("lie", [_half, _noise], ids=lambda lie: lie.__name__[1:])
def test_other_content_is_read_or_refused(lie: Lie) -> None:
    assert not all(isinstance(output, str) for output, _ in outcomes(lie))


@pytest.mark.parametrize("lie", [_broken, _vanished, _a_folder], ids=lambda lie: lie.__name__[1:])
def test_after_a_lie_a_unit_is_built_from_the_truth(lie: Lie) -> None:
    files = {
        "app/kustomization.yaml": "resources: [a.yaml, ../base]\n",
        "app/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: x}\n",
        "base/kustomization.yaml": "resources: [b.yaml]\n",
        "base/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: x}\n",
    }
    unit = Unit("app", "app", "siteshift.io/application")
    truth = UnitCache().render(MemoryTree(files), unit, "1")
    for moment in range(1, 60):
        cache = UnitCache()
        tree = Lying(MemoryTree(files), moment, lie)
        try:
            first = cache.render(tree, unit, "1")
        except SiteshiftError:
            first = truth
        assert first == truth
        assert cache.render(MemoryTree(files), unit, "2") == truth
