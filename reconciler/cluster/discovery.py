"""Which kinds the cluster knows, and under which path: read once, and again when a kind is asked for that it lacks.

A kind that is missing from an aggregated API that did not answer is unknown, not absent: that raises Unreachable.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from reconciler.cluster.transport import Request, Transport
from reconciler.errors import Invalid, NotFound, Unreachable
from reconciler.objects import group_of

UNKNOWN_KIND = "UnknownKind"
"""`reason` of the NotFound that means: the cluster has no such kind."""

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


@dataclass(frozen=True, slots=True)
class Resource:
    """How one kind of one API version is reached."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: tuple[str, ...] = ()

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The path of a collection or an object; namespace is left out for cluster-scoped kinds. Names are quoted: one
        with a slash in it must not lead to another object."""
        parts = ["/api" if "/" not in self.api_version else "/apis", self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", _quoted(namespace)]
        parts += [part for part in (self.plural, _quoted(name), subresource) if part]
        return "/".join(parts)


def _quoted(name: str | None) -> str:
    """A name as one segment of a path; raises Invalid for one that no quoting makes safe."""
    if name in (".", ".."):
        raise Invalid(f"{name!r} is no name in Kubernetes")
    return quote(name, safe=":") if name else ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What discovery said at one moment. `preferred` maps (group, kind) to an API version."""

    resources: Mapping[tuple[str, str], Resource] = field(default_factory=dict)
    preferred: Mapping[tuple[str, str], str] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    """Groups whose server did not answer."""


class Discovery:
    """Looks kinds up; safe to be used by many threads."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._catalogue: Catalogue | None = None

    def find(self, api_version: str, kind: str) -> Resource:
        """The resource of a kind in one version. Raises NotFound (UNKNOWN_KIND) if the cluster lacks it."""
        for catalogue in self._catalogues():
            resource = catalogue.resources.get((api_version, kind))
            if resource is not None:
                return resource
        raise _missing(catalogue, group_of(api_version), f"{kind} of {api_version}")

    def preferred(self, group: str, kind: str) -> Resource:
        """The resource of a kind in the version that the server prefers. Raises as `find`."""
        for catalogue in self._catalogues():
            version = catalogue.preferred.get((group, kind))
            if version is not None:
                return catalogue.resources[version, kind]
        raise _missing(catalogue, group, f"{kind}.{group}" if group else kind)

    def resources(self, *, complete: bool = False) -> tuple[Resource, ...]:
        """Every resource that the cluster knows now; reads discovery again. `complete`: raises Unreachable where a
        group's server does not answer, so that some may be missing."""
        catalogue = self._refresh(None)
        if complete and catalogue.unread:
            raise Unreachable(f"the servers of API groups {', '.join(sorted(catalogue.unread))} do not answer")
        return tuple(catalogue.resources.values())

    def _catalogues(self) -> Iterator[Catalogue]:
        """The catalogue at hand, then a fresh one: a kind may have been installed a moment ago."""
        known = self._catalogue
        if known is not None:
            yield known
        yield self._refresh(known)

    def _refresh(self, known: Catalogue | None) -> Catalogue:
        with self._lock:
            if known is not None and self._catalogue is not None and self._catalogue is not known:
                return self._catalogue
            self._catalogue = read_catalogue(self._transport)
            return self._catalogue


def _missing(catalogue: Catalogue, group: str, what: str) -> NotFound | Unreachable:
    if group in catalogue.unread:
        return Unreachable(f"the server of API group {group} does not answer: whether it has {what} is not known")
    return NotFound(f"the cluster has no {what}", status=404, reason=UNKNOWN_KIND)


def read_catalogue(transport: Transport) -> Catalogue:
    """Ask the server what it has: two requests where it answers aggregated, else one for each group version."""
    found: list[tuple[str, Resource]] = []
    unread: set[str] = set()
    for root in ("/api", "/apis"):
        answer = transport.send(Request("GET", root, f"discovery {root}", accept=_AGGREGATED))
        if answer.get("kind") == "APIGroupDiscoveryList":
            _read_aggregated(answer, found, unread)
        elif root == "/api":
            _read_versions(transport, "", [(v, f"/api/{v}") for v in answer.get("versions", ())], found, unread)
        else:
            for group in answer.get("groups", ()):
                _read_versions(transport, group["name"], _preferred_first(group), found, unread)
    resources: dict[tuple[str, str], Resource] = {}
    preferred: dict[tuple[str, str], str] = {}
    for group_name, resource in found:
        resources.setdefault((resource.api_version, resource.kind), resource)
        preferred.setdefault((group_name, resource.kind), resource.api_version)
    return Catalogue(resources, preferred, frozenset(unread))


def _read_aggregated(answer: Any, found: list[tuple[str, Resource]], unread: set[str]) -> None:
    for item in answer.get("items", ()):
        group = (item.get("metadata") or {}).get("name") or ""
        for version in item.get("versions", ()):
            if version.get("freshness") == "Stale":
                unread.add(group)
            api_version = f"{group}/{version['version']}" if group else version["version"]
            for entry in version.get("resources") or ():
                kind = (entry.get("responseKind") or {}).get("kind")
                if kind:
                    namespaced = entry.get("scope") == "Namespaced"
                    verbs = tuple(entry.get("verbs") or ())
                    found.append((group, Resource(api_version, kind, entry["resource"], namespaced, verbs)))


def _preferred_first(group: Any) -> list[tuple[str, str]]:
    versions = [(v["groupVersion"], f"/apis/{v['groupVersion']}") for v in group.get("versions", ())]
    best = (group.get("preferredVersion") or {}).get("groupVersion")
    return sorted(versions, key=lambda version: version[0] != best)


def _read_versions(
    transport: Transport,
    group: str,
    versions: list[tuple[str, str]],
    found: list[tuple[str, Resource]],
    unread: set[str],
) -> None:
    for api_version, path in versions:
        try:
            answer = transport.send(Request("GET", path, f"discovery {path}"))
        except (Unreachable, NotFound):
            if not group:
                raise
            unread.add(group)
            continue
        for entry in answer.get("resources", ()):
            if "/" not in entry["name"]:
                verbs = tuple(entry.get("verbs") or ())
                found.append((group, Resource(api_version, entry["kind"], entry["name"], entry["namespaced"], verbs)))
