"""What Git says that this site should have: the fleet at a commit, and its units rendered for an effective role.

The last good fleet is held while a commit cannot be read: a broken commit stops nothing and starts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from reconciler.failover.execute.mover import Workload
from reconciler.fleet.grace import grace_of
from reconciler.fleet.load import load, load_placement
from reconciler.fleet.model import Application, Fleet, Placement, Role
from reconciler.fleet.units import application_unit, platform_units
from reconciler.objects import APPLICATION_LABEL, STANDBY_LABEL, ref_of
from reconciler.starts.fields import START_FIELDS, kind_of, start_value
from render.cache import UnitCache
from render.site import SiteManifest, Unit
from render.tree import Tree
from render.tree.remote import Fetch, RemoteTree


@dataclass(frozen=True, slots=True)
class Revision:
    """The fleet repository at one commit."""

    commit: str
    tree: Tree
    fleet: Fleet


class Commits(Protocol):
    """Where the fleet's files come from."""

    def tree(self, commit: str) -> Tree:
        """The files of a commit."""


class Desired:
    """Fleets and rendered units, kept from commit to commit under what was read to make them."""

    def __init__(self, repository: Commits, site: str, bases: Callable[[Fleet], Fetch] | None = None) -> None:
        """`bases` says how a fleet's bases in other repositories are fetched; without it there are none."""
        self._repository = repository
        self._bases = bases
        self._site = site
        self._cache = UnitCache()
        self._last: Revision | None = None

    def at(self, commit: str) -> Revision:
        """The fleet at a commit. Raises `InputErrors` where it is wrong; the caller goes on with the one before."""
        if self._last is None or self._last.commit != commit:
            tree = self._repository.tree(commit)
            fleet = load(tree)
            self._last = Revision(commit, self._with_bases(tree, fleet), fleet)
        return self._last

    def _with_bases(self, tree: Tree, fleet: Fleet) -> Tree:
        if self._bases is None or not fleet.remote_bases:
            return tree
        return RemoteTree(tree, self._bases(fleet))

    def platform(self, revision: Revision) -> tuple[tuple[Unit, tuple[SiteManifest, ...]], ...]:
        """The platform's folders with their objects. Raises `InputError`."""
        return tuple((unit, self._render(revision, unit)) for unit in platform_units(revision.fleet))

    def application(self, revision: Revision, application: Application, role: Role) -> tuple[SiteManifest, ...]:
        """An application's objects in a role. Raises `InputError`."""
        return self._render(revision, application_unit(revision.tree, application, self._site, role))

    def _render(self, revision: Revision, unit: Unit) -> tuple[SiteManifest, ...]:
        return self._cache.render(revision.tree, unit, revision.commit)


def unit_keys(revision: Revision) -> tuple[tuple[str, str], ...]:
    """The label and its value of every unit that the fleet has, wherever it runs."""
    platform = tuple((unit.label, unit.name) for unit in platform_units(revision.fleet))
    return platform + tuple((APPLICATION_LABEL, application.name) for application in revision.fleet.applications)


def placement_reader(repository: Commits) -> Callable[[str, Application], Placement | None]:
    """Reads one application's placement at a commit; None if there is none there or it cannot be understood."""

    def read(commit: str, application: Application) -> Placement | None:
        return load_placement(repository.tree(commit), application.folder)

    return read


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
