"""What Git says that this site should have: the fleet at a commit, and its units rendered for an effective role.

The last good fleet is held while a commit cannot be read, and the last good definition of one application while its own
files are wrong: a broken file stops nothing, starts nothing, and harms nobody else.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.controller.rendering import Objects, RenderService
from reconciler.failover.execute.definition import Definition, Workload, namespaces_of
from reconciler.fleet.contents import unit_errors
from reconciler.fleet.grace import grace_of
from reconciler.fleet.load import Broken, load_parts, load_placement
from reconciler.fleet.model import Application, Fleet, Placement, Role
from reconciler.fleet.rendered import Found, Rendered
from reconciler.fleet.territory import Place, places_of
from reconciler.fleet.units import application_unit, platform_units
from reconciler.objects import APPLICATION_LABEL, STANDBY_LABEL, ref_of
from reconciler.starts.fields import START_FIELDS, kind_of, start_value
from render.cache import UnitCache
from render.site import SiteManifest, Unit
from render.tree import Tree
from render.tree.remote import Fetch, RemoteTree

MOST_REVISIONS = 16
"""Commits whose fleets are kept: the head's, and those whose definitions moves act on."""


@dataclass(frozen=True, slots=True)
class Revision:
    """The fleet repository at one commit. `broken`: the applications whose files are wrong there, by name."""

    commit: str
    tree: Tree
    fleet: Fleet
    broken: Mapping[str, Broken] = field(default_factory=dict)


class Commits(Protocol):
    """Where the fleet's files come from."""

    def tree(self, commit: str) -> Tree:
        """The files of a commit."""


class Desired:
    """Fleets and rendered units, kept from commit to commit under what was read to make them."""

    def __init__(
        self,
        repository: Commits,
        site: str,
        bases: Callable[[Fleet], Fetch] | None = None,
        service: RenderService | None = None,
    ) -> None:
        """`service` renders in processes of its own, and fetches bases itself. Without it units are rendered here, and
        `bases` says how a fleet's bases in other repositories are fetched (None: there are none)."""
        self._repository = repository
        self._service = service
        self._bases = bases
        self._site = site
        self._cache = UnitCache()
        self._revisions: OrderedDict[str, Revision] = OrderedDict()
        self._checked: dict[tuple[str, Role], tuple[SiteManifest, ...]] = {}

    def at(self, commit: str) -> Revision:
        """The fleet at a commit. Raises `InputErrors` where what all applications share is wrong; the caller goes on
        with the one before."""
        if commit not in self._revisions:
            tree = self._repository.tree(commit)
            parts = load_parts(tree)
            self._revisions[commit] = Revision(commit, self._with_bases(tree, parts.fleet), parts.fleet, parts.broken)
            while len(self._revisions) > MOST_REVISIONS:
                self._revisions.popitem(last=False)
        self._revisions.move_to_end(commit)
        return self._revisions[commit]

    def _with_bases(self, tree: Tree, fleet: Fleet) -> Tree:
        if self._bases is None or not fleet.remote_bases:
            return tree
        return RemoteTree(tree, self._bases(fleet))

    def platform(self, revision: Revision) -> tuple[tuple[Unit, tuple[SiteManifest, ...]], ...]:
        """The platform's folders with their objects. Raises `InputError`."""
        return tuple((unit, self._render(revision, unit)) for unit in platform_units(revision.fleet))

    def application(self, revision: Revision, application: Application, role: Role) -> tuple[SiteManifest, ...]:
        """An application's objects in a role. Raises `InputError`, also for what an application may not contain: anyone
        can push, so `validate` alone is no wall (P21)."""
        found = self._render(revision, application_unit(revision.tree, application, self._site, role))
        key = (application.name, role)
        if self._checked.get(key) is not found:
            objects = [Found(item.manifest, item.origin.path or application.folder) for item in found]
            errors = unit_errors(Rendered(application, role, objects), revision.fleet.contents)
            if errors:
                raise errors[0]
            self._checked[key] = found
        return found

    def close(self) -> None:
        """End the processes that render."""
        if self._service is not None:
            self._service.close()

    def _render(self, revision: Revision, unit: Unit) -> tuple[SiteManifest, ...]:
        if self._service is not None:
            return self._service.render(revision.commit, unit, revision.fleet.remote_bases)
        return self._cache.render(revision.tree, unit, revision.commit)


class Places:
    """The places of each unit, kept for as long as it is rendered to the same."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Application | None, list[Objects], dict[Place, Found | None]]] = {}

    def of(self, application: Application | None, items: list[Objects]) -> dict[Place, Found | None]:
        """The places of a unit that is rendered to these objects, in one role or more."""
        name = "" if application is None else application.name
        kept = self._kept.get(name)
        if kept is not None and kept[0] is application and [*map(id, kept[1])] == [*map(id, items)]:
            return kept[2]
        folder = "" if application is None else application.folder
        found = [
            Found(item.manifest, item.origin.path or folder, item.origin.document) for one in items for item in one
        ]
        places = places_of(found, application)
        self._kept[name] = (application, items, places)
        return places


def unit_keys(revision: Revision) -> tuple[tuple[str, str], ...]:
    """The label and its value of every unit that the fleet has, wherever it runs."""
    platform = tuple((unit.label, unit.name) for unit in platform_units(revision.fleet))
    return platform + tuple((APPLICATION_LABEL, application.name) for application in revision.fleet.applications)


def placement_reader(repository: Commits) -> Callable[[str, Application], Placement | None]:
    """Reads one application's placement at a commit; None if there is none there or it cannot be understood."""

    def read(commit: str, application: Application) -> Placement | None:
        return load_placement(repository.tree(commit), application.folder)

    return read


def definition_of(
    commit: str, application: Application, manifests: Iterable[SiteManifest], found: tuple[Workload, ...]
) -> Definition:
    """What an application is, from its manifests for the active role; `found` are its workloads."""
    plain = [item.manifest for item in manifests]
    claims = [each for each in plain if (each["apiVersion"], each["kind"]) == ("v1", "PersistentVolumeClaim")]
    classes = {(each.get("spec") or {}).get("storageClassName") for each in claims} - {None, ""}
    groups = {group.namespace for group in application.replication.groups}
    return Definition(
        commit=commit,
        workloads=found,
        namespaces=namespaces_of(found, groups),
        claims=tuple(sorted((each["metadata"].get("namespace") or "", each["metadata"]["name"]) for each in claims)),
        kinds=tuple(sorted({(each["apiVersion"], each["kind"]) for each in plain})),
        storage_classes=tuple(sorted(map(str, classes))),
    )


def workloads(manifests: Iterable[SiteManifest], ready: frozenset[object]) -> tuple[Workload, ...]:
    """The objects with start fields among an application's manifests for the active role; `ready` holds the
    identities of those that run and are healthy."""
    found = []
    for item in manifests:
        manifest = item.manifest
        if kind_of(manifest) not in START_FIELDS:
            continue
        ref = ref_of(manifest)
        found.append(
            Workload(
                ref,
                manifest["apiVersion"],
                item.run_level,
                item.component,
                start_value(manifest),
                standby=STANDBY_LABEL in (manifest["metadata"].get("labels") or {}),
                ready=ref in ready,
                grace=grace_of(manifest),
            )
        )
    return tuple(found)
