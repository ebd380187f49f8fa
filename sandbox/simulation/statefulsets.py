"""StatefulSets: numbered pods in order, each with claims of its own from the templates."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from reconciler.errors import Refused
from reconciler.objects import Manifest
from sandbox.simulation.deployments import MANAGER, pod_of
from sandbox.simulation.engine import Key, KindId
from sandbox.simulation.pods import ENDED, is_ready
from sandbox.simulation.world import CLAIM, POD, Retries, World, counts, key_of, owner_key, short_hash

STATEFUL_SET: KindId = ("apps/v1", "StatefulSet")
REVISION_LABEL = "controller-revision-hash"


class StatefulSets:
    """Keeps the pods 0 to n-1: started one after the other, stopped and updated from the last to the first."""

    name = "statefulsets"
    watched = (STATEFUL_SET, POD)

    def __init__(self, world: World) -> None:
        self._world = world
        self._retries = Retries(world)

    def keys(self, manifest: Manifest) -> Iterable[Key]:
        """The StatefulSet itself, or the owner of a pod."""
        return [key_of(manifest)] if manifest["kind"] == "StatefulSet" else owner_key(manifest, "StatefulSet")

    def reconcile(self, key: Key) -> float | None:
        """One StatefulSet, one step."""
        owner = self._world.get(STATEFUL_SET, *key)
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            return None
        revision = f"{key[1]}-{short_hash(owner['spec']['template'])}"
        pods = {ordinal_of(pod): pod for pod in self._world.owned(POD, owner)}
        again = self._step(key, owner, revision, pods)
        self._world.set_status(owner, stateful_set_status(owner, list(pods.values()), revision), manager=MANAGER)
        return again

    def _step(self, key: Key, owner: Manifest, revision: str, pods: dict[int, Manifest]) -> float | None:
        replicas = owner["spec"].get("replicas", 1)
        parallel = owner["spec"].get("podManagementPolicy") == "Parallel"
        for pod in pods.values():
            if (pod.get("status") or {}).get("phase") in ENDED:
                self._world.delete(pod)
        surplus = sorted((ordinal for ordinal in pods if ordinal >= replicas), reverse=True)
        for ordinal in surplus if parallel else surplus[:1]:
            self._world.delete(pods[ordinal])
        if surplus and not parallel:
            return None
        for ordinal in range(replicas):
            if ordinal not in pods:
                again = self._create(key, owner, ordinal, revision)
                if again is not None or not parallel:
                    return again
            elif not is_ready(pods[ordinal]) and not parallel:
                return None
        self._update(pods, revision)
        return None

    def _update(self, pods: dict[int, Manifest], revision: str) -> None:
        """Replace the last pod of an older revision, once all others are ready."""
        if not all(is_ready(pod) for pod in pods.values()):
            return
        old = [ordinal for ordinal, pod in pods.items() if pod["metadata"]["labels"].get(REVISION_LABEL) != revision]
        if old:
            self._world.delete(pods[max(old)])

    def _create(self, key: Key, owner: Manifest, ordinal: int, revision: str) -> float | None:
        generation = owner["metadata"].get("generation")
        left = self._retries.left(key, generation)
        if left:
            return left
        for claim in claims_for(owner, ordinal):
            if self._world.get(CLAIM, key[0], key_of(claim)[1]) is None:
                self._world.create(claim, manager=MANAGER)
        try:
            self._world.create(numbered_pod(owner, ordinal, revision), manager=MANAGER)
        except Refused:
            self._retries.failed(key, generation)
            return self._retries.left(key, generation)
        self._retries.forget(key)
        return None


def ordinal_of(pod: Manifest) -> int:
    """A pod's number."""
    return int(pod["metadata"]["name"].rpartition("-")[2])


def numbered_pod(owner: Manifest, ordinal: int, revision: str) -> Manifest:
    """The pod of this number, with its claims mounted."""
    name = f"{key_of(owner)[1]}-{ordinal}"
    labels = {"statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": str(ordinal)}
    pod = pod_of(owner, name, **labels, **{REVISION_LABEL: revision})
    templates = owner["spec"].get("volumeClaimTemplates") or []
    own = [
        {
            "name": template["metadata"]["name"],
            "persistentVolumeClaim": {"claimName": f"{template['metadata']['name']}-{name}"},
        }
        for template in templates
    ]
    names = {volume["name"] for volume in own}
    others = [volume for volume in pod["spec"].get("volumes") or [] if volume["name"] not in names]
    if own or others:
        pod["spec"]["volumes"] = [*others, *own]
    pod["spec"]["hostname"] = name
    pod["spec"]["subdomain"] = owner["spec"].get("serviceName", "")
    return pod


def claims_for(owner: Manifest, ordinal: int) -> list[Manifest]:
    """The claims of the pod of this number; they outlive it and the StatefulSet."""
    namespace, name = key_of(owner)
    claims = []
    for template in owner["spec"].get("volumeClaimTemplates") or []:
        known = template["metadata"]
        labels = {**owner["spec"]["selector"].get("matchLabels", {}), **(known.get("labels") or {})}
        metadata: dict[str, Any] = {
            "name": f"{known['name']}-{name}-{ordinal}",
            "namespace": namespace,
            "labels": labels,
        }
        if known.get("annotations"):
            metadata["annotations"] = known["annotations"]
        spec = copy.deepcopy(template["spec"])
        claims.append({"apiVersion": CLAIM[0], "kind": CLAIM[1], "metadata": metadata, "spec": spec})
    return claims


def stateful_set_status(owner: Manifest, pods: list[Manifest], revision: str) -> dict[str, Any]:
    """The status of a StatefulSet whose pods these are."""
    ready = sum(map(is_ready, pods))
    updated = sum(pod["metadata"]["labels"].get(REVISION_LABEL) == revision for pod in pods)
    before = (owner.get("status") or {}).get("currentRevision") or revision
    wanted = owner["spec"].get("replicas", 1)
    current = revision if updated == len(pods) and ready >= wanted else before
    on_current = sum(pod["metadata"]["labels"].get(REVISION_LABEL) == current for pod in pods)
    return {
        "observedGeneration": owner["metadata"].get("generation", 1),
        "replicas": len(pods),
        **counts(readyReplicas=ready, currentReplicas=on_current, updatedReplicas=updated),
        "availableReplicas": ready,
        "currentRevision": current,
        "updateRevision": revision,
        "collisionCount": 0,
    }
