"""The files of the stories' fleet: a database with replicated storage, and a shop without.

ledger (csi-addons, sites a and b): db at level 10, svc at level 50. shop (driver none, every site): web at level 20,
jobs at level 70; one that nobody moves shows what neighbours suffer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.fleet.model import Lease

Files = dict[str, bytes]
API = "siteshift.io/v1alpha1"
LEASE = Lease(time=12.0, fence_after=45.0)
POLL, FRESHNESS, PERMIT, REQUEST_TIMEOUT = 2.0, 4.0, 8.0, 2.0
LEVELS: Mapping[str, Mapping[str, int]] = {"ledger": {"db": 10, "svc": 50}, "shop": {"web": 20, "jobs": 70}}
"""Application → its virtual machines with their run levels, as the first commit has them."""


def files(sites: Sequence[str], lease: Lease | None) -> Files:
    """Everything but the placements."""
    spec = {
        "sites": [{"name": each} for each in sites],
        "applications": ["apps/*"],
        "poll": f"{POLL:.0f}s",
        "freshness": f"{FRESHNESS:.0f}s",
        "permit": f"{PERMIT:.0f}s",
        "requestTimeout": f"{REQUEST_TIMEOUT:.0f}s",
        "starts": {"maxInFlight": 2, "perMinute": 600},
    }
    found = {"siteshift.yaml": document("Fleet", "bank", spec)}
    for name, machines in LEVELS.items():
        found |= application(name, sites, lease if name == "ledger" else None, machines)
    return found


def application(name: str, sites: Sequence[str], lease: Lease | None, machines: Mapping[str, int]) -> Files:
    """One application's files, without its placement."""
    replicated = name == "ledger"
    spec: dict[str, Any] = {"sites": list(sites[:2] if replicated else sites), "home": "a"}
    if replicated:
        group = {"kind": "VolumeReplication", "name": name, "namespace": name}
        spec |= {"replication": {"driver": "csi-addons", "groups": [group], "rpo": "30s"}, "volumes": "static"}
    if lease is not None:
        times = {"time": f"{lease.time:.0f}s", "fenceAfter": f"{lease.fence_after:.0f}s"}
        spec |= {"onIsolation": "fence", "lease": times}
    objects = {"0000_05_names_01.yaml": manifest("v1", "Namespace", None, name)}
    if replicated:
        objects |= _storage(name)
    for machine, level in machines.items():
        objects[f"0000_{level:02d}_{machine}_03.yaml"] = _machine(name, machine)
    folder = f"apps/{name}"
    listed = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": sorted(objects)}
    return {
        f"{folder}/application.yaml": document("Application", name, spec),
        f"{folder}/base/kustomization.yaml": _text(listed),
        **{f"{folder}/base/{file}": _text(each) for file, each in objects.items()},
    }


def levels(found: Files) -> dict[str, dict[str, int]]:
    """Application → its virtual machines with their run levels, as the files have them."""
    known: dict[str, dict[str, int]] = {name: {} for name in LEVELS}
    for path in found:
        if path.endswith("_03.yaml"):
            _, name, _, file = path.split("/")
            _, level, machine, _ = file.split("_")
            known[name][machine] = int(level)
    return known


def placement(name: str, spec: Mapping[str, Any]) -> Files:
    """The placement of an application; fields that are None are left out."""
    said = {key: value for key, value in spec.items() if value is not None}
    return {f"apps/{name}/placement.yaml": document("Placement", name, said)}


def document(kind: str, name: str, spec: Mapping[str, Any]) -> bytes:
    """One of the fleet's own files: JSON is YAML."""
    return _text({"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": spec})


def manifest(version: str, kind: str, namespace: str | None, name: str, **more: Any) -> dict[str, Any]:
    """A Kubernetes object."""
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def _text(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode()


def _storage(name: str) -> dict[str, dict[str, Any]]:
    sizes = {"accessModes": ["ReadWriteOnce"], "storageClassName": "replicated"}
    bound = {"claimRef": {"namespace": name, "name": "data"}, "persistentVolumeReclaimPolicy": "Retain"}
    csi = {"driver": "array.example.com", "volumeHandle": name}
    volume = {**sizes, **bound, "capacity": {"storage": "1Gi"}, "csi": csi}
    claim = {**sizes, "volumeName": f"{name}-data", "resources": {"requests": {"storage": "1Gi"}}}
    source = {"apiGroup": "", "kind": "PersistentVolumeClaim", "name": "data"}
    replication = {
        "volumeReplicationClass": "replicated",
        "replicationState": "primary",
        "autoResync": False,
        "dataSource": source,
    }
    kind = "replication.storage.openshift.io/v1alpha1"
    return {
        "0000_08_data_00.yaml": manifest("v1", "PersistentVolume", None, f"{name}-data", spec=volume),
        "0000_08_data_01.yaml": manifest("v1", "PersistentVolumeClaim", name, "data", spec=claim),
        "0000_08_data_02.yaml": manifest(kind, "VolumeReplication", name, name, spec=replication),
    }


def _machine(application: str, name: str) -> dict[str, Any]:
    volumes: list[dict[str, Any]] = []
    if application == "ledger" and name == "db":
        volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    inside = {"domain": {"devices": {}}, "terminationGracePeriodSeconds": 2, "volumes": volumes}
    spec = {"runStrategy": "Always", "template": {"metadata": {"labels": {"app": name}}, "spec": inside}}
    return manifest("kubevirt.io/v1", "VirtualMachine", application, name, spec=spec)
