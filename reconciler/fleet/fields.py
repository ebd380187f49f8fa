"""Has an object a field that its kind does not know, or a value of the wrong type? The API server would refuse it.

Known are Kubernetes' built-in kinds, and custom kinds whose CustomResourceDefinitions are among the site's objects.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import schemas
from reconciler.objects import Manifest

Schema = Mapping[str, Any]
Path = tuple[str | int, ...]

METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
EMBEDDED: Schema = {"apiVersion": {}, "kind": {}, "metadata": {"$ref": METADATA}}
"""What every object has beside the fields of its kind."""

TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "object": ((dict,), "a mapping of fields"),
    "array": ((list,), "a list"),
    "string": ((str,), "text"),
    "integer": ((int, float), "a number"),
    "number": ((int, float), "a number"),
    "boolean": ((bool,), "true or false"),
}
"""OpenAPI's type: Python's types, and what to call it."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """A field that the API server would refuse: where it is, what is wrong, and what to do."""

    field: Path
    message: str
    hint: str | None = None


def custom_schemas(manifests: Iterable[Manifest]) -> dict[tuple[str, str], Schema]:
    """The schemas that CustomResourceDefinitions give, by `apiVersion` and kind."""
    found: dict[tuple[str, str], Schema] = {}
    for manifest in manifests:
        if manifest["kind"] != "CustomResourceDefinition" or misfits(manifest, {}):
            continue
        spec = manifest.get("spec", {})
        for version in spec.get("versions", ()):
            schema = version.get("schema", {}).get("openAPIV3Schema", {})
            if schema.get("properties") and not _is_open(schema):
                whole = {**schema, "properties": {**schema["properties"], **EMBEDDED}}
                found[f"{spec.get('group')}/{version.get('name')}", spec.get("names", {}).get("kind")] = whole
    return found


def misfits(manifest: Manifest, custom: Mapping[tuple[str, str], Schema]) -> list[Misfit]:
    """Everything that the API server would refuse; empty for a kind that is not known here."""
    api_version, kind = manifest["apiVersion"], manifest["kind"]
    name = _kubernetes()["kinds"].get(f"{api_version} {kind}")
    schema = custom.get((api_version, kind)) if name is None else {"$ref": name}
    return [] if schema is None else list(_walk(schema, manifest, ()))


@cache
def _kubernetes() -> Mapping[str, Any]:
    return schemas.kubernetes()


def _walk(schema: Schema, value: Any, path: Path) -> Iterator[Misfit]:
    if "$ref" in schema:
        schema = _kubernetes()["definitions"][schema["$ref"]]
    if value is None or "oneOf" in schema or schema.get("x-kubernetes-int-or-string"):
        return
    types, wanted = TYPES.get(str(schema.get("type")), ((object,), ""))
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types and object not in types):
        yield Misfit(path, f"{_text(path)} is {_shown(value)}, expected {wanted}")
    elif isinstance(value, Mapping):
        yield from _fields(schema, value, path)
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for index, item in enumerate(value):
            yield from _walk(schema["items"], item, (*path, index))


def _fields(schema: Schema, value: Mapping[str, Any], path: Path) -> Iterator[Misfit]:
    known: Mapping[str, Any] = schema.get("properties", {})
    if schema.get("x-kubernetes-embedded-resource"):
        known = {**known, **EMBEDDED}
    further = schema.get("additionalProperties")
    for name, child in value.items():
        if name in known:
            yield from _walk(known[name], child, (*path, name))
        elif isinstance(further, Mapping):
            yield from _walk(further, child, (*path, name))
        elif known and not further and not _is_open(schema):
            near = difflib.get_close_matches(str(name), known, n=1)
            where = f" in {_text(path)}" if path else ""
            hint = f'did you mean "{near[0]}"?' if near else "the API server refuses fields that it does not know"
            yield Misfit((*path, name), f'unknown field "{name}"{where}', hint)


def _is_open(schema: Schema) -> bool:
    return bool(schema.get("x-kubernetes-preserve-unknown-fields"))


def _text(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 else "text"
    return "a mapping" if isinstance(value, Mapping) else "a list" if isinstance(value, list) else str(value)
