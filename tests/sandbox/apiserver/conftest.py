"""A server in process, and a plain client of it."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.apiserver import ApiServer

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


class Client:
    """Requests of one user, each decoded; the connection is kept."""

    def __init__(self, server: ApiServer, user: str = "admin") -> None:
        url = urlsplit(server.url)
        assert url.hostname
        context = ssl.create_default_context(cafile=server.ca_file)
        self.connection = http.client.HTTPSConnection(url.hostname, url.port, context=context, timeout=30)
        self._headers = {"Authorization": f"Bearer {server.tokens[user]}", "User-Agent": "test/1"}

    def __call__(
        self, method: str, path: str, body: Any = None, content: str = "application/json", accept: str = ""
    ) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        headers = {**self._headers, "Content-Type": content, "Accept": accept or "application/json"}
        self.connection.request(method, path, body=data, headers=headers)
        response = self.connection.getresponse()
        text = response.read()
        self.headers = response.headers
        return response.status, json.loads(text) if text.startswith(b"{") else text.decode()

    def eventually(self, path: str, good: Callable[[int, Any], bool]) -> Any:
        """Ask until the answer is good; the server's own loops have half a minute."""
        end = time.monotonic() + 30
        while not good(*(answer := self("GET", path))) and time.monotonic() < end:
            time.sleep(0.01)
        assert good(*answer), answer
        return answer[1]


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


@pytest.fixture
def client(server: ApiServer) -> Iterator[Client]:
    made = Client(server)
    yield made
    made.connection.close()


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """Makes clients of servers that a test starts itself."""
    made: list[Client] = []

    def make(server: ApiServer, user: str = "admin") -> Client:
        made.append(Client(server, user))
        return made[-1]

    yield make
    for one in made:
        one.connection.close()
