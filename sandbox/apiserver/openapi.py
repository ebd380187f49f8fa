"""OpenAPI v3 as far as kubectl needs it: which resources take which parameters, and the schemas of their kinds."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.apiserver.kinds import Kind, kubernetes_schemas
from sandbox.apiserver.problems import no_resource, not_implemented
from sandbox.apiserver.registry import Registry
from sandbox.apiserver.requests import Request
from sandbox.apiserver.schemas_from_kubernetes import PREFIX, references
from sandbox.apiserver.store import encode
from sandbox.apiserver.wire import Response

METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation")
]


def answer(registry: Registry, request: Request) -> Response | None:
    """The document of a path; None if the path is no part of OpenAPI."""
    if request.path.startswith("/openapi/v2"):
        raise not_implemented("/openapi/v2 (use /openapi/v3)")
    if request.path == "/openapi/v3":
        places = sorted({_place(kind) for kind in registry})
        body = encode({"paths": {place: {"serverRelativeURL": _url(registry, place)} for place in places}})
        return Response(200, body)
    if not request.path.startswith("/openapi/v3/"):
        return None
    place = request.path.removeprefix("/openapi/v3/")
    kinds = [kind for kind in registry if _place(kind) == place]
    if not kinds:
        raise no_resource()
    return Response(200, encode(_document(kinds)))


def _place(kind: Kind) -> str:
    return f"apis/{kind.group}/{kind.version}" if kind.group else f"api/{kind.version}"


def _url(registry: Registry, place: str) -> str:
    """The document's address, with a mark that changes when its content does."""
    shapes = [repr((kind.plural, kind.raw_schema)) for kind in registry if _place(kind) == place]
    digest = hashlib.sha256("".join(shapes).encode()).hexdigest()[:32].upper()
    return f"/openapi/v3/{place}?hash={digest}"


def _document(kinds: list[Kind]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for kind in kinds:
        name = _schema_name(kind)
        schemas[name] = _schema(kind)
        gvk = {"group": kind.group, "version": kind.version, "kind": kind.kind}
        middle = "/namespaces/{namespace}" if kind.namespaced else ""
        base = f"/{_place(kind)}{middle}/{kind.plural}"
        content = {"application/json": {"schema": {"$ref": PREFIX + name}}}
        operation = {
            "parameters": PARAMETERS,
            "x-kubernetes-group-version-kind": gvk,
            "responses": {"200": {"description": "OK", "content": content}},
        }
        paths[base] = {"post": {**operation, "x-kubernetes-action": "post"}}
        one = {
            "put": {**operation, "x-kubernetes-action": "put"},
            "patch": {**operation, "x-kubernetes-action": "patch"},
        }
        paths[base + "/{name}"] = one | {"get": {**operation, "parameters": []}}
    definitions = kubernetes_schemas()["definitions"]
    waiting = set().union(*(references(_raw(kind)) for kind in kinds)) | {METADATA}
    while waiting:
        name = waiting.pop()
        if name not in schemas:
            schemas[name] = _published(definitions[name])
            waiting |= references(definitions[name])
    info = {"title": "Kubernetes (sandbox)", "version": "v1.34.4"}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def _schema_name(kind: Kind) -> str:
    if not kind.custom:
        name: str = kubernetes_schemas()["kinds"][f"{kind.api_version} {kind.kind}"]
        return name
    return ".".join([*reversed(kind.group.split(".")), kind.version, kind.kind])


def _raw(kind: Kind) -> dict[str, Any]:
    return {} if kind.custom else kubernetes_schemas()["definitions"][_schema_name(kind)]


def _schema(kind: Kind) -> dict[str, Any]:
    gvk = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    if not kind.custom:
        return {**_published(_raw(kind)), "x-kubernetes-group-version-kind": [gvk]}
    text = {"type": "string"}
    own = {"apiVersion": text, "kind": text, "metadata": {"allOf": [{"$ref": PREFIX + METADATA}]}}
    properties = {**kind.raw_schema.get("properties", {}), **own}
    return {**kind.raw_schema, "type": "object", "properties": properties, "x-kubernetes-group-version-kind": [gvk]}


def _published(schema: Any) -> Any:
    """A kept schema with OpenAPI's own form of references."""
    if isinstance(schema, list):
        return [_published(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return {"allOf": [{"$ref": PREFIX + schema["$ref"]}], **rest}
    return {key: _published(value) for key, value in schema.items()}
