"""CustomResourceDefinitions at work: what they define is served, and goes with them."""

from __future__ import annotations

from typing import Any

from sandbox.apiserver.kinds import Kind
from sandbox.apiserver.moments import WallClock, rfc3339
from sandbox.apiserver.registry import Registry
from sandbox.apiserver.store import Store, Stored

BUCKET = "customresourcedefinitions.apiextensions.k8s.io"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


class CustomResources:
    """Follows the stored definitions; called under the store's lock for each definition that is written."""

    def __init__(self, store: Store, registry: Registry, clock: WallClock) -> None:
        self._store, self._registry, self._clock = store, registry, clock
        for one in store.snapshot(BUCKET)[1]:
            registry.define(one.object)

    def stored(self, kind: Kind, stored: Stored) -> None:
        """A definition was written: serve it, say so in its status, and keep it until its objects are gone."""
        if kind.storage != BUCKET or stored.object["metadata"].get("deletionTimestamp"):
            return
        self._registry.define(stored.object)
        settled = self._settled(stored.object)
        if settled != stored.object:
            self._store.put(BUCKET, settled)

    def _settled(self, crd: dict[str, Any]) -> dict[str, Any]:
        names = crd["spec"]["names"]
        finalizers = list(crd["metadata"].get("finalizers") or ())
        if CLEANUP not in finalizers:
            finalizers.append(CLEANUP)
        status = dict(crd.get("status") or {})
        now = rfc3339(self._clock())
        status.setdefault("conditions", [_condition(*row, now) for row in CONDITIONS])
        stored = next(version["name"] for version in crd["spec"]["versions"] if version["storage"])
        kept = list(status.get("storedVersions") or ())
        status |= {"acceptedNames": names, "storedVersions": kept if stored in kept else [*kept, stored]}
        return {**crd, "metadata": {**crd["metadata"], "finalizers": finalizers}, "status": status}

    def gone(self, crd: dict[str, Any]) -> None:
        """A definition is gone: serve it no longer."""
        self._registry.forget(crd)


CONDITIONS = (
    ("NamesAccepted", "NoConflicts", "no conflicts found"),
    ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
)


def _condition(kind: str, reason: str, message: str, now: str) -> dict[str, str]:
    return {"type": kind, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message}
