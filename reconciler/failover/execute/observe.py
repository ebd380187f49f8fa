"""What runs of an application in a cluster, by consistent lists: the readings that the protocol takes for proof.

A kind that the cluster does not serve has no objects. Everything else that cannot be listed is an error, and then there
is no reading at all: nothing is ever taken for absent because it could not be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reconciler.errors import NotFound
from reconciler.failover.admission.permits import label_selector
from reconciler.failover.execute.definition import Workload
from reconciler.failover.protocol.values import Observation, StartObject
from reconciler.objects import APPLICATION_LABEL, STANDBY_LABEL, Manifest, Ref, ref_of
from reconciler.starts.fields import is_stopped

if TYPE_CHECKING:
    from reconciler.cluster import Cluster

VERSIONS: Mapping[tuple[str, str], str] = {
    ("kubevirt.io", "VirtualMachine"): "kubevirt.io/v1",
    ("apps", "Deployment"): "apps/v1",
    ("apps", "StatefulSet"): "apps/v1",
    ("apps", "ReplicaSet"): "apps/v1",
    ("batch", "Job"): "batch/v1",
    ("batch", "CronJob"): "batch/v1",
}
"""The API version by which each kind with a start field is read and written."""

ENDED = frozenset({"Succeeded", "Failed"})
"""Phases of pods and instances in which nothing runs any more."""


def observe(
    cluster: Cluster, application: str, workloads: Sequence[Workload], namespaces: Sequence[str], at: float
) -> Observation:
    """Everything of an application that runs, would start, or holds a volume."""
    objects = _objects(cluster, application, workloads)
    places = sorted({*namespaces, *(each["metadata"].get("namespace") or "" for each in objects)} - {""})
    pods, instances, claims = (
        [each for place in places for each in _all(cluster, version, kind, place)]
        for version, kind in (
            ("v1", "Pod"),
            ("kubevirt.io/v1", "VirtualMachineInstance"),
            ("v1", "PersistentVolumeClaim"),
        )
    )
    own = _claims_of(application, claims, objects, pods)
    volumes = {each.get("spec", {}).get("volumeName") for each in claims if _name(each) in own} - {None, ""}
    machines = {_name(each) for each in objects if each["kind"] == "VirtualMachine" and not _stands_by(each)}
    running = [
        each for each in instances if _may_write(each, application, own) or (_goes(each) and _name(each) in machines)
    ]
    working = [each for each in pods if _may_write(each, application, own)]
    attached = [
        ref_of(each)
        for each in (_all(cluster, "storage.k8s.io/v1", "VolumeAttachment", None) if volumes else ())
        if each.get("spec", {}).get("source", {}).get("persistentVolumeName") in volumes
    ]
    known = {each.ref: each for each in workloads}
    return Observation(
        at=at,
        objects=(
            *(_start_object(each, known.get(ref_of(each)), running, working) for each in objects),
            *_not_there(workloads, objects),
        ),
        instances=tuple(map(ref_of, running)),
        pods=tuple(map(ref_of, working)),
        attachments=tuple(attached),
    )


def _objects(cluster: Cluster, application: str, workloads: Sequence[Workload]) -> list[Manifest]:
    """Everything with a start field: what carries the label, and workloads that run already and do not carry it yet."""
    listed = [each for (_, kind), version in VERSIONS.items() for each in _list(cluster, version, kind, application)]
    found = {ref_of(each): each for each in listed if not _is_part(each)}
    for workload in workloads:
        if workload.ref not in found and (there := _get(cluster, workload)) is not None:
            found[workload.ref] = there
    return list(found.values())


def _list(cluster: Cluster, version: str, kind: str, application: str) -> tuple[Manifest, ...]:
    try:
        return cluster.list(version, kind, None, label_selector(application)).items
    except NotFound:
        return ()


def _all(cluster: Cluster, version: str, kind: str, namespace: str | None) -> tuple[Manifest, ...]:
    try:
        return cluster.list(version, kind, namespace).items
    except NotFound:
        return ()


def _get(cluster: Cluster, workload: Workload) -> Manifest | None:
    """A workload that the list by label did not have: one that runs already and was not marked yet."""
    try:
        return cluster.get(workload.api_version, workload.ref.kind, workload.ref.namespace, workload.ref.name)
    except NotFound:
        return None


def _is_part(manifest: Manifest) -> bool:
    """Whether the object is made by another one that has a start field; Jobs of a CronJob run on by themselves."""
    owners = manifest["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner["kind"] == "Deployment" for owner in owners)


def _name(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"].get("namespace") or "", manifest["metadata"]["name"]


def _labelled(manifest: Manifest, application: str) -> bool:
    return (manifest["metadata"].get("labels") or {}).get(APPLICATION_LABEL) == application


def _claims_in(manifest: Manifest) -> set[tuple[str, str]]:
    """The claims that a pod or an instance mounts; a DataVolume's claim has its name."""
    namespace = manifest["metadata"].get("namespace") or ""
    return {(namespace, name) for name in _claim_names(manifest.get("spec", {}).get("volumes") or ())}


def _claim_names(volumes: Iterable[Mapping[str, Any]]) -> set[str]:
    named = {volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume}
    return named | {volume["dataVolume"]["name"] for volume in volumes if "dataVolume" in volume}


def _machine_claims(manifest: Manifest) -> set[tuple[str, str]]:
    namespace = manifest["metadata"].get("namespace") or ""
    template = manifest.get("spec", {}).get("template") or {}
    return {(namespace, name) for name in _claim_names(template.get("spec", {}).get("volumes") or ())}


def _claims_of(
    application: str, claims: Sequence[Manifest], objects: Sequence[Manifest], pods: Sequence[Manifest]
) -> set[tuple[str, str]]:
    """The application's claims: labelled ones, and those that its machines and pods mount."""
    own = {_name(each) for each in claims if _labelled(each, application)}
    for each in objects:
        own |= _machine_claims(each)
    for pod in pods:
        if _labelled(pod, application):
            own |= _claims_in(pod)
    return own


def _goes(manifest: Manifest) -> bool:
    return manifest.get("status", {}).get("phase") not in ENDED


def _stands_by(manifest: Manifest) -> bool:
    return STANDBY_LABEL in (manifest["metadata"].get("labels") or {})


def _may_write(manifest: Manifest, application: str, claims: set[tuple[str, str]]) -> bool:
    """Whether a pod or an instance may write: whatever mounts a claim of the application, and all of its own but those
    that stand by without volumes."""
    if not _goes(manifest):
        return False
    return bool(_claims_in(manifest) & claims) or (_labelled(manifest, application) and not _stands_by(manifest))


def _start_object(
    manifest: Manifest, workload: Workload | None, instances: Sequence[Manifest], pods: Sequence[Manifest]
) -> StartObject:
    return StartObject(
        ref=ref_of(manifest),
        run_level=workload.run_level if workload else "99",
        stopped=is_stopped(manifest),
        runs=_runs(manifest, instances, pods),
        # What is not rendered is never waited for when starting, and is the first to stop.
        ready=workload.ready if workload else True,
        standby=workload.standby if workload else _stands_by(manifest),
    )


def _runs(manifest: Manifest, instances: Sequence[Manifest], pods: Sequence[Manifest]) -> bool:
    if manifest["kind"] == "VirtualMachine":
        mine = _name(manifest) in {_name(each) for each in instances}
        label = "vm.kubevirt.io/name"
        return mine or any(
            (each["metadata"].get("labels") or {}).get(label) == manifest["metadata"]["name"]
            and each["metadata"].get("namespace") == manifest["metadata"].get("namespace")
            for each in pods
        )
    chosen = _selector(manifest)
    return chosen is not None and any(
        each["metadata"].get("namespace") == manifest["metadata"].get("namespace") and chosen(each) for each in pods
    )


def _selector(manifest: Manifest) -> Callable[[Manifest], bool] | None:
    if manifest["kind"] == "CronJob":
        return None
    if manifest["kind"] == "Job":
        name = manifest["metadata"]["name"]
        return lambda pod: any(
            (pod["metadata"].get("labels") or {}).get(label) == name
            for label in ("batch.kubernetes.io/job-name", "job-name")
        )
    wanted = (manifest.get("spec", {}).get("selector") or {}).get("matchLabels") or {}
    return lambda pod: bool(wanted) and wanted.items() <= (pod["metadata"].get("labels") or {}).items()


def _not_there(workloads: Iterable[Workload], objects: Sequence[Manifest]) -> Iterable[StartObject]:
    there = set(map(ref_of, objects))
    return (
        StartObject(each.ref, each.run_level, stopped=True, ready=False, standby=each.standby)
        for each in workloads
        if each.ref not in there
    )


def version_of(ref: Ref) -> str:
    """The API version by which a kind with a start field is written."""
    return VERSIONS[(ref.group, ref.kind)]
