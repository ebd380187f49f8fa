"""The process that renders: killed when an application's files ask for too much time or memory.

`python -m reconciler.controller.render_worker` is started by `rendering.py`, which is the other side. It reads commits
from the mirror's object database, and bases of elsewhere through mirrors of their own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pygit2

from reconciler.controller import render_limits
from reconciler.errors import InputError, SiteshiftError, unexpected
from reconciler.git.bases import Bases
from reconciler.worker import serve
from render.site import SiteManifest, Unit, joined, render_joined
from render.tree import Answers, GitTree, RecordingTree, Tree
from render.tree.remote import RemoteTree

MOST_TREES = 4
"""Commits whose trees are kept open."""

MOST_UNITS = 10_000
"""Units of which it is remembered what was read to make them."""


class Renderer:
    """Renders units, and remembers what was read to make each: what still stands is not built again."""

    def __init__(self) -> None:
        self._trees: OrderedDict[tuple[str, str, str], Tree] = OrderedDict()
        self._known: OrderedDict[Unit, tuple[str, Answers]] = OrderedDict()

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """What comes of one request; errors are answers too."""
        try:
            return self._render(request)
        except InputError as error:
            place = {"path": error.path, "line": error.line, "column": error.column, "hint": error.hint}
            return {"error": {"message": error.message, **place}}
        except SiteshiftError as error:
            return {"error": {"message": str(error)}}
        except MemoryError:
            megabytes = render_limits.MEMORY >> 20
            return {"error": {"message": f"it takes more than {megabytes} MiB of memory to render"}, "spent": True}
        except Exception as error:
            self._trees.clear()  # a repository that was made anew below us
            return {"error": {"message": unexpected(error)}}

    def _render(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name, folder, label, components = request["unit"]
        unit = Unit(name, folder, label, tuple(components))
        whole = joined(self._tree(request), unit)
        known = self._known.get(unit)
        if known is not None and known[0] == request["have"] and known[1].stand(whole):
            return {"same": True}
        recording = RecordingTree(whole)
        rows = [_row(item) for item in render_joined(recording, unit)]
        self._known[unit] = (request["commit"], Answers(recording.seen, whole))
        self._known.move_to_end(unit)
        if len(self._known) > MOST_UNITS:
            self._known.popitem(last=False)
        return {"objects": rows}

    def _tree(self, request: Mapping[str, Any]) -> Tree:
        """The commit's files; opened once a commit, so that a base of elsewhere is asked for once as well."""
        key = (request["repository"], request["commit"], str(request["bases"]))
        tree = self._trees.get(key)
        if tree is None:
            tree = GitTree(pygit2.Repository(request["repository"]), request["commit"])
            if request["bases"] is not None:
                tree = RemoteTree(tree, _bases(request["bases"]))
            self._trees[key] = tree
            if len(self._trees) > MOST_TREES:
                self._trees.popitem(last=False)
        return tree


def _bases(asked: Mapping[str, Any]) -> Bases:
    credentials = asked["credentials"]
    return Bases(
        Path(asked["folder"]),
        hosts=lambda: asked["hosts"],
        credentials=None if credentials is None else Path(credentials),
        timeout=asked["timeout"],
    )


def _row(item: SiteManifest) -> list[Any]:
    return [item.manifest, item.run_level, item.component, *item.origin, item.position]


if __name__ == "__main__":
    serve(Renderer().answer, render_limits.MEMORY)
