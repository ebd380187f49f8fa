"""`siteshift install`: put the controller and the guard of a site into its cluster, and wait until they work."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from reconciler.cli.installing import Installation
    from reconciler.cluster import Cluster
    from reconciler.objects import Manifest

EXAMPLES = """\
  siteshift install --site b --fleet-url https://git.example.com/bank.git --image example.com/siteshift:1.0 --export
  siteshift install --site b --fleet-url https://git.example.com/bank.git --image example.com/siteshift:1.0 \\
      --git-secret siteshift-git --context dc-busan

What is installed is `deploy/` with the site's settings. It is applied under your rights, which must include those that
it grants. The Secret of --git-secret lies in the namespace siteshift-system and has the key `credentials`: a line like
https://user:token@host, or an SSH key. Repeat the command to upgrade.
"""

WAIT = 300.0
"""Seconds until a Deployment that is not up counts as failed."""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import asking
    from reconciler.cli.options import add

    parser.add_argument("--image", required=True, metavar="IMAGE", help="the image of this version of Siteshift")
    parser.add_argument(
        "--git-secret", default="", metavar="NAME", help="Secret with the credentials of the Git server"
    )
    parser.add_argument("--export", action="store_true", help="print the objects and stop")
    parser.add_argument("--no-wait", action="store_true", help="do not wait until the controller works")
    add(parser, "site", "fleet-url", "branch", "kubeconfig", "context", "color")
    asking.add(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print, or apply and wait; 0 once the controller works."""
    from reconciler.cli import asking
    from reconciler.cli.installing import manifests
    from reconciler.cluster import Cluster
    from render.yaml import dump

    found = manifests(_installation(arguments))
    if arguments.export:
        sys.stdout.write(dump(found))
        return 0
    asking.check(arguments)
    cluster = Cluster.connect(arguments.kubeconfig, arguments.context)
    for manifest in found:
        print(_name(manifest))
    question = f"Install site {arguments.site} at {cluster.server}?"
    if arguments.dry_run or not asking.agreed(question, arguments):
        return 0 if arguments.dry_run else 1
    _apply(cluster, found)
    return 0 if arguments.no_wait else _wait(cluster)


def _installation(arguments: argparse.Namespace) -> Installation:
    """The settings. Raises `UsageError` for what is missing."""
    from reconciler.cli.installing import Installation
    from reconciler.errors import UsageError

    for option in ("site", "fleet_url"):
        if not getattr(arguments, option):
            raise UsageError(f"--{option.replace('_', '-')} is missing\n  hint: siteshift install --help has examples")
    return Installation(arguments.site, arguments.fleet_url, arguments.branch, arguments.image, arguments.git_secret)


def _apply(cluster: Cluster, found: list[Manifest]) -> None:
    """Apply in order. Raises the first refusal; repeating the command goes on from there."""
    from reconciler.cli.installing import MANAGER

    for manifest in found:
        cluster.apply(manifest, manager=MANAGER)


def _wait(cluster: Cluster) -> int:
    """Wait until the Deployment is up; 1 where it is not in time, with what Kubernetes says of it."""
    import time

    from reconciler.cli.installing import DEPLOYMENT
    from reconciler.health import judge
    from reconciler.objects import SYSTEM_NAMESPACE

    ends = time.monotonic() + WAIT
    said = ""
    while True:
        health = judge(cluster.get("apps/v1", "Deployment", SYSTEM_NAMESPACE, DEPLOYMENT), role="active", now=0.0)
        text = health.message or health.reason
        if health.state == "Healthy":
            print("Siteshift works at this site: `siteshift status` shows it.")
            return 0
        if text != said:
            print(f"waiting: {text}", flush=True)
            said = text
        if time.monotonic() > ends:
            print(
                f"error: the Deployment {SYSTEM_NAMESPACE}/{DEPLOYMENT} is not up: {text}\n"
                f"  hint: kubectl -n {SYSTEM_NAMESPACE} describe pods; it goes on trying by itself",
                file=sys.stderr,
            )
            return 1
        time.sleep(1.0)


def _name(manifest: Manifest) -> str:
    from reconciler.objects import ref_of

    return str(ref_of(manifest))
