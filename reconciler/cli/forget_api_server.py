"""`siteshift forget-api-server`: people say that an API server is gone for good (hold `ApiServerSilent`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import SiteshiftError, UsageError

if TYPE_CHECKING:
    import argparse

    from reconciler.cluster import Cluster

EXAMPLES = """\
  siteshift forget-api-server https://10.0.0.13:6443 --site a
  siteshift forget-api-server https://10.0.0.13:6443 --context dc-seoul --yes

Only for a machine that never comes back: an API server that was frozen and wakes up admits what the others refuse.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import asking
    from reconciler.cli.options import add

    parser.add_argument("address", metavar="ADDRESS", help="its address, as status shows it")
    add(parser, "fleet", "site", "kubeconfig", "context", "color")
    asking.add(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show, ask, and forget it."""
    from reconciler.cli import asking
    from reconciler.failover.execute.api_servers import ApiServers

    asking.check(arguments)
    cluster = _cluster(arguments)
    try:
        servers, address = ApiServers(cluster), arguments.address
        known = servers.known()
        if address not in known:
            raise SiteshiftError(
                f"{address} is none of the API servers that this cluster remembers ({', '.join(known)})"
            )
        if address in (cluster.server, *cluster.endpoint_addresses()):
            raise SiteshiftError(f"{address} is in use: it would be remembered again at once")
        print(f"{address} is not asked any more whether it refuses starts; {len(known) - 1} others are.")
        print("If it comes back, it may admit a start at a site where the application was proven to be stopped.")
        if arguments.dry_run:
            print("Nothing was changed (--dry-run).")
            return 0
        if not asking.agreed("Forget it?", arguments):
            print("Nothing was changed.")
            return 1
        servers.forget(address)
        print(f"{address} is forgotten")
        return 0
    finally:
        cluster.close()


def _cluster(arguments: argparse.Namespace) -> Cluster:
    """The cluster of `--context`, or of the site in siteshift.yaml."""
    from reconciler.cluster import Cluster

    if arguments.context is not None:
        return Cluster.connect(arguments.kubeconfig, arguments.context)
    from reconciler.cli.where import fleet_tree
    from reconciler.fleet.load import load

    if arguments.site is None:
        raise UsageError("--site or --context is needed: each cluster remembers its own API servers")
    fleet = load(fleet_tree(arguments))
    site = next((site for site in fleet.sites if site.name == arguments.site), None)
    if site is None:
        raise UsageError(f"{arguments.site} is no site of this fleet ({', '.join(site.name for site in fleet.sites)})")
    return Cluster.connect(arguments.kubeconfig, site.context)
