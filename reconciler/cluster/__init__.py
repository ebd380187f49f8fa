"""Room `cluster`: one site's Kubernetes API as plain JSON.

Holds discovery, watch caches, server-side apply, dry run, delete, and one bounded connection pool a cluster.
Knows nothing of Git and of moves; what the objects mean is for the rooms above.
"""

from __future__ import annotations

from reconciler.cluster.caches import Caches
from reconciler.cluster.client import Cluster, Listing
from reconciler.cluster.discovery import Resource
from reconciler.cluster.endpoint import Endpoint
from reconciler.cluster.redaction import MASK, mask_manifest, mask_text
from reconciler.cluster.watch import Event, Watch
from reconciler.cluster.watch_cache import WatchCache

__all__ = [
    "MASK",
    "Caches",
    "Cluster",
    "Endpoint",
    "Event",
    "Listing",
    "Resource",
    "Watch",
    "WatchCache",
    "mask_manifest",
    "mask_text",
]
