"""What runs of an application in a cluster, by consistent lists: the readings that the protocol takes for proof.

A kind that the cluster does not serve has no objects. Everything else that cannot be listed is an error, and then there
is no reading at all: nothing is ever taken for absent because it could not be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.errors import NotFound
from reconciler.moves.values import Observation, StartObject
from reconciler.objects import APPLICATION_LABEL, STANDBY_LABEL, Manifest, Ref, ref_of
from reconciler.starts.fields import START_FIELDS, is_stopped, kind_of
from reconciler.starts.permits import label_selector

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


@dataclass(frozen=True, slots=True)
class Workload:
    """An object with a start field, as rendered for the active role: `start_value` is what its field shall be when it
    runs. `ready` is the caller's judgement of its health in this pass; `grace` how long it may take to stop."""

    ref: Ref
    api_version: str
    run_level: str
    component: str
    start_value: Any
    standby: bool = False
    ready: bool = False
    grace: float = 30.0


def namespaces_of(workloads: Sequence[Workload], others: Iterable[str] = ()) -> tuple[str, ...]:
    """The namespaces that an application lives in."""
    return tuple(sorted({each.ref.namespace for each in workloads if each.ref.namespace} | set(others)))


def observe(
    cluster: Cluster, application: str, workloads: Sequence[Workload], namespaces: Sequence[str], at: float
) -> Observation:
    """Everything of an application that runs, would start, or holds a volume."""
    listed = {key: _list(cluster, version, key[1], application) for key, version in VERSIONS.items()}
    objects = [each for found in listed.values() for each in found if not _is_part(each)]
    known = {each.ref: each for each in workloads}
    for each in workloads:
        if each.ref not in map(ref_of, objects):
            found = _get(cluster, each)
            if found is not None:
                objects.append(found)
    places = sorted({*namespaces, *(each["metadata"].get("namespace") or "" for each in objects)} - {""})
    pods = [each for place in places for each in _all(cluster, "v1", "Pod", place)]
    instances = [each for place in places for each in _all(cluster, "kubevirt.io/v1", "VirtualMachineInstance", place)]
    claims = [each for place in places for each in _all(cluster, "v1", "PersistentVolumeClaim", place)]
    own = _claims_of(application, claims, objects, pods)
    volumes = {each.get("spec", {}).get("volumeName") for each in claims if _name(each) in own} - {None, ""}
    machines = {_name(each) for each in objects if each["kind"] == "VirtualMachine"}
    running = [
        each
        for each in instances
        if each.get("status", {}).get("phase") not in ENDED
        and (_labelled(each, application) or _name(each) in machines)
    ]
    working = [
        each for each in pods if each.get("status", {}).get("phase") not in ENDED and _counts(each, application, own)
    ]
    attached = [
        ref_of(each)
        for each in (_all(cluster, "storage.k8s.io/v1", "VolumeAttachment", None) if volumes else ())
        if each.get("spec", {}).get("source", {}).get("persistentVolumeName") in volumes
    ]
    return Observation(
        at=at,
        objects=(
            *(_start_object(each, known.get(ref_of(each)), running, working) for each in objects),
            *_not_there(known.values(), objects),
        ),
        instances=tuple(map(ref_of, running)),
        pods=tuple(map(ref_of, working)),
        attachments=tuple(attached),
    )


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
    """The claims that a pod mounts."""
    namespace = manifest["metadata"].get("namespace") or ""
    volumes = manifest.get("spec", {}).get("volumes") or ()
    named = {volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume}
    return {(namespace, name) for name in named}


def _machine_claims(manifest: Manifest) -> set[tuple[str, str]]:
    namespace = manifest["metadata"].get("namespace") or ""
    template = manifest.get("spec", {}).get("template") or {}
    found = set()
    for volume in template.get("spec", {}).get("volumes") or ():
        claim = volume.get("persistentVolumeClaim", {}).get("claimName") or volume.get("dataVolume", {}).get("name")
        if claim:
            found.add((namespace, claim))
    return found


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


def _counts(pod: Manifest, application: str, claims: set[tuple[str, str]]) -> bool:
    """Whether a pod may write: whatever mounts a claim of the application, and all of its own but those that stand by
    without volumes."""
    if _claims_in(pod) & claims:
        return True
    standby = STANDBY_LABEL in (pod["metadata"].get("labels") or {})
    return _labelled(pod, application) and not standby


def _start_object(
    manifest: Manifest, workload: Workload | None, instances: Sequence[Manifest], pods: Sequence[Manifest]
) -> StartObject:
    labels = manifest["metadata"].get("labels") or {}
    return StartObject(
        ref=ref_of(manifest),
        run_level=workload.run_level if workload else "99",
        stopped=is_stopped(manifest),
        runs=_runs(manifest, instances, pods),
        # What is not rendered is never waited for when starting, and is the first to stop.
        ready=workload.ready if workload else True,
        standby=workload.standby if workload else STANDBY_LABEL in labels,
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


def has_start_field(ref: Ref) -> bool:
    """Whether the moves start and stop objects of this kind."""
    return (ref.group, ref.kind) in START_FIELDS


def version_of(ref: Ref) -> str:
    """The API version by which a kind with a start field is written."""
    return VERSIONS[(ref.group, ref.kind)]


__all__ = ["VERSIONS", "Workload", "has_start_field", "kind_of", "namespaces_of", "observe", "version_of"]
