"""The audit log: one JSON line a request, with the field names of Kubernetes' audit events."""

from __future__ import annotations

import json
import os
import threading
import uuid
from pathlib import Path
from typing import Any

from sandbox.apiserver.moments import rfc3339_micro
from sandbox.apiserver.problems import Problem
from sandbox.apiserver.requests import Request


class Audit:
    """Appends audit events to a file; each line reaches the kernel in one write."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._lock = threading.Lock()
        self._open = True

    def record(self, request: Request, code: int, problem: Problem | None, received: float, done: float) -> None:
        """Write the event of one request; the stage says whether it is over or (a watch) begun."""
        status: dict[str, Any] = {"metadata": {}, "code": code}
        if problem is not None:
            status |= {"status": "Failure", "message": problem.message, "reason": problem.reason}
        event: dict[str, Any] = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Metadata",
            "auditID": str(uuid.uuid4()),
            "stage": "ResponseStarted" if request.verb == "watch" else "ResponseComplete",
            "requestURI": request.target,
            "verb": request.verb,
            "user": {"username": request.user.name, "groups": list(request.user.groups)},
            "sourceIPs": ["127.0.0.1"],
            "userAgent": request.headers.get("user-agent", ""),
        }
        if request.plural:
            event["objectRef"] = reference(request)
        event |= {"responseStatus": status, "requestReceivedTimestamp": rfc3339_micro(received)}
        event |= {"stageTimestamp": rfc3339_micro(done)}
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            if self._open:
                os.write(self._file, line)

    def close(self) -> None:
        """Write no more."""
        with self._lock:
            if self._open:
                os.close(self._file)
            self._open = False


def reference(request: Request) -> dict[str, str]:
    """The request's `objectRef`."""
    named = {
        "resource": request.plural,
        "namespace": request.namespace,
        "name": request.name,
        "apiGroup": request.group,
        "apiVersion": request.version,
        "subresource": request.subresource,
    }
    return {key: value for key, value in named.items() if value}
