"""A scripted API server: what a real one does rarely (errors, hiccups, broken watches), it does on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from reconciler.cluster import Cluster, Endpoint
from reconciler.cluster.endpoint import Credentials

DATE = "Sun, 22 Nov 2026 08:00:00 GMT"
DATE_SECONDS = 1795334400.0

CORE = {
    "kind": "APIResourceList",
    "groupVersion": "v1",
    "resources": [
        {"name": "configmaps", "kind": "ConfigMap", "namespaced": True, "verbs": ["get"]},
        {"name": "secrets", "kind": "Secret", "namespaced": True, "verbs": ["get"]},
        {"name": "namespaces", "kind": "Namespace", "namespaced": False, "verbs": ["get"]},
        {"name": "namespaces/status", "kind": "Namespace", "namespaced": False, "verbs": ["get"]},
    ],
}


class ManualClock:
    """Time passes only when somebody waits, and then at once; `waits` are the seconds waited."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.now += seconds
        self.waits.append(seconds)
        return event.wait(0.001)


@dataclass
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    content_type: str | None
    authorization: str | None


@dataclass
class Answer:
    """What the server says. `lines` makes it a stream; None among them is silence until the test ends."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    lines: list[Any] | None = None
    text: str | None = None


@dataclass
class Script:
    """Answers by (method, path): the first of several is used up, the last one stays."""

    answers: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    server: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def on(self, method: str, path: str, *answers: Answer) -> None:
        with self.lock:
            self.answers[method, path] = list(answers)

    def next(self, asked: Asked) -> Answer:
        with self.lock:
            self.asked.append(asked)
            key = "WATCH" if asked.query.get("watch") else asked.method
            waiting = self.answers.get((key, asked.path))
            if not waiting:
                return status(404, "NotFound", f"no script for {key} {asked.path}")
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def requests(self, path: str) -> list[Asked]:
        with self.lock:
            return [asked for asked in self.asked if asked.path == path]


def status(code: int, reason: str, message: str, **headers: str) -> Answer:
    body = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
    return Answer(code, body, {key.replace("_", "-"): value for key, value in headers.items()})


def listing(version: str, *items: Any) -> Answer:
    return Answer(body={"kind": "ConfigMapList", "metadata": {"resourceVersion": version}, "items": list(items)})


def config_map(name: str, version: str, **data: str) -> dict[str, Any]:
    metadata = {"namespace": "shop", "name": name, "resourceVersion": version}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def _serve(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        asked = Asked(
            self.command,
            url.path,
            dict(parse_qsl(url.query)),
            body,
            self.headers.get("Content-Type"),
            self.headers.get("Authorization"),
        )
        answer = self.script.next(asked)
        if answer.lines is not None:
            self._stream(answer.lines)
            return
        data = (answer.text if answer.text is not None else json.dumps(answer.body)).encode()
        self.send_response(answer.status)
        for key, value in answer.headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, lines: list[Any]) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in lines:
            if line is None:
                self.wfile.flush()
                self.script.over.wait()
                return
            data = json.dumps(line).encode() + b"\n"
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def date_time_string(self, timestamp: float | None = None) -> str:
        return DATE

    def log_message(self, format: str, *args: Any) -> None:
        return


METHODS = {f"do_{method}": _Handler._serve for method in ("GET", "PUT", "POST", "PATCH", "DELETE")}


@pytest.fixture
def script() -> Iterator[Script]:
    """A server with the core kinds ConfigMap, Secret and Namespace, in the old form of discovery."""
    script = Script()
    script.on("GET", "/api", Answer(body={"kind": "APIVersions", "versions": ["v1"]}))
    script.on("GET", "/api/v1", Answer(body=CORE))
    script.on("GET", "/apis", Answer(body={"kind": "APIGroupList", "groups": []}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"script": script, **METHODS}))
    server.daemon_threads = True
    script.server = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield script
    script.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tokens() -> list[str]:
    """Tokens in the order in which loading the credentials gives them out."""
    return ["first-token", "second-token"]


@pytest.fixture
def cluster(script: Script, clock: ManualClock, tokens: list[str]) -> Iterator[Cluster]:
    def load() -> Callable[[], dict[str, str]]:
        token = tokens.pop(0)
        return lambda: {"Authorization": f"Bearer {token}"}

    cluster = Cluster(Endpoint(script.server, Credentials(load)), clock=clock)
    yield cluster
    cluster.close()


@pytest.fixture
def say() -> Any:
    """The words that a script is written in."""
    return _Words


class _Words:
    Answer = Answer
    status = staticmethod(status)
    listing = staticmethod(listing)
    config_map = staticmethod(config_map)
    date_seconds = DATE_SECONDS
