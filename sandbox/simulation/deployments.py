"""Deployments and ReplicaSets: one ReplicaSet a template, its pods, and status as the real controllers write it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.errors import Refused
from reconciler.objects import Manifest
from sandbox.simulation.engine import Key, KindId
from sandbox.simulation.pods import ENDED, is_ready
from sandbox.simulation.world import (
    POD,
    Retries,
    World,
    condition,
    condition_of,
    counts,
    key_of,
    owner_key,
    owner_reference,
    short_hash,
    with_conditions,
)

DEPLOYMENT: KindId = ("apps/v1", "Deployment")
REPLICA_SET: KindId = ("apps/v1", "ReplicaSet")
MANAGER = "kube-controller-manager"
HASH_LABEL = "pod-template-hash"


class Deployments:
    """Keeps the ReplicaSets of each Deployment: the new one up, the old ones down once it is ready."""

    name = "deployments"
    watched = (DEPLOYMENT, REPLICA_SET)

    def __init__(self, world: World) -> None:
        self._world = world

    def keys(self, manifest: Manifest) -> Iterable[Key]:
        """The Deployment itself, or the owner of a ReplicaSet."""
        return [key_of(manifest)] if manifest["kind"] == "Deployment" else owner_key(manifest, "Deployment")

    def reconcile(self, key: Key) -> float | None:
        """One Deployment, one step."""
        deployment = self._world.get(DEPLOYMENT, *key)
        if deployment is None or "deletionTimestamp" in deployment["metadata"]:
            return None
        wanted = replica_set_of(deployment)
        sets = self._world.owned(REPLICA_SET, deployment)
        current = next((found for found in sets if key_of(found) == key_of(wanted)), None)
        old = [found for found in sets if found is not current]
        if current is None:
            self._world.create(wanted, manager=MANAGER)
            return 0.0
        replicas = deployment["spec"].get("replicas", 1)
        recreate = deployment["spec"].get("strategy", {}).get("type") == "Recreate"
        old_pods = sum((found.get("status") or {}).get("replicas", 0) for found in old)
        self._scale(current, 0 if recreate and old_pods else replicas)
        if recreate or (current.get("status") or {}).get("readyReplicas", 0) >= replicas:
            for found in old:
                self._scale(found, 0)
        self._world.set_status(deployment, deployment_status(deployment, current, old), manager=MANAGER)
        return None

    def _scale(self, replica_set: Manifest, replicas: int) -> None:
        if replica_set["spec"].get("replicas", 1) != replicas:
            self._world.patch(replica_set, {"spec": {"replicas": replicas}}, manager=MANAGER)


class ReplicaSets:
    """Keeps as many pods as each ReplicaSet asks for."""

    name = "replicasets"
    watched = (REPLICA_SET, POD)

    def __init__(self, world: World) -> None:
        self._world = world
        self._retries = Retries(world)

    def keys(self, manifest: Manifest) -> Iterable[Key]:
        """The ReplicaSet itself, or the owner of a pod."""
        return [key_of(manifest)] if manifest["kind"] == "ReplicaSet" else owner_key(manifest, "ReplicaSet")

    def reconcile(self, key: Key) -> float | None:
        """One ReplicaSet, one step."""
        owner = self._world.get(REPLICA_SET, *key)
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            return None
        replicas = owner["spec"].get("replicas", 1)
        pods = self._world.owned(POD, owner)
        alive = [pod for pod in pods if (pod.get("status") or {}).get("phase") not in ENDED]
        going = [pod for pod in alive if "deletionTimestamp" in pod["metadata"]]
        kept = [pod for pod in alive if pod not in going]
        for pod in sorted(kept, key=is_ready)[: max(0, len(kept) - replicas)]:
            self._world.delete(pod)
        again, refusal = None, ""
        if len(kept) < replicas:
            again, refusal = self._fill(key, owner, pods, replicas - len(kept))
        self._world.set_status(owner, replica_set_status(owner, kept, refusal), manager=MANAGER)
        return again

    def _fill(self, key: Key, owner: Manifest, pods: list[Manifest], missing: int) -> tuple[float | None, str]:
        """Create missing pods; when to look again, and why the API refused."""
        generation = owner["metadata"].get("generation")
        left = self._retries.left(key, generation)
        if left:
            return left, condition_of(owner, "ReplicaFailure").get("message", "")
        taken = {key_of(pod)[1] for pod in pods}
        names = (f"{key[1]}-{short_hash([owner['metadata']['uid'], slot], 5)}" for slot in range(10_000))
        free = (name for name in names if name not in taken)
        try:
            for _ in range(missing):
                self._world.create(pod_of(owner, next(free)), manager=MANAGER)
        except Refused as error:
            self._retries.failed(key, generation)
            return self._retries.left(key, generation), str(error)
        self._retries.forget(key)
        return None, ""


def replica_set_of(deployment: Manifest) -> Manifest:
    """The ReplicaSet of the Deployment's present template, with no pods yet."""
    template = copy.deepcopy(deployment["spec"]["template"])
    label = short_hash(template)
    template.setdefault("metadata", {}).setdefault("labels", {})[HASH_LABEL] = label
    selector = copy.deepcopy(deployment["spec"]["selector"])
    selector.setdefault("matchLabels", {})[HASH_LABEL] = label
    namespace, name = key_of(deployment)
    metadata = {
        "name": f"{name}-{label}",
        "namespace": namespace,
        "labels": template["metadata"]["labels"],
        "ownerReferences": owner_reference(deployment),
    }
    spec = {"replicas": 0, "selector": selector, "template": template}
    return {"apiVersion": REPLICA_SET[0], "kind": REPLICA_SET[1], "metadata": metadata, "spec": spec}


def pod_of(owner: Manifest, name: str, **labels: str) -> Manifest:
    """A pod from the template of a ReplicaSet, StatefulSet or Job."""
    template = copy.deepcopy(owner["spec"]["template"])
    known = template.get("metadata") or {}
    metadata = {
        "name": name,
        "namespace": key_of(owner)[0],
        "labels": {**(known.get("labels") or {}), **labels},
        "ownerReferences": owner_reference(owner),
    }
    if known.get("annotations"):
        metadata["annotations"] = known["annotations"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def replica_set_status(owner: Manifest, pods: list[Manifest], refusal: str) -> dict[str, Any]:
    """The status of a ReplicaSet whose pods these are."""
    ready = sum(map(is_ready, pods))
    status: dict[str, Any] = {
        "replicas": len(pods),
        "observedGeneration": owner["metadata"].get("generation", 1),
        **counts(fullyLabeledReplicas=len(pods), readyReplicas=ready, availableReplicas=ready),
    }
    if refusal:
        failure = condition("ReplicaFailure", True, "FailedCreate", refusal)
        status["conditions"] = with_conditions((owner.get("status") or {}).get("conditions") or [], [failure])
    return status


def deployment_status(deployment: Manifest, current: Manifest, old: list[Manifest]) -> dict[str, Any]:
    """The status of a Deployment from the statuses of its ReplicaSets."""
    wanted = deployment["spec"].get("replicas", 1)
    sets = [found.get("status") or {} for found in (current, *old)]
    total = {name: sum(found.get(name, 0) for found in sets) for name in ("replicas", "readyReplicas")}
    updated, available = sets[0].get("replicas", 0), total["readyReplicas"]
    before = (deployment.get("status") or {}).get("conditions") or []
    return {
        "observedGeneration": deployment["metadata"].get("generation", 1),
        **counts(
            replicas=total["replicas"],
            updatedReplicas=updated,
            readyReplicas=available,
            availableReplicas=available,
            unavailableReplicas=max(0, max(wanted, total["replicas"]) - available),
        ),
        "conditions": with_conditions(before, deployment_conditions(deployment, current, wanted, available, updated)),
    }


def deployment_conditions(
    deployment: Manifest, current: Manifest, wanted: int, available: int, updated: int
) -> list[Mapping[str, Any]]:
    """Available, Progressing and, when pods are refused, ReplicaFailure."""
    unavailable = rounded_up_unavailable(deployment["spec"], wanted)
    enough = available >= wanted - unavailable
    word = "has" if enough else "does not have"
    why = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
    done = updated == wanted and available >= wanted
    name = key_of(current)[1]
    progress = (
        condition("Progressing", True, "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
        if done
        else condition("Progressing", True, "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
    )
    failure = condition_of(current, "ReplicaFailure")
    failures = [failure] if failure else []
    return [condition("Available", enough, why, f"Deployment {word} minimum availability."), progress, *failures]


def rounded_up_unavailable(spec: Mapping[str, Any], wanted: int) -> int:
    """How many pods may be missing while a Deployment still counts as available."""
    if spec.get("strategy", {}).get("type") == "Recreate":
        return 0
    given = spec.get("strategy", {}).get("rollingUpdate", {}).get("maxUnavailable", "25%")
    return int(given[:-1]) * wanted // 100 if isinstance(given, str) and given.endswith("%") else int(given)
