"""What must hold between the objects of a site once they are rendered: identities, volumes, what can be stopped.

Pure: rendered objects in, errors out. The rendered objects of a site are those of its platform and of every
application in the role that its placement gives it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.errors import FleetError
from reconciler.fleet import times
from reconciler.fleet.durations import show
from reconciler.fleet.fields import custom_schemas, misfits
from reconciler.fleet.grace import grace_of
from reconciler.fleet.model import Application, Contents, Fleet
from reconciler.fleet.rendered import Rendered, mapping
from reconciler.fleet.storage import check_storage, site_objects, unprotected_claims
from reconciler.fleet.territory import NAMESPACE, Territory, places_of
from reconciler.fleet.walls import wall_errors
from reconciler.objects import Manifest, Ref, ref_of

STARTS_AT_ONCE = frozenset(
    {
        ("", "Pod"),
        ("", "ReplicationController"),
        ("apps", "DaemonSet"),
        ("kubevirt.io", "VirtualMachineInstance"),
        ("kubevirt.io", "VirtualMachineInstanceReplicaSet"),
        ("pool.kubevirt.io", "VirtualMachinePool"),
    }
)
"""Kinds that run something and have no field to hold it back (group, kind): they cannot move (P10)."""

DATA_VOLUMES = (("cdi.kubevirt.io", "DataVolume"),)
"""Kinds that make a volume from nothing, which would hide the replica (P17)."""


def check_contents(fleet: Fleet, site: str, units: Sequence[Rendered]) -> list[FleetError]:
    """Every error in what a site would have."""
    found = [*_identities(site, units), *_volumes(site, units), *_unknown_fields(units)]
    found += check_moves(site, units, units)
    found += _territory(fleet, units)
    for unit in units:
        found += wall_errors(unit, fleet.contents)
        if unit.application is not None and _moves(unit.application):
            found += _stops(fleet, unit.application, unit)
    return found


def unit_errors(unit: Rendered, contents: Contents) -> list[FleetError]:
    """What forbids the controller to act on an application, in the role in which it is rendered (P21)."""
    found = list(wall_errors(unit, contents))
    if unit.application is not None and _moves(unit.application):
        found += _movable(unit)
    return found


def check_moves(site: str, units: Iterable[Rendered], around: Iterable[Rendered]) -> list[FleetError]:
    """Every error that keeps applications from moving to or from a site. `around` is everything at the site, `units`
    are the applications in one of their roles."""
    objects, found = site_objects([*around, *units]), list[FleetError]()
    for unit in units:
        if unit.application is not None and _moves(unit.application):
            found += _movable(unit)
            if unit.application.replication.driver != "none":
                found += check_storage(site, unit, objects)
    return found


def warn_contents(units: Iterable[Rendered]) -> list[FleetError]:
    """What works at a site and surprises after a move: claims that are not replicated."""
    return [
        FleetError(
            f"{ref} is not replicated: after a move {unit.name} finds other data in it",
            path=f"{unit.application.folder}/application.yaml",
            within=("spec", "replication"),
            hint="cover it by a replication group, if its data must not stay behind",
        )
        for unit in units
        if unit.application is not None and _moves(unit.application)
        for ref in unprotected_claims(unit)
    ]


def _unknown_fields(units: Iterable[Rendered]) -> Iterator[FleetError]:
    """Fields that the API server would refuse, in kinds that are known here."""
    custom = custom_schemas(found.manifest for unit in units for found in unit.objects)
    for unit in units:
        for found in unit.objects:
            for misfit in misfits(found.manifest, custom):
                yield found.wrong(f"{found.ref}: {misfit.message}", *misfit.field, hint=misfit.hint)


def _moves(application: Application) -> bool:
    return len(application.sites) > 1


def _identities(site: str, units: Iterable[Rendered]) -> Iterator[FleetError]:
    seen: dict[Ref, tuple[Rendered, str]] = {}
    for unit in units:
        for manifest, path, _ in unit.objects:
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
        for manifest, path, _ in unit.objects:
            for name in _volume_names(manifest):
                other, ref = seen.setdefault(name, (unit, ref_of(manifest)))
                if ref != ref_of(manifest):
                    yield FleetError(
                        f"{ref_of(manifest)} uses {name[0]} {name[1]} at site {site}, as does {ref} of {other.name}",
                        path=path,
                        hint="a volume belongs to one application and one claim",
                    )


def _territory(fleet: Fleet, units: Sequence[Rendered]) -> Iterator[FleetError]:
    """A namespace belongs to one unit: to whom siteshift.yaml says, else the platform, else who has its Namespace."""
    territory = Territory()
    platform = [found for unit in units if unit.application is None for found in unit.objects]
    territory.give_platform(places_of(platform), fleet.contents)
    for unit in sorted(units, key=lambda each: (not _has_namespace(each), each.name)):
        if unit.application is not None:
            places = places_of(unit.objects, unit.application)
            namespaces = {place: found for place, found in places.items() if place.kind == NAMESPACE}
            yield from territory.claim(unit.application, namespaces, fleet.contents)


def _has_namespace(unit: Rendered) -> bool:
    return any(found.kind == ("", "Namespace") for found in unit.objects)


def _volume_names(manifest: Manifest) -> Iterator[tuple[str, str]]:
    spec = mapping(manifest.get("spec"))
    if _kind(manifest) == ("", "PersistentVolume"):
        csi = mapping(spec.get("csi"))
        if csi.get("volumeHandle"):
            yield "volume handle", f"{csi.get('driver', '')} {csi['volumeHandle']}".strip()
    if _kind(manifest) == ("", "PersistentVolumeClaim") and spec.get("volumeName"):
        yield "PersistentVolume", str(spec["volumeName"])


def _movable(unit: Rendered) -> Iterator[FleetError]:
    application = unit.application
    for manifest, path, _ in unit.objects:
        ref, spec = ref_of(manifest), mapping(manifest.get("spec"))
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
    spec = mapping(manifest.get("spec"))
    return _kind(manifest) in DATA_VOLUMES or bool(spec.get("dataVolumeTemplates") or spec.get("volumeClaimTemplates"))


def _stops(fleet: Fleet, application: Application, unit: Rendered) -> Iterator[FleetError]:
    """Inequalities 4 and 5 with the longest stop that the objects ask for."""
    if application.lease is None:
        return
    graces = [(grace_of(manifest), ref_of(manifest)) for manifest, _, _ in unit.objects]
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


def _kind(manifest: Manifest) -> tuple[str, str]:
    ref = ref_of(manifest)
    return ref.group, ref.kind
