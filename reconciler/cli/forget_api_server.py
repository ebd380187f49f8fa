"""`siteshift forget-api-server`: people say that an API server is gone for good (hold `ApiServerSilent`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import SiteshiftError

if TYPE_CHECKING:
    import argparse

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
    from reconciler.cli.connecting import connect_site
    from reconciler.failover.execute.api_servers import ApiServers

    asking.check(arguments)
    cluster = connect_site(arguments)
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
