"""Paths with dots, as replacements, vars and value additions write them: `spec.containers.[name=web].image`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from render import yaml
from render.errors import KustomizationError
from render.kustomization.copying import deep_copy
from render.kustomization.draft import Trail
from render.kustomization.expressions import expression
from render.kustomization.fieldspec import split_path, wrong_kind
from render.kustomization.ids import text_of
from render.yaml.scalars import resolve

_POSITION = re.compile(r"[+]?[0-9]{1,18}", re.ASCII)


def split_field_path(path: str) -> list[str]:
    """The steps of a path; dots within brackets and after backslashes belong to a step."""
    steps: list[str] = []
    parts = iter(split_path(path, "."))
    for part in parts:
        if part.startswith("[") and not part.endswith("]"):
            bracketed = [part]
            for more in parts:
                bracketed.append(more)
                if more.endswith("]"):
                    break
            joined = ".".join(bracketed)
            steps.append(joined if "=" in joined else joined.strip("[]"))
        else:
            steps.append(part)
    return steps


def is_position(step: str) -> bool:
    """Whether a step is a position in a list."""
    return _POSITION.fullmatch(step) is not None


def is_condition(step: str) -> bool:
    """Whether a step chooses elements by a field: `[name=web]`."""
    return step.startswith("[") and step.endswith("]")


def split_condition(step: str) -> tuple[str, str]:
    """Field and value of a condition. Raises `KustomizationError` if it has no `=`."""
    name, equals, value = step[1:-1].partition("=")
    if not equals:
        raise KustomizationError("list path element must contain fieldName=fieldValue for element to match")
    return name, value


def look_up(node: Any, steps: Sequence[str]) -> Trail | None:
    """Where a path leads, None if nothing is there. Raises `KustomizationError` for what does not fit the form."""
    trail: list[str | int] = []
    for raw in steps:
        step = raw.strip()
        if not step:
            continue
        if node is None:
            return None
        key = _step(node, step)
        if key is None:
            return None
        trail.append(key)
        node = node[key]
    return tuple(trail)


def _step(node: Any, step: str) -> str | int | None:
    if step == "*":
        raise KustomizationError("wildcard is not supported in PathGetter")
    if step.startswith("-") and is_position(step[1:]) and int(step):
        raise KustomizationError(f"array index {int(step)} cannot be negative")
    if is_position(step) or step == "-" or is_condition(step):
        if not isinstance(node, list):
            raise KustomizationError(wrong_kind("SequenceNode", node))
        if is_condition(step):
            name, value = split_condition(step)
            return next((place for place, item in enumerate(node) if _equals(item, name, value)), None)
        place = len(node) - 1 if step == "-" else int(step)
        return place if 0 <= place < len(node) else None
    if not isinstance(node, dict):
        raise KustomizationError(wrong_kind("MappingNode", node))
    return step if step in node else None


def _equals(item: Any, name: str, value: str) -> bool:
    if not name:
        return text_of(item) == value
    return isinstance(item, dict) and name in item and text_of(item[name]) == value


class Place:
    """A field that can be set.

    `made_scalar` is true for one that was made just now to hold a scalar, `made_text` for one that a condition has made
    and filled; `lost` for one in a copy that nobody keeps.
    """

    def __init__(
        self,
        holder: Any,
        key: str | int,
        trail: Trail,
        *,
        made_scalar: bool = False,
        made_text: bool = False,
        lost: bool = False,
    ) -> None:
        self._holder = holder
        self._key = key
        self.trail = trail
        self.made_scalar = made_scalar
        self.made_text = made_text
        self.lost = lost

    @property
    def value(self) -> Any:
        """What is there now."""
        return self._holder[self._key]

    def set(self, value: Any) -> None:
        """Put a value there."""
        self._holder[self._key] = value


class _Finder:
    """Finds every field that a path with wildcards and conditions means."""

    def __init__(self, model: Any, *, create: bool) -> None:
        self._create = create
        self._model = model
        self._lost = False
        self._untyped: Trail | None = None
        """Where a condition has made the field of an element that it names: its text says what it is."""
        self.places: list[Place] = []

    def find(self, holder: Any, key: str | int, steps: Sequence[str], trail: Trail, made: bool = False) -> None:
        """Follow the steps below a field."""
        if not steps:
            untyped = trail == self._untyped
            self.places.append(Place(holder, key, trail, made_scalar=made, made_text=untyped, lost=self._lost))
            return
        step, rest = steps[0], steps[1:]
        node = holder[key]
        if is_position(step):
            self._at_position(node, step, rest, trail)
        elif is_condition(step):
            self._at_condition(node, step, rest, trail)
        elif step == "*":
            for place in range(len(_elements(node))):
                self.find(node, place, rest, (*trail, place))
        else:
            self._at_field(holder, key, step, rest, trail)

    def _at_field(self, holder: Any, key: str | int, step: str, rest: Sequence[str], trail: Trail) -> None:
        node = holder[key]
        if not step and self._create:
            raise KustomizationError("a field without a name cannot be made")
        if node is None and not self._create:
            return
        if node is None:
            node = {}  # what is made below a null gets lost
        if not isinstance(node, dict):
            raise KustomizationError(wrong_kind("MappingNode", node))
        made = False
        if step not in node:
            if not self._create:
                return
            node[step], made = self._new(rest)
        elif rest and isinstance(node[step], str):
            self._within_text(node[step], rest)
            return
        self.find(node, step, rest, (*trail, step), made)

    def _within_text(self, text: str, rest: Sequence[str]) -> None:
        """Kustomize looks for the rest of a path in a text that could not be changed, and changes nothing there."""
        documents = yaml.parse(text.encode("utf-8", "surrogatepass"), "")
        before, self._lost = self._lost, True
        self.find([deep_copy(documents[0]) if documents else None], 0, rest, ())
        self._lost = before

    def _at_position(self, node: Any, step: str, rest: Sequence[str], trail: Trail) -> None:
        elements, place, made = _elements(node), int(step), False
        if place == len(elements) and self._create:
            value, made = self._new(rest)
            elements.append(value)
        if place >= len(elements):
            raise KustomizationError(f"index {place} specified but only {len(elements)} elements found")
        self.find(elements, place, rest, (*trail, place), made)

    def _at_condition(self, node: Any, step: str, rest: Sequence[str], trail: Trail) -> None:
        name, pattern = split_condition(step)
        elements, before = _elements(node), len(self.places)
        wanted = expression(pattern)
        for made in (False, True):
            for place, item in enumerate(elements):
                found = item if not name else item.get(name) if isinstance(item, dict) else None
                if (name and (not isinstance(item, dict) or name not in item)) or isinstance(found, dict | list):
                    continue
                if wanted(text_of(found)):
                    if name:
                        self.find(elements, place, rest, (*trail, place))
                    else:
                        self.places.append(Place(elements, place, (*trail, place), made_text=made, lost=self._lost))
            if len(self.places) > before or not self._create:
                return
            value = resolve(pattern) if pattern else None
            elements.append({name: value} if name else value)
            self._untyped = (*trail, len(elements) - 1, name)

    def _new(self, rest: Sequence[str]) -> tuple[Any, bool]:
        """What to make where the path goes on with `rest`, and whether it is a scalar that waits for its value."""
        if rest:
            return ([] if is_condition(rest[0]) or is_position(rest[0]) else {}), False
        if isinstance(self._model, dict):
            return {}, False
        return ([], False) if isinstance(self._model, list) else (None, True)


def _elements(node: Any) -> list[Any]:
    if node is None:
        return []
    if not isinstance(node, list):
        raise KustomizationError(wrong_kind("SequenceNode", node))
    return node


def find_places(root: Any, steps: Sequence[str], model: Any, *, create: bool) -> list[Place]:
    """Every field that a path means; with `create`, missing ones are made to hold something like `model`.

    Raises `KustomizationError` where the path does not fit the form of what it goes through.
    """
    finder = _Finder(model, create=create)
    finder.find([root], 0, steps, ())
    return finder.places
