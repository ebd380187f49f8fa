"""Scheduler and kubelet of a simulated site: pods are bound, run, become ready, complete, restart and go.

When the simulation starts again it is as if the nodes had rebooted: containers of pods that may restart are started
again in place, without any admission; others have failed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.objects import Manifest
from sandbox.simulation.engine import Key
from sandbox.simulation.settings import meets
from sandbox.simulation.world import (
    CLAIM,
    NODE,
    POD,
    Delays,
    World,
    condition,
    controller_of,
    key_of,
    timestamp,
    with_conditions,
)

SCHEDULER, KUBELET = "kube-scheduler", "kubelet"
ENDED = ("Succeeded", "Failed")
NODE_CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": "500"}


class Pods:
    """The life of pods, and the nodes that they run on."""

    name = "pods"
    watched = (POD, CLAIM, NODE)

    def __init__(self, world: World) -> None:
        self._world = world
        self._delays = Delays(world)
        self._running: dict[str, int] = {}
        """UIDs of pods whose containers this process has started, with how often they were started before."""

    def keys(self, manifest: Manifest) -> Iterable[Key]:
        """Pods themselves; the pods that wait for a claim."""
        if manifest["kind"] == "Pod":
            return [key_of(manifest)]
        if manifest["kind"] == "PersistentVolumeClaim":
            namespace, name = key_of(manifest)
            pods = self._world.items(POD)
            return [key_of(pod) for pod in pods if key_of(pod)[0] == namespace and name in claims_of(pod)]
        return []

    def make_nodes(self, site: str) -> None:
        """Create the site's nodes, ready and large."""
        for number in range(1, self._world.settings.nodes + 1):
            name = f"{site}-node-{number}"
            labels = {"kubernetes.io/hostname": name, "kubevirt.io/schedulable": "true"}
            node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {}}
            self._world.create(node, manager=KUBELET)
            made = self._world.get(NODE, None, name)
            if made is not None:
                self._world.set_status(made, node_status(made), manager=KUBELET)

    def reconcile(self, key: Key) -> float | None:
        """One pod, one step."""
        pod = self._world.get(POD, *key)
        if pod is None:
            return None
        uid = pod["metadata"]["uid"]
        if "deletionTimestamp" in pod["metadata"]:
            return self._end(pod, uid)
        status = pod.get("status") or {}
        if status.get("phase") in ENDED:
            return None
        if "nodeName" not in pod["spec"]:
            return self._bind(pod)
        if status.get("phase") == "Running" and uid not in self._running:
            return self._after_reboot(pod, status)
        return self._run(pod, uid, status)

    def _bind(self, pod: Manifest) -> float | None:
        waiting = [name for name in claims_of(pod) if not self._bound(key_of(pod)[0], name)]
        if waiting:
            text = f"waiting for PersistentVolumeClaim {waiting[0]} to be bound"
            unschedulable = [condition("PodScheduled", False, "Unschedulable", text)]
            self._set(pod, {**(pod.get("status") or {}), "phase": "Pending"}, unschedulable, SCHEDULER)
            return None
        nodes = sorted(key_of(node)[1] for node in self._world.items(NODE) if not node["spec"].get("unschedulable"))
        if not nodes:
            return None
        chosen = nodes[zlib.crc32(key_of(pod)[1].encode()) % len(nodes)]
        self._world.bind(pod, chosen, manager=SCHEDULER)
        return 0.0

    def _bound(self, namespace: str, claim: str) -> bool:
        found = self._world.get(CLAIM, namespace, claim)
        return found is not None and (found.get("status") or {}).get("phase") == "Bound"

    def _run(self, pod: Manifest, uid: str, status: Mapping[str, Any]) -> float | None:
        settings = self._world.settings
        restarts = self._running.setdefault(uid, 0)
        left = self._delays.left((uid, "start"), settings.pod_start)
        if left:
            return left
        ready = not meets(settings.never_ready, *key_of(pod))
        self._set(pod, running_status(pod, status, ready, restarts), ready_conditions(ready), KUBELET)
        if not ends_by_itself(pod):
            return None
        left = self._delays.left((uid, "run"), settings.job_run)
        if left:
            return left
        self._complete(pod, "Succeeded", 0)
        return None

    def _after_reboot(self, pod: Manifest, status: Mapping[str, Any]) -> float | None:
        """The node went down under this pod: start its containers again, or it has failed."""
        if pod["spec"].get("restartPolicy", "Always") == "Never":
            self._complete(pod, "Failed", 137)
            return None
        known = status.get("containerStatuses") or [{}]
        restarts = known[0].get("restartCount", 0) + 1
        self._running[pod["metadata"]["uid"]] = restarts
        self._set(pod, running_status(pod, status, False, restarts), ready_conditions(False), KUBELET)
        return 0.0

    def _complete(self, pod: Manifest, phase: str, code: int) -> None:
        status = pod.get("status") or {}
        reason = "PodCompleted" if phase == "Succeeded" else "PodFailed"
        self._set(pod, ended_status(pod, status, phase, code), ready_conditions(False, reason), KUBELET)

    def _end(self, pod: Manifest, uid: str) -> float | None:
        over = (pod.get("status") or {}).get("phase") in (None, "Pending", *ENDED)
        left = 0.0 if over else self._delays.left((uid, "stop"), self._world.settings.pod_stop)
        if left:
            return left
        if not pod["metadata"].get("finalizers"):
            self._world.delete_now(pod)
        self._delays.forget((uid, "start"), (uid, "run"), (uid, "stop"))
        self._running.pop(uid, None)
        return None

    def _set(self, pod: Manifest, status: Mapping[str, Any], now: Iterable[dict[str, Any]], manager: str) -> None:
        before = (pod.get("status") or {}).get("conditions") or []
        self._world.set_status(pod, {**status, "conditions": with_conditions(before, now)}, manager=manager)


def claims_of(pod: Manifest) -> list[str]:
    """The claims that a pod's volumes name."""
    volumes: list[dict[str, Any]] = pod["spec"].get("volumes") or []
    return [found["persistentVolumeClaim"]["claimName"] for found in volumes if "persistentVolumeClaim" in found]


def is_ready(pod: Manifest) -> bool:
    """Whether the pod's condition Ready holds and it is not going."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(found["type"] == "Ready" and found["status"] == "True" for found in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def ends_by_itself(pod: Manifest) -> bool:
    """Whether the pod's containers run to completion."""
    owner = controller_of(pod)
    return owner is not None and owner["kind"] == "Job"


def ready_conditions(ready: bool, reason: str = "") -> list[dict[str, Any]]:
    """The conditions of a pod that was bound to a node."""
    why = "" if ready else reason or "ContainersNotReady"
    return [
        condition("PodReadyToStartContainers", True),
        condition("Initialized", True),
        condition("Ready", ready, why),
        condition("ContainersReady", ready, why),
        condition("PodScheduled", True),
    ]


def running_status(pod: Manifest, status: Mapping[str, Any], ready: bool, restarts: int) -> dict[str, Any]:
    """The status of a pod whose containers run; addresses and start time stay what they were."""
    begun = status.get("startTime") or timestamp()
    address = status.get("podIP") or address_of(pod)
    state = {"running": {"startedAt": begun if not restarts else timestamp()}}
    known = status.get("containerStatuses") or []
    if known and known[0].get("restartCount") == restarts and "running" in known[0].get("state", {}):
        state = known[0]["state"]
    containers = [container_status(found, state, ready, restarts) for found in pod["spec"]["containers"]]
    return {
        "phase": "Running",
        "startTime": begun,
        "hostIP": "10.0.0.1",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "qosClass": status.get("qosClass", "BestEffort"),
        "containerStatuses": containers,
    }


def ended_status(pod: Manifest, status: Mapping[str, Any], phase: str, code: int) -> dict[str, Any]:
    """The status of a pod whose containers have ended with this exit code."""
    ended = {"exitCode": code, "reason": "Completed" if code == 0 else "Error", "finishedAt": timestamp()}
    containers = [container_status(found, {"terminated": ended}, False, 0) for found in pod["spec"]["containers"]]
    return {**status, "phase": phase, "containerStatuses": containers}


def container_status(
    container: Mapping[str, Any], state: Mapping[str, Any], ready: bool, restarts: int
) -> dict[str, Any]:
    """One container's entry."""
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "ready": ready,
        "started": "running" in state,
        "restartCount": restarts,
        "state": dict(state),
        "lastState": {},
    }


def address_of(pod: Manifest) -> str:
    """An address that is this pod's own, most likely."""
    number = zlib.crc32(pod["metadata"]["uid"].encode())
    return f"10.{128 + (number >> 16) % 64}.{(number >> 8) % 256}.{1 + number % 254}"


def node_status(node: Manifest) -> dict[str, Any]:
    """The status of a node that is ready."""
    ready = condition("Ready", True, "KubeletReady", "the simulated kubelet is posting ready status")
    before = (node.get("status") or {}).get("conditions") or []
    version = {"kubeletVersion": "v1.34.0", "osImage": "simulated", "architecture": "amd64", "operatingSystem": "linux"}
    return {
        **(node.get("status") or {}),
        "capacity": NODE_CAPACITY,
        "allocatable": NODE_CAPACITY,
        "conditions": with_conditions(before, [ready]),
        "nodeInfo": version,
        "addresses": [{"type": "Hostname", "address": node["metadata"]["name"]}],
    }
