"""Deleting: preconditions, finalizers, propagation, graceful pods, namespaces; and finishing what waited for it."""

from __future__ import annotations

import json
from typing import Any

from sandbox.apiserver import customresources
from sandbox.apiserver.kinds import Kind
from sandbox.apiserver.moments import WallClock, rfc3339
from sandbox.apiserver.problems import conflict, forbidden, not_found, unsupported
from sandbox.apiserver.requests import Request, decode
from sandbox.apiserver.store import Store, Stored, encode
from sandbox.apiserver.writes import Admission

POLICIES = ("", "Background", "Foreground", "Orphan")
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
SHOWN_WHEN_DELETED = ("pods", "persistentvolumeclaims", "persistentvolumes", "serviceaccounts", "resourcequotas")
"""Kinds whose deletion answers with the object rather than with a Status."""

PROTECTED_NAMESPACES = ("default", "kube-system", "kube-public")


class Deleter:
    """DELETE of one object or of a collection."""

    def __init__(self, store: Store, admission: Admission, clock: WallClock) -> None:
        self._store, self._admission, self._clock = store, admission, clock

    def delete(self, kind: Kind, request: Request) -> tuple[dict[str, Any], int]:
        """The Status of a deletion that is done, or the object that still waits for its finalizers."""
        options = _options(request)
        with self._store.lock:
            live = self._store.get(kind.storage, request.namespace if kind.namespaced else "", request.name)
            if live is None:
                raise not_found(kind.plural, kind.group, request.name)
            if kind.storage == "namespaces" and request.name in PROTECTED_NAMESPACES:
                raise forbidden("namespaces", "", request.name, "this namespace may not be deleted")
            left = self.remove(kind, live, options, request)
            if left is not None:
                return left.object, 200
            if kind.storage in SHOWN_WHEN_DELETED:
                gone: dict[str, Any] = {"deletionTimestamp": rfc3339(self._clock()), "deletionGracePeriodSeconds": 0}
                if kind.generation and not live.object["metadata"].get("deletionTimestamp"):
                    gone["generation"] = live.object["metadata"].get("generation", 0) + 1
                return {**live.object, "metadata": {**live.object["metadata"], **gone}}, 200
            return _done(kind, live), 200

    def delete_collection(self, kind: Kind, request: Request, found: list[Stored]) -> None:
        """Delete each of the objects that a list with the request's selectors gave."""
        options = _options(request)
        with self._store.lock:
            for one in found:
                metadata = one.object["metadata"]
                live = self._store.get(kind.storage, metadata.get("namespace", ""), metadata["name"])
                if live is not None:
                    self.remove(kind, live, options, request)

    def remove(self, kind: Kind, live: Stored, options: dict[str, Any], request: Request) -> Stored | None:
        """Delete, or mark as being deleted; what is left of it."""
        _check_preconditions(kind, live.object, options.get("preconditions") or {})
        dry_run = request.dry_run or options.get("dryRun") == ["All"]
        marked = self._marked(kind, live.object, options)
        self._admission.mutate("DELETE", kind, request, None, live.object)
        self._admission.admit("DELETE", kind, request, None, live.object)
        if marked is None:
            if not dry_run:
                self._store.remove(kind.storage, live)
            return None
        if marked == live.object:
            return live
        return Stored(marked, live.version, encode(marked)) if dry_run else self._store.put(kind.storage, marked)

    def _marked(self, kind: Kind, old: dict[str, Any], options: dict[str, Any]) -> dict[str, Any] | None:
        """The object with its deletion asked for; None if nothing keeps it."""
        metadata = dict(old["metadata"])
        finalizers = [one for one in metadata.get("finalizers") or () if one not in _replaced(options)]
        policy = options.get("propagationPolicy") or ("Orphan" if options.get("orphanDependents") else "")
        if policy == "Foreground":
            finalizers.append(FOREGROUND)
        if policy == "Orphan":
            finalizers.append(ORPHAN)
        grace = _grace(kind, old, options)
        if not finalizers and not grace and kind.storage != "namespaces":
            return None
        if finalizers != (metadata.get("finalizers") or []):
            metadata["finalizers"] = finalizers
        already = metadata.get("deletionTimestamp")
        if not already or (kind.storage == "pods" and grace < metadata.get("deletionGracePeriodSeconds", 0)):
            metadata["deletionTimestamp"] = rfc3339(self._clock() + grace)
            if kind.storage != customresources.BUCKET:
                metadata["deletionGracePeriodSeconds"] = grace
            if kind.generation and not already and kind.storage != customresources.BUCKET:
                metadata["generation"] = metadata.get("generation", 0) + 1
        marked = {**old, "metadata": metadata}
        if kind.storage == "namespaces":
            marked["status"] = {**old.get("status", {}), "phase": "Terminating"}
        return marked

    def finish(self, kind: Kind, stored: Stored) -> bool:
        """Delete an object that waited for finalizers and has none any more; says whether it is gone."""
        metadata = stored.object["metadata"]
        if not metadata.get("deletionTimestamp") or metadata.get("finalizers"):
            return False
        if metadata.get("deletionGracePeriodSeconds") or stored.object.get("spec", {}).get("finalizers"):
            return False
        with self._store.lock:
            if kind.storage == "namespaces":
                return False
            live = self._store.get(kind.storage, metadata.get("namespace", ""), metadata["name"])
            if live is not None and live.version == stored.version:
                self._store.remove(kind.storage, live)
        return True


def _replaced(options: dict[str, Any]) -> tuple[str, ...]:
    """Deletion finalizers that a stated propagation policy replaces."""
    return (FOREGROUND, ORPHAN) if options.get("propagationPolicy") else ()


def _grace(kind: Kind, old: dict[str, Any], options: dict[str, Any]) -> int:
    """Seconds that a pod on a node is given; its kubelet ends it with a deletion of grace 0."""
    if kind.storage != "pods":
        return 0
    pending = old["metadata"].get("deletionGracePeriodSeconds")
    stated = options.get("gracePeriodSeconds")
    if not old["spec"].get("nodeName") or old.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    grace = int(stated if stated is not None else old["spec"].get("terminationGracePeriodSeconds", 30))
    return min(grace, int(pending)) if pending is not None else grace


def _options(request: Request) -> dict[str, Any]:
    """DeleteOptions from the body, or from the parameters where there is no body."""
    options = (
        decode(request.body, request.headers.get("content-type", "application/json")) if request.body.strip() else {}
    )
    for name in ("propagationPolicy",):
        if name in request.query:
            options[name] = request.query[name]
    if "gracePeriodSeconds" in request.query:
        options["gracePeriodSeconds"] = request.number("gracePeriodSeconds")
    if options.get("propagationPolicy", "") not in POLICIES:
        listed = ", ".join(f'"{one}"' for one in ("Foreground", "Background", "Orphan", "nil"))
        raise unsupported("DeleteOptions", "propagationPolicy", f'"{options["propagationPolicy"]}"', listed)
    if options.get("dryRun") not in (None, [], ["All"]):
        raise unsupported("DeleteOptions", "dryRun", json.dumps(options["dryRun"]), '"All"')
    return options


def _check_preconditions(kind: Kind, old: dict[str, Any], wanted: dict[str, Any]) -> None:
    metadata = old["metadata"]
    for field, words, hint in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        stated = wanted.get(field)
        if stated and stated != metadata[field]:
            why = (
                f"the {words} in the precondition ({stated}) does not match the {words} in record ({metadata[field]})."
            )
            raise conflict(kind.kind, kind.group, metadata["name"], f"{why} The object might have been {hint}")


def _done(kind: Kind, live: Stored) -> dict[str, Any]:
    metadata = live.object["metadata"]
    what = {"name": metadata["name"], "group": kind.group, "kind": kind.plural, "uid": metadata["uid"]}
    found = {key: value for key, value in what.items() if value}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": found}
