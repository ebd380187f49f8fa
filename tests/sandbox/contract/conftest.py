"""One fixture, two servers: every test here runs against the sandbox's API server and against a real kube-apiserver."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from sandbox.apiserver import ApiServer

CONTENT = {
    "apply": "application/apply-patch+yaml",
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
PATIENCE = 60.0
"""Seconds for what a server does on its own time; the real one is slow to notice policies and definitions."""

Manifest = dict[str, Any]


@dataclass
class Answer:
    """A status and the decoded body."""

    code: int
    body: Any
    warnings: list[str] = field(default_factory=list)

    @property
    def causes(self) -> set[tuple[str, str]]:
        """(field, reason) of each cause."""
        found = self.body.get("details", {}).get("causes", ())
        return {(one.get("field", ""), one.get("reason", "")) for one in found}


class Api:
    """A client without opinions: it sends what a test says and shows what came back."""

    def __init__(self, name: str, url: str, ca_file: Path, token: str) -> None:
        self.name, self.address, self.ca_file, self.token = name, url, ca_file, token
        self._url = urlsplit(url)
        self._context = ssl.create_default_context(cafile=ca_file)
        self._connection = self._connect()

    def _connect(self) -> http.client.HTTPSConnection:
        assert self._url.hostname
        return http.client.HTTPSConnection(self._url.hostname, self._url.port, context=self._context, timeout=60)

    def close(self) -> None:
        self._connection.close()

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: str = "application/json",
        accept: str = "application/json",
        **query: Any,
    ) -> Answer:
        target = path + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self.token}", "Accept": accept, "User-Agent": "contract/1"}
        headers["Content-Type"] = CONTENT.get(content, content)
        data = None if body is None else json.dumps(body)
        self._connection.request(method, target, body=data, headers=headers)
        response = self._connection.getresponse()
        text = response.read()
        is_json = "json" in (response.headers.get("Content-Type") or "")
        return Answer(
            response.status, json.loads(text) if is_json else text.decode(), response.headers.get_all("Warning") or []
        )

    def watch(self, path: str, *, until: int, **query: Any) -> list[Manifest]:
        """The first `until` events of a watch (fewer if it ends before)."""
        connection = self._connect()
        try:
            query = {"watch": "1", "timeoutSeconds": 20, **query}
            headers = {"Authorization": f"Bearer {self.token}"}
            connection.request("GET", f"{path}?{urlencode(query)}", headers=headers)
            response = connection.getresponse()
            if response.status != 200:
                return [{"type": "REFUSED", "object": json.loads(response.read())}]
            events: list[Manifest] = []
            while len(events) < until and (line := response.readline()):
                events.append(json.loads(line))
            return events
        finally:
            connection.close()

    def get(self, path: str, **query: Any) -> Answer:
        return self.send("GET", path, **query)

    def create(self, path: str, manifest: Manifest, **query: Any) -> Answer:
        return self.send("POST", path, manifest, **query)

    def apply(self, path: str, manifest: Manifest, *, manager: str, force: bool = False, **query: Any) -> Answer:
        more = {"fieldManager": manager, **({"force": "true"} if force else {}), **query}
        return self.send("PATCH", path, manifest, content="apply", **more)

    def patch(self, path: str, patch: Any, content: str = "merge", **query: Any) -> Answer:
        return self.send("PATCH", path, patch, content=content, **query)

    def delete(self, path: str, options: Manifest | None = None, **query: Any) -> Answer:
        return self.send("DELETE", path, options, **query)

    def eventually(self, ask: Callable[[], Answer], good: Callable[[Answer], bool]) -> Answer:
        """Ask until the answer is good: for what a server does on its own time."""
        end = time.monotonic() + PATIENCE
        while not good(answer := ask()) and time.monotonic() < end:
            time.sleep(0.1)
        assert good(answer), answer
        return answer


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.testbed)])
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    """The server that the test runs against."""
    if request.param == "sandbox":
        server = request.getfixturevalue("sandbox_server")
        client = Api("sandbox", server.url, server.ca_file, server.tokens["admin"])
    else:
        real = request.getfixturevalue("real_api")
        client = Api("real", real.server, real.ca_file, real.token())
    yield client
    client.close()


@pytest.fixture
def namespace(api: Api) -> str:
    """A namespace of the test's own."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert api.create("/api/v1/namespaces", manifest).code == 201
    return name


@pytest.fixture
def core(namespace: str) -> str:
    """The path below which the namespace's core objects lie."""
    return f"/api/v1/namespaces/{namespace}"


@pytest.fixture
def apps(namespace: str) -> str:
    """The path below which the namespace's workloads lie."""
    return f"/apis/apps/v1/namespaces/{namespace}"
