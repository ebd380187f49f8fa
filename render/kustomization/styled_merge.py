"""A strategic merge of styles: the merge itself, of values that carry how they are written.

Which element of a list goes where is the merge's business alone, so it is asked again with values that remember their
style; what comes out says how each value of the merged object is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from render.kustomization.elements import MISSING
from render.kustomization.merge import Merger, Null
from render.kustomization.written import Trail, Written
from render.yaml.written import Scalar

if TYPE_CHECKING:
    from render.kustomization.draft import Draft


class _Text(str):
    how: Scalar


class _Integer(int):
    how: Scalar


class _Float(float):
    how: Scalar


class _Boolean:
    how: Scalar

    def __init__(self, value: bool) -> None:
        self.value = value


class _Mapping(dict[str, Any]):
    """A mapping in brackets."""


class _List(list[Any]):
    """A list in brackets."""


_CARRIERS: dict[type, Any] = {
    str: _Text,
    int: _Integer,
    float: _Float,
    bool: _Boolean,
    type(None): lambda _: Null(),
}


def merge_styles(draft: Draft, before: Any, written: Written, writer: Draft, patch: Any) -> Written:
    """How an object is written after a merge, from how it and the patch were."""
    target = _carried(before, (), written)
    laid = _carried(patch, (), writer.styles.written())
    found: Written = {}
    _collect(_StyleMerger(draft, writer).walk(target, laid, None), (), found)
    return found


def _carried(node: Any, trail: Trail, written: Written) -> Any:
    """A copy whose values carry how they are written."""
    if isinstance(node, dict):
        kind = _Mapping if written.get(trail, ...) is None else dict
        return kind((key, _carried(item, (*trail, key), written)) for key, item in node.items())
    if isinstance(node, list):
        items = (_carried(item, (*trail, place), written) for place, item in enumerate(node))
        return _List(items) if written.get(trail, ...) is None else list(items)
    how = written.get(trail)
    return node if how is None else _carrier(node, how)


def _carrier(value: Any, how: Scalar) -> Any:
    from render.kustomization.styles import plain, stands_for

    carrier = _CARRIERS[type(value)](value)
    carrier.how = how if stands_for(how, value) else plain(value)._replace(style=how.style, is_tagged=how.is_tagged)
    return carrier


def _collect(node: Any, trail: Trail, found: Written) -> None:
    if isinstance(node, dict | list):
        if isinstance(node, _Mapping | _List):
            found[trail] = None
        for step, item in node.items() if isinstance(node, dict) else enumerate(node):
            _collect(item, (*trail, step), found)
    elif hasattr(node, "how"):
        found[trail] = node.how


class _StyleMerger(Merger):
    """What replaces a value takes its style; an empty collection takes that of what is put into it."""

    def walk(self, dest: Any, origin: Any, schema: Any) -> Any:
        """The merge, with the style of collections."""
        styled = origin if not dest and isinstance(origin, dict | list) else dest
        result = super().walk(dest, origin, schema)
        if styled is MISSING or not isinstance(result, dict | list) or not isinstance(styled, dict | list):
            return result
        in_brackets = isinstance(styled, _Mapping | _List)
        if in_brackets is isinstance(result, _Mapping | _List):
            return result
        if isinstance(result, dict):
            return _Mapping(result) if in_brackets else dict(result)
        return _List(result) if in_brackets else list(result)

    def scalar(self, dest: Any, origin: Any) -> Any:
        """The patch's value in the style of the object's."""
        from render.kustomization.styles import plain

        if origin is None or isinstance(origin, Null):
            return None
        if dest is origin:
            return origin
        value = origin.value if isinstance(origin, _Boolean) else origin
        how = getattr(origin, "how", None) or plain(value)
        kept = getattr(dest, "how", None)
        if kept is None and dest is not MISSING and dest is not None:
            kept = plain(dest)
        if kept is not None:
            how = how._replace(style=kept.style, is_tagged=kept.is_tagged)
        return _carrier(_plain_value(value), how)


def _plain_value(value: Any) -> Any:
    return next((kind(value) for kind in (bool, int, float, str) if isinstance(value, kind)), value)
