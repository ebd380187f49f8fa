"""The cluster of the site that a command is about: `--kubeconfig` and `--context`, else what siteshift.yaml says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from reconciler.cluster import Cluster
    from render.site import Unit
    from render.tree import Tree


def connect(arguments: argparse.Namespace, tree: Tree) -> tuple[Cluster, Sequence[Unit]]:
    """The chosen site's cluster and units."""
    from reconciler.cli.chosen import chosen_units
    from reconciler.cluster import Cluster

    fleet, units = chosen_units(arguments, tree)
    context = arguments.context or next(site.context for site in fleet.sites if site.name == arguments.site)
    return Cluster.connect(arguments.kubeconfig, context), units
