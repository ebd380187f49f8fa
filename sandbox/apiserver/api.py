"""From a request to an answer: who may, which resource, which verb; every refusal becomes a Status."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any, TypeVar

from sandbox.apiserver import discovery, openapi, tables
from sandbox.apiserver.admission import AdmissionChain
from sandbox.apiserver.audit import Audit
from sandbox.apiserver.customresources import CustomResources
from sandbox.apiserver.deletion import Deleter
from sandbox.apiserver.faults import Faults
from sandbox.apiserver.kinds import Kind
from sandbox.apiserver.moments import WallClock
from sandbox.apiserver.problems import Problem, no_method, no_resource, not_implemented
from sandbox.apiserver.reads import Reader, in_version, list_body
from sandbox.apiserver.registry import Registry
from sandbox.apiserver.requests import Request, User, parse
from sandbox.apiserver.store import Store, Stored, encode
from sandbox.apiserver.subresources import Subresources
from sandbox.apiserver.watches import Watcher, plain_frame
from sandbox.apiserver.webhook_calls import AnswerNeeded, ask
from sandbox.apiserver.webhooks import resolved
from sandbox.apiserver.wire import Response
from sandbox.apiserver.writes import Writer

MOST_QUESTIONS = 100
"""How many answers of webhooks one request may need: more means that its object never rests."""

Answered = TypeVar("Answered")

HEALTH = ("/readyz", "/healthz", "/livez")
ABSENT_GROUPS = {
    "authentication.k8s.io": "token reviews",
    "authorization.k8s.io": "access reviews (every known token may do everything)",
    "apiregistration.k8s.io": "API aggregation",
    "certificates.k8s.io": "certificate requests",
    "events.k8s.io": "the events.k8s.io group (core events are served)",
    "flowcontrol.apiserver.k8s.io": "flow control",
    "metrics.k8s.io": "metrics",
    "node.k8s.io": "runtime classes",
    "resource.k8s.io": "dynamic resource allocation",
}
"""Kubernetes' own groups that the sandbox does not serve: 501 rather than 404, which would say that they are absent."""

ABSENT_RESOURCES = {
    "mutatingadmissionpolicies": "mutating admission policies",
    "replicationcontrollers": "replication controllers",
    "podtemplates": "pod templates",
    "componentstatuses": "component statuses",
    "csidrivers": "CSI drivers",
    "csinodes": "CSI nodes",
    "csistoragecapacities": "CSI capacities",
}


class Api:
    """The API without its wire: `handle` may be called from any thread."""

    def __init__(self, store: Store, tokens: Mapping[str, User], clock: WallClock, audit: Audit | None) -> None:
        self.store, self.tokens, self.clock, self.audit = store, tokens, clock, audit
        self.registry = Registry()
        self.faults = Faults()
        self.custom = CustomResources(store, self.registry, clock)
        self.admission = AdmissionChain(store, self.registry)
        self.deleter = Deleter(store, self.admission, clock)
        self.writer = Writer(store, self.admission, clock, self._written)
        self.reader = Reader(store)
        self.watcher = Watcher(store)
        self.subresources = Subresources(store, self.writer)
        self._verbs: dict[str, Callable[[Kind, Request], Response]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }

    def _written(self, kind: Kind, stored: Stored) -> None:
        """What the server itself does once an object is stored, before the writer is answered."""
        if not self.deleter.finish(kind, stored):
            self.custom.stored(kind, stored)

    def handle(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Response:
        """Answer one request of the wire."""
        user = self._user(headers)
        request = parse(method, target, headers, body, user or User("system:anonymous", ("system:unauthenticated",)))
        return self.answer(request, known=user is not None)

    def answer(self, request: Request, *, known: bool = True) -> Response:
        """Answer a request of a user that is already known, as the server's own loops make them."""
        received = self.clock()
        problem: Problem | None = None
        fault = self.faults.strike(request)
        try:
            if fault and fault.delay:
                time.sleep(fault.delay)
            if fault and not fault.after:
                if fault.hang_up:
                    return Response(0, hang_up=True)
                if fault.code:
                    raise fault.problem()
            if not known and request.path not in HEALTH:
                raise Problem("Unauthorized", "Unauthorized")
            response = self._route(request)
            if fault and fault.after:
                response = self._spoiled(fault.problem() if fault.code else None)
        except Problem as refused:
            problem = refused
            response = _refusal(refused)
        except Exception:
            problem = Problem("InternalError", "Internal error occurred: " + traceback.format_exc(limit=-3))
            response = _refusal(problem)
        for words in request.warnings:
            response.headers.append(("Warning", f"299 - {json.dumps(words)}"))
        if self.audit is not None and request.path not in HEALTH:
            self.audit.record(request, response.code, problem, received, self.clock())
        return response

    def _spoiled(self, problem: Problem | None) -> Response:
        return _refusal(problem) if problem else Response(0, hang_up=True)

    def _user(self, headers: Mapping[str, str]) -> User | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return self.tokens.get(token.strip()) if scheme.lower() == "bearer" else None

    def date(self) -> str:
        """The Date header, from the server's own clock."""
        return formatdate(self.clock(), usegmt=True)

    # -- routes --------------------------------------------------------------------------------------------------

    def _route(self, request: Request) -> Response:
        if not request.plural:
            return self._meta(request)
        kind = self.registry.find(request.group, request.version, request.plural)
        if kind is None:
            raise _unknown(request)
        if kind.namespaced and not request.namespace and (request.name or request.verb == "create"):
            raise no_resource()
        if request.subresource and not (request.subresource == "status" and kind.has_status):
            return self._subresource(kind, request)
        serve = self._verbs.get(request.verb)
        if serve is None or (request.subresource and request.verb not in ("get", "update", "patch")):
            raise no_method()
        return serve(kind, request)

    def _meta(self, request: Request) -> Response:
        if request.path in HEALTH or request.path.startswith(tuple(f"{one}/" for one in HEALTH)):
            return Response(200, b"ok", "text/plain; charset=utf-8")
        if request.method not in ("GET", "HEAD"):
            raise no_method()
        found = discovery.answer(self.registry, request) or openapi.answer(self.registry, request)
        if found is None:
            raise not_implemented(f"the path {request.path}")
        return found

    def _subresource(self, kind: Kind, request: Request) -> Response:
        outcome = self._admitted(request, lambda: self.subresources.answer(kind, request))
        return Response(outcome.code, outcome.stored.body)

    # -- verbs ---------------------------------------------------------------------------------------------------

    def _get(self, kind: Kind, request: Request) -> Response:
        found = self.reader.get(kind, request)
        if tables.wanted(request):
            return _json(200, tables.table(kind, request, [found], {}, self.clock()))
        return Response(200, found.body)

    def _list(self, kind: Kind, request: Request) -> Response:
        metadata, found = self.reader.listing(kind, request)
        if tables.wanted(request):
            return _json(200, tables.table(kind, request, found, metadata, self.clock()))
        return Response(200, list_body(kind, metadata, found))

    def _watch(self, kind: Kind, request: Request) -> Response:
        if request.name:
            raise not_implemented("watching one object by its path (use a fieldSelector)")
        frame = tables.frame(kind, request, self.clock) if tables.wanted(request) else plain_frame
        return Response(200, stream=self.watcher.watch(kind, request, frame))

    def _create(self, kind: Kind, request: Request) -> Response:
        if request.name:
            raise no_method()
        outcome = self._admitted(request, lambda: self.writer.create(kind, request))
        request.name = outcome.stored.object["metadata"]["name"]
        return self._object(kind, request, outcome.stored, outcome.code)

    def _update(self, kind: Kind, request: Request) -> Response:
        outcome = self._admitted(request, lambda: self.writer.update(kind, request))
        return self._object(kind, request, outcome.stored, outcome.code)

    def _patch(self, kind: Kind, request: Request) -> Response:
        outcome = self._admitted(request, lambda: self.writer.patch(kind, request))
        return self._object(kind, request, outcome.stored, outcome.code)

    def _object(self, kind: Kind, request: Request, stored: Stored, code: int) -> Response:
        shown = in_version(kind, stored)
        if tables.wanted(request):
            return _json(code, tables.table(kind, request, [shown], {}, self.clock()))
        return Response(code, shown.body)

    def _delete(self, kind: Kind, request: Request) -> Response:
        if request.subresource:
            raise no_method()
        body, code = self._admitted(request, lambda: self.deleter.delete(kind, request))
        return _json(code, body)

    def _delete_collection(self, kind: Kind, request: Request) -> Response:
        metadata, found = self.reader.listing(kind, request)
        self._admitted(request, lambda: self.deleter.delete_collection(kind, request, found))
        return Response(200, list_body(kind, metadata, found))

    def _admitted(self, request: Request, write: Callable[[], Answered]) -> Answered:
        """A write that may need answers of admission webhooks; they are asked while nobody holds the store's lock."""
        warnings = list(request.warnings)
        for _ in range(MOST_QUESTIONS):
            try:
                return write()
            except AnswerNeeded as needed:
                request.warnings[:] = warnings
                question = needed.question
                request.answers[question.key] = ask(question, lambda service: resolved(self.store, service))
        raise Problem("Timeout", "the object changed each time that its admission webhooks had answered")


def _json(code: int, body: dict[str, Any]) -> Response:
    return Response(code, encode(body))


def _refusal(problem: Problem) -> Response:
    response = _json(problem.code, problem.status())
    retry = (problem.details or {}).get("retryAfterSeconds")
    if retry:
        response.headers.append(("Retry-After", str(retry)))
    return response


def _unknown(request: Request) -> Problem:
    what = ABSENT_RESOURCES.get(request.plural) or ABSENT_GROUPS.get(request.group)
    if what:
        return not_implemented(what)
    return no_resource()
