"""One pass over a site without a controller: platform and applications in run-level order, nothing started (P15)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from reconciler.clock import SystemClock
from reconciler.cluster import Caches
from reconciler.controller.applying import Applier, ObjectState
from reconciler.errors import NotFound
from reconciler.failover.execute.fenced_writer import FencedWriter
from reconciler.fleet.model import Role
from reconciler.objects import APPLICATION_LABEL, SYSTEM_NAMESPACE, Manifest
from reconciler.starts.fields import with_stopped_values
from render.site import Unit, render_unit
from render.tree import Tree

if TYPE_CHECKING:
    from reconciler.cluster import Cluster


def effective_role(cluster: Cluster, application: str) -> Role:
    """The role that the protocol has reached here (P16), as the controller reports it; passive where none has run."""
    try:
        found = cluster.get("siteshift.io/v1alpha1", "SiteApplication", SYSTEM_NAMESPACE, application)
    except NotFound:
        return "passive"
    return "active" if (found.get("status") or {}).get("role") == "active" else "passive"


def apply_once(cluster: Cluster, tree: Tree, units: Sequence[Unit]) -> Iterator[ObjectState]:
    """Apply every object of the units once, in order, and say what became of it. What fails does not stop the rest:
    nothing here waits for health, so later levels find their needs or are tried again by the controller."""
    clock = SystemClock()
    caches = Caches(cluster, clock=clock)
    applier = Applier(cluster, caches, clock)

    def create(manifest: Manifest) -> Manifest:
        return FencedWriter(cluster, manifest["metadata"]["labels"][APPLICATION_LABEL]).create(
            with_stopped_values(manifest)
        )

    try:
        for unit in units:
            for item in render_unit(tree, unit):
                yield applier.bring(item, "passive", create if unit.label == APPLICATION_LABEL else None)
    finally:
        caches.stop()
