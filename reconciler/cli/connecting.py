"""The cluster of the site that a command is about: `--kubeconfig` and `--context`, else what siteshift.yaml says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from reconciler.cluster import Cluster
    from reconciler.fleet.model import Fleet


def connect(arguments: argparse.Namespace, fleet: Fleet) -> Cluster:
    """The chosen site's cluster."""
    from reconciler.cluster import Cluster

    context = arguments.context or next(site.context for site in fleet.sites if site.name == arguments.site)
    return Cluster.connect(arguments.kubeconfig, context)
