"""What an apply would do to a site now, by the API server's own dry run; for `diff`, and for `apply` to show first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.cluster.discovery import UNKNOWN_KIND
from reconciler.controller.pruning import inventory_of
from reconciler.diff import Change, Verdict, deleted, diff, dry_run_diff
from reconciler.errors import Invalid, NotFound, Refused
from reconciler.inventory import Entry, look_around, plan, read_inventory
from reconciler.objects import APPLICATION_LABEL, APPLY_MANAGER, Manifest, Ref, ref_of
from reconciler.starts.fields import kind_of, without_owned_fields
from render.site import SiteManifest, Unit, render_unit
from render.tree import Tree

if TYPE_CHECKING:
    from reconciler.cluster import Cluster

WORKERS = 8
"""Dry runs that are asked for side by side."""


def preview(cluster: Cluster, tree: Tree, units: Sequence[Unit]) -> list[tuple[str, Change]]:
    """(run level and component, change) of every object, in order of application; then what would be pruned."""
    rendered = [(unit, item) for unit in units for item in render_unit(tree, unit)]
    defined = frozenset(kind for _, item in rendered for kind in _defines(item.manifest))

    def compare(pair: tuple[Unit, SiteManifest]) -> tuple[str, Change]:
        unit, item = pair
        manifest = without_owned_fields(item.manifest) if unit.label == APPLICATION_LABEL else item.manifest
        return f"0000_{item.run_level} {item.component}", _compare(cluster, manifest, defined)

    with ThreadPoolExecutor(WORKERS) as pool:
        found = list(pool.map(compare, rendered))
    refs = frozenset(ref_of(item.manifest) for _, item in rendered)
    for unit in units:
        found.extend(_gone(cluster, unit, refs))
    return found


def _defines(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """(group, kind) that a definition of a custom kind brings."""
    if kind_of(manifest) == ("apiextensions.k8s.io", "CustomResourceDefinition"):
        spec = manifest.get("spec", {})
        yield spec.get("group", ""), spec.get("names", {}).get("kind", "")


def _compare(cluster: Cluster, manifest: Manifest, defined: frozenset[tuple[str, str]]) -> Change:
    """One object's change. That the server refuses it is part of the answer, and hides nothing of the others."""
    try:
        return dry_run_diff(cluster, manifest, manager=APPLY_MANAGER)
    except NotFound as error:
        if error.reason != UNKNOWN_KIND:
            raise
        return Change(ref_of(manifest), Verdict.CREATED, refusal="" if kind_of(manifest) in defined else str(error))
    except (Invalid, Refused) as error:
        metadata = manifest["metadata"]
        live = cluster.get(manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata["name"])
        return replace(diff(manifest, live, manager=APPLY_MANAGER), verdict=Verdict.CHANGED, refusal=str(error))


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
