"""What hangs on the candidates of a prune: read consistently, at the moment of the prune, and never from a cache.

It is asked only when there is something to prune. A list that cannot be read is an error, so nothing is pruned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.cluster import Cluster
from reconciler.cluster.discovery import UNKNOWN_KIND
from reconciler.errors import NotFound
from reconciler.objects import Manifest, Ref, group_of, ref_of

KINDS_WITH_DATA: tuple[tuple[str, str], ...] = (
    ("", "PersistentVolumeClaim"),
    ("cdi.kubevirt.io", "DataVolume"),
    ("replication.storage.openshift.io", "VolumeGroupReplication"),
    ("replication.storage.openshift.io", "VolumeReplication"),
    ("snapshot.storage.k8s.io", "VolumeSnapshot"),
)
"""Kinds that make a namespace one that holds data; the first two are owned by what takes them along."""

_MADE_BY_THE_CLUSTER = frozenset(
    {("", "Endpoints"), ("", "Event"), ("discovery.k8s.io", "EndpointSlice"), ("events.k8s.io", "Event")}
)
_NOT_STORED = frozenset({"metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io"})
_IN_EACH_NAMESPACE = frozenset(
    {
        *(("ConfigMap", name) for name in ("kube-root-ca.crt", "openshift-service-ca.crt")),
        *(("ServiceAccount", name) for name in ("builder", "default", "deployer")),
        *(("RoleBinding", f"system:{name}") for name in ("deployers", "image-builders", "image-pullers")),
    }
)
"""What no person makes, and what every namespace has from the cluster: nobody misses it."""

_OWNED = frozenset(KINDS_WITH_DATA[:2])


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the guards look at beside the candidate.

    `desired` is everything that any unit of this site has in Git; `data_in` maps a namespace to an object with data in
    it; `instances` maps the name of a CustomResourceDefinition to an object of its kind; `owners_of_data` are UIDs;
    `roots_in` maps a namespace that is a candidate to what nobody else owns in it, with the labels of each.
    """

    desired: frozenset[Ref] = frozenset()
    data_in: Mapping[str, Ref] = field(default_factory=dict)
    instances: Mapping[str, Ref] = field(default_factory=dict)
    owners_of_data: frozenset[str] = frozenset()
    roots_in: Mapping[str, Sequence[tuple[Ref, Mapping[str, str]]]] = field(default_factory=dict)


def look_around(cluster: Cluster, candidates: Sequence[Manifest], desired: Iterable[Ref]) -> Surroundings:
    """The surroundings of live objects that might be pruned. Raises ClusterError if any of it cannot be read."""
    spaces = {_space_of(live) for live in candidates} - {""}
    data_in: dict[str, Ref] = {}
    owners: set[str] = set()
    for group, kind in KINDS_WITH_DATA if spaces else ():
        for item in _all(cluster, group, kind):
            space = item["metadata"].get("namespace") or ""
            if space in spaces:
                data_in.setdefault(space, ref_of(item))
                if (group, kind) in _OWNED:
                    references = item["metadata"].get("ownerReferences") or ()
                    owners.update(str(reference.get("uid")) for reference in references)
    instances = {
        live["metadata"]["name"]: instance
        for live in candidates
        if live["kind"] == "CustomResourceDefinition" and (instance := _instance(cluster, live)) is not None
    }
    roots_in = {
        live["metadata"]["name"]: _roots(cluster, live["metadata"]["name"])
        for live in candidates
        if live["kind"] == "Namespace"
    }
    return Surroundings(frozenset(desired), data_in, instances, frozenset(owners), roots_in)


def _space_of(live: Manifest) -> str:
    name: str = live["metadata"]["name"] if live["kind"] == "Namespace" else live["metadata"].get("namespace") or ""
    return name


def _roots(cluster: Cluster, namespace: str) -> list[tuple[Ref, Mapping[str, str]]]:
    """What is in a namespace and not owned by something else there, but for what the cluster puts into each."""
    kinds = {(group_of(each.api_version), each.kind): each for each in cluster.discovery.resources(complete=True)}
    found = []
    for key, resource in sorted(kinds.items()):
        if (
            not resource.namespaced
            or "list" not in resource.verbs
            or key in _MADE_BY_THE_CLUSTER
            or key[0] in _NOT_STORED
        ):
            continue
        for item in cluster.list(resource.api_version, resource.kind, namespace).items:
            metadata = item["metadata"]
            if not metadata.get("ownerReferences") and (resource.kind, metadata["name"]) not in _IN_EACH_NAMESPACE:
                found.append((ref_of(item), metadata.get("labels") or {}))
    return found


def _instance(cluster: Cluster, definition: Manifest) -> Ref | None:
    spec = definition["spec"]
    first = next(iter(_all(cluster, spec["group"], spec["names"]["kind"])), None)
    return None if first is None else ref_of(first)


def _all(cluster: Cluster, group: str, kind: str) -> tuple[Manifest, ...]:
    """Every object of a kind; none where the cluster surely lacks the kind."""
    try:
        resource = cluster.discovery.preferred(group, kind)
    except NotFound as error:
        if error.reason == UNKNOWN_KIND:
            return ()
        raise
    return cluster.list(resource.api_version, kind).items
