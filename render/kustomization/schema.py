"""What is known about kinds: which belong to a namespace, and which of their lists merge by which keys.

Kubernetes' own kinds come from tables; a kustomization's `openapi` adds or replaces kinds by a schema of its own.
"""

from __future__ import annotations

from typing import Any

from render.kustomization.ids import Gvk, gvk_of, join_api_version
from render.kustomization.tables.scope import CLUSTER_SCOPED

_CLUSTER_SCOPED: frozenset[Gvk] = frozenset(gvk_of(*kind) for kind in CLUSTER_SCOPED)


class Schema:
    """What is known at one place of a manifest."""

    __slots__ = ()

    def field(self, name: str) -> Schema | None:
        """What is known about a mapping's field."""
        raise NotImplementedError

    def elements(self) -> Schema | None:
        """What is known about a list's elements."""
        raise NotImplementedError

    def merge_keys(self) -> tuple[str, ...] | None:
        """The keys by which a list merges (none for plain values), or None if patches replace the list."""
        raise NotImplementedError


class BuiltIn(Schema):
    """A place in one of Kubernetes' own kinds, from the table of merge keys."""

    __slots__ = ("_definition", "_keys")

    def __init__(self, definition: str | None, keys: tuple[str, ...] | None = None) -> None:
        self._definition = definition
        self._keys = keys

    def field(self, name: str) -> Schema | None:
        """What is known about a mapping's field."""
        from render.kustomization.tables.merge_keys import DEFINITIONS

        if self._definition is None:
            return None
        found = DEFINITIONS[self._definition].get(name)
        if found is None:
            return None
        return BuiltIn(found) if isinstance(found, str) else BuiltIn(found[1], found[0])

    def elements(self) -> Schema | None:
        """What is known about a list's elements."""
        return BuiltIn(self._definition)

    def merge_keys(self) -> tuple[str, ...] | None:
        """The keys by which a list merges."""
        return self._keys


def _built_in(definition: str) -> BuiltIn | None:
    """One of Kubernetes' own definitions by the last part of its name."""
    from render.kustomization.tables.merge_keys import DEFINITIONS

    return BuiltIn(definition) if definition in DEFINITIONS else None


class Custom(Schema):
    """A place in an OpenAPI schema that a kustomization brings."""

    __slots__ = ("_definitions", "_schema")

    def __init__(self, schema: dict[str, Any], definitions: dict[str, Any]) -> None:
        self._schema = schema
        self._definitions = definitions

    def _follow(self, schema: Any) -> Schema | None:
        seen = 0
        while isinstance(schema, dict) and "$ref" in schema:
            name = str(schema["$ref"]).rpartition("/")[2]
            if name not in self._definitions:
                return _built_in(name.rpartition(".")[2])
            schema = self._definitions[name]
            seen += 1
            if seen > len(self._definitions):
                return None
        return Custom(schema, self._definitions) if isinstance(schema, dict) else None

    def field(self, name: str) -> Schema | None:
        """What is known about a mapping's field."""
        properties = self._schema.get("properties")
        if isinstance(properties, dict) and name in properties:
            return self._follow(properties[name])
        return self._follow(self._schema.get("additionalProperties"))

    def elements(self) -> Schema | None:
        """What is known about a list's elements."""
        return self._follow(self._schema.get("items")) if self._schema.get("type") == "array" else None

    def merge_keys(self) -> tuple[str, ...] | None:
        """The keys by which a list merges."""
        strategy = self._schema.get("x-kubernetes-patch-strategy")
        if not isinstance(strategy, str) or "merge" not in strategy.split(","):
            return None
        keys = self._schema.get("x-kubernetes-list-map-keys")
        if isinstance(keys, list):
            return tuple(str(key) for key in keys)
        key = self._schema.get("x-kubernetes-patch-merge-key")
        return (str(key),) if key is not None else ()


class Schemas:
    """All that one build knows about kinds."""

    def __init__(self) -> None:
        self._custom: dict[tuple[str, str], Custom] = {}
        self._namespaced: dict[Gvk, bool] = {}
        self._built_in = True
        self.needed = False
        """Whether Kustomize has looked at Kubernetes' own schema already, or has made up its mind to."""

    def use(self, document: Any) -> None:
        """Take a kustomization's OpenAPI document: it adds to Kubernetes' own schema or, if that was not needed yet,
        replaces it, so that lists of Kubernetes' own kinds merge no more.
        """
        self._built_in = self.needed
        definitions = document.get("definitions") if isinstance(document, dict) else None
        if isinstance(definitions, dict):
            for schema in definitions.values():
                for kind in _kinds(schema):
                    self._custom[kind] = Custom(schema, definitions)
        paths = document.get("paths") if isinstance(document, dict) else None
        for path, methods in (paths if isinstance(paths, dict) else {}).items():
            for kind in _kinds(methods.get("get") if isinstance(methods, dict) else None):
                gvk, inside = gvk_of(*kind), "namespaces/{namespace}" in path
                self._namespaced[gvk] = inside or self._namespaced.get(gvk, False)

    def is_cluster_scoped(self, gvk: Gvk) -> bool:
        """Whether objects of the kind are known to belong to no namespace."""
        return gvk in _CLUSTER_SCOPED or (bool(self._namespaced) and self._namespaced.get(gvk) is False)

    def of(self, api_version: str, kind: str) -> Schema | None:
        """What is known about a kind, None if nothing is."""
        self.needed = True
        found = self._custom.get((api_version, kind))
        if found is not None:
            return found
        if not self._built_in or not is_built_in(api_version, kind):
            return None
        from render.kustomization.tables.merge_keys import DEFINITIONS

        definition = f"{api_version}/{kind}"
        return BuiltIn(definition if definition in DEFINITIONS else "OnlyMetadata")


def is_built_in(api_version: Any, kind: Any) -> bool:
    """Whether a kind is one of Kubernetes' own."""
    from render.kustomization.tables.merge_keys import KINDS

    return kind in KINDS.get(api_version, "").split()


def _kinds(schema: Any) -> list[tuple[str, str]]:
    """The kinds that a schema or an operation says it is about."""
    found = schema.get("x-kubernetes-group-version-kind") if isinstance(schema, dict) else None
    entries = found if isinstance(found, list) else [found]
    return [
        (join_api_version(str(entry.get("group") or ""), str(entry.get("version", ""))), str(entry["kind"]))
        for entry in entries
        if isinstance(entry, dict) and "kind" in entry
    ]
