"""Volumes in use are not deleted: when the finalizers that protect claims and volumes may go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.apiserver.store import Store

CLAIMS, VOLUMES = "persistentvolumeclaims", "persistentvolumes"
CLAIM_FINALIZER, VOLUME_FINALIZER = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"
ENDED = ("Succeeded", "Failed")
"""Phases of pods that use nothing any more."""

Place = tuple[str, str, str]


def idle(store: Store, place: Place, manifest: dict[str, Any]) -> str:
    """The finalizer of a deleted claim or volume that nothing needs any more; "" if there is none."""
    finalizers = manifest["metadata"].get("finalizers") or ()
    if place[0] == CLAIMS and CLAIM_FINALIZER in finalizers and not _used(store, place):
        return CLAIM_FINALIZER
    bound = manifest.get("status", {}).get("phase") == "Bound"
    return VOLUME_FINALIZER if place[0] == VOLUMES and VOLUME_FINALIZER in finalizers and not bound else ""


def _used(store: Store, place: Place) -> bool:
    for pod in store.snapshot("pods", place[1])[1]:
        if pod.object.get("status", {}).get("phase") not in ENDED:
            volumes = pod.object["spec"].get("volumes") or ()
            if any(one.get("persistentVolumeClaim", {}).get("claimName") == place[2] for one in volumes):
                return True
    return False


def waiting(store: Store, namespace: str) -> Iterator[Place]:
    """The claims of a namespace whose deletion waits for pods."""
    for claim in store.snapshot(CLAIMS, namespace)[1]:
        if claim.object["metadata"].get("deletionTimestamp"):
            yield CLAIMS, namespace, claim.object["metadata"]["name"]
