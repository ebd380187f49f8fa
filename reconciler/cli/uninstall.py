"""`siteshift uninstall`: take controller and guard of a site away, and leave what they looked after as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from reconciler.cluster import Cluster
    from reconciler.objects import Manifest

EXAMPLES = """\
  siteshift uninstall --context dc-busan --dry-run
  siteshift uninstall --context dc-busan

Applications go on as they are. The namespace siteshift-system stays, with the records of the applications, and so do
the report kinds and the admission policies: an application that is not active here still cannot start.
Permits run out, so an application that is active here cannot start new pods either until a controller works again.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import asking
    from reconciler.cli.options import add

    add(parser, "kubeconfig", "context", "color")
    asking.add(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show, ask, delete."""
    from reconciler.cli import asking
    from reconciler.cluster import Cluster
    from reconciler.errors import NotFound
    from reconciler.objects import ref_of

    asking.check(arguments)
    cluster = Cluster.connect(arguments.kubeconfig, arguments.context)
    installed = list(_installed(cluster))
    for manifest in installed:
        print(ref_of(manifest))
    if arguments.dry_run or not asking.agreed(f"Delete these at {cluster.server}?", arguments):
        return 0 if arguments.dry_run else 1
    for manifest in installed:
        metadata = manifest["metadata"]
        try:
            cluster.delete(manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata["name"])
        except NotFound:
            continue
    print("Applications, their records and the admission policies are left as they are.")
    return 0


def _installed(cluster: Cluster) -> list[Manifest]:
    """What an installation of this version has here and an uninstall takes away, last applied first."""
    from reconciler.cli.installing import KEPT, SETTINGS, Installation, manifests
    from reconciler.errors import NotFound
    from reconciler.objects import SYSTEM_NAMESPACE

    found = []
    for manifest in reversed(manifests(Installation("-", "-", "-", "-"))):
        metadata = manifest["metadata"]
        if manifest["kind"] in KEPT or metadata["name"].startswith(SETTINGS):
            continue
        try:
            found.append(
                cluster.get(manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata["name"])
            )
        except NotFound:
            continue
    settings = cluster.list("v1", "ConfigMap", SYSTEM_NAMESPACE, "app.kubernetes.io/name=siteshift").items
    return found + [each for each in settings if each["metadata"]["name"].startswith(SETTINGS)]
