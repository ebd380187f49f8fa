"""Tables for `kubectl get`: the columns of built-in kinds, and those that a CustomResourceDefinition asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.apiserver import columns
from sandbox.apiserver.jsonpaths import values
from sandbox.apiserver.kinds import Kind
from sandbox.apiserver.moments import WallClock, epoch
from sandbox.apiserver.requests import Request
from sandbox.apiserver.store import Stored, encode

API_VERSION = "meta.k8s.io/v1"


def wanted(request: Request) -> bool:
    """Whether the client would rather have a table."""
    first = request.headers.get("accept", "").split(",")[0]
    return "as=Table" in first and "g=meta.k8s.io" in first


def age(seconds: float) -> str:
    """A duration as kubectl prints it."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return f"{minutes}m{whole % 60}s" if whole % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    return f"{days}d" if days < 365 * 2 else f"{days // 365}y{days % 365}d"


def _definition(name: str, kind: str = "string", priority: int = 0, form: str = "") -> dict[str, Any]:
    return {"name": name, "type": kind, "format": form, "description": "", "priority": priority}


def _since(manifest: dict[str, Any], now: float) -> str:
    created = manifest["metadata"].get("creationTimestamp")
    return age(now - epoch(created)) if created else "<unknown>"


def definitions(kind: Kind) -> list[dict[str, Any]]:
    """The columns of a kind."""
    head = _definition("Name", form="name")
    if not kind.custom:
        rows = columns.COLUMNS.get(kind.kind, ())
        middle = [_definition(name, priority=priority) for name, priority, _ in rows]
        return [head, *middle] if kind.kind in columns.WITHOUT_AGE else [head, *middle, _definition("Age")]
    if not kind.columns:
        return [head, _definition("Age", "date")]
    return [
        head,
        *(_asked(one) for one in kind.columns),
    ]


def _asked(column: dict[str, Any]) -> dict[str, Any]:
    """A column that a CustomResourceDefinition asks for."""
    found = _definition(column["name"], column["type"], column.get("priority", 0), column.get("format", ""))
    words = f"Custom resource definition column (in JSONPath format): {column['jsonPath']}"
    return {**found, "description": column.get("description") or words}


def cells(kind: Kind, manifest: dict[str, Any], now: float) -> list[Any]:
    """The row of an object."""
    name = manifest["metadata"]["name"]
    if not kind.custom:
        middle = [cell(manifest, now) for _, _, cell in columns.COLUMNS.get(kind.kind, ())]
        return [name, *middle] if kind.kind in columns.WITHOUT_AGE else [name, *middle, _since(manifest, now)]
    if not kind.columns:
        return [name, _since(manifest, now)]
    return [name, *(_custom_cell(manifest, one, now) for one in kind.columns)]


def _custom_cell(manifest: dict[str, Any], column: dict[str, Any], now: float) -> Any:
    found = values(manifest, column["jsonPath"])
    if not found:
        return None
    value = found[0]
    if column["type"] == "date":
        return age(now - epoch(value)) if isinstance(value, str) else "<unknown>"
    if column["type"] == "string" and not isinstance(value, str):
        return ("true" if value else "false") if isinstance(value, bool) else str(value)
    return value


def _row(kind: Kind, request: Request, manifest: dict[str, Any], now: float) -> dict[str, Any]:
    row: dict[str, Any] = {"cells": cells(kind, manifest, now)}
    match request.query.get("includeObject", "Metadata"):
        case "Object":
            row["object"] = manifest
        case "Metadata":
            shown = {"kind": "PartialObjectMetadata", "apiVersion": API_VERSION, "metadata": manifest["metadata"]}
            row["object"] = shown
        case _:
            row["object"] = None
    return row


def table(kind: Kind, request: Request, found: list[Stored], metadata: dict[str, Any], now: float) -> dict[str, Any]:
    """The Table of some objects."""
    if not metadata and len(found) == 1:
        metadata = {"resourceVersion": found[0].object["metadata"].get("resourceVersion", "")}
    rows = [_row(kind, request, one.object, now) for one in found]
    body: dict[str, Any] = {"kind": "Table", "apiVersion": API_VERSION, "metadata": metadata}
    return body | {"columnDefinitions": definitions(kind), "rows": rows}


def frame(kind: Kind, request: Request, clock: WallClock) -> Callable[[str, Stored], bytes]:
    """Watch frames whose objects are tables of one row; the columns are said once."""
    said = False

    def one(event: str, stored: Stored) -> bytes:
        nonlocal said
        if event == "ERROR":
            return encode({"type": event, "object": stored.object}) + b"\n"
        if event == "BOOKMARK":
            metadata = stored.object["metadata"]
            body: dict[str, Any] = {"kind": "Table", "apiVersion": API_VERSION, "metadata": metadata}
            shown = {"kind": "PartialObjectMetadata", "apiVersion": API_VERSION, "metadata": metadata}
            body |= {"columnDefinitions": definitions(kind), "rows": [{"cells": [None], "object": shown}]}
        else:
            body = table(kind, request, [stored], {}, clock())
        if said:
            body["columnDefinitions"] = None
        said = True
        return encode({"type": event, "object": body}) + b"\n"

    return one
