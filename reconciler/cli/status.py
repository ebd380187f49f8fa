"""`siteshift status`: sites, applications, and what is waited for or held, from the sites' own reports and from Git."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from reconciler.replica import ReplicaRole

if TYPE_CHECKING:
    import argparse

    from reconciler.cluster import Cluster
    from reconciler.failover.protocol.values import Heartbeat
    from reconciler.fleet.model import Site
    from reconciler.status.overview import Overview, SiteView

CLOCKS_DIFFER = 5.0
"""Seconds that a site's clock and this machine's may lie apart before a word counts as said in the future."""

EXAMPLES = """\
  siteshift status
  siteshift status -o json
  siteshift status --kubeconfig sites.kubeconfig

Each site is asked by its context in siteshift.yaml. What a site that does not answer said last on Git stands in
brackets. Exit code 1: something is held or does not get well by waiting, a site does not answer or has no controller,
or an application is active at two sites.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import output
    from reconciler.cli.options import add

    add(parser, "fleet", "fleet-url", "branch", "kubeconfig", "git-credentials", "git-timeout", "state", "color")
    output.add(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask the sites and Git, and print."""
    from reconciler.cli import colour, output
    from reconciler.status.overview import as_json, lines, names, unhealthy

    overview = _overview(arguments)
    for site in overview.sites:
        if site.why:
            print(
                colour.report(f"warning: site {site.name} does not answer: {site.why}", arguments.color),
                file=sys.stderr,
            )
    if arguments.output in ("json", "yaml"):
        sys.stdout.write(output.data(as_json(overview), arguments.output))
    elif arguments.output == "name":
        for name in names(overview):
            print(name)
    else:
        on = colour.wanted(arguments.color, sys.stdout)
        for line in lines(overview, wide=arguments.output == "wide"):
            print(_painted(line, on=on))
    return 1 if unhealthy(overview) else 0


def _painted(line: str, *, on: bool) -> str:
    """A line in the colour of what it says: headings bold, what needs a person red."""
    from reconciler.cli import colour

    if re.match(r"(FLEET|SITE|APPLICATION) ", line):
        return colour.paint(line, colour.BOLD, on=on)
    return colour.paint(line, colour.RED, on=on) if re.search(r"\b(Held|Frozen|Unreachable|is held)\b", line) else line


def _overview(arguments: argparse.Namespace) -> Overview:
    import time
    from concurrent.futures import ThreadPoolExecutor
    from dataclasses import replace

    from reconciler.cli import said
    from reconciler.fleet.load import load
    from reconciler.status.overview import Overview
    from render.errors import readable

    mirror = said.mirror(arguments, _url(arguments), arguments.branch)
    head = mirror.fetch().branch
    fleet = load(mirror.tree(head))
    words = said.read(mirror, fleet)
    with ThreadPoolExecutor(len(fleet.sites)) as pool:
        views = list(pool.map(lambda site: view_of(site, arguments.kubeconfig), fleet.sites))
    now = time.time()
    return Overview(
        fleet,
        head,
        readable(mirror.message(head).partition("\n")[0]),
        tuple(
            replace(
                view,
                acks=words.seen.acks(view.name),
                exposures=exposures(words.seen.listed(view.name), words.said_at(view.name), now),
            )
            for view in views
        ),
    )


def exposures(heartbeat: Heartbeat | None, said_at: float | None, now: float) -> dict[str, float | None]:
    """Seconds since the last sync of what is primary or runs at a site by its last word, and since then; None where it
    cannot be told. `said_at`, `now`: seconds since 1970, by two machines' clocks: a word from the future has no age."""
    told = heartbeat.applications if heartbeat else {}
    age = None if said_at is None or said_at > now + CLOCKS_DIFFER else max(0.0, now - said_at)
    return {
        name: None if age is None or each.exposure is None else each.exposure + age
        for name, each in told.items()
        if each.role is not ReplicaRole.ANY and (each.running or each.role is ReplicaRole.PRIMARY)
    }


def view_of(site: Site, kubeconfig: str | None) -> SiteView:
    """What a site reports; that it does not answer is an answer."""
    from reconciler.cluster import Cluster
    from reconciler.cluster.leadership import silence
    from reconciler.errors import ClusterError
    from reconciler.objects import SYSTEM_NAMESPACE
    from reconciler.status.overview import SiteView

    version = "siteshift.io/v1alpha1"
    try:
        cluster = Cluster.connect(kubeconfig, site.context)
        reported = cluster.get(version, "Site", SYSTEM_NAMESPACE, site.name)
        listed = cluster.list(version, "SiteApplication", SYSTEM_NAMESPACE)
        silent = silence(_lease(cluster), cluster.server_time())
    except ClusterError as error:
        return SiteView(site.name, None, why=str(error))
    return SiteView(
        site.name,
        reported.get("status") or {},
        {item["metadata"]["name"]: item.get("status") or {} for item in listed.items},
        silent=silent,
    )


def _lease(cluster: Cluster) -> dict[str, Any] | None:
    """The Lease of the site's controller; None where none has ever run."""
    from reconciler.cluster.leadership import API_VERSION, CONTROLLER
    from reconciler.errors import NotFound
    from reconciler.objects import SYSTEM_NAMESPACE

    try:
        return cluster.get(API_VERSION, "Lease", SYSTEM_NAMESPACE, CONTROLLER)
    except NotFound:
        return None


def _url(arguments: argparse.Namespace) -> str:
    from reconciler.errors import UsageError

    if arguments.fleet_url is not None:
        return str(arguments.fleet_url)
    from reconciler.cli.where import fleet_folder
    from reconciler.git.working import WorkingCopy

    url = WorkingCopy(fleet_folder(arguments)).upstream_url
    if url is None:
        raise UsageError(
            "the branch of this clone has no upstream\n  hint: --fleet-url says where the fleet's server is"
        )
    return url
