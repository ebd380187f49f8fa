"""Field specs: which field of which kinds, and the one walker that finds them in a manifest.

A path goes through lists without naming positions: `spec/containers/image` is the image of every container.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from render.errors import KustomizationError
from render.kustomization.draft import Draft, Trail
from render.kustomization.ids import Gvk, gvk_text, selects
from render.kustomization.tables.order import KIND_RANK

_ANNOTATIONS: Trail = ("metadata", "annotations")
_BLANK = " "
_NO_FIELD = re.compile(r"| |[+-]?[0-9]{1,18}|-|\*|\[.*\]", re.ASCII | re.DOTALL)
"""Steps that Kustomize takes for elements of lists or for nothing at all."""


class FieldSpec(NamedTuple):
    """A field of the kinds that `gvk` selects; `create` makes it where it is missing."""

    gvk: Gvk
    path: str
    create: bool = False


class FieldError(KustomizationError):
    """A path leads through a value that is neither mapping nor list."""


def split_path(path: str, delimiter: str = "/") -> list[str]:
    r"""The steps of a path; a backslash before the delimiter keeps it as part of a step."""
    parts = path.split(delimiter)
    if len(parts) > 1 and parts[0] == "":
        parts = parts[1:]
    steps = [parts[0]]
    for part in parts[1:]:
        if steps[-1].endswith("\\"):
            steps[-1] = steps[-1][:-1] + delimiter + part
        else:
            steps.append(part)
    return steps


class Step(NamedTuple):
    """One step of a field spec's path."""

    name: str
    is_list: bool
    """Whether the path says that the field is a list."""
    is_field: bool
    """Whether a mapping may have such a field."""


@lru_cache(4096)
def steps_of(path: str) -> tuple[Step, ...]:
    """The steps of a field spec's path."""
    return tuple(map(_step, split_path(path)))


def _step(written: str) -> Step:
    name = written.removesuffix("[]")
    name = name and (name.strip() or _BLANK)
    return Step(name, written.endswith("[]"), _NO_FIELD.fullmatch(name) is None)


def sort_key(gvk: Gvk) -> tuple[int, str]:
    """Kustomize's order of kinds: what others need comes first."""
    group, version, kind = gvk
    return KIND_RANK.get(kind, 0), f"{group or '~G'}_{version or '~V'}_{kind or '~K'}"


def merge_specs(specs: Sequence[FieldSpec], more: Iterable[FieldSpec]) -> list[FieldSpec]:
    """`specs` with those of `more` that they do not cover yet. Raises if they disagree about creating a field."""
    result = list(specs)
    for spec in more:
        known = next((old for old in result if old.path == spec.path and selects(spec.gvk, old.gvk)), None)
        if known is None:
            result.append(spec)
        elif known.create != spec.create:
            raise KustomizationError(
                "conflicting fieldspecs",
                hint=f"{gvk_text(spec.gvk)} {spec.path} is given once with create: true and once without",
            )
    return result


def find(draft: Draft, spec: FieldSpec, *, create: bool = False) -> list[Trail]:
    """Where the field is (or, with `create`, would be made) in an object of the right kind; nulls count as there."""
    found: list[Trail] = []
    emptied: list[tuple[Trail, Any]] = []
    try:
        _walk(draft, draft.content, steps_of(spec.path), 0, create and spec.create, [], found, emptied)
    except FieldError as error:
        raise KustomizationError(f"considering field '{spec.path}' of object {draft.text}: {error.message}") from error
    for trail, empty in emptied:
        draft.set(trail, empty)
    return found


def _walk(
    draft: Draft,
    node: Any,
    steps: tuple[Step, ...],
    at: int,
    create: bool,
    trail: list[str | int],
    found: list[Trail],
    emptied: list[tuple[Trail, Any]],
) -> None:
    """Collects where the path leads, and what stays empty on the way.

    A null that the path takes for a list becomes one; a mapping that is made stays although the path then ends, and
    what could be made counts as null where nothing stands.
    """
    if at == len(steps):
        found.append(tuple(trail))
    elif node is None:
        return
    elif at + 1 == len(steps) and trail == ["metadata"] and steps[at].name == "annotations" and draft.has_memory:
        found.append(_ANNOTATIONS)  # they are there: Kustomize keeps what it remembers among them
    elif isinstance(node, list):
        for position, element in enumerate(node):
            trail.append(position)
            _walk(draft, element, steps, at, create, trail, found, emptied)
            trail.pop()
    elif isinstance(node, dict):
        name, is_list, is_field = steps[at]
        if name == _BLANK:
            _walk(draft, node, steps, at + 1, create, trail, found, emptied)
            return
        if not is_field:
            raise _no_field(name, node)
        makes, made, before = create and not is_list, False, (len(found), len(emptied))
        child = node.get(name)
        if child == "" and draft.styles.is_empty((*trail, name)):
            child = None  # inside {}, where nothing stands is printed as a text and yet is a null
            if makes:
                emptied.append(((*trail, name), None))
        if child is None and makes and at + 1 < len(steps):
            child, made = {}, True
        elif child is None and name not in node and not makes:
            return
        trail.append(name)
        if is_list and child is None:
            emptied.append((tuple(trail), []))
        _walk(draft, child, steps, at + 1, create, trail, found, emptied)
        if made and (len(found), len(emptied)) == before:
            emptied.append((tuple(trail), {}))
        trail.pop()
    else:
        raise FieldError("expected sequence or mapping node")


def _no_field(name: str, node: Any) -> FieldError:
    """A mapping has no field for an empty step, nor for one that Kustomize takes for a place in a list."""
    if not name:
        return FieldError("cannot set or create an empty field name")
    return FieldError(f"fieldName: {name}: {wrong_kind('SequenceNode', node)}")


def value_at(node: Any, trail: Trail) -> Any:
    """The value at a trail, None where it leads nowhere."""
    for step in trail:
        if isinstance(node, dict):
            node = node.get(step)
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            return None
    return node


def held_at(draft: Draft, trail: Trail) -> Any:
    """The value at a trail; annotations in which Kustomize keeps what it remembers are a mapping."""
    value = value_at(draft.content, trail)
    return {} if value is None and trail == _ANNOTATIONS and draft.has_memory else value


def is_there(node: Any, trail: Trail) -> bool:
    """Whether the mapping at the trail's end has its last step, be it null."""
    holder = value_at(node, trail[:-1])
    return isinstance(holder, list) or (isinstance(holder, dict) and trail[-1] in holder)


class SpecsByKind:
    """Field specs with those of each kind found once, however many objects ask."""

    def __init__(self, specs: Sequence[FieldSpec]) -> None:
        self.specs = tuple(specs)
        self._by_kind: dict[Gvk, tuple[FieldSpec, ...]] = {}

    def of(self, gvk: Gvk) -> tuple[FieldSpec, ...]:
        """The specs that select the kind, in order."""
        found = self._by_kind.get(gvk)
        if found is None:
            found = self._by_kind[gvk] = tuple(spec for spec in self.specs if selects(spec.gvk, gvk))
        return found


def wrong_kind(wanted: str, value: Any) -> str:
    """The message for a value of the wrong form."""
    return f"wrong node kind: expected {wanted} but got {node_kind(value)}"


def node_kind(value: Any) -> str:
    """How messages call a value's form."""
    if isinstance(value, dict):
        return "MappingNode"
    return "SequenceNode" if isinstance(value, list) else "ScalarNode"
