"""Builds what is to be linted, with a watcher inside, and asks every rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from render.errors import InputError
from render.kustomization.build import build
from render.linting.finding import Finding
from render.linting.rules import LOOKS, RUN_LEVEL_LOOKS, STEPS, WATCHES
from render.linting.watching import Watcher
from render.tree import RecordingTree

if TYPE_CHECKING:
    from render.kustomization.model import Helm, Options
    from render.tree import Tree


def lint(
    builds: Sequence[tuple[Tree, str]],
    options: Options | None = None,
    *,
    helm: Helm | None = None,
    run_levels: bool = False,
) -> tuple[Finding, ...]:
    """Everything found in the kustomizations of some folders, by place; each is a tree and a folder in it.

    The trees must agree about the files that they have in common. `run_levels` adds the rules for what is applied in
    run-level order. A folder that cannot be built is a finding of level "error".
    """
    found: list[Finding] = []
    read: set[str] = set()
    watcher: Watcher | None = None
    for tree, folder in builds:
        recording = RecordingTree(tree)
        watcher = watcher or Watcher(tree, WATCHES, STEPS)
        watcher.tree = tree
        try:
            build(recording, folder, options, helm=helm, observer=watcher)
            watcher.built()
        except InputError as error:
            watcher.failed()
            found.append(_of_error(error))
        read.update(path for (question, path), answer in recording.seen.items() if question == "read" and answer)
    if watcher is not None:
        found += watcher.findings
        for look in (*LOOKS, *(RUN_LEVEL_LOOKS if run_levels else ())):
            found += look(watcher, read)
    return tuple(sorted(_distinct(found)))


def _of_error(error: InputError) -> Finding:
    return Finding(
        error.path or ".", error.line or 1, error.column or 1, "build", error.message, error.hint or "", "error"
    )


def _distinct(found: Iterable[Finding]) -> Iterable[Finding]:
    return dict.fromkeys(found)
