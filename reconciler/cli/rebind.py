"""`siteshift rebind`: the commit that says which cluster a site is, and what became of the one before (P19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import SiteshiftError, UsageError

if TYPE_CHECKING:
    import argparse

    from reconciler.cluster import Cluster
    from reconciler.fleet.model import Fleet, Site

EXAMPLES = """\
  siteshift rebind b --old destroyed --reason "INC-4711: rebuilt after the fire" --context dc-busan
  siteshift rebind b --old destroyed --reason "INC-4711: etcd restored from last night" --to 5f1f0c7e-…

The new cluster is asked for the UID of its namespace kube-system, or --to says it. Which cluster spoke for the site
before, and how far its heartbeats had counted, is read from the sites' refs.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import committing
    from reconciler.cli.options import add

    parser.add_argument("site", metavar="SITE", help="the site")
    parser.add_argument(
        "--old",
        required=True,
        choices=("destroyed",),
        help="what became of the old cluster: nothing of it runs, or can start again",
    )
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, and how you know it")
    parser.add_argument("--to", metavar="UID", help="the new cluster's UID (default: that of the cluster asked)")
    add(parser, "kubeconfig", "context", "state", "git-credentials")
    committing.options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask the cluster and the refs, show the commit, ask, commit and push."""
    from reconciler.cli import committing
    from reconciler.cli.said import said
    from reconciler.cli.where import FLEET_FILE
    from reconciler.failover.protocol.binding import OwnWords

    working, tree, fleet = committing.opened(arguments)
    site = _site(fleet, arguments.site)
    seen = said(arguments, working, fleet).seen
    words = OwnWords(seen.listed(site.name), seen.newest(site.name), seen.echo(site.name))
    to, recorded = _cluster(arguments, site)
    before = words.cluster or recorded
    if not before:
        raise SiteshiftError(
            f"no cluster has spoken for site {site.name} yet: the first one binds itself, and no rebind is needed"
        )
    in_place = before == to
    if _says_so(site, before, to, words.counter):
        print(f"siteshift.yaml binds site {site.name} to cluster {to} already")
        return 0
    rebind = {"from": before, "to": to, "old": arguments.old, "reason": arguments.reason}
    if in_place:
        rebind["counter"] = words.counter
    message = (
        f"Rebind site {site.name} to cluster {to}\n\nCluster {before} is destroyed.\n\nReason: {arguments.reason}\n"
    )
    files, notes = {FLEET_FILE: {"rebind": rebind}}, _notes(site.name, before, to)
    proposal = committing.Proposal(files, message, notes, ("sites", site.name))
    return committing.commit(arguments, working, tree, proposal)


def _says_so(site: Site, before: str, to: str, counter: int) -> bool:
    """Whether siteshift.yaml has this very rebind, and covers what the site's heartbeats have counted."""
    known = site.rebind
    if known is None or (known.before, known.to) != (before, to):
        return False
    return before != to or (known.counter or 0) >= counter


def _notes(site: str, before: str, to: str) -> list[str]:
    if before == to:
        return [
            f"{site}: cluster {to} was restored in place: what it forgot of its own acks and heartbeats is forgiven.",
            f"{site}: it stops what runs there and joins as a returning site.",
        ]
    return [
        f"{site}: cluster {to} speaks for it from now on; what {before} says is not trusted any more.",
        "If the old cluster runs or can start again, two sites may write at once.",
    ]


def _site(fleet: Fleet, name: str) -> Site:
    found = next((site for site in fleet.sites if site.name == name), None)
    if found is None:
        raise UsageError(f"{name} is no site of this fleet ({', '.join(site.name for site in fleet.sites)})")
    return found


def _cluster(arguments: argparse.Namespace, site: Site) -> tuple[str, str]:
    """The new cluster's UID, and the one that it remembers to have had for this site ("": nothing)."""
    from reconciler.cluster import Cluster

    if arguments.to is not None:
        return arguments.to, ""
    cluster = Cluster.connect(arguments.kubeconfig, arguments.context or site.context)
    try:
        uid = str(cluster.get("v1", "Namespace", None, "kube-system")["metadata"]["uid"])
        return uid, _remembered(cluster, site.name)
    finally:
        cluster.close()


def _remembered(cluster: Cluster, site: str) -> str:
    from reconciler.errors import NotFound
    from reconciler.failover.execute import site_record
    from reconciler.objects import SYSTEM_NAMESPACE

    try:
        found = cluster.get("v1", "ConfigMap", SYSTEM_NAMESPACE, site_record.NAME).get("data") or {}
    except NotFound:
        return ""
    return str(found.get(site_record.CLUSTER, "")) if found.get(site_record.SITE) == site else ""
