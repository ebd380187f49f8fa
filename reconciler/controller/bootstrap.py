"""What a controller needs in its own cluster before it can work: its namespace and the kinds of its status."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import schemas
from reconciler.objects import APPLY_MANAGER, SYSTEM_NAMESPACE, Manifest
from render.yaml import parse

if TYPE_CHECKING:
    from reconciler.cluster import Cluster

CRDS = Path(schemas.__file__).resolve().parent / "crds"


NAMESPACE: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM_NAMESPACE}}


def ensure_namespace(cluster: Cluster) -> None:
    """The system namespace: the Lease that decides who may do the rest lies in it."""
    cluster.apply(NAMESPACE, manager=APPLY_MANAGER)


def ensure(cluster: Cluster) -> None:
    """Create or update the rest; changes nothing where it is as it should be."""
    for file in sorted(CRDS.glob("site*.yaml")):
        for manifest in parse(file.read_bytes(), file.name):
            cluster.apply(manifest, manager=APPLY_MANAGER)
