"""Subresources besides status: scale, binding, and the refusal of all others by name."""

from __future__ import annotations

from sandbox.apiserver import scale
from sandbox.apiserver.kinds import Kind
from sandbox.apiserver.problems import conflict, no_method, no_resource, not_found, not_implemented
from sandbox.apiserver.requests import Request, decode
from sandbox.apiserver.store import Store, Stored, encode
from sandbox.apiserver.writes import SCALE, Outcome, Writer


class Subresources:
    """Answers `scale` and `pods/binding`; everything else is a 501 that names it."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store, self._writer = store, writer

    def answer(self, kind: Kind, request: Request) -> Outcome:
        """Serve the request or refuse it."""
        if kind.storage == "pods" and request.subresource == "binding" and request.verb == "create":
            return self._bind(request)
        if kind.scale is not None and request.subresource == SCALE:
            return self._scale(kind, request)
        if kind.custom or request.subresource in ("status", SCALE):
            raise no_resource()
        raise not_implemented(f"{kind.plural}/{request.subresource}")

    def _scale(self, kind: Kind, request: Request) -> Outcome:
        if request.verb in ("update", "patch"):
            return self._writer.scale(kind, request)
        if request.verb != "get":
            raise no_method()
        live = self._store.get(kind.storage, request.namespace if kind.namespaced else "", request.name)
        if live is None:
            raise not_found(kind.plural, kind.group, request.name)
        shown = scale.view(kind, live.object)
        return Outcome(Stored(shown, live.version, encode(shown)))

    def _bind(self, request: Request) -> Outcome:
        node = decode(request.body, request.headers.get("content-type", "")).get("target", {}).get("name", "")
        with self._store.lock:
            live = self._store.get("pods", request.namespace, request.name)
            if live is None:
                raise not_found("pods", "", request.name)
            bound = live.object["spec"].get("nodeName")
            if bound or live.object["metadata"].get("deletionTimestamp"):
                raise conflict(
                    "pods/binding", "", request.name, f"pod {request.name} is already assigned to node {bound!r}"
                )
            if not request.dry_run:
                self._store.put("pods", {**live.object, "spec": {**live.object["spec"], "nodeName": node}})
        done = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        return Outcome(Stored(done, 0, encode(done)), 201)
