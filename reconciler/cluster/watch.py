"""One watch: the lines of an open answer as events, until the server or we end it."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import urllib3

from reconciler.cluster.refusals import error_for
from reconciler.errors import Unreachable
from reconciler.objects import Manifest

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to an object; a BOOKMARK's object bears a resourceVersion only."""

    type: EventType
    object: Manifest

    @property
    def resource_version(self) -> str:
        """From where a later watch can go on."""
        return str(self.object["metadata"]["resourceVersion"])


class Watch:
    """Events of an open watch. Iterate in one thread; `close` from any ends the iteration at once."""

    def __init__(self, answer: urllib3.BaseHTTPResponse, what: str) -> None:
        self._answer = answer
        self._what = what
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Event]:
        """Events in order; ends when the server ends the watch.

        Raises Expired when the server no longer knows the resource version, Unreachable when the connection breaks
        or stays silent for too long.
        """
        try:
            for line in self._lines():
                yield self._event(line)
        finally:
            self._answer.close()

    def close(self) -> None:
        """End the watch: a read that is blocked in another thread returns."""
        self._closed.set()
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self._answer.shutdown()

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        while not self._closed.is_set():
            try:
                chunk = self._answer.read1()
            except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
                # A socket that is shut down under a blocked TLS read fails in any of these ways.
                if self._closed.is_set():
                    return
                if isinstance(error, ValueError | AttributeError):
                    raise
                raise Unreachable(f"{self._what}: the connection broke") from error
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line for line in lines if line.strip())

    def _event(self, line: bytes) -> Event:
        try:
            event = json.loads(line)
        except ValueError as error:
            raise Unreachable(f"{self._what}: a line that is no JSON") from error
        if event["type"] == "ERROR":
            status = event["object"]
            raise error_for(int(status.get("code") or 500), json.dumps(status).encode(), what=self._what)
        return Event(event["type"], event["object"])
