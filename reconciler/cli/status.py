"""`siteshift status`: sites, applications, and what is waited for or held, from the sites' own reports and from Git."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from reconciler.failover.protocol.values import Heartbeat
    from reconciler.fleet.model import Site
    from reconciler.status.overview import Overview, SiteView

EXAMPLES = """\
  siteshift status
  siteshift status -o json
  siteshift status --kubeconfig sites.kubeconfig

Each site is asked by its context in siteshift.yaml. What a site that does not answer said last on Git stands in
brackets. Exit code 1: something is held, or a site does not answer.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli.options import add

    add(parser, "fleet", "fleet-url", "branch", "kubeconfig", "git-credentials", "git-timeout", "state")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="how to print (default: text)")


def run(arguments: argparse.Namespace) -> int:
    """Ask the sites and Git, and print."""
    from reconciler.status.overview import as_json, lines, unhealthy

    overview = _overview(arguments)
    for site in overview.sites:
        if site.why:
            print(f"site {site.name} does not answer: {site.why}", file=sys.stderr)
    if arguments.output == "json":
        import json

        print(json.dumps(as_json(overview), indent=2))
    else:
        for line in lines(overview):
            print(line)
    return 1 if unhealthy(overview.sites) else 0


def _overview(arguments: argparse.Namespace) -> Overview:
    from concurrent.futures import ThreadPoolExecutor
    from dataclasses import replace

    from reconciler.cli.options import seconds
    from reconciler.failover.execute.sites_seen import SitesSeen
    from reconciler.fleet.load import load
    from reconciler.git import Mirror
    from reconciler.status.overview import Overview

    url = _url(arguments)
    mirror = Mirror(
        url,
        _folder(arguments, url),
        branch=arguments.branch,
        credentials=arguments.git_credentials,
        timeout=seconds("git-timeout", arguments),
    )
    head = mirror.fetch().branch
    fleet = load(mirror.tree(head))
    names = tuple(site.name for site in fleet.sites)
    seen = SitesSeen(mirror, fleet.refs, lambda _: "")
    patterns = (fleet.refs.acks, fleet.refs.heartbeats)
    refs = [pattern.format(site=name) for name in names for pattern in patterns]
    seen.take(mirror.fetch(refs), names, 0.0)
    with ThreadPoolExecutor(len(fleet.sites)) as pool:
        views = list(pool.map(lambda site: _site(site, arguments.kubeconfig), fleet.sites))
    return Overview(
        fleet,
        head,
        mirror.message(head).partition("\n")[0],
        tuple(
            replace(
                view,
                acks=seen.acks(view.name),
                exposures=_exposures(seen.listed(view.name)),
            )
            for view in views
        ),
    )


def _exposures(heartbeat: Heartbeat | None) -> dict[str, float]:
    """Seconds since the last sync of what runs at a site, as it said last; what it does not know is left out."""
    said = heartbeat.applications if heartbeat else {}
    return {name: each.exposure for name, each in said.items() if each.running and each.exposure is not None}


def _site(site: Site, kubeconfig: str | None) -> SiteView:
    """What a site reports; that it does not answer is an answer."""
    from reconciler.cluster import Cluster
    from reconciler.errors import ClusterError
    from reconciler.objects import SYSTEM_NAMESPACE
    from reconciler.status.overview import SiteView

    version = "siteshift.io/v1alpha1"
    try:
        cluster = Cluster.connect(kubeconfig, site.context)
        reported = cluster.get(version, "Site", SYSTEM_NAMESPACE, site.name)
        listed = cluster.list(version, "SiteApplication", SYSTEM_NAMESPACE)
    except ClusterError as error:
        return SiteView(site.name, None, why=str(error))
    return SiteView(
        site.name,
        reported.get("status") or {},
        {item["metadata"]["name"]: item.get("status") or {} for item in listed.items},
    )


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


def _folder(arguments: argparse.Namespace, url: str) -> Path:
    import hashlib

    from reconciler.cli.run import state_folder

    return state_folder(arguments) / f"mirror-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
