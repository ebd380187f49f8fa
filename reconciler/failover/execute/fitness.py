"""What a target lacks before it says `Ready` (P2): kinds that are not served, claims that are not bound to the
replica's volumes, storage classes that are not there. Read by consistent requests; nothing is concluded from a failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.errors import NotFound
from reconciler.failover.execute.definition import Definition

if TYPE_CHECKING:
    from reconciler.cluster import Cluster


def lacks(cluster: Cluster, definition: Definition) -> tuple[str, ...]:
    """Everything that is missing, in words; () if the target fits."""
    return (*_kinds(cluster, definition), *_claims(cluster, definition), *_storage_classes(cluster, definition))


def _kinds(cluster: Cluster, definition: Definition) -> Iterator[str]:
    for api_version, kind in definition.kinds:
        try:
            cluster.discovery.find(api_version, kind)
        except NotFound:
            yield f"the cluster serves no {kind} of {api_version}"


def _claims(cluster: Cluster, definition: Definition) -> Iterator[str]:
    for namespace, name in definition.claims:
        try:
            claim = cluster.get("v1", "PersistentVolumeClaim", namespace, name)
        except NotFound:
            yield f"claim {namespace}/{name} is not there"
            continue
        phase = (claim.get("status") or {}).get("phase")
        if phase != "Bound" or not (claim.get("spec") or {}).get("volumeName"):
            yield f"claim {namespace}/{name} is {phase or 'without a phase'}, expected Bound to the replica's volume"


def _storage_classes(cluster: Cluster, definition: Definition) -> Iterator[str]:
    for name in definition.storage_classes:
        try:
            cluster.get("storage.k8s.io/v1", "StorageClass", None, name)
        except NotFound:
            yield f"there is no StorageClass {name}"
