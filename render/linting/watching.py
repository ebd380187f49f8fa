"""Sees builds from inside and remembers what the rules need: kustomizations, what was meant, what came out.

Kustomizations may be built many times (a base of several overlays): an entry counts as doing something if it did so
once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from render import yaml
from render.errors import InputError
from render.kustomization.observer import Observer
from render.linting.finding import Finding

if TYPE_CHECKING:
    from render.kustomization.accumulate import Accumulator
    from render.kustomization.draft import Draft
    from render.kustomization.fields import Trail
    from render.kustomization.layer import Layer
    from render.linting.rules import End, Watch
    from render.tree import Tree


class Watcher(Observer):
    """Asks the watching rules at each step, and keeps kustomizations and results for the others."""

    def __init__(self, tree: Tree, watches: dict[str, tuple[Watch, ...]], steps: dict[str, tuple[End, ...]]) -> None:
        self.tree = tree
        self.layers: dict[str, Layer] = {}
        self.results: list[list[Draft]] = []
        self.complete: set[str] = set()
        """The kustomizations of builds that came to their end."""
        self._begun: list[str] = []
        self._watches = watches
        self._steps = steps
        self._gathered: dict[int, tuple[Layer, Accumulator]] = {}
        self._found: dict[tuple[str, Trail, str], Finding | None] = {}
        self._last: list[Draft] = []

    @property
    def findings(self) -> Iterable[Finding]:
        """What the watching rules found, of what never did anything."""
        return (finding for finding in self._found.values() if finding is not None)

    def begins(self, layer: Layer, accumulator: Accumulator) -> None:
        """Keep the kustomization, and where it gathers."""
        self.layers.setdefault(layer.path, layer)
        self._begun.append(layer.path)
        self._gathered[id(layer)] = (layer, accumulator)

    def before(self, layer: Layer, trail: Trail) -> None:
        """Ask the rules that watch the field."""
        known = self._gathered.get(id(layer))
        if known is None:
            return
        for watch in self._watches.get(str(trail[0]), ()):
            for place, rule, told in watch(layer, trail, known[1]):
                self._note(layer.path, place, rule, told)

    def finished(self, step: str, accumulator: Accumulator) -> None:
        """Ask the rules for the step, and keep what comes out."""
        for ask in self._steps.get(step, ()):
            for path, (place, rule, told) in ask(accumulator):
                self._note(path, place, rule, told)
        self._last = accumulator.drafts

    def built(self) -> None:
        """A build has come to its end."""
        self.results.append(self._last)
        self.complete.update(self._begun)
        self._begun.clear()

    def failed(self) -> None:
        """A build has failed."""
        self._begun.clear()

    def at(self, path: str, document: int, trail: Iterable[str | int]) -> tuple[int, int]:
        """Where a field stands; the top of the file if that cannot be told."""
        try:
            return yaml.position(self.tree.read(path), path, document, list(trail))
        except InputError:
            return 1, 1

    def finding(
        self, path: str, trail: Iterable[str | int], rule: str, told: tuple[str, str], document: int = 0
    ) -> Finding:
        """A finding at a field of a file."""
        return Finding(path, *self.at(path, document, trail), rule, *told)

    def raw(self, layer: Layer) -> dict[str, Any]:
        """A kustomization's fields as they are written."""
        document = yaml.parse_kustomization(self.tree.read(layer.path), layer.path)
        return document if isinstance(document, dict) else {}

    def _note(self, path: str, place: Trail, rule: str, told: tuple[str, str] | None) -> None:
        key = (path, place, rule)
        if told is None:
            self._found[key] = None
        elif key not in self._found:
            self._found[key] = self.finding(path, place, rule, told)
