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


def connect_site(arguments: argparse.Namespace) -> Cluster:
    """The cluster of `--context`, or of the site in siteshift.yaml. Raises `UsageError` where neither is said."""
    from reconciler.cluster import Cluster
    from reconciler.errors import UsageError

    if arguments.context is not None:
        return Cluster.connect(arguments.kubeconfig, arguments.context)
    from reconciler.cli.where import fleet_tree
    from reconciler.fleet.load import load

    if arguments.site is None:
        raise UsageError("--site or --context is needed: it is about one cluster")
    fleet = load(fleet_tree(arguments))
    site = next((site for site in fleet.sites if site.name == arguments.site), None)
    if site is None:
        raise UsageError(f"{arguments.site} is no site of this fleet ({', '.join(site.name for site in fleet.sites)})")
    return Cluster.connect(arguments.kubeconfig, site.context)
