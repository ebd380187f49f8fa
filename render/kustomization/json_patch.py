"""JSON patches (RFC 6902) as Kustomize applies them.

A few operations, walked by hand: the library that would do it parses every pointer anew for every object, and words its
errors for programs. Kustomize's own habits kept here: negative positions count from the end, `replace` makes a missing
field of a mapping, and `test` for null agrees with a field that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from render.errors import KustomizationError, within
from render.kustomization.copying import deep_copy
from render.kustomization.limits import Budget

_POSITION = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)


class Operation(NamedTuple):
    """One step of a patch, its pointers split and unescaped."""

    name: str
    path: tuple[str, ...]
    pointer: str
    source: tuple[str, ...]
    value: Any


def parse_operations(document: Any) -> list[Operation]:
    """The operations of a parsed patch. Raises `KustomizationError` if it is none."""
    if document is None:
        return []
    if not isinstance(document, list):
        raise KustomizationError(
            f"json: cannot unmarshal {_json_type(document)} into Go value of type jsonpatch.Patch",
            hint="a JSON patch must be a list of operations",
        )
    return [_operation(entry) for entry in document]


def _json_type(value: Any) -> str:
    return {dict: "object", str: "string", bool: "bool"}.get(type(value), "number")


def _operation(entry: Any) -> Operation:
    if not isinstance(entry, dict):
        raise KustomizationError("each operation of a JSON patch must be a mapping")
    name, pointer, source = entry.get("op"), entry.get("path"), entry.get("from", "")
    return Operation(str(name), _split(pointer), str(pointer), _split(source), entry.get("value"))


def _split(pointer: Any) -> tuple[str, ...]:
    if not isinstance(pointer, str):
        return ()
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def apply(operations: Sequence[Operation], manifest: dict[str, Any], budget: Budget) -> None:
    """Change a manifest in place. Raises `KustomizationError` where an operation does not apply."""
    for place, operation in enumerate(operations):
        with within(place):
            carry_out = _OPERATIONS.get(operation.name)
            if carry_out is None:
                raise KustomizationError(
                    f"unexpected kind: {operation.name}", hint=f"an operation is one of {', '.join(_OPERATIONS)}"
                )
            if operation.name == "copy":
                budget.copied(_source(operation, manifest))
            carry_out(operation, manifest)


def _fails(operation: Operation, why: str) -> KustomizationError:
    return KustomizationError(f"{operation.name} operation does not apply: {why}")


def _parent(operation: Operation, path: tuple[str, ...], manifest: Any) -> Any:
    node = manifest
    for step in path[:-1]:
        node = _get(node, step)
    if not path or not isinstance(node, dict | list):
        raise _fails(operation, f'doc is missing path: "{operation.pointer}": missing value')
    return node


def _get(node: Any, step: str) -> Any:
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list):
        position = _position(step)
        if position is not None and -len(node) <= position < len(node):
            return node[position]
    return None


def _position(step: str) -> int | None:
    return int(step) if _POSITION.fullmatch(step) else None


def _index(operation: Operation, step: str, size: int) -> int:
    """A position in a list that may have `size` elements."""
    position = _position(step)
    if position is None or not -size <= position < size:
        raise _fails(operation, f"Unable to access invalid index: {step}: invalid index referenced")
    return position + size if position < 0 else position


def _add_at(operation: Operation, path: tuple[str, ...], value: Any, manifest: dict[str, Any]) -> None:
    parent = _parent(operation, path, manifest)
    step = path[-1]
    if isinstance(parent, dict):
        parent[step] = value
    elif step == "-":
        parent.append(value)
    else:
        parent.insert(_index(operation, step, len(parent) + 1), value)


def _take(operation: Operation, path: tuple[str, ...], manifest: dict[str, Any], *, remove: bool) -> Any:
    parent = _parent(operation, path, manifest)
    step = path[-1]
    if isinstance(parent, dict):
        if step not in parent:
            raise _fails(operation, f"Unable to remove nonexistent key: {step}: missing value")
        return parent.pop(step) if remove else parent[step]
    position = _index(operation, step, len(parent))
    return parent.pop(position) if remove else parent[position]


def _add(operation: Operation, manifest: dict[str, Any]) -> None:
    _add_at(operation, operation.path, deep_copy(operation.value), manifest)


def _remove(operation: Operation, manifest: dict[str, Any]) -> None:
    _take(operation, operation.path, manifest, remove=True)


def _replace(operation: Operation, manifest: dict[str, Any]) -> None:
    if not operation.path and isinstance(operation.value, dict):
        manifest.clear()
        manifest.update(deep_copy(operation.value))
        return
    parent = _parent(operation, operation.path, manifest)
    step = operation.path[-1]
    if isinstance(parent, dict):
        parent[step] = deep_copy(operation.value)
    else:
        parent[_index(operation, step, len(parent))] = deep_copy(operation.value)


def _move(operation: Operation, manifest: dict[str, Any]) -> None:
    value = _take(operation, operation.source, manifest, remove=True)
    _add_at(operation, operation.path, value, manifest)


def _source(operation: Operation, manifest: dict[str, Any]) -> Any:
    """What a copy takes; what is not there counts as null."""
    parent = _parent(operation, operation.source, manifest)
    if isinstance(parent, dict):
        return parent.get(operation.source[-1])
    return _take(operation, operation.source, manifest, remove=False)


def _copy(operation: Operation, manifest: dict[str, Any]) -> None:
    value = deep_copy(_source(operation, manifest))
    _add_at(operation, operation.path, value, manifest)


def _test(operation: Operation, manifest: dict[str, Any]) -> None:
    parent = _parent(operation, operation.path, manifest)
    if isinstance(parent, list):
        _index(operation, operation.path[-1], len(parent))
    found = _get(parent, operation.path[-1])
    if found != operation.value or (type(found) is bool) != (type(operation.value) is bool):
        raise KustomizationError(f"testing value {operation.pointer} failed: test failed")


_OPERATIONS: dict[str, Callable[[Operation, dict[str, Any]], None]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}
