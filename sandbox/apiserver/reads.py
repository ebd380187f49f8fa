"""GET and LIST: consistent reads, selectors, pages."""

from __future__ import annotations

import base64
import json
import threading
from collections import OrderedDict
from typing import Any

from sandbox.apiserver import selectors
from sandbox.apiserver.kinds import Kind
from sandbox.apiserver.problems import Problem, cause, invalid, not_found
from sandbox.apiserver.requests import Request
from sandbox.apiserver.selectors import Match
from sandbox.apiserver.store import Store, Stored, encode

PAGES_KEPT = 64
"""Unfinished paged lists that can be continued; older ones are told 410, as after a compaction."""

EXPIRED = "The provided continue parameter is too old to display a consistent list result."


class Reader:
    """Reads objects; pages of one list come from one moment."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._pages: OrderedDict[str, tuple[int, list[Stored]]] = OrderedDict()
        self._number = 0

    def get(self, kind: Kind, request: Request) -> Stored:
        """One object."""
        check_version(self._store, request)
        found = self._store.get(kind.storage, request.namespace if kind.namespaced else "", request.name)
        if found is None:
            raise not_found(kind.plural, kind.group, request.name)
        return in_version(kind, found)

    def listing(self, kind: Kind, request: Request) -> tuple[dict[str, Any], list[Stored]]:
        """The list's metadata and its objects."""
        check_version(self._store, request)
        token = request.query.get("continue", "")
        if token:
            version, found = self._continued(token, request)
        else:
            version, found = self._store.snapshot(kind.storage, request.namespace or None)
            if request.query.get("resourceVersionMatch") == "Exact" and request.number("resourceVersion") != version:
                text = f"The provided resource version is not kept: {request.number('resourceVersion')}"
                raise Problem("Expired", text)
            match = selection(kind, request)
            found = [one for one in found if match is None or match(one.object)]
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        limit = request.number("limit")
        if limit and len(found) > limit:
            metadata |= {"continue": self._keep(version, found[limit:]), "remainingItemCount": len(found) - limit}
            if selection(kind, request) is not None:
                del metadata["remainingItemCount"]
            found = found[:limit]
        if kind.custom:
            metadata.setdefault("continue", "")
        return metadata, [in_version(kind, one) for one in found]

    def _keep(self, version: int, rest: list[Stored]) -> str:
        with self._lock:
            self._number += 1
            key = str(self._number)
            self._pages[key] = version, rest
            while len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
        return base64.urlsafe_b64encode(json.dumps({"v": "sandbox", "page": key}).encode()).decode()

    def _continued(self, token: str, request: Request) -> tuple[int, list[Stored]]:
        if request.query.get("resourceVersion", "") not in ("", "0"):
            raise Problem("BadRequest", "specifying resource version is not allowed when using continue")
        try:
            key = json.loads(base64.urlsafe_b64decode(token))["page"]
        except (ValueError, KeyError, TypeError):
            raise Problem("BadRequest", "continue key is not valid") from None
        with self._lock:
            found = self._pages.get(key)
        if found is None:
            raise Problem("Expired", EXPIRED)
        return found


def check_version(store: Store, request: Request) -> None:
    """A read may ask to be no older than a version; one from the future cannot be met."""
    wanted = request.number("resourceVersion")
    match = request.query.get("resourceVersionMatch", "")
    if match and not request.query.get("resourceVersion"):
        text = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise invalid("ListOptions", "meta.k8s.io", "", [cause("FieldValueForbidden", text, "resourceVersionMatch")])
    if match not in ("", "Exact", "NotOlderThan"):
        text = f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan"'
        raise invalid("ListOptions", "meta.k8s.io", "", [cause("FieldValueNotSupported", text, "resourceVersionMatch")])
    if wanted > store.version:
        message = f"Timeout: Too large resource version: {wanted}, current: {store.version}"
        causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
        raise Problem("Timeout", message, {"causes": causes, "retryAfterSeconds": 1})


def selection(kind: Kind, request: Request) -> Match | None:
    """What the request's label and field selectors select; None is everything."""
    by_label = selectors.labels(request.query.get("labelSelector", ""))
    by_field = selectors.fields(request.query.get("fieldSelector", ""), kind)
    if by_label and by_field:
        return lambda manifest: by_label(manifest) and by_field(manifest)
    return by_label or by_field


def in_version(kind: Kind, stored: Stored) -> Stored:
    """The object as the asked-for version shows it: versions of a kind differ in nothing but their name."""
    if stored.object["apiVersion"] == kind.api_version:
        return stored
    manifest = {**stored.object, "apiVersion": kind.api_version}
    return Stored(manifest, stored.version, encode(manifest))


def list_body(kind: Kind, metadata: dict[str, Any], found: list[Stored]) -> bytes:
    """The list as JSON, out of each object's own JSON. Items of built-in kinds do not say what they are."""
    head = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata}
    items = (one.body for one in found)
    if not kind.custom:
        untyped = len(encode({"apiVersion": kind.api_version, "kind": kind.kind}))
        items = (b"{" + one.body[untyped:] for one in found)
    return encode(head)[:-1] + b',"items":[' + b",".join(items) + b"]}"
