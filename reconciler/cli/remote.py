"""`siteshift remote`: point a site at another Git server, where the one of before is lost (P14)."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.errors import SiteshiftError, UsageError

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  git clone --mirror /var/lib/siteshift/mirror-bank-b-1a2b3c4d fleet.git       the new server, from any mirror or clone
  siteshift remote https://git2.example.com/fleet.git --site b --reason "INC-4711: the server burnt with a"
  siteshift remote --reset --site b --reason "the old server is back, and merged"

Say it at each site that lives. A site's controller follows within a poll, without a restart, and says again what it had
said. Every rule holds at the new server: where its branch does not have the commit that a site acted on last, the site
freezes until people accept it (siteshift accept-rewind).
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import asking
    from reconciler.cli.options import add

    parser.add_argument("url", nargs="?", metavar="URL", help="the new server's URL, without a password in it")
    parser.add_argument("--reset", action="store_true", help="back to the URL of the controller's own --fleet-url")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why")
    add(parser, "fleet", "site", "kubeconfig", "context", "branch", "git-timeout", "git-credentials", "state", "color")
    asking.add(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show, ask, and write the record."""
    from reconciler.cli import asking
    from reconciler.cli.connecting import connect_site
    from reconciler.controller import remote

    if bool(arguments.url) is arguments.reset:
        raise UsageError("say either URL or --reset")
    if arguments.site is None:
        raise UsageError("--site is needed: each site is pointed at its server by itself")
    if urlsplit(arguments.url or "").password:
        raise UsageError("the URL has a password in it: the controller has its own --git-credentials")
    asking.check(arguments)
    head = _head(arguments) if arguments.url else ""
    cluster = connect_site(arguments)
    try:
        now, url = remote.bound_url(cluster, arguments.site), arguments.url or ""
        if now == url:
            print(f"site {arguments.site} is pointed there already")
            return 0
        shown = (
            f"{url}, where {arguments.branch} is at {head[:7]}" if url else "the URL of its controller's --fleet-url"
        )
        print(f"{arguments.site}: from {now or 'the URL of its --fleet-url'} to {shown}")
        print("A site that stays at the other server sees nothing of what is committed here, and the reverse.")
        if arguments.dry_run:
            print("Nothing was changed (--dry-run).")
            return 0
        if not asking.agreed("Point it there?", arguments):
            print("Nothing was changed.")
            return 1
        remote.bind(cluster, arguments.site, url, f"{getpass.getuser()}: {arguments.reason}")
        print(f"site {arguments.site} follows within a poll")
        return 0
    finally:
        cluster.close()


def _head(arguments: argparse.Namespace) -> str:
    """The branch's commit at the new server, which must answer and hold a fleet that has this site."""
    from reconciler.cli import said
    from reconciler.fleet.load import load

    mirror = said.mirror(arguments, arguments.url, arguments.branch)
    head = mirror.fetch().branch
    sites = [site.name for site in load(mirror.tree(head)).sites]
    if arguments.site not in sites:
        raise SiteshiftError(f"the fleet at {mirror.url} has no site {arguments.site} ({', '.join(sites)})")
    return head
