"""What must hold between an application's claims, volumes, storage classes and replication groups at a site.

Pure: rendered objects in, errors and warnings out. Without these a move is committed that cannot arrive: a claim that
finds no volume waits for ever, and a group that selects no claim replicates nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.errors import FleetError
from reconciler.fleet.rendered import Found, Rendered, mapping
from reconciler.objects import Ref

CLAIM, VOLUME = ("", "PersistentVolumeClaim"), ("", "PersistentVolume")
REPLICATION = "replication.storage.openshift.io"

CLASSES: tuple[tuple[tuple[str, str], str, tuple[str, str]], ...] = (
    (CLAIM, "storageClassName", ("storage.k8s.io", "StorageClass")),
    ((REPLICATION, "VolumeReplication"), "volumeReplicationClass", (REPLICATION, "VolumeReplicationClass")),
    ((REPLICATION, "VolumeGroupReplication"), "volumeReplicationClassName", (REPLICATION, "VolumeReplicationClass")),
    (
        (REPLICATION, "VolumeGroupReplication"),
        "volumeGroupReplicationClassName",
        (REPLICATION, "VolumeGroupReplicationClass"),
    ),
)
"""Kinds that name a class: (group, kind), the field of their spec, and the (group, kind) of the class."""


VOLUME_NAME = ("spec", "volumeName")


@dataclass(frozen=True, slots=True)
class SiteObjects:
    """What a site has besides the application: its volumes, and the names of its classes by kind of class."""

    volumes: Mapping[str, Found]
    classes: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)


def site_objects(units: Iterable[Rendered]) -> SiteObjects:
    """The volumes and classes among all objects of a site."""
    volumes: dict[str, Found] = {}
    classes: dict[tuple[str, str], set[str]] = {}
    kinds = {wanted for _, _, wanted in CLASSES}
    for unit in units:
        for found in unit.objects:
            if found.kind == VOLUME:
                volumes[found.ref.name] = found
            elif found.kind in kinds:
                classes.setdefault(found.kind, set()).add(found.ref.name)
    return SiteObjects(volumes, {kind: frozenset(names) for kind, names in classes.items()})


def check_storage(site: str, unit: Rendered, around: SiteObjects) -> Iterator[FleetError]:
    """Every error in the storage of one replicated application at a site."""
    claims = [found for found in unit.objects if found.kind == CLAIM]
    yield from _groups(site, unit)
    yield from _sources(site, unit, claims)
    for claim in claims:
        yield from _claim(site, claim, around)
    yield from _classes(site, unit, around)


def unprotected_claims(unit: Rendered) -> list[Ref]:
    """The claims of an application that no replication resource of it covers."""
    covered: set[Ref] = set()
    claims = [found for found in unit.objects if found.kind == CLAIM]
    for found in unit.objects:
        if found.kind[0] == REPLICATION:
            covered |= {claim.ref for claim in _selected(found, claims) or ()}
    return [claim.ref for claim in claims if claim.ref not in covered]


def claims_of(unit: Rendered) -> list[Ref]:
    """The claims among an application's objects."""
    return [found.ref for found in unit.objects if found.kind == CLAIM]


def _groups(site: str, unit: Rendered) -> Iterator[FleetError]:
    """Each group of application.yaml is an object."""
    if unit.application is None:
        return
    there = {(found.ref.kind, found.ref.namespace, found.ref.name) for found in unit.objects}
    for index, group in enumerate(unit.application.replication.groups):
        if (group.kind, group.namespace, group.name) not in there:
            yield FleetError(
                f"{group.kind} {group.namespace}/{group.name} is not among the objects of {unit.name} at site {site}",
                path=f"{unit.application.folder}/application.yaml",
                within=("spec", "replication", "groups", index),
                hint="add the object, or name the one that is there",
            )


def _sources(site: str, unit: Rendered, claims: Sequence[Found]) -> Iterator[FleetError]:
    """Each replication resource has claims to replicate."""
    for found in unit.objects:
        if found.kind[0] != REPLICATION:
            continue
        selected = _selected(found, claims)
        if selected is None or selected:
            continue
        source = ("spec", "source", "selector") if _selector(found) is not None else ("spec", "dataSource", "name")
        names = ", ".join(f"{claim.ref.namespace}/{claim.ref.name}" for claim in claims) or "none"
        yield found.wrong(
            f"{found.ref} matches no PersistentVolumeClaim of its namespace at site {site} ({unit.name} has: {names})",
            *source,
            hint="nothing would be replicated; compare the labels and names of the claims",
        )


def _selected(found: Found, claims: Iterable[Found]) -> list[Found] | None:
    """The claims that a replication resource is about; None where it does not say so in a way known here."""
    nearby = [claim for claim in claims if claim.ref.namespace == found.ref.namespace]
    selector = _selector(found)
    if selector is not None:
        return [claim for claim in nearby if _matches(selector, claim)]
    source = mapping(mapping(found.manifest.get("spec")).get("dataSource"))
    if source.get("kind") == "PersistentVolumeClaim":
        return [claim for claim in nearby if claim.ref.name == source.get("name")]
    return None


def _selector(found: Found) -> Mapping[str, Any] | None:
    source = mapping(mapping(found.manifest.get("spec")).get("source"))
    selector = source.get("selector")
    return selector if isinstance(selector, Mapping) else None


def _matches(selector: Mapping[str, Any], claim: Found) -> bool:
    labels = mapping(mapping(claim.manifest.get("metadata")).get("labels"))
    if any(labels.get(key) != value for key, value in mapping(selector.get("matchLabels")).items()):
        return False
    for one in selector.get("matchExpressions") or ():
        key, values = one.get("key"), one.get("values") or ()
        holds = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not holds.get(one.get("operator"), False):
            return False
    return True


def _claim(site: str, claim: Found, around: SiteObjects) -> Iterator[FleetError]:
    """A claim for a named volume can be bound to it."""
    spec = mapping(claim.manifest.get("spec"))
    name = spec.get("volumeName")
    if not name:
        return
    volume = around.volumes.get(str(name))
    if volume is None:
        yield claim.wrong(
            f"{claim.ref} asks for PersistentVolume {name}, which site {site} does not have",
            *VOLUME_NAME,
            hint=f"add the volume of the replica for site {site}, in sites/{site}",
        )
        return
    given = mapping(volume.manifest.get("spec"))
    bound = mapping(given.get("claimRef"))
    wanted = {"namespace": claim.ref.namespace, "name": claim.ref.name}
    if bound and any(bound.get(key, value) != value for key, value in wanted.items()):
        yield claim.wrong(
            f"{claim.ref} asks for PersistentVolume {name}, which is reserved for"
            f" {bound.get('namespace')}/{bound.get('name')} ({volume.path})",
            *VOLUME_NAME,
            hint="change spec.claimRef of the volume, or spec.volumeName of the claim",
        )
    asked, offered = (str(one.get("storageClassName") or "") for one in (spec, given))
    if asked != offered:
        yield claim.wrong(
            f'{claim.ref} has storage class "{asked}" and PersistentVolume {name} has "{offered}" at site {site}:'
            " they are never bound",
            *VOLUME_NAME,
            hint="give both the same storageClassName",
        )


def _classes(site: str, unit: Rendered, around: SiteObjects) -> Iterator[FleetError]:
    """A class that is named is there, if the fleet defines classes of that kind at all."""
    for found in unit.objects:
        for kind, name_field, wanted in CLASSES:
            known = around.classes.get(wanted)
            name = mapping(found.manifest.get("spec")).get(name_field)
            if found.kind == kind and name and known and name not in known:
                yield found.wrong(
                    f"{found.ref} needs {wanted[1]} {name}, which site {site} does not have"
                    f" (it has {', '.join(sorted(known))})",
                    "spec",
                    name_field,
                    hint="add the class to the site's platform, or name one that is there",
                )
