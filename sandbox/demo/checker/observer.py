"""Watches one site's API and keeps everything that it showed, in order.

Plain HTTP and JSON of the standard library: nothing here could share a mistake with the controller. A site that is
killed simply answers no more; when it is back the observer lists again and goes on, so its history has no gap that
could hide an object: what a list no longer shows is recorded as gone, what it shows anew as there.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATHS = {
    "VirtualMachine": "/apis/kubevirt.io/v1/virtualmachines",
    "VirtualMachineInstance": "/apis/kubevirt.io/v1/virtualmachineinstances",
    "VolumeGroupReplication": "/apis/replication.storage.openshift.io/v1alpha1/volumegroupreplications",
    "Deployment": "/apis/apps/v1/deployments",
    "Pod": "/api/v1/pods",
    "SiteApplication": "/apis/siteshift.io/v1alpha1/siteapplications",
}
"""What is watched: kind and collection."""

UNCHANGED_PATHS = (
    "/api/v1/configmaps",
    "/api/v1/services",
    "/api/v1/persistentvolumeclaims",
    "/api/v1/persistentvolumes",
    "/api/v1/pods",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/replicasets",
    "/apis/kubevirt.io/v1/virtualmachines",
    "/apis/kubevirt.io/v1/virtualmachineinstances",
    "/apis/replication.storage.openshift.io/v1alpha1/volumegroupreplications",
)
"""Collections whose objects keep their resourceVersion while another application moves."""

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """One event: which object, and what it was; `value` is None once it is gone. `at` (monotonic seconds) places it
    among the events of all sites, `version` exactly among those of its own: the order in which the site stored them."""

    at: float
    version: int
    key: Key
    value: dict[str, Any] | None


class Observer:
    """One site's watcher. `now` and `history` may be read at any time."""

    def __init__(self, site: str, server: str, token: str, ca_file: str) -> None:
        self.site = site
        self.history: list[Seen] = []
        self.now: dict[Key, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._address = urlsplit(server)
        self._token = token
        self._context = ssl.create_default_context(cafile=ca_file)
        self._stop = threading.Event()
        self._open: set[http.client.HTTPSConnection] = set()
        self._threads = [
            threading.Thread(target=self._follow, args=(kind, path), daemon=True) for kind, path in PATHS.items()
        ]

    def start(self) -> None:
        """Begin to watch every kind."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Watch no more: open watches are cut, and the threads end."""
        self._stop.set()
        for connection in list(self._open):
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5.0)

    def objects(self) -> dict[Key, dict[str, Any]]:
        """Every object as it was seen last."""
        with self._lock:
            return dict(self.now)

    def versions(self, namespaces: Iterable[str]) -> dict[str, str]:
        """resourceVersion of every object in these namespaces, by its path; read from the API itself."""
        wanted = set(namespaces)
        found: dict[str, str] = {}
        for path in UNCHANGED_PATHS:
            for item in self._get(path)["items"]:
                metadata = item["metadata"]
                if (metadata.get("namespace") or _claimed_by(item)) in wanted:
                    found[f"{path}/{metadata.get('namespace', '')}/{metadata['name']}"] = metadata["resourceVersion"]
        return found

    def _follow(self, kind: str, path: str) -> None:
        while not self._stop.is_set():
            try:
                listing = self._get(path)
                version = listing["metadata"]["resourceVersion"]
                self._listed(kind, listing["items"], int(version))
                self._watch(kind, path, version)
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                self._stop.wait(0.1)

    def _listed(self, kind: str, items: list[dict[str, Any]], version: int) -> None:
        there = {_key(kind, item): item | {"kind": kind} for item in items}  # a list's items do not say it
        for key in [key for key in self.now if key[0] == kind and key not in there]:
            self._record(key, None, version)
        for key, item in there.items():
            known = self.now.get(key)
            if known is None or known["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
                self._record(key, item, version_of(item))

    def _watch(self, kind: str, path: str, version: str) -> None:
        connection = self._connect(timeout=None)
        self._open.add(connection)
        try:
            query = f"{path}?watch=true&allowWatchBookmarks=true&resourceVersion={version}"
            connection.request("GET", query, headers=self._headers())
            answer = connection.getresponse()
            while not self._stop.is_set():
                line = answer.readline()
                if not line:
                    return
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                if event["type"] != "BOOKMARK":
                    item = event["object"]
                    self._record(_key(kind, item), None if event["type"] == "DELETED" else item, version_of(item))
        finally:
            self._open.discard(connection)
            connection.close()

    def _record(self, key: Key, value: dict[str, Any] | None, version: int) -> None:
        with self._lock:
            self.history.append(Seen(time.monotonic(), version, key, value))
            if value is None:
                self.now.pop(key, None)
            else:
                self.now[key] = value

    def _get(self, path: str) -> dict[str, Any]:
        connection = self._connect(timeout=5.0)
        try:
            connection.request("GET", path, headers=self._headers())
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise ValueError(f"{path}: {answer.status}")
            found: dict[str, Any] = json.loads(body)
            return found
        finally:
            connection.close()

    def _connect(self, timeout: float | None) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            self._address.hostname or "127.0.0.1", self._address.port, timeout=timeout, context=self._context
        )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}


def version_of(item: dict[str, Any]) -> int:
    """The place of an object's last write in the order of its site's store."""
    return int(item["metadata"]["resourceVersion"])


def _key(kind: str, item: dict[str, Any]) -> Key:
    return (kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])


def _claimed_by(item: dict[str, Any]) -> str:
    """The namespace that a PersistentVolume belongs to."""
    claim: dict[str, str] = item.get("spec", {}).get("claimRef") or {}
    return claim.get("namespace", "")
