"""Bytes to and from one API server: a bounded pool of connections, timeouts on everything, and bounded retries.

Watches hold their connection for minutes, so they have a pool of their own: however many kinds are watched, requests
never wait for them.
"""

from __future__ import annotations

import email.utils
import json
import random
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3

from reconciler.clock import Clock, SystemClock
from reconciler.cluster.endpoint import Endpoint
from reconciler.cluster.redaction import mask_text
from reconciler.cluster.refusals import error_for
from reconciler.errors import Unreachable
from reconciler.objects import Manifest

CONNECT_TIMEOUT = 5.0
"""Seconds for a connection to be made."""

REQUEST_TIMEOUT = 30.0
"""Seconds without a byte of the answer, unless a request says otherwise."""

MOST_TRIES = 4
"""How often an idempotent request is sent at most, when the server asks for patience or drops the connection."""

LONGEST_PAUSE = 10.0
"""Seconds; a longer Retry-After is shortened to it, because the caller has a loop of its own."""

_AGAIN = frozenset({429, 503})
_QUERY_SAFE = "=,()!"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `what` names it in errors; `idempotent` ones may be sent again."""

    method: str
    path: str
    what: str
    query: tuple[tuple[str, str], ...] = ()
    body: Any = None
    content_type: str = "application/json"
    accept: str = "application/json"
    timeout: float | None = None
    """Seconds without a byte of the answer; None: the transport's own."""

    idempotent: bool = True
    manifest: Manifest | None = None
    """The manifest that is sent or meant, so that an error can be masked by its kind."""


class Transport:
    """Sends requests to one endpoint. Safe to be used by many threads.

    timeout: seconds for a connection, and without a byte of an answer. tries: how often a request is sent at most.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        pool: int,
        clock: Clock | None = None,
        timeout: float = REQUEST_TIMEOUT,
        tries: int = MOST_TRIES,
    ) -> None:
        self.endpoint = endpoint
        self._timeout, self._tries = timeout, tries
        self._clock = clock or SystemClock()
        self._requests = self._connections(endpoint, maxsize=pool, block=True)
        self._watches = self._connections(endpoint, maxsize=1, block=False)
        self._date: tuple[float, float] | None = None
        self._closed = threading.Event()

    @staticmethod
    def _connections(endpoint: Endpoint, *, maxsize: int, block: bool) -> urllib3.PoolManager:
        options: dict[str, Any] = {"num_pools": 1, "maxsize": maxsize, "block": block, "retries": False}
        if endpoint.tls is not None:
            options["ssl_context"] = endpoint.tls
            if endpoint.server_name:
                options |= {"server_hostname": endpoint.server_name, "assert_hostname": endpoint.server_name}
        if endpoint.proxy:
            return urllib3.ProxyManager(endpoint.proxy, **options)
        return urllib3.PoolManager(**options)

    def send(self, request: Request) -> Any:
        """The answer's JSON. Raises the ClusterError that the answer is, Unreachable without one."""
        answer = self._answer(request)
        if not 200 <= answer.status < 300:
            raise error_for(answer.status, answer.data, what=request.what, manifest=request.manifest)
        try:
            return json.loads(answer.data)
        except ValueError as error:
            raise Unreachable(f"{request.what}: {self.endpoint.server} did not answer in JSON") from error

    def stream(self, request: Request) -> urllib3.BaseHTTPResponse:
        """An open answer, to be read and closed by the caller."""
        answer = self._once(self._watches, request, preload=False)
        if answer.status == 401:
            answer.close()
            self.endpoint.credentials.renew()
            answer = self._once(self._watches, request, preload=False)
        if not 200 <= answer.status < 300:
            try:
                body = answer.read()
            except (urllib3.exceptions.HTTPError, OSError):
                body = b""
            finally:
                answer.close()
            raise error_for(answer.status, body, what=request.what)
        return answer

    def server_time(self) -> float | None:
        """Epoch seconds by the server's clock (whole seconds, rounded down, plus what passed since its answer)."""
        date = self._date
        return None if date is None else date[0] + self._clock.monotonic() - date[1]

    def close(self) -> None:
        """Let go of all idle connections and end pauses between tries."""
        self._closed.set()
        self._requests.clear()
        self._watches.clear()

    def _answer(self, request: Request) -> urllib3.BaseHTTPResponse:
        renewed = False
        for turn in range(1, self._tries + 1):
            last = turn == self._tries or not request.idempotent
            try:
                answer = self._once(self._requests, request, preload=True)
            except Unreachable as error:
                if last or not isinstance(error.__cause__, urllib3.exceptions.ProtocolError):
                    raise
                continue
            if answer.status == 401 and not renewed:
                renewed = True
                self.endpoint.credentials.renew()
                answer = self._once(self._requests, request, preload=True)
            if answer.status not in _AGAIN or last or self._closed.is_set():
                return answer
            self._clock.wait(self._closed, _pause(answer.headers.get("Retry-After"), turn))
        return answer

    def _once(self, pool: urllib3.PoolManager, request: Request, *, preload: bool) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": request.accept, "User-Agent": "siteshift", **self.endpoint.credentials.headers()}
        body = None
        if request.body is not None:
            headers["Content-Type"] = request.content_type
            body = json.dumps(request.body, separators=(",", ":")).encode()
        query = f"?{urlencode(request.query, safe=_QUERY_SAFE)}" if request.query else ""
        try:
            answer = pool.request(
                request.method,
                f"{self.endpoint.server}{request.path}{query}",
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(
                    connect=min(CONNECT_TIMEOUT, self._timeout), read=request.timeout or self._timeout
                ),
                preload_content=preload,
                redirect=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{request.what}: {self.endpoint.server} did not answer: {_why(error)}") from error
        self._note_date(answer.headers.get("Date"))
        return answer

    def _note_date(self, text: str | None) -> None:
        if text is None:
            return
        try:
            self._date = (email.utils.parsedate_to_datetime(text).timestamp(), self._clock.monotonic())
        except ValueError:
            return


def _pause(retry_after: str | None, turn: int) -> float:
    """Seconds to wait before the next try: what the server asks for, else doubling; never all clients at once."""
    asked = float(retry_after) if retry_after is not None and retry_after.isdigit() else 0.25 * 2**turn
    return min(asked, LONGEST_PAUSE) * (1.0 + 0.25 * random.random())


def _why(error: Exception) -> str:
    """An exception in words of people, without addresses of objects in memory."""
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return "no answer in time"
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "connection refused" if "refused" in str(error) else "no connection"
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return "no connection in time"
    return mask_text(str(error).rpartition(">: ")[2] or type(error).__name__)
