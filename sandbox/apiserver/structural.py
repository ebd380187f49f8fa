"""What Kubernetes asks of a CustomResourceDefinition's schema: types everywhere, and list keys that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.apiserver.problems import cause
from sandbox.apiserver.rules import schemas

PRESERVE = "x-kubernetes-preserve-unknown-fields"
FORBIDDEN = ("$ref", "definitions", "dependencies", "patternProperties", "id", "additionalItems", "deprecated")
"""Words of JSON Schema that structural schemas do not have."""


def check(root: Mapping[str, Any], path: str) -> Iterator[dict[str, str]]:
    """What is wrong with a schema."""
    if root and root.get("type") != "object":
        yield cause("FieldValueRequired", "must be object at the root", f"{path}.type")
    for place, schema in schemas(root, path):
        if not (schema.get("type") or schema.get("x-kubernetes-int-or-string") or schema.get(PRESERVE)):
            text = "Required value: must not be empty for specified object fields"
            yield cause("FieldValueRequired", text, f"{place}.type")
        for word in FORBIDDEN:
            if word in schema:
                yield cause("FieldValueForbidden", f"Forbidden: {word} is not supported", f"{place}.{word}")
        if schema.get("type") == "array":
            yield from _array(schema, place)


def _array(schema: Mapping[str, Any], place: str) -> Iterator[dict[str, str]]:
    if not isinstance(schema.get("items"), Mapping):
        yield cause("FieldValueRequired", "Required value: must be specified", f"{place}.items")
        return
    keys = schema.get("x-kubernetes-list-map-keys")
    if schema.get("x-kubernetes-list-type") == "map" and not keys:
        text = "Required value: must not be empty if x-kubernetes-list-type is map"
        yield cause("FieldValueRequired", text, f"{place}.x-kubernetes-list-map-keys")
    items = schema["items"]
    for key in keys or ():
        field = items.get("properties", {}).get(key)
        if field is None:
            text = f'Invalid value: "{key}": entries must all be names of item properties'
            yield cause("FieldValueInvalid", text, f"{place}.x-kubernetes-list-map-keys")
        elif key not in items.get("required", ()) and "default" not in field:
            text = (
                "Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a "
                "required property"
            )
            yield cause("FieldValueRequired", text, f"{place}.items.properties[{key}].default")
