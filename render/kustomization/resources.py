"""From the text of a file to objects: checked for an identity, lists of objects taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from render import yaml
from render.errors import KustomizationError
from render.kustomization.ids import field_text, is_empty, text_of
from render.kustomization.model import Manifest


class Document(NamedTuple):
    """An object, which document of its file it is in, and where in it."""

    manifest: Manifest
    number: int
    trail: tuple[str | int, ...] = ()


def resources_in(data: bytes, path: str, *, is_patch: bool = False) -> Iterator[Document]:
    """The objects of a file in Kustomize's order: those in lists come after the others (K5).

    Patches may repeat keys, `yaml.parse` says how.

    Raises `YamlError` for what is no YAML, `KustomizationError` for what is no Kubernetes object.
    """
    pending = [
        Document(manifest, index)
        for index, manifest in enumerate(yaml.parse(data, path, repeated_keys=is_patch))
        if is_object(manifest, path, index)
    ]
    alone = len(pending) == 1
    for document in pending:
        manifest = document.manifest
        items = manifest.get("items", ...)
        if not field_text(manifest, "kind").endswith("List") or items is ...:
            yield document
        elif isinstance(items, list):
            pending += [
                Document(item, document.number, (*document.trail, "items", place))
                for place, item in enumerate(items)
                if is_object(item, path, document.number, (*document.trail, "items", place))
            ]
        elif items is not None and not (alone and manifest["kind"] == "List" and (not items or isinstance(items, str))):
            kind = manifest["kind"]
            raise KustomizationError(f"expected array in {kind}/items, but found {type(items).__name__}", path=path)


def is_object(value: Any, path: str, index: int, trail: tuple[str | int, ...] = ()) -> bool:
    """Whether there is anything. Raises `KustomizationError` if it lacks what names an object."""
    if is_empty(value):
        return False
    fault = _fault(value)
    if fault:
        raise KustomizationError(
            fault,
            path=path,
            hint=f"document {index + 1} of the file is no Kubernetes object: give it kind and name",
            document=index,
            within=(*trail, "metadata") if isinstance(value, dict) else trail,
        )
    return True


def _fault(value: Any) -> str:
    if not isinstance(value, dict):
        return "missing Resource metadata"
    kind = field_text(value, "kind")
    metadata = value.get("metadata")
    name = field_text(metadata, "name")
    if kind and (name or kind.endswith("List")):
        return ""
    described = [field_text(metadata, "namespace"), _strings(metadata, "labels"), _strings(metadata, "annotations")]
    if not any((kind, field_text(value, "apiVersion"), name, described[0], *described[1:])):
        return "missing Resource metadata"
    marks = " ".join(f"map[{mark}]" for mark in described[1:])
    about = f"{{{{{field_text(value, 'apiVersion')} {kind}}} {{{{{name} {described[0]}}} {marks}}}}}"
    return f"missing {'metadata.name' if kind else 'kind'} in object {about}"


def _strings(metadata: Any, field: str) -> str:
    values = metadata.get(field) if isinstance(metadata, dict) else None
    if not isinstance(values, dict):
        return ""
    return " ".join(f"{key}:{'' if value is None else text_of(value)}" for key, value in sorted(values.items()))
