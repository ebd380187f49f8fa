"""An inventory as a value and as a ConfigMap."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.errors import ClusterError
from reconciler.objects import SYSTEM_NAMESPACE, Manifest, Ref, group_of, ref_of

UNIT_LABEL = "siteshift.io/inventory"
"""On each inventory, so that all of them can be listed; its value is always "true", the unit's name is in the data."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,200}[a-z0-9])?")


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One object that a unit has, or may have, put into the cluster: enough to find it and to delete it in order."""

    ref: Ref
    api_version: str
    run_level: str


def entry_of(manifest: Manifest, run_level: str) -> Entry:
    """The entry of a desired object."""
    return Entry(ref_of(manifest), manifest["apiVersion"], run_level)


def inventory_name(unit: str) -> str:
    """The ConfigMap's name: the unit's, or a hash of it where that is no name for Kubernetes."""
    if _NAME.fullmatch(unit):
        return f"inventory-{unit}"
    return f"inventory-{hashlib.sha256(unit.encode()).hexdigest()[:16]}"


def to_manifest(unit: str, entries: Iterable[Entry]) -> Manifest:
    """The ConfigMap of an inventory, the same for the same entries."""
    rows = [[e.api_version, e.ref.kind, e.ref.namespace, e.ref.name, e.run_level] for e in sorted(set(entries))]
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": inventory_name(unit),
            "namespace": SYSTEM_NAMESPACE,
            "labels": {UNIT_LABEL: "true"},
        },
        "data": {"unit": unit, "objects": f"[{lines}]"},
    }


def from_manifest(manifest: Manifest) -> tuple[str, tuple[Entry, ...]]:
    """Unit and entries of an inventory. Raises ClusterError if it cannot be read: it is then no empty inventory."""
    name = manifest["metadata"]["name"]
    try:
        unit = manifest["data"]["unit"]
        rows: list[Any] = json.loads(manifest["data"]["objects"])
        entries = tuple(
            Entry(Ref(group_of(version), kind, namespace, object_name), version, level)
            for version, kind, namespace, object_name, level in rows
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ClusterError(f"ConfigMap {SYSTEM_NAMESPACE}/{name} is no inventory: somebody has edited it") from error
    return unit, entries
