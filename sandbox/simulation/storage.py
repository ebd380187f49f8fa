"""Claims, volumes and attachments: binding, provisioning from the site's array, and which node uses what."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.objects import Manifest
from sandbox.simulation.array import Array
from sandbox.simulation.engine import Key
from sandbox.simulation.pods import ENDED, claims_of
from sandbox.simulation.settings import meets
from sandbox.simulation.world import ATTACHMENT, CLAIM, POD, STORAGE_CLASS, VOLUME, World, key_of

DRIVER = "array.sandbox.siteshift.io"
"""The CSI driver and provisioner of the simulated array."""

MANAGER = "kube-controller-manager"
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "": 1}


class Claims:
    """Binds each claim: to the volume that it names, to the one that names it, to a free one, or to a new one."""

    name = "claims"
    watched = (CLAIM, VOLUME, STORAGE_CLASS, POD)

    def __init__(self, world: World, array: Array) -> None:
        self._world = world
        self._array = array

    def keys(self, manifest: Manifest) -> Iterable[Key]:
        """A claim itself; the claims that an object may let bind."""
        if manifest["kind"] == "PersistentVolumeClaim":
            return [key_of(manifest)]
        if manifest["kind"] == "Pod":
            return [(key_of(manifest)[0], name) for name in claims_of(manifest)]
        return [key_of(claim) for claim in self._world.items(CLAIM) if phase_of(claim) != "Bound"]

    def reconcile(self, key: Key) -> float | None:
        """One claim, one step."""
        claim = self._world.get(CLAIM, *key)
        if claim is None or "deletionTimestamp" in claim["metadata"]:
            return None
        if phase_of(claim) == "Bound":
            volume = self._world.get(VOLUME, None, claim["spec"].get("volumeName", ""))
            if volume is None:
                self._world.set_status(claim, {**claim["status"], "phase": "Lost"}, manager=MANAGER)
            return None
        volume = self._find(claim)
        if volume is None and "volumeName" not in claim["spec"]:
            volume = self._provision(claim)
        if volume is not None:
            self._bind(claim, volume)
        return None

    def _find(self, claim: Manifest) -> Manifest | None:
        """The volume that this claim may have; a volume that is another one's, or released, is nobody's."""
        named = claim["spec"].get("volumeName")
        if named:
            volume = self._world.get(VOLUME, None, named)
            return volume if volume is not None and is_free_for(volume, claim) else None
        free = [volume for volume in self._world.items(VOLUME) if is_free_for(volume, claim)]
        free = [volume for volume in free if "claimRef" in volume["spec"] or fits(volume, claim)]
        free.sort(key=lambda volume: ("claimRef" not in volume["spec"], capacity_of(volume), key_of(volume)))
        return free[0] if free else None

    def _provision(self, claim: Manifest) -> Manifest | None:
        wanted = claim["spec"].get("storageClassName")
        storage_class = self._world.get(STORAGE_CLASS, None, wanted) if wanted else None
        if storage_class is None or storage_class.get("provisioner") != DRIVER:
            return None
        if storage_class.get("volumeBindingMode") == "WaitForFirstConsumer" and not self._consumers(claim):
            return None
        volume = fresh_volume(claim, storage_class)
        self._array.create(volume["spec"]["csi"]["volumeHandle"])
        self._world.create(volume, manager=DRIVER)
        return self._world.get(VOLUME, None, key_of(volume)[1])

    def _consumers(self, claim: Manifest) -> list[Manifest]:
        namespace, name = key_of(claim)
        return [pod for pod in self._world.items(POD) if key_of(pod)[0] == namespace and name in claims_of(pod)]

    def _bind(self, claim: Manifest, volume: Manifest) -> None:
        namespace, name = key_of(claim)
        reference = {
            "apiVersion": CLAIM[0],
            "kind": CLAIM[1],
            "namespace": namespace,
            "name": name,
            "uid": claim["metadata"]["uid"],
        }
        if volume["spec"].get("claimRef", {}).get("uid") != reference["uid"]:
            volume = self._world.patch(volume, {"spec": {"claimRef": reference}}, manager=MANAGER)
        self._world.set_status(volume, {"phase": "Bound"}, manager=MANAGER)
        annotations = {"pv.kubernetes.io/bind-completed": "yes"}
        if "volumeName" not in claim["spec"]:
            annotations["pv.kubernetes.io/bound-by-controller"] = "yes"
        body = {"metadata": {"annotations": annotations}, "spec": {"volumeName": key_of(volume)[1]}}
        claim = self._world.patch(claim, body, manager=MANAGER)
        status = {
            "phase": "Bound",
            "accessModes": volume["spec"].get("accessModes", []),
            "capacity": volume["spec"].get("capacity", {}),
        }
        self._world.set_status(claim, status, manager=MANAGER)


class Volumes:
    """Phases of volumes: available, and released when their claim is gone; deleted if the policy says so."""

    name = "volumes"
    watched = (VOLUME, CLAIM)

    def __init__(self, world: World, array: Array) -> None:
        self._world = world
        self._array = array

    def keys(self, manifest: Manifest) -> Iterable[Key]:
        """The volume itself, or the one that a claim has."""
        if manifest["kind"] == "PersistentVolume":
            return [key_of(manifest)]
        named = manifest["spec"].get("volumeName")
        return [("", named)] if named else []

    def reconcile(self, key: Key) -> float | None:
        """One volume, one step."""
        volume = self._world.get(VOLUME, None, key[1])
        if volume is None or "deletionTimestamp" in volume["metadata"]:
            return None
        handle = handle_of(volume)
        if handle:
            self._array.create(handle)
        reference = volume["spec"].get("claimRef") or {}
        phase = phase_of(volume)
        if phase in ("", "Pending"):
            self._world.set_status(volume, {"phase": "Available"}, manager=MANAGER)
        elif phase == "Bound":
            claim = self._world.get(CLAIM, reference.get("namespace"), reference.get("name", ""))
            if claim is None or claim["metadata"]["uid"] != reference.get("uid"):
                self._world.set_status(volume, {"phase": "Released"}, manager=MANAGER)
        elif phase == "Released" and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            self._world.delete(volume)
        return None


class Attachments:
    """One VolumeAttachment for each volume and node that a pod uses it at, as long as the pod is there."""

    name = "attachments"
    watched = (ATTACHMENT, POD, CLAIM, VOLUME)

    def __init__(self, world: World) -> None:
        self._world = world

    def keys(self, manifest: Manifest) -> Iterable[Key]:
        """The volumes that an object concerns."""
        if manifest["kind"] == "PersistentVolume":
            return [key_of(manifest)]
        if manifest["kind"] == "VolumeAttachment":
            return [("", manifest["spec"]["source"].get("persistentVolumeName", ""))]
        claims: list[Manifest | None] = [manifest]
        if manifest["kind"] == "Pod":
            claims = [self._world.get(CLAIM, key_of(manifest)[0], name) for name in claims_of(manifest)]
        return [("", claim["spec"]["volumeName"]) for claim in claims if claim and "volumeName" in claim["spec"]]

    def reconcile(self, key: Key) -> float | None:
        """One volume's attachments."""
        volume = self._world.get(VOLUME, None, key[1])
        if volume is None or not handle_of(volume):
            return None
        claim = claim_of(volume)
        nodes = {pod["spec"]["nodeName"] for pod in self._users(claim) if "nodeName" in pod["spec"]}
        attachments = self._world.items(ATTACHMENT)
        known = [found for found in attachments if found["spec"]["source"].get("persistentVolumeName") == key[1]]
        for node in sorted(nodes - {found["spec"]["nodeName"] for found in known}):
            self._world.create(attachment(volume, node), manager=MANAGER)
        for found in known:
            if found["spec"]["nodeName"] in nodes:
                self._world.set_status(found, {"attached": True}, manager=DRIVER)
            elif not meets(self._world.settings.stuck_attachment, *claim):
                self._world.delete(found)
        return None

    def _users(self, claim: Key) -> list[Manifest]:
        """The pods that use a claim and have not ended."""
        pods = [pod for pod in self._world.items(POD) if key_of(pod)[0] == claim[0] and claim[1] in claims_of(pod)]
        return [pod for pod in pods if phase_of(pod) not in ENDED]


def phase_of(manifest: Manifest) -> str:
    """`status.phase`, empty before there is one."""
    return str((manifest.get("status") or {}).get("phase") or "")


def handle_of(volume: Manifest) -> str:
    """The array's name of a volume; empty if it is on no array."""
    return str((volume["spec"].get("csi") or {}).get("volumeHandle") or "")


def claim_of(volume: Manifest) -> Key:
    """The key of the claim that a volume is for; empty names if it is for none."""
    reference = volume["spec"].get("claimRef") or {}
    return reference.get("namespace", ""), reference.get("name", "")


def handle_of_claim(world: World, namespace: str, name: str) -> str | None:
    """The array's name of a claim's volume: empty if it is on no array, None while it is not bound or not seen yet."""
    claim = world.get(CLAIM, namespace, name)
    if claim is None or phase_of(claim) != "Bound":
        return None
    volume = world.get(VOLUME, None, claim["spec"]["volumeName"])
    return None if volume is None else handle_of(volume)


def is_free_for(volume: Manifest, claim: Manifest) -> bool:
    """Whether a volume is bound to nobody else, and to no earlier claim of the same name."""
    if "deletionTimestamp" in volume["metadata"]:
        return False
    reference = volume["spec"].get("claimRef")
    if reference is None:
        return True
    if (reference.get("namespace"), reference.get("name")) != key_of(claim):
        return False
    return reference.get("uid") in (None, "", claim["metadata"]["uid"])


def fits(volume: Manifest, claim: Manifest) -> bool:
    """Whether an available volume has the class, modes and size that a claim asks for."""
    if phase_of(volume) != "Available":
        return False
    if volume["spec"].get("storageClassName", "") != claim["spec"].get("storageClassName", ""):
        return False
    if not set(claim["spec"].get("accessModes") or ()) <= set(volume["spec"].get("accessModes") or ()):
        return False
    wanted = (claim["spec"].get("resources") or {}).get("requests", {}).get("storage", "0")
    return capacity_of(volume) >= quantity(wanted)


def capacity_of(volume: Manifest) -> float:
    """A volume's size in bytes."""
    return quantity((volume["spec"].get("capacity") or {}).get("storage", "0"))


def quantity(text: str | int) -> float:
    """The number that a Kubernetes quantity of bytes is."""
    digits = str(text).rstrip("KMGTPEikmu")
    return float(digits) * UNITS.get(str(text)[len(digits) :], 1)


def fresh_volume(claim: Manifest, storage_class: Mapping[str, Any]) -> Manifest:
    """A new volume of the array for a claim: empty, and replicated by nobody yet."""
    name = f"pvc-{claim['metadata']['uid']}"
    storage = (claim["spec"].get("resources") or {}).get("requests", {}).get("storage", "1Gi")
    namespace, claim_name = key_of(claim)
    reference = {"apiVersion": CLAIM[0], "kind": CLAIM[1], "namespace": namespace, "name": claim_name}
    spec = {
        "accessModes": claim["spec"].get("accessModes") or ["ReadWriteOnce"],
        "capacity": {"storage": storage},
        "claimRef": {**reference, "uid": claim["metadata"]["uid"]},
        "csi": {"driver": DRIVER, "volumeHandle": name},
        "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
        "storageClassName": storage_class["metadata"]["name"],
        "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
    }
    metadata = {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": DRIVER}}
    return {"apiVersion": VOLUME[0], "kind": VOLUME[1], "metadata": metadata, "spec": spec}


def attachment(volume: Manifest, node: str) -> Manifest:
    """The VolumeAttachment of a volume at a node."""
    handle, driver = handle_of(volume), volume["spec"]["csi"]["driver"]
    name = "csi-" + hashlib.sha256(f"{handle}{driver}{node}".encode()).hexdigest()
    spec = {"attacher": driver, "nodeName": node, "source": {"persistentVolumeName": key_of(volume)[1]}}
    return {"apiVersion": ATTACHMENT[0], "kind": ATTACHMENT[1], "metadata": {"name": name}, "spec": spec}
