"""The client of one site's API: every request that Siteshift makes of a cluster is one of these methods."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from reconciler.clock import Clock
from reconciler.cluster.discovery import Discovery, Resource
from reconciler.cluster.endpoint import Endpoint, from_kubeconfig, from_token
from reconciler.cluster.secret_data import with_encoded_data
from reconciler.cluster.transport import MOST_TRIES, REQUEST_TIMEOUT, Request, Transport
from reconciler.cluster.watch import Watch
from reconciler.errors import ClusterError, Expired, NotFound
from reconciler.objects import Manifest

APPLY = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

WATCH_LENGTH = 300
"""Seconds after which the server ends a watch at the latest; twice as much at most, drawn for each watch."""

WATCH_SILENCE = 120.0
"""Seconds without an event or bookmark after which a watch counts as hung. Servers send bookmarks each minute."""

_PAGE = "500"


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of a kind at one moment, and the resource version that a watch goes on from."""

    items: tuple[Manifest, ...]
    resource_version: str


class Cluster:
    """One site's API server. Safe to be used by many threads; reads are consistent (never from a server's cache).

    timeout: seconds for a connection, and without a byte of an answer. tries: how often a request is sent at most.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        pool: int = 16,
        clock: Clock | None = None,
        timeout: float = REQUEST_TIMEOUT,
        tries: int = MOST_TRIES,
    ) -> None:
        self._clock = clock
        self._transport = Transport(endpoint, pool=pool, clock=clock, timeout=timeout, tries=tries)
        self.discovery = Discovery(self._transport)

    @classmethod
    def connect(cls, kubeconfig: str | None, context: str | None, *, pool: int = 16) -> Cluster:
        """The cluster of a kubeconfig's context, as kubectl takes them (None: the default). UsageError if unusable."""
        return cls(from_kubeconfig(kubeconfig, context), pool=pool)

    @classmethod
    def from_endpoint(cls, server: str, token: str | None, ca: str | None, *, pool: int = 16) -> Cluster:
        """The cluster at a URL. `ca` is PEM text or a file's path."""
        return cls(from_token(server, token, ca), pool=pool)

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return self._transport.endpoint.server

    def at(self, server: str, *, timeout: float = REQUEST_TIMEOUT, tries: int = MOST_TRIES) -> Cluster:
        """The same cluster asked at another address (one of `server_addresses`), with the same credentials.

        A certificate is checked against the name by which the cluster is known, unless that is an IP address.
        """
        endpoint = self._transport.endpoint
        host = urlsplit(endpoint.server).hostname or ""
        known_by = endpoint.server_name or (None if _is_address(host) else host)
        there = replace(endpoint, server=server, server_name=known_by)
        return Cluster(there, pool=2, clock=self._clock, timeout=timeout, tries=tries)

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()

    def server_addresses(self) -> tuple[str, ...]:
        """URLs of the API servers: the one in use first, then each that Service default/kubernetes leads to.

        An address in the list need not be reachable from here; who asks each of them must count silence as unknown.
        """
        return tuple(dict.fromkeys([self.server, *self.endpoint_addresses()]))

    def endpoint_addresses(self) -> tuple[str, ...]:
        """URLs of the API servers that Service default/kubernetes leads to now; it drops one that does not renew."""
        try:
            endpoints = self.get("v1", "Endpoints", "default", "kubernetes")
        except NotFound:
            return ()
        addresses = []
        for subset in endpoints.get("subsets") or ():
            ports = [p["port"] for p in subset.get("ports") or () if p.get("name") in ("https", None)]
            for address in subset.get("addresses") or ():
                host = f"[{address['ip']}]" if ":" in address["ip"] else address["ip"]
                addresses += [f"https://{host}:{port}" for port in ports]
        return tuple(dict.fromkeys(addresses))

    def server_time(self) -> float:
        """Epoch seconds by the API server's clock: its last answer's date plus what passed since; never ahead of it."""
        if self._transport.server_time() is None:
            self._transport.send(Request("GET", "/version", "version"))
        now = self._transport.server_time()
        if now is None:
            raise ClusterError(f"{self.server} sends no Date header")
        return now

    def version(self) -> Mapping[str, Any]:
        """What /version says; `gitVersion` is the server's version."""
        answer: Mapping[str, Any] = self._transport.send(Request("GET", "/version", "version"))
        return answer

    def located(self, manifest: Manifest) -> Manifest:
        """The manifest with the namespace that the server would give it: "default" where a namespaced kind has none,
        none where the kind is cluster-scoped. Raises NotFound for an unknown kind.
        """
        metadata = manifest["metadata"]
        resource = self.discovery.find(manifest["apiVersion"], manifest["kind"])
        wanted = (metadata.get("namespace") or "default") if resource.namespaced else None
        if metadata.get("namespace") == wanted:
            return manifest
        rest = {key: value for key, value in metadata.items() if key != "namespace"}
        return {**manifest, "metadata": rest if wanted is None else {**rest, "namespace": wanted}}

    def get(self, api_version: str, kind: str, namespace: str | None, name: str) -> Manifest:
        """The object as it is stored now. Raises NotFound."""
        resource = self.discovery.find(api_version, kind)
        path = resource.path(_namespace(resource, namespace), name)
        answer: Manifest = self._transport.send(Request("GET", path, f"get {_name(kind, namespace, name)}"))
        return answer

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, label_selector: str | None = None
    ) -> Listing:
        """All objects of a kind, consistent: of one namespace, or of all with None. Read in pages."""
        resource = self.discovery.find(api_version, kind)
        try:
            return self._list(resource, namespace, label_selector, page=_PAGE)
        except Expired:
            # The pages took longer than the server keeps history: everything at once then.
            return self._list(resource, namespace, label_selector, page="")

    def _list(self, resource: Resource, namespace: str | None, selector: str | None, *, page: str) -> Listing:
        items: list[Manifest] = []
        onwards = ""
        while True:
            query = _query(labelSelector=selector, limit=page, **{"continue": onwards})
            answer = self._transport.send(Request("GET", resource.path(namespace), f"list {resource.kind}", query))
            for item in answer.get("items") or ():
                # Lists of built-in kinds leave out what is the same for all items.
                items.append({"apiVersion": resource.api_version, "kind": resource.kind, **item})
            onwards = answer["metadata"].get("continue") or ""
            if not onwards:
                return Listing(tuple(items), str(answer["metadata"].get("resourceVersion") or ""))

    def apply(self, manifest: Manifest, *, manager: str, force: bool = True, dry_run: bool = False) -> Manifest:
        """Server-side apply; the object as it is (or would be) afterwards.

        `metadata.resourceVersion` in the manifest is a guard: another version there raises Conflict.
        """
        path = self._place(manifest)
        query = _query(fieldManager=manager, force="true" if force else "false", dryRun="All" if dry_run else None)
        body = with_encoded_data(_without_managed_fields(manifest))
        return self._write("PATCH", path, "apply", manifest, query, body=body, content_type=APPLY)

    def create(self, manifest: Manifest, *, manager: str, dry_run: bool = False) -> Manifest:
        """Create the object; AlreadyExists if it is there."""
        resource = self.discovery.find(manifest["apiVersion"], manifest["kind"])
        path = resource.path(_namespace(resource, manifest["metadata"].get("namespace")))
        query = _query(fieldManager=manager, dryRun="All" if dry_run else None)
        return self._write("POST", path, "create", manifest, query, body=manifest, idempotent=False)

    def replace(self, manifest: Manifest, *, manager: str, dry_run: bool = False) -> Manifest:
        """Replace the whole object; with `metadata.resourceVersion` a Conflict says that it moved."""
        path = self._place(manifest)
        query = _query(fieldManager=manager, dryRun="All" if dry_run else None)
        return self._write("PUT", path, "replace", manifest, query, body=manifest)

    def replace_status(self, manifest: Manifest, *, manager: str) -> Manifest:
        """Replace the object's status alone."""
        path = self._place(manifest, "status")
        return self._write("PUT", path, "replace status of", manifest, _query(fieldManager=manager), body=manifest)

    def apply_status(self, manifest: Manifest, *, manager: str, force: bool = True) -> Manifest:
        """Server-side apply of the object's status alone."""
        path = self._place(manifest, "status")
        query = _query(fieldManager=manager, force="true" if force else "false")
        body = _without_managed_fields(manifest)
        return self._write("PATCH", path, "apply status of", manifest, query, body=body, content_type=APPLY)

    def patch(
        self,
        api_version: str,
        kind: str,
        namespace: str | None,
        name: str,
        body: Any,
        *,
        manager: str,
        content_type: str = MERGE_PATCH,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Manifest:
        """A merge or JSON patch. Sent once only: a JSON patch need not be idempotent."""
        resource = self.discovery.find(api_version, kind)
        path = resource.path(_namespace(resource, namespace), name, subresource)
        meant = {"apiVersion": api_version, "kind": kind, "metadata": {"namespace": namespace, "name": name}}
        query = _query(fieldManager=manager, dryRun="All" if dry_run else None)
        return self._write("PATCH", path, "patch", meant, query, body=body, content_type=content_type, idempotent=False)

    def delete(
        self,
        api_version: str,
        kind: str,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str = "Background",
        dry_run: bool = False,
    ) -> None:
        """Ask for the object's deletion. With `uid` or `resource_version` only that very object: else Conflict.

        Raises NotFound if it is not there. An object with finalizers goes later.
        """
        resource = self.discovery.find(api_version, kind)
        conditions = {key: value for key, value in (("uid", uid), ("resourceVersion", resource_version)) if value}
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if conditions:
            body["preconditions"] = conditions
        if dry_run:
            body["dryRun"] = ["All"]
        path = resource.path(_namespace(resource, namespace), name)
        self._transport.send(Request("DELETE", path, f"delete {_name(kind, namespace, name)}", body=body))

    def watch(
        self,
        api_version: str,
        kind: str,
        *,
        resource_version: str,
        namespace: str | None = None,
        label_selector: str | None = None,
    ) -> Watch:
        """An open watch from a listing's resource version on, with bookmarks. Raises Expired if that is too old."""
        resource = self.discovery.find(api_version, kind)
        query = _query(
            watch="true",
            allowWatchBookmarks="true",
            resourceVersion=resource_version,
            labelSelector=label_selector,
            timeoutSeconds=str(WATCH_LENGTH + random.randrange(WATCH_LENGTH)),
        )
        what = f"watch {kind}"
        request = Request("GET", resource.path(namespace), what, query, timeout=WATCH_SILENCE)
        return Watch(self._transport.stream(request), what)

    def _place(self, manifest: Manifest, subresource: str | None = None) -> str:
        metadata = manifest["metadata"]
        resource = self.discovery.find(manifest["apiVersion"], manifest["kind"])
        namespace = _namespace(resource, metadata.get("namespace"))
        return resource.path(namespace, metadata["name"], subresource)

    def _write(
        self,
        method: str,
        path: str,
        verb: str,
        manifest: Manifest,
        query: tuple[tuple[str, str], ...],
        *,
        body: Any,
        content_type: str = "application/json",
        idempotent: bool = True,
    ) -> Manifest:
        metadata = manifest["metadata"]
        what = f"{verb} {_name(manifest['kind'], metadata.get('namespace'), metadata.get('name') or '')}"
        answer: Manifest = self._transport.send(
            Request(method, path, what, query, body, content_type, idempotent=idempotent, manifest=manifest)
        )
        return answer


def _without_managed_fields(manifest: Manifest) -> Manifest:
    """An apply must not send managedFields; what was read may be applied as it is."""
    metadata = manifest["metadata"]
    if "managedFields" not in metadata:
        return manifest
    return {**manifest, "metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}


def _namespace(resource: Resource, namespace: str | None) -> str | None:
    return (namespace or "default") if resource.namespaced else None


def _name(kind: str, namespace: str | None, name: str) -> str:
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def _query(**parameters: str | None) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in parameters.items() if value)


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
