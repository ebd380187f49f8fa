"""What `crds` say about custom kinds: which of their fields are names, labels or annotations (K35)."""

from __future__ import annotations

from typing import Any

from render.errors import KustomizationError
from render.kustomization.config import EMPTY, Config, NameReferences, merge_references
from render.kustomization.fieldspec import FieldSpec
from render.kustomization.ids import Gvk

_PREFIX = "x-kubernetes-"


def config_from_definitions(document: Any) -> Config:
    """The field specs that OpenAPI definitions of custom kinds ask for."""
    if not isinstance(document, dict):
        raise KustomizationError("unable to parse open API definition: it must be a mapping of type names")
    config = EMPTY
    for name in sorted(document):
        properties = _properties(document, name)
        if {"kind", "apiVersion", "metadata"} <= set(properties):
            found = _Found(document, ("", "", name.rpartition(".")[2]))
            found.look(name, [])
            config = config.merge(Config(found.sections, found.references))
    return config


def _properties(document: dict[str, Any], name: str) -> dict[str, Any]:
    definition = document.get(name)
    schema = definition.get("Schema", definition.get("schema")) if isinstance(definition, dict) else None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return properties if isinstance(properties, dict) else {}


class _Found:
    """The field specs of one kind."""

    def __init__(self, document: dict[str, Any], gvk: Gvk) -> None:
        self._document = document
        self._gvk = gvk
        self._open: list[str] = []
        self.sections: dict[str, list[FieldSpec]] = {}
        self.references: NameReferences = []

    def look(self, name: str, path: list[str]) -> None:
        """Look through a type's properties and the types that they refer to."""
        if name in self._open:
            return
        self._open.append(name)
        for field, schema in _properties(self._document, name).items():
            if isinstance(schema, dict):
                self._look_at(schema, [*path, field])
        self._open.pop()

    def _look_at(self, schema: dict[str, Any], path: list[str]) -> None:
        for mark, section in (
            ("annotation", "commonAnnotations"),
            ("label-selector", "commonLabels"),
            ("identity", "namePrefix"),
        ):
            if isinstance(schema.get(_PREFIX + mark), str):
                self.sections.setdefault(section, []).append(FieldSpec(self._gvk, "/".join(path)))
        version, kind = schema.get(f"{_PREFIX}object-ref-api-version"), schema.get(f"{_PREFIX}object-ref-kind")
        if isinstance(version, str) and isinstance(kind, str):
            key = schema.get(f"{_PREFIX}object-ref-name-key")
            name = key if isinstance(key, str) else "name"
            spec = FieldSpec(self._gvk, "/".join([*path, name]))
            self.references = merge_references(self.references, [(("", version, kind), [spec])])
        if isinstance(schema.get("$ref"), str):
            self.look(schema["$ref"], path)
