"""What a cluster has before anybody writes to it: the first namespaces, and the Service that leads to its API."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from sandbox.apiserver.api import Api
from sandbox.apiserver.requests import User, parse

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
APISERVER = User("system:apiserver", ("system:masters", "system:authenticated"))


def fill(api: Api, url: str) -> None:
    """Create what is missing, and let the endpoints of Service default/kubernetes say where this server is."""
    for name in NAMESPACES:
        if api.store.get("namespaces", "", name) is None:
            _send(
                api, "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            )
    address, port = urlsplit(url).hostname, urlsplit(url).port
    base = "/api/v1/namespaces/default"
    service = _object(
        "v1", "Service", spec={"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443, "targetPort": port}]}
    )
    subset = {"addresses": [{"ip": address}], "ports": [{"name": "https", "port": port}]}
    endpoints = _object("v1", "Endpoints", subsets=[subset])
    named_slice = _object(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        addressType="IPv4",
        endpoints=[{"addresses": [address], "conditions": {"ready": True}}],
        ports=[{"name": "https", "port": port, "protocol": "TCP"}],
    )
    named_slice["metadata"]["labels"] = {"kubernetes.io/service-name": "kubernetes"}
    _apply(api, f"{base}/services/kubernetes", service)
    _apply(api, f"{base}/endpoints/kubernetes", endpoints)
    _apply(api, "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes", named_slice)


def _object(api_version: str, kind: str, **content: Any) -> dict[str, Any]:
    metadata = {"name": "kubernetes", "namespace": "default"}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def _apply(api: Api, path: str, manifest: dict[str, Any]) -> None:
    _send(api, "PATCH", f"{path}?fieldManager=kube-apiserver&force=true", manifest)


def _send(api: Api, method: str, target: str, manifest: dict[str, Any]) -> None:
    content = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
    headers = {"user-agent": "kube-apiserver", "content-type": content}
    response = api.answer(parse(method, target, headers, json.dumps(manifest).encode(), APISERVER))
    if response.code not in (200, 201):
        raise RuntimeError(f"{method} {target}: {response.body.decode()}")
