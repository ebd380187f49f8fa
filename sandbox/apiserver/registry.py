"""The resources that are served now: the built-in kinds, and those that CustomResourceDefinitions add."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.apiserver.kinds import Kind, ScalePaths, builtin_kinds, metadata_schema
from sandbox.apiserver.schema import ANY, Compiler, Node


class Registry:
    """Finds kinds by group, version and plural; changed only under the store's write lock."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str], Kind] = {(k.group, k.version, k.plural): k for k in builtin_kinds()}

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind served there."""
        return self._kinds.get((group, version, plural))

    def by_kind(self, api_version: str, kind: str) -> Kind | None:
        """The kind of an `apiVersion` and `kind`."""
        group, _, version = api_version.rpartition("/")
        return next((k for k in self if k.kind == kind and k.group == group and k.version == version), None)

    def of_storage(self, storage: str) -> Kind | None:
        """Some served kind of a bucket; the stored version where it is served."""
        found = [kind for kind in self if kind.storage == storage]
        return next((kind for kind in found if kind.version == kind.storage_version), found[0] if found else None)

    def __iter__(self) -> Iterator[Kind]:
        return iter(tuple(self._kinds.values()))

    def define(self, crd: dict[str, Any]) -> None:
        """Serve the resource that a CustomResourceDefinition describes, instead of what it described before."""
        self.forget(crd)
        spec = crd["spec"]
        names = spec["names"]
        storage_version = next(version["name"] for version in spec["versions"] if version["storage"])
        for version in spec["versions"]:
            if version["served"]:
                kind = _custom(spec["group"], names, spec["scope"], version, storage_version)
                self._kinds[kind.group, kind.version, kind.plural] = kind

    def forget(self, crd: dict[str, Any]) -> None:
        """Serve the CustomResourceDefinition's resource no longer."""
        where = crd["spec"]["group"], crd["spec"]["names"]["plural"]
        gone = [key for key, kind in self._kinds.items() if (key[0], key[2]) == where and kind.custom]
        for key in gone:
            del self._kinds[key]


def _custom(group: str, names: dict[str, Any], scope: str, version: dict[str, Any], storage_version: str) -> Kind:
    raw = version.get("schema", {}).get("openAPIV3Schema") or {}
    return Kind(
        group,
        version["name"],
        names["kind"],
        names["plural"],
        names.get("singular") or names["kind"].lower(),
        scope == "Namespaced",
        custom_schema(raw),
        tuple(names.get("shortNames", ())),
        tuple(names.get("categories", ())),
        has_status="status" in version.get("subresources", {}),
        generation=True,
        custom=True,
        columns=tuple(version.get("additionalPrinterColumns", ())),
        selectable=tuple(version.get("selectableFields", ())),
        raw_schema=raw,
        storage_version=storage_version,
        scale=_scale(version.get("subresources", {}).get("scale")),
    )


def _scale(paths: dict[str, Any] | None) -> ScalePaths | None:
    if paths is None:
        return None
    return ScalePaths(paths["specReplicasPath"], paths["statusReplicasPath"], paths.get("labelSelectorPath") or "")


def custom_schema(raw: dict[str, Any]) -> Node:
    """The schema of a custom resource: the user's, with apiVersion, kind and ObjectMeta put in."""
    root = Compiler({}, bare_object=None)
    schema = {**raw, "type": "object"}
    scalar = {"type": "string"}
    schema["properties"] = {**raw.get("properties", {}), "apiVersion": scalar, "kind": scalar, "metadata": {}}
    node = Node(schema, root.compile, "map")
    node._fields["metadata"] = metadata_schema()
    if not raw:
        node._rest = ANY
    return node
