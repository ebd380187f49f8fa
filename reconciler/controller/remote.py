"""Where a site's Git server is, once people have said that it is another one than the command line's (P14).

The server may be lost together with a site. People then put up another from any mirror, and point each site that lives
at it: a record in its own cluster, which its controller finds without Git.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import NotFound
from reconciler.objects import SYSTEM_NAMESPACE, Manifest

if TYPE_CHECKING:
    from reconciler.cluster import Cluster

NAME = "siteshift-remote"
SITE, URL, WHY = "site", "url", "reason"
MANAGER = "siteshift-remote"


def bound_url(cluster: Cluster, site: str) -> str:
    """The URL that people have pointed this site at; "" where it is the command line's. Raises ClusterError."""
    try:
        data = cluster.get("v1", "ConfigMap", SYSTEM_NAMESPACE, NAME).get("data") or {}
    except NotFound:
        return ""
    return str(data.get(URL) or "") if data.get(SITE) == site else ""


def bind(cluster: Cluster, site: str, url: str, why: str) -> None:
    """Point the site at a server; "" at the command line's again. Raises ClusterError."""
    metadata = {"name": NAME, "namespace": SYSTEM_NAMESPACE}
    data = {SITE: site, URL: url, WHY: why}
    manifest: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    cluster.apply(manifest, manager=MANAGER)
