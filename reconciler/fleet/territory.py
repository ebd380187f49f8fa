"""Which namespaces and volumes belong to which unit of a site: one of them cannot take what another has.

Pure, but it remembers: who has a namespace keeps it against whoever names it later, in whatever order they are asked.
So a push to one application's folder costs that application its change, and nobody else anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from reconciler.errors import FleetError
from reconciler.fleet.model import Application, Contents
from reconciler.fleet.rendered import Found, mapping
from reconciler.objects import Manifest

PLATFORM = "the platform"


class Place(NamedTuple):
    """What one unit alone may have: a namespace, a cluster-scoped object, a volume by the array's name for it."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


NAMESPACE, VOLUME = "namespace", "volume"


def places_of(objects: Iterable[Found], application: Application | None = None) -> dict[Place, Found | None]:
    """Every place that a unit's objects, or an application's replication groups, lie in or are for."""
    found: dict[Place, Found | None] = {}
    for each in objects:
        for place in _places(each.manifest):
            found.setdefault(place, each)
    for group in application.replication.groups if application is not None else ():
        found.setdefault(Place(NAMESPACE, group.namespace), None)
    return found


def _places(manifest: Manifest) -> Iterator[Place]:
    metadata, spec = mapping(manifest.get("metadata")), mapping(manifest.get("spec"))
    core = manifest.get("apiVersion") == "v1"
    namespaces = [metadata.get("namespace")]
    if core and manifest.get("kind") == "Namespace":
        namespaces.append(metadata.get("name"))
    elif metadata.get("namespace") is None:
        yield Place(str(manifest.get("kind")), str(metadata.get("name")))
    if core and manifest.get("kind") == "PersistentVolume":
        namespaces.append(mapping(spec.get("claimRef")).get("namespace"))
        csi = mapping(spec.get("csi"))
        if csi.get("volumeHandle"):
            yield Place(VOLUME, f"{csi.get('driver', '')} {csi['volumeHandle']}".strip())
    yield from (Place(NAMESPACE, str(name)) for name in namespaces if name)


class Territory:
    """Who has what at one site."""

    def __init__(self) -> None:
        self._owners: dict[Place, str] = {}

    def seed(self, recorded: Mapping[str, Iterable[str]]) -> None:
        """What units had before: unit → the namespaces of its recorded objects."""
        for unit, namespaces in sorted(recorded.items()):
            for namespace in namespaces:
                self._owners.setdefault(Place(NAMESPACE, namespace), unit)

    def keep_only(self, units: Iterable[str]) -> None:
        """Forget units that Git no longer has: what they had is free."""
        known = {PLATFORM, *units}
        self._owners = {place: owner for place, owner in self._owners.items() if owner in known}

    def claim(
        self, application: Application, places: Mapping[Place, Found | None], contents: Contents
    ) -> list[FleetError]:
        """Give an application its places. Errors for those that belong to another unit, or that `contents` does not let
        it have; it has then what it had before."""
        name = application.name
        errors = [
            _refused(application, place, found, owner)
            for place, found in places.items()
            if (owner := self._other(name, place, contents))
        ]
        if not errors:
            self._take(name, (place for place in places if not contents.given(place.name)))
        return errors

    def give_platform(self, places: Iterable[Place], contents: Contents) -> None:
        """The platform has these places, but for namespaces that `contents` gives to an application."""
        others = {place: owner for place, owner in self._owners.items() if owner != PLATFORM}
        self._owners = others | {place: PLATFORM for place in places if not contents.given(place.name)}

    def _other(self, name: str, place: Place, contents: Contents) -> str:
        """Who has a place that the application wants ("": it may have it)."""
        if place.kind == NAMESPACE:
            declared = contents.given(place.name)
            if declared:
                return "" if name in declared else " and ".join(f"application {each}" for each in declared)
            if name in contents.namespaces:
                return "none of its own namespaces"
        owner = self._owners.get(place, name)
        return "" if owner == name else owner if owner == PLATFORM else f"application {owner}"

    def _take(self, unit: str, places: Iterable[Place]) -> None:
        self._owners = {place: owner for place, owner in self._owners.items() if owner != unit}
        for place in places:
            self._owners.setdefault(place, unit)


def _refused(application: Application, place: Place, found: Found | None, owner: str) -> FleetError:
    what = "a replication group" if found is None else str(found.ref)
    message = f"{what} of application {application.name} uses {place}, which belongs to {owner}"
    hint = (
        "take it out"
        if place.kind == VOLUME
        else (f"spec.contents.namespaces in siteshift.yaml says who has it: {application.name}: [{place.name}]")
    )
    path = f"{application.folder}/application.yaml" if found is None else found.path
    return FleetError(message, path=path, document=found.document if found else 0, hint=hint)
