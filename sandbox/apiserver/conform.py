"""Making an object fit its schema: unknown fields dropped, defaults filled in, the rest checked.

Nothing here changes its arguments; a value that already fits is returned as it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sandbox.apiserver.problems import cause, shown
from sandbox.apiserver.schema import Node


def prune(node: Node, value: Any, path: str, unknown: list[str], *, merged: bool = False) -> Any:
    """The value without fields that the schema does not know, whose paths go to `unknown`.

    Nulls that the schema does not allow are taken for absent. In what an apply merged they stay (and are refused
    later) unless there is a default, but for the types of built-in kinds, whose decoder does not know them.
    """
    if isinstance(value, dict) and node.shape == "map":
        kept = {}
        for name, child in value.items():
            below = node.field(name)
            place = f"{path}.{name}" if path else name
            if below is None:
                unknown.append(place)
            elif child is None and _absent(below, merged=merged):
                continue
            else:
                kept[name] = prune(below, child, place, unknown, merged=merged)
        return kept
    if isinstance(value, list) and node.shape == "list":
        items = enumerate(value)
        return [prune(node.item, item, f"{path}[{index}]", unknown, merged=merged) for index, item in items]
    return value


def _absent(node: Node, *, merged: bool) -> bool:
    if node.shape in ("any", "opaque"):
        return False
    return node.builtin or (not node.nullable and (not merged or node.default is not None))


def fill(node: Node, value: Any) -> Any:
    """The value with the schema's defaults where a field is absent."""
    if isinstance(value, dict) and node.shape == "map":
        filled = value
        for name in node.field_names():
            below = node.field(name)
            if below is None or below.shape in ("any", "opaque"):
                default = below.default if below else None
                if default is not None and name not in value:
                    filled = {**filled, name: default}
                continue
            if name in value:
                child = fill(below, value[name])
            elif below.default is not None and (below.shape != "scalar" or below.default != {}):
                child = fill(below, below.default)
            else:
                continue
            if child is not value.get(name):
                filled = {**filled, name: child}
        if node.rest is not None and node.rest.shape != "any":
            for name in value:
                if not node.known(name) and (child := fill(node.rest, value[name])) is not value[name]:
                    filled = {**filled, name: child}
        return filled
    if isinstance(value, list) and node.shape == "list":
        items = [fill(node.item, item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
}


def fits(kind: str, value: Any) -> bool:
    """Whether a scalar has a JSON type."""
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    if kind == "integer" and isinstance(value, float):
        return math.isfinite(value) and value == int(value)
    return isinstance(value, _PYTHON_TYPES.get(kind, ()))


def _type_of(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return "null" if value is None else names[type(value)]


def wrong_types(node: Node, value: Any, path: str, found: list[tuple[str, str, str]]) -> None:
    """Places whose JSON type does not fit: (path, expected, found). What a typed decoder would refuse."""
    if node.shape in ("any", "opaque") or value is None:
        return
    if node.shape == "map":
        if not isinstance(value, dict):
            found.append((path, "object", _type_of(value)))
            return
        for name, child in value.items():
            below = node.field(name)
            if below is not None:
                wrong_types(below, child, f"{path}.{name}" if path else name, found)
    elif node.shape == "list":
        if not isinstance(value, list):
            found.append((path, "array", _type_of(value)))
            return
        for index, item in enumerate(value):
            wrong_types(node.item, item, f"{path}[{index}]", found)
    elif node.types and not any(fits(kind, value) for kind in node.types):
        found.append((path, " or ".join(node.types), _type_of(value)))


def missing(node: Node, value: Any, path: str, found: list[dict[str, str]]) -> None:
    """Required fields that are absent."""
    if isinstance(value, dict) and node.shape == "map":
        found += [
            cause("FieldValueRequired", "Required value", f"{path}.{name}" if path else name)
            for name in node.required
            if name not in value
        ]
        for name, child in value.items():
            below = node.field(name)
            if below is not None:
                missing(below, child, f"{path}.{name}" if path else name, found)
    elif isinstance(value, list) and node.shape == "list":
        for index, item in enumerate(value):
            missing(node.item, item, f"{path}[{index}]", found)


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _bound(raw: Mapping[str, Any], value: float, path: str) -> list[str]:
    found = []
    if "minimum" in raw:
        low, strict = raw["minimum"], raw.get("exclusiveMinimum")
        if value < low or (strict and value == low):
            found.append(f"{path} in body should be greater than {'' if strict else 'or equal to '}{low}")
    if "maximum" in raw:
        high, strict = raw["maximum"], raw.get("exclusiveMaximum")
        if value > high or (strict and value == high):
            found.append(f"{path} in body should be less than {'' if strict else 'or equal to '}{high}")
    if raw.get("multipleOf") and value % raw["multipleOf"]:
        found.append(f"{path} in body should be a multiple of {raw['multipleOf']}")
    return found


def _length(raw: Mapping[str, Any], value: Any, path: str) -> list[str]:
    words: dict[type, tuple[str, str]] = {
        str: ("Length", "chars long"),
        list: ("Items", "items"),
        dict: ("Properties", "properties"),
    }
    suffix, noun = words[type(value)]
    found = []
    if len(value) < raw.get(f"min{suffix}", 0):
        found.append(f"{path} in body should be at least {raw[f'min{suffix}']} {noun}")
    return found


def _too_long(raw: Mapping[str, Any], value: Any, path: str) -> list[dict[str, str]]:
    if isinstance(value, str) and len(value) > raw.get("maxLength", math.inf):
        return [cause("FieldValueTooLong", f"Too long: may not be more than {raw['maxLength']} bytes", path)]
    most = raw.get("maxItems" if isinstance(value, list) else "maxProperties", math.inf)
    if not isinstance(value, str) and len(value) > most:
        return [cause("FieldValueTooMany", f"Too many: {len(value)}: must have at most {most} items", path)]
    return []


def _values(raw: Mapping[str, Any], value: Any, path: str) -> list[dict[str, str]]:
    """The checks of one value by itself: enumeration, bounds, lengths, pattern."""
    text_of = shown(value)
    found: list[dict[str, str]] = []
    if "enum" in raw and value not in raw["enum"]:
        allowed = ", ".join(shown(one) for one in raw["enum"])
        found.append(
            cause("FieldValueNotSupported", f"Unsupported value: {text_of}: supported values: {allowed}", path)
        )
    texts: list[str] = []
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        texts += _bound(raw, value, path)
    if isinstance(value, (str, list, dict)):
        found += _too_long(raw, value, path)
        texts += _length(raw, value, path)
    if isinstance(value, str) and "pattern" in raw and not _pattern(raw["pattern"]).search(value):
        texts.append(f"{path} in body should match '{raw['pattern']}'")
    if isinstance(value, list) and (raw.get("uniqueItems") or raw.get("x-kubernetes-list-type") == "set"):
        seen: list[Any] = []
        for index, item in enumerate(value):
            if item in seen:
                found.append(cause("FieldValueDuplicate", f"Duplicate value: {shown(item)}", f"{path}[{index}]"))
            seen.append(item)
    return found + [cause("FieldValueInvalid", f"Invalid value: {text_of}: {text}", path) for text in texts]


def validate(raw: Mapping[str, Any], value: Any, path: str) -> list[dict[str, str]]:
    """Check a value against an OpenAPI schema as CRDs use it; the causes, empty if it fits."""
    if value is None:
        if raw.get("nullable") or "type" not in raw:
            return []
        text = f'Invalid value: "null": {path} in body must be of type {raw["type"]}: "null"'
        return [cause("FieldValueTypeInvalid", text, path)]
    kind = raw.get("type")
    if raw.get("x-kubernetes-int-or-string"):
        if not (fits("integer", value) or isinstance(value, str)):
            text = f"Invalid value: {shown(_type_of(value))}: {path} in body must be of type int-or-string"
            return [cause("FieldValueTypeInvalid", text, path)]
    elif kind and not (fits(kind, value) if kind in _PYTHON_TYPES else kind == _type_of(value)):
        text = f'Invalid value: {shown(_type_of(value))}: {path} in body must be of type {kind}: "{_type_of(value)}"'
        return [cause("FieldValueTypeInvalid", text, path)]
    found = _values(raw, value, path)
    if isinstance(value, dict):
        properties = raw.get("properties", {})
        further = raw.get("additionalProperties")
        place = f"{path}." if path else ""
        found += [
            cause("FieldValueRequired", "Required value", f"{place}{name}")
            for name in raw.get("required", ())
            if name not in value
        ]
        for name, child in value.items():
            below = properties.get(name, further)
            if isinstance(below, Mapping):
                found += validate(below, child, f"{place}{name}")
    if isinstance(value, list) and isinstance(raw.get("items"), Mapping):
        for index, item in enumerate(value):
            found += validate(raw["items"], item, f"{path}[{index}]")
    return found + _combined(raw, value, path) + _keys(raw, value, path)


def _keys(raw: Mapping[str, Any], value: Any, path: str) -> list[dict[str, str]]:
    """Two items of a keyed list may not have the same key."""
    found: list[dict[str, str]] = []
    if isinstance(value, list) and raw.get("x-kubernetes-list-type") == "map":
        seen: set[str] = set()
        names = raw.get("x-kubernetes-list-map-keys", ())
        for index, item in enumerate(value):
            key = shown({name: item.get(name) for name in names}) if isinstance(item, dict) else ""
            if key and key in seen:
                found.append(cause("FieldValueDuplicate", f"Duplicate value: {key}", f"{path}[{index}]"))
            seen.add(key)
    return found


AT_LEAST_ONE, EXACTLY_ONE = range(1, 10_000), range(1, 2)


def _combined(raw: Mapping[str, Any], value: Any, path: str) -> list[dict[str, str]]:
    """allOf, anyOf, oneOf and not; their own properties and requirements are value checks in structural schemas."""
    found: list[dict[str, str]] = []
    for one in raw.get("allOf", ()):
        found += validate(one, value, path)
    for word, fit in (("anyOf", AT_LEAST_ONE), ("oneOf", EXACTLY_ONE)):
        if word in raw and not raw.get("x-kubernetes-int-or-string"):
            count = sum(not validate(one, value, path) for one in raw[word])
            if count not in fit:
                text = f"must validate {'at least' if word == 'anyOf' else 'one and only'} one schema ({word})"
                found.append(cause("FieldValueInvalid", f'Invalid value: "": "{path}" {text}', path))
    if "not" in raw and not validate(raw["not"], value, path):
        found.append(
            cause("FieldValueInvalid", f'Invalid value: "": "{path}" must not validate the schema (not)', path)
        )
    return found
