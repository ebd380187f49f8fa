"""What hangs on the candidates of a prune: read consistently, at the moment of the prune, and never from a cache.

It is asked only when there is something to prune. A list that cannot be read is an error, so nothing is pruned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.cluster import Cluster
from reconciler.cluster.discovery import UNKNOWN_KIND
from reconciler.errors import NotFound
from reconciler.objects import Manifest, Ref, ref_of

KINDS_WITH_DATA: tuple[tuple[str, str], ...] = (
    ("", "PersistentVolumeClaim"),
    ("cdi.kubevirt.io", "DataVolume"),
    ("replication.storage.openshift.io", "VolumeGroupReplication"),
    ("replication.storage.openshift.io", "VolumeReplication"),
    ("snapshot.storage.k8s.io", "VolumeSnapshot"),
)
"""Kinds that make a namespace one that holds data; the first two are owned by what takes them along."""

_OWNED = frozenset(KINDS_WITH_DATA[:2])


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the guards look at beside the candidate.

    `desired` is everything that any unit of this site has in Git; `data_in` maps a namespace to an object with data in
    it; `instances` maps the name of a CustomResourceDefinition to an object of its kind; `owners_of_data` are UIDs.
    """

    desired: frozenset[Ref] = frozenset()
    data_in: Mapping[str, Ref] = field(default_factory=dict)
    instances: Mapping[str, Ref] = field(default_factory=dict)
    owners_of_data: frozenset[str] = frozenset()


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
    return Surroundings(frozenset(desired), data_in, instances, frozenset(owners))


def _space_of(live: Manifest) -> str:
    name: str = live["metadata"]["name"] if live["kind"] == "Namespace" else live["metadata"].get("namespace") or ""
    return name


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
