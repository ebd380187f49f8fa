"""Discovery: which groups, versions and resources there are; the old documents and the aggregated one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.apiserver.kinds import VERBS, Kind
from sandbox.apiserver.problems import no_resource
from sandbox.apiserver.registry import Registry
from sandbox.apiserver.requests import Request
from sandbox.apiserver.store import encode
from sandbox.apiserver.wire import Response

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

VERSION = {
    "major": "1",
    "minor": "34",
    "gitVersion": "v1.34.4+siteshift-sandbox",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "python",
    "platform": "any",
}
"""The version whose behaviour is followed; the build says that this is the sandbox."""

SUBRESOURCE_VERBS = ("get", "patch", "update")
SCALE = {"group": "autoscaling", "version": "v1", "kind": "Scale"}


def answer(registry: Registry, request: Request) -> Response | None:
    """The discovery document of a path; None if the path is no part of discovery."""
    steps = [step for step in request.path.split("/") if step]
    match steps:
        case ["version"]:
            return Response(200, encode(VERSION))
        case ["api" | "apis" as root] if wants_aggregated(request):
            return Response(200, encode(_aggregated(registry, root)), AGGREGATED)
        case ["api"]:
            return _json({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        case ["apis"]:
            groups = [_group(name, versions) for name, versions in _groups(registry).items() if name]
            return _json({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        case ["api", "v1"]:
            return _json(_resources(registry, "", "v1"))
        case ["apis", group]:
            versions = _groups(registry).get(group)
            if not versions:
                raise no_resource()
            return _json({"kind": "APIGroup", "apiVersion": "v1", **_group(group, versions)})
        case ["apis", group, version]:
            return _json(_resources(registry, group, version))
        case []:
            return _json({"paths": ["/api", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"]})
    return None


def wants_aggregated(request: Request) -> bool:
    """Whether the client understands the aggregated document."""
    return "as=APIGroupDiscoveryList" in request.headers.get("accept", "") and "v=v2" in request.headers["accept"]


def _json(body: dict[str, Any]) -> Response:
    return Response(200, encode(body))


def _groups(registry: Registry) -> dict[str, list[str]]:
    """Group names and their versions, in the order of the table."""
    found: dict[str, list[str]] = {}
    for kind in registry:
        versions = found.setdefault(kind.group, [])
        if kind.version not in versions:
            versions.append(kind.version)
    return found


def _group(name: str, versions: list[str]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _of(registry: Registry, group: str, version: str) -> list[Kind]:
    return [kind for kind in registry if kind.group == group and kind.version == version]


def _resources(registry: Registry, group: str, version: str) -> dict[str, Any]:
    kinds = _of(registry, group, version)
    if not kinds:
        raise no_resource()
    resources: list[dict[str, Any]] = []
    for kind in kinds:
        entry: dict[str, Any] = {"name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced}
        entry |= {"kind": kind.kind, "verbs": list(VERBS)}
        entry |= {"shortNames": list(kind.short_names)} if kind.short_names else {}
        entry |= {"categories": list(kind.categories)} if kind.categories else {}
        resources.append(entry)
        if kind.has_status:
            status = {"name": f"{kind.plural}/status", "singularName": "", "namespaced": kind.namespaced}
            resources.append(status | {"kind": kind.kind, "verbs": list(SUBRESOURCE_VERBS)})
        if kind.scale:
            scale = {"name": f"{kind.plural}/scale", "singularName": "", "namespaced": kind.namespaced, **SCALE}
            resources.append(scale | {"verbs": list(SUBRESOURCE_VERBS)})
    group_version = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}


def _aggregated(registry: Registry, root: str) -> dict[str, Any]:
    groups = {name: versions for name, versions in _groups(registry).items() if bool(name) is (root == "apis")}
    items = [
        {
            "metadata": {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None},
            "versions": [
                {"version": one, "resources": _aggregated_resources(_of(registry, name, one)), "freshness": "Current"}
                for one in versions
            ],
        }
        for name, versions in groups.items()
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _aggregated_resources(kinds: Iterable[Kind]) -> list[dict[str, Any]]:
    resources = []
    for kind in kinds:
        response = {"group": kind.group, "version": kind.version, "kind": kind.kind}
        entry: dict[str, Any] = {
            "resource": kind.plural,
            "responseKind": response,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "singularResource": kind.singular,
            "verbs": list(VERBS),
        }
        entry |= {"shortNames": list(kind.short_names)} if kind.short_names else {}
        entry |= {"categories": list(kind.categories)} if kind.categories else {}
        served = [("scale", SCALE)] if kind.scale else []
        served += [("status", response)] if kind.has_status else []
        if served:
            verbs = list(SUBRESOURCE_VERBS)
            entry["subresources"] = [
                {"subresource": name, "responseKind": found, "verbs": verbs} for name, found in served
            ]
        resources.append(entry)
    return resources
