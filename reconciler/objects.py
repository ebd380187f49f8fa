"""Identity of Kubernetes objects. Manifests stay plain dicts; only identity is wrapped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]

APPLICATION_LABEL = "siteshift.io/application"
"""On every object of an application and, through its templates, on its pods and virtual machine instances."""

PLATFORM_LABEL = "siteshift.io/platform"
"""On every object of the platform: the name of the folder that it comes from."""

STANDBY_LABEL = "siteshift.io/standby"
"""What runs at a hot passive site."""

SYSTEM_NAMESPACE = "siteshift-system"
"""Where a site's controller keeps its permits, journal, inventory and status."""

APPLY_MANAGER = "siteshift"
"""Field manager of the generic apply: everything but start and role fields."""

MOVES_MANAGER = "siteshift-moves"
"""Field manager of the moves: start fields, role fields, and objects created with their stopped value (P10)."""


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Which object: API group ("" is core), kind, namespace ("" is cluster-scoped) and name. No version."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place}"


def group_of(api_version: str) -> str:
    """The group of an `apiVersion`: "apps" of "apps/v1", "" of "v1"."""
    return api_version.rpartition("/")[0]


def ref_of(manifest: Manifest) -> Ref:
    """The identity that a manifest has."""
    metadata = manifest["metadata"]
    return Ref(
        group_of(manifest["apiVersion"]), manifest["kind"], metadata.get("namespace") or "", metadata.get("name") or ""
    )
