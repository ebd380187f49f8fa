"""What an apply would do to a site now, by the API server's own dry run; for `diff`, and for `apply` to show first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from reconciler.controller.pruning import inventory_of
from reconciler.diff import Change, deleted, dry_run_diff
from reconciler.errors import NotFound
from reconciler.inventory import read_inventory
from reconciler.objects import APPLICATION_LABEL, APPLY_MANAGER, ref_of
from reconciler.starts.fields import without_owned_fields
from render.site import SiteManifest, Unit, render_unit
from render.tree import Tree

if TYPE_CHECKING:
    from reconciler.cluster import Cluster

WORKERS = 8
"""Dry runs that are asked for side by side."""


def preview(cluster: Cluster, tree: Tree, units: Sequence[Unit]) -> list[tuple[str, Change]]:
    """(run level and component, change) of every object, in order of application; then what would be pruned."""
    found: list[tuple[str, Change]] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for unit in units:
            items = render_unit(tree, unit)
            moved = unit.label == APPLICATION_LABEL

            def compare(item: SiteManifest, moved: bool = moved) -> tuple[str, Change]:
                manifest = without_owned_fields(item.manifest) if moved else item.manifest
                place = f"0000_{item.run_level} {item.component}"
                return place, dry_run_diff(cluster, manifest, manager=APPLY_MANAGER)

            found.extend(pool.map(compare, items))
            found.extend(_gone(cluster, unit, items))
    return found


def _gone(cluster: Cluster, unit: Unit, items: Sequence[SiteManifest]) -> Iterator[tuple[str, Change]]:
    wanted = {ref_of(item.manifest) for item in items}
    for entry in read_inventory(cluster, inventory_of((unit.label, unit.name))):
        if entry.ref in wanted:
            continue
        try:
            live = cluster.get(entry.api_version, entry.ref.kind, entry.ref.namespace, entry.ref.name)
        except NotFound:
            continue
        yield f"0000_{entry.run_level} {unit.name}", deleted(live)
