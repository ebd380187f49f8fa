"""Configurations, definitions of kinds and schemas say which fields the other fields of a kustomization reach."""

from __future__ import annotations

import json
from typing import Any

from .choosing import Chooser, given
from .objects import Thing
from .patching import Steps, at, steps_in
from .writing import write

PARTS = ("namePrefix", "nameSuffix", "commonLabels", "commonAnnotations", "namespace", "images", "replicas")
MAPPINGS = {"commonLabels": "selector", "commonAnnotations": "notes"}


def path_of(steps: Steps) -> str:
    """A path as field specifications write it: `spec/parts[]/name`."""
    text = "".join("[]" if isinstance(step, int) else "/" + step.replace("/", "\\/") for step in steps)
    return text.lstrip("/").removesuffix("[]")


def mapping_spec(choose: Chooser, thing: Thing, name: str) -> dict[str, Any]:
    """A field specification that means a mapping of that name, most of the time a new one."""
    holders = [steps for steps in steps_in(thing.manifest) if isinstance(at(thing.manifest, steps), dict)]
    return _spec(choose, thing, f"{path_of(choose.one(holders))}/{name}" if holders else name)


def scalar_spec(choose: Chooser, thing: Thing) -> dict[str, Any]:
    """A field specification that means a text; now and then anything."""
    places = steps_in(thing.manifest)
    leaves = [steps for steps in places if isinstance(at(thing.manifest, steps), str)]
    found = (places if choose.chance(5) else leaves) or [("metadata", "name")]
    return _spec(choose, thing, path_of(choose.one(found)))


def _spec(choose: Chooser, thing: Thing, path: str) -> dict[str, Any]:
    return given(
        path=path,
        kind=choose.maybe(80, lambda: thing.kind),
        group=choose.maybe(20, lambda: thing.group or None),
        version=choose.maybe(10, lambda: thing.version or None),
        create=choose.maybe(40, lambda: True),
    )


def configurations(choose: Chooser, folder: str, things: list[Thing], files: dict[str, str]) -> list[str]:
    """The value of `configurations`."""
    made: dict[str, Any] = {}
    for part in choose.some(PARTS, 0, 3):
        thing = choose.one(things)
        name = MAPPINGS.get(part)
        made[part] = [scalar_spec(choose, thing) if name is None else mapping_spec(choose, thing, name)]
    if choose.chance(40):
        made["labels"] = [mapping_spec(choose, choose.one(things), "marks")]
    if choose.chance(60):
        made["varReference"] = [scalar_spec(choose, choose.one(things)) for _ in range(choose.integer(1, 2))]
    if choose.chance(60):
        thing = choose.one(things)
        referrers = [
            {"kind": "Widget", "path": choose.one(["spec/serviceName", "spec/configRef", "spec/configRef/name"])},
            scalar_spec(choose, choose.one(things)),
        ]
        made["nameReference"] = [
            given(
                kind=thing.kind,
                version=choose.maybe(30, lambda: thing.version or None),
                fieldSpecs=referrers[: choose.integer(1, 2)],
            )
        ]
    files[f"{folder}/config.yaml"] = write(choose, made or {"namePrefix": [{"path": "metadata/name"}]})
    return ["config.yaml"]


def definitions(choose: Chooser, folder: str, files: dict[str, str]) -> list[str]:
    """The value of `crds`: definitions of kinds that say which fields are names or labels."""
    spec = {
        "image": {"x-kubernetes-annotation": "", "type": "string"},
        "selector": {"x-kubernetes-label-selector": "", "type": "object"},
        "serviceName": {
            "x-kubernetes-identity": "",
            "x-kubernetes-object-ref-api-version": "v1",
            "x-kubernetes-object-ref-kind": "Service",
            "type": "string",
        },
        "configRef": {
            "x-kubernetes-object-ref-api-version": "v1",
            "x-kubernetes-object-ref-kind": "ConfigMap",
            "x-kubernetes-object-ref-name-key": "name",
            "type": "object",
        },
    }
    kept = {name: spec[name] for name in choose.some(list(spec), 1, 4)}
    document = {
        "example.com/v1.Widget": {
            "Schema": {
                "properties": {
                    "apiVersion": {"type": "string"},
                    "kind": {"type": "string"},
                    "metadata": {"type": "object"},
                    "spec": {"$ref": "example.com/v1.WidgetSpec"},
                }
            },
            "Dependencies": [],
        },
        "example.com/v1.WidgetSpec": {"Schema": {"properties": kept}, "Dependencies": []},
    }
    files[f"{folder}/kinds.json"] = json.dumps(document)
    return ["kinds.json"]


def open_api(choose: Chooser, folder: str, files: dict[str, str]) -> dict[str, str]:
    """The value of `openapi`: a schema by which lists of Widgets merge."""
    if choose.chance(15):
        return {"version": "v1.21.2"}
    parts: dict[str, Any] = {"type": "array", "items": {"type": "object"}}
    if choose.chance(80):
        parts |= {"x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"}
    else:
        parts |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    spec: dict[str, Any] = {"properties": {"parts": parts}, "type": "object"}
    if choose.chance(30):
        spec["properties"]["template"] = {"$ref": "#/definitions/io.k8s.api.core.v1.PodTemplateSpec"}
    document = {
        "definitions": {
            "v1.Widget": {
                "type": "object",
                "properties": {"spec": {"$ref": "#/definitions/v1.WidgetSpec"}},
                "x-kubernetes-group-version-kind": [{"group": "example.com", "kind": "Widget", "version": "v1"}],
            },
            "v1.WidgetSpec": spec,
        }
    }
    files[f"{folder}/schema.json"] = json.dumps(document)
    return {"path": "schema.json"}
