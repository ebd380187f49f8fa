"""What must hold between the objects of a site once they are rendered: identities, volumes, what can be stopped.

Pure: rendered objects in, errors out. The rendered objects of a site are those of its platform and of every
application in the role that its placement gives it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.errors import FleetError
from reconciler.fleet import times
from reconciler.fleet.durations import show
from reconciler.fleet.model import Application, Fleet, Role
from reconciler.objects import Manifest, Ref, ref_of

DEFAULT_GRACE = 30.0
"""Seconds that a pod or virtual machine has to stop where its template says nothing."""

STARTS_AT_ONCE = frozenset({("", "Pod"), ("apps", "DaemonSet"), ("kubevirt.io", "VirtualMachineInstance")})
"""Kinds that run something and have no field to hold it back (group, kind): they cannot move (P10)."""

DATA_VOLUMES = (("cdi.kubevirt.io", "DataVolume"),)
"""Kinds that make a volume from nothing, which would hide the replica (P17)."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The platform (`application` None), or an application in a role; each object with the file that it comes from."""

    application: Application | None
    role: Role
    objects: Sequence[tuple[Manifest, str]]

    @property
    def name(self) -> str:
        """As it is called in messages."""
        return "the platform" if self.application is None else f"application {self.application.name}"


def check_contents(fleet: Fleet, site: str, units: Sequence[Rendered]) -> list[FleetError]:
    """Every error in what a site would have."""
    found = [*_identities(site, units), *_volumes(site, units)]
    for unit in units:
        if unit.application is not None and _moves(unit.application):
            found += _movable(unit)
            found += _stops(fleet, unit.application, unit)
    return found


def _moves(application: Application) -> bool:
    return len(application.sites) > 1


def _identities(site: str, units: Iterable[Rendered]) -> Iterator[FleetError]:
    seen: dict[Ref, tuple[Rendered, str]] = {}
    for unit in units:
        for manifest, path in unit.objects:
            ref = ref_of(manifest)
            if ref in seen:
                other, where = seen[ref]
                whose = "twice" if other is unit else f"also in {other.name}"
                yield FleetError(
                    f"{ref} is {whose} at site {site}: {where}",
                    path=path,
                    hint="an object belongs to one place; remove one",
                )
            seen.setdefault(ref, (unit, path))


def _volumes(site: str, units: Iterable[Rendered]) -> Iterator[FleetError]:
    """A volume belongs to one application (P12), by the array's name for it and by the volume that a claim is for."""
    seen: dict[tuple[str, str], tuple[Rendered, Ref]] = {}
    for unit in units:
        for manifest, path in unit.objects:
            for name in _volume_names(manifest):
                other, ref = seen.setdefault(name, (unit, ref_of(manifest)))
                if ref != ref_of(manifest):
                    yield FleetError(
                        f"{ref_of(manifest)} uses {name[0]} {name[1]} at site {site}, as does {ref} of {other.name}",
                        path=path,
                        hint="a volume belongs to one application and one claim",
                    )


def _volume_names(manifest: Manifest) -> Iterator[tuple[str, str]]:
    spec = _mapping(manifest.get("spec"))
    if _kind(manifest) == ("", "PersistentVolume"):
        csi = _mapping(spec.get("csi"))
        if csi.get("volumeHandle"):
            yield "volume handle", f"{csi.get('driver', '')} {csi['volumeHandle']}".strip()
    if _kind(manifest) == ("", "PersistentVolumeClaim") and spec.get("volumeName"):
        yield "PersistentVolume", str(spec["volumeName"])


def _movable(unit: Rendered) -> Iterator[FleetError]:
    application = unit.application
    for manifest, path in unit.objects:
        ref, spec = ref_of(manifest), _mapping(manifest.get("spec"))
        if _kind(manifest) in STARTS_AT_ONCE:
            yield FleetError(
                f"{ref} cannot move: a {ref.kind} starts at once and has no field that holds it back",
                path=path,
                hint="use a Deployment, StatefulSet, Job or VirtualMachine, or make it part of the platform",
            )
        if application is None or application.replication.driver == "none" or unit.role != "passive":
            continue
        if ref.kind == "PersistentVolumeClaim" and not spec.get("volumeName"):
            yield FleetError(
                f"{ref} has no spec.volumeName at a passive site: an empty volume could be made and hide the replica",
                path=path,
                hint="name the PersistentVolume of the replica, in sites/<site>",
            )
        if _makes_volumes(manifest):
            yield FleetError(
                f"{ref} makes a volume by itself at a passive site: it would hide the replica",
                path=path,
                hint="use a PersistentVolumeClaim with spec.volumeName",
            )


def _makes_volumes(manifest: Manifest) -> bool:
    spec = _mapping(manifest.get("spec"))
    return _kind(manifest) in DATA_VOLUMES or bool(spec.get("dataVolumeTemplates") or spec.get("volumeClaimTemplates"))


def _stops(fleet: Fleet, application: Application, unit: Rendered) -> Iterator[FleetError]:
    """Inequalities 4 and 5 with the longest stop that the objects ask for."""
    if application.lease is None:
        return
    graces = [(_grace(manifest), ref_of(manifest)) for manifest, _ in unit.objects]
    slowest = max(graces, default=None)
    if slowest is None or slowest[0] == 0:
        return
    longest = slowest[0] + times.FORCED_STOP
    started = sum(grace > 0 for grace, _ in graces)
    needed = times.least_fence_time(fleet, application.lease, longest, started)
    if application.lease.fence_after < needed:
        yield FleetError(
            f"spec.lease.fenceAfter is {show(application.lease.fence_after)}, expected at least {show(needed)}:"
            f" {slowest[1]} may take {show(longest)} to stop",
            path=f"{application.folder}/application.yaml",
            hint="raise it, or lower terminationGracePeriodSeconds",
        )


def _grace(manifest: Manifest) -> float:
    """How long what an object runs may take to stop; 0 for an object that runs nothing."""
    template: Any = manifest.get("spec")
    path = ("jobTemplate", "spec", "template", "spec") if manifest["kind"] == "CronJob" else ("template", "spec")
    for name in path:
        template = template.get(name) if isinstance(template, Mapping) else None
    if not isinstance(template, Mapping):
        return 0.0
    grace = template.get("terminationGracePeriodSeconds")
    return float(grace) if isinstance(grace, int | float) else DEFAULT_GRACE


def _mapping(value: Any) -> Mapping[str, Any]:
    """A mapping of fields; empty for whatever else stands in its place, which the API server will refuse."""
    return value if isinstance(value, Mapping) else {}


def _kind(manifest: Manifest) -> tuple[str, str]:
    ref = ref_of(manifest)
    return ref.group, ref.kind
