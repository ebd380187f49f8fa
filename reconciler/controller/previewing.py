"""What an apply would do to a site now, by the API server's own dry run; for `diff`, and for `apply` to show first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from reconciler.controller.pruning import inventory_of
from reconciler.diff import Change, deleted, dry_run_diff
from reconciler.errors import NotFound
from reconciler.inventory import Entry, look_around, plan, read_inventory
from reconciler.objects import APPLICATION_LABEL, APPLY_MANAGER, Manifest, Ref, ref_of
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
    rendered: list[Ref] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for unit in units:
            items = render_unit(tree, unit)
            moved = unit.label == APPLICATION_LABEL

            def compare(item: SiteManifest, moved: bool = moved) -> tuple[str, Change]:
                manifest = without_owned_fields(item.manifest) if moved else item.manifest
                place = f"0000_{item.run_level} {item.component}"
                return place, dry_run_diff(cluster, manifest, manager=APPLY_MANAGER)

            rendered.extend(ref_of(item.manifest) for item in items)
            found.extend(pool.map(compare, items))
    for unit in units:
        found.extend(_gone(cluster, unit, frozenset(rendered)))
    return found


def _gone(cluster: Cluster, unit: Unit, rendered: frozenset[Ref]) -> Iterator[tuple[str, Change]]:
    """What the controller would prune of a unit: what its guards would keep is left out."""
    recorded = read_inventory(cluster, inventory_of((unit.label, unit.name)))
    live = {entry.ref: item for entry in recorded if entry.ref not in rendered and (item := _live(cluster, entry))}
    around = look_around(cluster, list(live.values()), rendered)
    decided = plan(recorded, rendered, live, len(live), label=(unit.label, unit.name), around=around)
    for deletion in decided.delete:
        yield f"0000_{deletion.entry.run_level} {unit.name}", deleted(live[deletion.entry.ref])


def _live(cluster: Cluster, entry: Entry) -> Manifest | None:
    try:
        return cluster.get(entry.api_version, entry.ref.kind, entry.ref.namespace, entry.ref.name)
    except NotFound:
        return None
