"""From what a client sent to what is stored: fields the server sets, fields this door does not write, generations.

The order is Kubernetes': decode and default, note who owns what, then prepare (this module), validate, admit, store.
"""

from __future__ import annotations

import random
from typing import Any

from sandbox.apiserver import conform, creation
from sandbox.apiserver.defaults import fill_builtin
from sandbox.apiserver.fieldsets import LEAF, FieldSet
from sandbox.apiserver.kinds import Kind
from sandbox.apiserver.problems import Problem, cause, invalid
from sandbox.apiserver.requests import Request
from sandbox.apiserver.schema import Node

KEEPS_STATUS_ON_CREATE = ("Node",)
"""Built-in kinds whose status may be given at creation."""

STATUS_ONLY: FieldSet = {"f:status": LEAF}
ALL_BUT_STATUS: FieldSet = {"f:spec": LEAF}
BUILTIN_STATUS_RESET: FieldSet = {"f:spec": LEAF, "f:metadata": {"f:labels": LEAF}}

KEPT = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
)
"""Metadata that only the server writes."""

SUFFIX = "bcdfghjklmnpqrstvwxz2456789"


def reset_fields(kind: Kind, subresource: str) -> FieldSet:
    """The fields that this door does not write."""
    if subresource == "status":
        return ALL_BUT_STATUS if kind.custom else BUILTIN_STATUS_RESET
    return STATUS_ONLY if kind.has_status else {}


def empty(kind: Kind) -> dict[str, Any]:
    """The object that a creation is compared with, to say what its writer owns."""
    bare: dict[str, Any] = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {}}
    return bare if kind.custom else {**_skeleton(kind.schema), **bare}


def _skeleton(node: Node) -> dict[str, Any]:
    """The structs and lists that Go writes even for an empty object; a list that is required is null there."""
    found: dict[str, Any] = {}
    for name in node.field_names():
        below = node.field(name)
        if below is not None and below.shape == "map" and below.default == {}:
            found[name] = _skeleton(below)
        elif below is not None and below.shape == "list" and name in node.required:
            found[name] = None
    return found


def decode_into(kind: Kind, manifest: dict[str, Any], request: Request | None) -> dict[str, Any]:
    """The manifest as the kind's: types checked, unknown fields dropped (or refused, as asked), defaults filled in."""
    if not kind.custom:
        wrong: list[tuple[str, str, str]] = []
        conform.wrong_types(kind.schema, manifest, "", wrong)
        if wrong:
            path, wanted, got = wrong[0]
            message = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
            raise Problem("BadRequest", message + f"json: cannot unmarshal {got} into field {path} of type {wanted}")
    else:
        _check_metadata_types(kind, manifest)
    unknown: list[str] = []
    manifest = conform.prune(kind.schema, manifest, "", unknown, merged=request is None)
    if unknown and request is not None:
        _report(kind, unknown, request)
    manifest = conform.fill(kind.schema, manifest)
    return manifest if kind.custom else fill_builtin(kind.kind, manifest)


def _check_metadata_types(kind: Kind, manifest: dict[str, Any]) -> None:
    wrong: list[tuple[str, str, str]] = []
    node = kind.schema.field("metadata")
    if node is not None:
        conform.wrong_types(node, manifest.get("metadata", {}), "metadata", wrong)
    if wrong:
        path, wanted, got = wrong[0]
        raise Problem("BadRequest", f"json: cannot unmarshal {got} into field {path} of type {wanted}")


def _report(kind: Kind, unknown: list[str], request: Request) -> None:
    words = [f'unknown field "{path}"' for path in sorted(unknown)]
    match request.query.get("fieldValidation") or "Warn":
        case "Strict":
            start = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
            raise Problem("BadRequest", f"{start}strict decoding error: {', '.join(words)}")
        case "Warn":
            request.warnings += words


def for_create(kind: Kind, manifest: dict[str, Any], now: str, uid: str) -> dict[str, Any]:
    """A new object: name, uid, times and generation are the server's; status is what creation sets."""
    metadata = dict(manifest["metadata"])
    for name in ("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"):
        metadata.pop(name, None)
    if not metadata.get("name"):
        if not metadata.get("generateName"):
            raise _nameless(kind)
        metadata["name"] = metadata["generateName"][:58] + "".join(random.Random(uid).choices(SUFFIX, k=5))
    metadata |= {"uid": uid, "creationTimestamp": now}
    if kind.generation:
        metadata["generation"] = 1
    created = {**manifest, "metadata": metadata}
    if kind.has_status and kind.kind not in KEEPS_STATUS_ON_CREATE:
        created.pop("status", None)
        if not kind.custom:
            created["status"] = creation.STATUS.get(kind.kind, {})
    return created


def _nameless(kind: Kind) -> Problem:
    return invalid(
        kind.kind,
        kind.group,
        "",
        [cause("FieldValueRequired", "Required value: name or generateName is required", "metadata.name")],
    )


def for_update(kind: Kind, old: dict[str, Any], new: dict[str, Any], subresource: str) -> dict[str, Any]:
    """The new version of an object: what only the server writes, and what this door does not write, as it was."""
    metadata = {key: value for key, value in new["metadata"].items() if key not in KEPT}
    metadata |= {key: old["metadata"][key] for key in KEPT if key in old["metadata"]}
    metadata["resourceVersion"] = old["metadata"]["resourceVersion"]
    if subresource == "status":
        managed = metadata.get("managedFields")
        if kind.custom:
            metadata = dict(old["metadata"])
        else:
            metadata.pop("labels", None)
            metadata |= {key: old["metadata"][key] for key in ("labels",) if key in old["metadata"]}
        metadata.pop("managedFields", None)
        metadata |= {"managedFields": managed} if managed else {}
        result = {**old, "metadata": metadata}
        result.pop("status", None)
        return result | ({"status": new["status"]} if "status" in new else {})
    result = {**new, "metadata": metadata}
    if kind.has_status:
        result.pop("status", None)
        result |= {"status": old["status"]} if "status" in old else {}
    if kind.generation and _content(kind, old) != _content(kind, result):
        result["metadata"] = {**metadata, "generation": old["metadata"].get("generation", 0) + 1}
    return result


def _content(kind: Kind, manifest: dict[str, Any]) -> dict[str, Any]:
    outside = ("metadata", "status") if kind.has_status else ("metadata",)
    return {key: value for key, value in manifest.items() if key not in outside}
