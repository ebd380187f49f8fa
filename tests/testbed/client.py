"""A small API client for tests: what it sees must not depend on the code that is tested.

Standard library only. Every call is one request with a timeout; a watch is a background thread that keeps each event
in order, so that a test can say what was true at every moment and not only at the end.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Manifest = dict[str, Any]
Event = tuple[float, str, Manifest]

_CLUSTER_WIDE = {
    "Namespace",
    "Node",
    "PersistentVolume",
    "StorageClass",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "VolumeReplicationClass",
    "VolumeGroupReplicationClass",
    "Site",
    "SiteApplication",
}


class ApiError(Exception):
    """The server said no: HTTP `status`, its `reason`, and the whole message."""

    def __init__(self, status: int, body: Any) -> None:
        self.status = status
        self.reason = body.get("reason", "") if isinstance(body, dict) else ""
        super().__init__(f"{status} {body.get('message', '') if isinstance(body, dict) else body}")


class Client:
    """Requests to one API server with one token. Safe for threads: a connection a request."""

    def __init__(self, server: str, ca_file: Path, token: str, *, timeout: float = 30.0) -> None:
        self._address = urllib.parse.urlsplit(server)
        self._trust = ssl.create_default_context(cafile=ca_file)
        self._token = token
        self._timeout = timeout

    def request(
        self, method: str, path: str, body: Manifest | None = None, *, content_type: str = "application/json"
    ) -> Any:
        """One request; the decoded answer. Raises ApiError for every status from 400 on."""
        connection = self._connect(self._timeout)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, self._headers(content_type))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        decoded = json.loads(content) if answer.headers.get_content_type() == "application/json" else content.decode()
        if answer.status >= 400:
            raise ApiError(answer.status, decoded)
        return decoded

    def get(self, api_version: str, kind: str, name: str, namespace: str = "") -> Manifest:
        """One object, as it is now."""
        answer: Manifest = self.request("GET", path_of(api_version, kind, namespace, name))
        return answer

    def find(self, api_version: str, kind: str, name: str, namespace: str = "") -> Manifest | None:
        """One object, or None where it is not there."""
        try:
            return self.get(api_version, kind, name, namespace)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(self, api_version: str, kind: str, namespace: str = "", selector: str = "") -> list[Manifest]:
        """All objects of a kind, by a consistent read."""
        query = f"?{urllib.parse.urlencode({'labelSelector': selector})}" if selector else ""
        return items_of(self.request("GET", path_of(api_version, kind, namespace) + query))

    def create(self, manifest: Manifest) -> Manifest:
        """POST."""
        answer: Manifest = self.request("POST", _path_of_manifest(manifest, named=False), manifest)
        return answer

    def apply(self, manifest: Manifest, *, manager: str = "test") -> Manifest:
        """Server-side apply, forced."""
        path = f"{_path_of_manifest(manifest)}?fieldManager={manager}&force=true"
        answer: Manifest = self.request("PATCH", path, manifest, content_type="application/apply-patch+yaml")
        return answer

    def merge(
        self, api_version: str, kind: str, name: str, change: Manifest, namespace: str = "", *, status: bool = False
    ) -> Manifest:
        """A JSON merge patch, of the object or of its status."""
        path = path_of(api_version, kind, namespace, name) + ("/status" if status else "")
        answer: Manifest = self.request("PATCH", path, change, content_type="application/merge-patch+json")
        return answer

    def delete(self, api_version: str, kind: str, name: str, namespace: str = "") -> None:
        """DELETE, in the background."""
        self.request("DELETE", path_of(api_version, kind, namespace, name))

    def history(self, api_version: str, kind: str, namespace: str = "") -> History:
        """Begin to record every event of a kind from now on."""
        return History(self, path_of(api_version, kind, namespace))

    def stream(self, path: str, *, timeout: float) -> Iterator[Manifest]:
        """The lines of one watch request until the server closes it or nothing came for so long."""
        connection = self._connect(timeout)
        try:
            connection.request("GET", path, headers=self._headers("application/json"))
            answer = connection.getresponse()
            if answer.status >= 400:
                raise ApiError(answer.status, json.loads(answer.read()))
            for line in answer:
                yield json.loads(line)
        finally:
            connection.close()

    def _connect(self, timeout: float) -> http.client.HTTPSConnection:
        assert self._address.hostname is not None
        return http.client.HTTPSConnection(
            self._address.hostname, self._address.port, timeout=timeout, context=self._trust
        )

    def _headers(self, content_type: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": content_type,
            "Accept": "application/json",
        }


class History:
    """Every event of one kind since it was made, in the server's order. Survives a server's death.

    An event is (when it came, of `time.monotonic`; its type; the object), so histories of two servers can be laid
    side by side. A server that was killed no longer knows what happened before its end: then what is there now is
    LISTED, and what is not is DELETED with its last state.
    """

    def __init__(self, client: Client, path: str) -> None:
        self._client = client
        self._path = path
        self._events: list[Event] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._relist = False
        self.troubles: list[str] = []
        self._version = self._list()
        self._thread = threading.Thread(target=self._run, name=f"history {path}", daemon=True)
        self._thread.start()

    def events(self) -> list[Event]:
        """What was seen so far."""
        with self._lock:
            return list(self._events)

    def objects(self) -> list[Manifest]:
        """Every state of every object that was seen so far."""
        return [item for _, _, item in self.events()]

    def close(self) -> None:
        """Stop recording."""
        self._ended.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._follow()
            except (ApiError, OSError, http.client.HTTPException, ValueError) as error:
                self.troubles.append(f"{type(error).__name__}: {error}")
                self._relist |= isinstance(error, ApiError) and error.status == 410
            self._ended.wait(0.05)

    def _list(self) -> str:
        listing = self._client.request("GET", self._path)
        there = {item["metadata"]["uid"]: item for item in items_of(listing)}
        with self._lock:
            known = {item["metadata"]["uid"]: (kind, item) for _, kind, item in self._events}
            gone = [item for uid, (kind, item) in known.items() if kind != "DELETED" and uid not in there]
            now = time.monotonic()
            self._events += [(now, "DELETED", item) for item in gone]
            self._events += [(now, "LISTED", item) for item in there.values()]
        version: str = listing["metadata"]["resourceVersion"]
        return version

    def _follow(self) -> None:
        if self._relist:
            self._version = self._list()
            self._relist = False
        query = urllib.parse.urlencode(
            {"watch": "true", "resourceVersion": self._version, "allowWatchBookmarks": "true", "timeoutSeconds": "2"}
        )
        for event in self._client.stream(f"{self._path}?{query}", timeout=10):
            if event["type"] == "ERROR":
                raise ApiError(event["object"].get("code", 500), event["object"])
            self._version = event["object"]["metadata"]["resourceVersion"]
            if event["type"] != "BOOKMARK":
                with self._lock:
                    self._events.append((time.monotonic(), event["type"], event["object"]))


def eventually(
    what: str, check: Callable[[], Any], *, seconds: float = 60.0, detail: Callable[[], str] = lambda: ""
) -> Any:
    """Ask until the answer is true and return it; the error says what never came true and shows `detail()`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}\n{detail()}")
        time.sleep(0.1)


def items_of(listing: Manifest) -> list[Manifest]:
    """The objects of a list; those of built-in kinds come without saying what they are."""
    identity = {"apiVersion": listing["apiVersion"], "kind": listing["kind"].removesuffix("List")}
    return [{**identity, **item} for item in listing["items"]]


def path_of(api_version: str, kind: str, namespace: str = "", name: str = "") -> str:
    """The URL path of a kind, or of one object of it. Without a namespace: all of them."""
    parts = ["/api" if "/" not in api_version else "/apis", api_version]
    if namespace and kind not in _CLUSTER_WIDE:
        parts += ["namespaces", namespace]
    parts.append(_plural(kind.lower()))
    return "/".join([*parts, name] if name else parts)


def _plural(kind: str) -> str:
    if kind.endswith("y") and kind[-2] not in "aeiou":
        return kind[:-1] + "ies"
    if kind.endswith("ss"):
        return kind + "es"
    return kind if kind.endswith("s") else kind + "s"


def _path_of_manifest(manifest: Manifest, *, named: bool = True) -> str:
    metadata = manifest["metadata"]
    return path_of(
        manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"] if named else ""
    )
