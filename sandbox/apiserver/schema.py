"""Compiled schemas: one shape for the built-in kinds and for custom resources, walked by everything that reads objects.

A `Node` says what a value may be and how it is owned and merged. The words follow Kubernetes: a map is granular or
atomic; a list is atomic, a set, or a map with keys. Built from OpenAPI (with its `x-kubernetes-*` extensions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

Shape = Literal["scalar", "map", "list", "any", "opaque"]


class Node:
    """One place of a schema. Children are compiled when they are first asked for, because schemas may be recursive.

    shape: `scalar`; `map` (known `fields`, further keys by `rest`); `list`; `any` (unknown content, kept; its maps are
    granular and its lists atomic); `opaque` (unknown content, kept and owned as one value).
    """

    __slots__ = (
        "_fields",
        "_item",
        "_rest",
        "atomic",
        "builtin",
        "compile",
        "default",
        "keys",
        "keys_default",
        "list_type",
        "nullable",
        "patch_key",
        "patch_strategy",
        "raw",
        "required",
        "shape",
        "types",
    )  # fmt: skip

    def __init__(
        self,
        raw: Mapping[str, Any],
        compile_: Callable[[Mapping[str, Any]], Node],
        shape: Shape,
        *,
        builtin: bool = False,
    ) -> None:
        self.builtin = builtin
        self.raw, self.compile, self.shape = raw, compile_, shape
        self.types = _types(raw)
        self.list_type: str = raw.get("x-kubernetes-list-type", "atomic") if shape == "list" else ""
        map_atomic = shape == "map" and raw.get("x-kubernetes-map-type") == "atomic"
        self.atomic = map_atomic or shape == "opaque" or (shape == "list" and self.list_type == "atomic")
        self.keys: tuple[str, ...] = tuple(raw.get("x-kubernetes-list-map-keys", ()))
        self.keys_default: dict[str, Any] | None = None
        self.required: tuple[str, ...] = tuple(raw.get("required", ()))
        self.nullable = bool(raw.get("nullable"))
        self.default = raw.get("default")
        self.patch_strategy: str = raw.get("x-kubernetes-patch-strategy", "")
        self.patch_key: str = raw.get("x-kubernetes-patch-merge-key", "")
        self._fields: dict[str, Node] = {}
        self._item: Node | None = None
        self._rest: Node | Literal[False] | None = False

    def known(self, name: str) -> bool:
        """Whether the map has this field by name (rather than as a further key)."""
        return name in self._fields or name in self.raw.get("properties", ())

    def field_names(self) -> list[str]:
        """The known fields of a map."""
        return list(self.raw.get("properties", ()))

    def field(self, name: str) -> Node | None:
        """The schema below a key of a map; None if the map has no such key."""
        if self.shape == "any":
            return self
        found = self._fields.get(name)
        if found is None and name in self.raw.get("properties", ()):
            found = self._fields[name] = self.compile(self.raw["properties"][name])
        return found if found is not None else self.rest

    @property
    def rest(self) -> Node | None:
        """The schema of keys that are not known by name; None if there may be none."""
        if self._rest is False:
            further = self.raw.get("additionalProperties")
            if isinstance(further, Mapping):
                self._rest = self.compile(further)
            else:
                self._rest = ANY if further is True or self.raw.get("x-kubernetes-preserve-unknown-fields") else None
        return self._rest

    @property
    def item(self) -> Node:
        """The schema of a list's items."""
        if self._item is None:
            self._item = self.compile(self.raw["items"]) if "items" in self.raw else ANY
        return self._item

    def key_defaults(self) -> dict[str, Any]:
        """For a list with keys: the default of each key field that has one."""
        if self.keys_default is None:
            children = {key: self.item.field(key) for key in self.keys}
            defaults = {key: child.default for key, child in children.items() if child and child.default is not None}
            self.keys_default = defaults
        return self.keys_default


def _types(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """The JSON types of a scalar; () if anything goes."""
    if raw.get("x-kubernetes-int-or-string") or raw.get("format") == "int-or-string":
        return ("integer", "string")
    if "oneOf" in raw and "type" not in raw:
        return tuple(choice["type"] for choice in raw["oneOf"] if "type" in choice)
    return (raw["type"],) if "type" in raw else ()


def _closed(_raw: Mapping[str, Any]) -> Node:
    raise AssertionError("unknown content has no schema below it")


ANY = Node({}, _closed, "any")
OPAQUE = Node({}, _closed, "opaque")


EMBEDDED = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
}
"""What an embedded resource always has."""


class Compiler:
    """Compiles OpenAPI into Nodes; `definitions` resolves `$ref`, each definition being compiled once."""

    def __init__(self, definitions: Mapping[str, Any], *, bare_object: Node | None) -> None:
        self._definitions = definitions
        self._compiled: dict[str, Node] = {}
        self._builtin = bare_object is not None
        self._bare_object = bare_object  # an object without fields: raw JSON of a built-in kind, nothing in a CRD

    def named(self, name: str) -> Node:
        """A definition by its name."""
        if name not in self._compiled:
            self._compiled[name] = self.compile(self._definitions[name])
        return self._compiled[name]

    def compile(self, raw: Mapping[str, Any]) -> Node:
        """One schema."""
        reference = raw.get("$ref")
        if isinstance(reference, str):
            extensions = {key: value for key, value in raw.items() if key != "$ref"}
            if not extensions:
                return self.named(reference)
            return self.compile({**self._definitions[reference], **extensions})
        kind = raw.get("type")
        if kind == "array":
            return Node(raw, self.compile, "list", builtin=self._builtin)
        if kind == "object" or (kind is None and "properties" in raw):
            if raw.get("x-kubernetes-embedded-resource"):
                raw = {**raw, "properties": {**EMBEDDED, **raw.get("properties", {})}}
            bare = not any(key in raw for key in ("properties", "additionalProperties"))
            if bare and raw.get("x-kubernetes-preserve-unknown-fields"):
                return OPAQUE if raw.get("x-kubernetes-map-type") == "atomic" else ANY
            if bare and self._bare_object is not None:
                return self._bare_object
            return Node(raw, self.compile, "map", builtin=self._builtin)
        if kind is None and not _types(raw):
            return ANY if raw.get("x-kubernetes-preserve-unknown-fields") else OPAQUE
        return Node(raw, self.compile, "scalar", builtin=self._builtin)
