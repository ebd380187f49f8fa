"""What a controller manager does that an API needs in order to make sense: garbage collection by owner references,
emptying namespaces that are deleted, letting go of volumes that nothing uses, and removing what a deleted
CustomResourceDefinition defined.

One thread follows the store's events; what it deletes goes through the API as an ordinary, audited request.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterable
from typing import Any

from sandbox.apiserver import customresources, protection
from sandbox.apiserver.api import Api
from sandbox.apiserver.deletion import FOREGROUND, ORPHAN
from sandbox.apiserver.kinds import Kind
from sandbox.apiserver.requests import User, parse
from sandbox.apiserver.store import Stored

Place = tuple[str, str, str]  # bucket, namespace, name
Manifest = dict[str, Any]

COLLECTOR = User("system:serviceaccount:kube-system:generic-garbage-collector", ("system:masters",))
NAMESPACES = User("system:serviceaccount:kube-system:namespace-controller", ("system:masters",))
RETRY_AFTER = 1.0
"""Seconds until a deletion that was refused is tried again."""


class Housekeeper:
    """Follows the store in a thread of its own; every step looks at what is there now, so events may repeat."""

    def __init__(self, api: Api) -> None:
        self._api, self._store = api, api.store
        self._work: queue.SimpleQueue[Place | None] = queue.SimpleQueue()
        self._dependents: dict[str, set[Place]] = {}
        self._owners: dict[Place, set[str]] = {}
        self._uids: dict[str, Place] = {}
        self._again: set[Place] = set()
        self._thread = threading.Thread(target=self._run, name="apiserver-housekeeping", daemon=True)

    def start(self) -> None:
        """Look at everything once, then follow."""
        with self._store.lock:
            self._store.listeners.append(self._heard)
            for bucket in self._store.buckets():
                for stored in self._store.snapshot(bucket)[1]:
                    self._heard(bucket, stored)
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Take no more work."""
        self._work.put(None)

    def join(self) -> None:
        """Wait until the thread has ended."""
        if self._thread.ident is not None:
            self._thread.join()

    def _heard(self, bucket: str, stored: Stored) -> None:
        """In the thread that wrote, with the store locked: whoever looks at an owner as it is now must know every
        dependent that was there by now, also those whose turn has not come."""
        place = _place(bucket, stored.object)
        self._index(place, stored.object["metadata"])
        self._work.put(place)

    def _run(self) -> None:
        while True:
            try:
                place = self._work.get(timeout=RETRY_AFTER if self._again else None)
            except queue.Empty:
                again, self._again = self._again, set()
                for one in again:
                    self._look(one)
                continue
            if place is None or self._store.closed:
                return
            self._look(place)

    def _look(self, place: Place) -> None:
        stored = self._store.get(*place)
        if stored is None:
            self._gone(place)
            return
        metadata = stored.object["metadata"]
        self._uids[metadata["uid"]] = place
        if self._dangling(place, stored.object):
            return
        if metadata.get("deletionTimestamp"):
            finalizers = metadata.get("finalizers") or ()
            if FOREGROUND in finalizers:
                self._foreground(place, stored.object)
            if ORPHAN in finalizers:
                self._orphan(place, stored.object)
            if customresources.CLEANUP in finalizers and place[0] == customresources.BUCKET:
                self._empty_definition(place, stored.object)
            if place[0] == "namespaces":
                self._empty_namespace(stored.object)
            finalizer = protection.idle(self._store, place, stored.object)
            if finalizer:
                self._finalized(place, stored.object, finalizer)
        if place[0] == "pods" and stored.object.get("status", {}).get("phase") in protection.ENDED:
            self._work_on(protection.waiting(self._store, place[1]))

    def _work_on(self, places: Iterable[Place]) -> None:
        for place in places:
            self._work.put(place)

    # -- owners --------------------------------------------------------------------------------------------------

    def _index(self, place: Place, metadata: Manifest) -> None:
        now = {owner["uid"] for owner in metadata.get("ownerReferences") or ()}
        before = self._owners.get(place, set())
        for uid in before - now:
            self._dependents.get(uid, set()).discard(place)
        for uid in now - before:
            self._dependents.setdefault(uid, set()).add(place)
        if now:
            self._owners[place] = now
        else:
            self._owners.pop(place, None)

    def _gone(self, place: Place) -> None:
        """An object is away: its dependents lose an owner, its own owners a dependent, its namespace some content."""
        waiting = self._owners.pop(place, set())
        for uid in waiting:
            self._dependents.get(uid, set()).discard(place)
            if uid in self._uids:
                self._work.put(self._uids[uid])
        for uid in [uid for uid, known in self._uids.items() if known == place]:
            del self._uids[uid]
            for dependent in self._dependents.get(uid, set()).copy():
                self._work.put(dependent)
        if place[0] == "pods":
            self._work_on(protection.waiting(self._store, place[1]))
        if place[1]:
            self._work.put(("namespaces", "", place[1]))
        kind = self._api.registry.of_storage(place[0])
        if kind is not None and kind.custom:
            self._work.put((customresources.BUCKET, "", place[0]))

    def _owner(self, place: Place, reference: Manifest) -> Manifest | bool | None:
        """The owner that a reference means; None if it is gone, False if its kind is not served now."""
        kind = self._api.registry.by_kind(reference["apiVersion"], reference["kind"])
        if kind is None:
            return False
        found = self._store.get(kind.storage, place[1] if kind.namespaced else "", reference["name"])
        return found.object if found and found.object["metadata"]["uid"] == reference["uid"] else None

    def _dangling(self, place: Place, manifest: Manifest) -> bool:
        """Delete an object all of whose owners are gone; one that keeps some only loses the references."""
        references = manifest["metadata"].get("ownerReferences") or []
        if not references:
            return False
        owners = [self._owner(place, reference) for reference in references]
        held = [
            owner for owner in owners if owner is not None and not (isinstance(owner, dict) and _in_foreground(owner))
        ]
        gone = [reference for reference, owner in zip(references, owners, strict=True) if owner is None]
        if held:
            if gone:
                kept = [reference for reference in references if reference not in gone]
                self._patch(place, {"metadata": {"ownerReferences": kept, "uid": manifest["metadata"]["uid"]}})
            return False
        if manifest["metadata"].get("deletionTimestamp"):
            return False
        waited_for = any(isinstance(owner, dict) for owner in owners)
        has_dependents = bool(self._dependents.get(manifest["metadata"]["uid"]))
        self._delete(place, manifest, "Foreground" if waited_for and has_dependents else "Background", COLLECTOR)
        return True

    def _foreground(self, place: Place, manifest: Manifest) -> None:
        uid = manifest["metadata"]["uid"]
        blocking = False
        for dependent in self._dependents.get(uid, set()).copy():
            found = self._store.get(*dependent)
            if found is None:
                continue
            references = found.object["metadata"].get("ownerReferences") or ()
            blocking |= any(one["uid"] == uid and one.get("blockOwnerDeletion") for one in references)
            if not found.object["metadata"].get("deletionTimestamp"):
                self._dangling(dependent, found.object)
        still = any(self._blocks(dependent, uid) for dependent in self._dependents.get(uid, set()).copy())
        if not blocking or not still:
            self._finalized(place, manifest, FOREGROUND)

    def _blocks(self, place: Place, uid: str) -> bool:
        found = self._store.get(*place)
        references = found.object["metadata"].get("ownerReferences") or () if found else ()
        return any(one["uid"] == uid and one.get("blockOwnerDeletion") for one in references)

    def _orphan(self, place: Place, manifest: Manifest) -> None:
        uid = manifest["metadata"]["uid"]
        for dependent in self._dependents.get(uid, set()).copy():
            found = self._store.get(*dependent)
            if found is not None:
                references = found.object["metadata"].get("ownerReferences") or ()
                kept = [one for one in references if one["uid"] != uid]
                self._patch(dependent, {"metadata": {"ownerReferences": kept or None}})
        self._finalized(place, manifest, ORPHAN)

    # -- content -------------------------------------------------------------------------------------------------

    def _empty_definition(self, place: Place, crd: Manifest) -> None:
        left = self._store.snapshot(place[2])[1]
        for one in left:
            if not one.object["metadata"].get("deletionTimestamp"):
                self._delete(_place(place[2], one.object), one.object, "Background", COLLECTOR)
        if not self._store.snapshot(place[2])[1]:
            self._finalized(place, crd, customresources.CLEANUP)
            with self._store.lock:
                if self._store.get(*place) is None:
                    self._api.custom.gone(crd)

    def _empty_namespace(self, manifest: Manifest) -> None:
        name = manifest["metadata"]["name"]
        left = False
        for bucket in self._store.buckets():
            for one in self._store.snapshot(bucket, name)[1]:
                left = True
                if not one.object["metadata"].get("deletionTimestamp"):
                    self._delete(_place(bucket, one.object), one.object, "Background", NAMESPACES)
        if left and any(self._store.snapshot(bucket, name)[1] for bucket in self._store.buckets()):
            return
        with self._store.lock:
            live = self._store.get("namespaces", "", name)
            if live is not None and not live.object["metadata"].get("finalizers"):
                self._store.remove("namespaces", live)

    # -- requests ------------------------------------------------------------------------------------------------

    def _path(self, place: Place) -> tuple[Kind, str] | None:
        kind = self._api.registry.of_storage(place[0])
        if kind is None:
            return None
        root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
        middle = f"/namespaces/{place[1]}" if kind.namespaced else ""
        return kind, f"{root}{middle}/{kind.plural}/{place[2]}"

    def _send(self, place: Place, method: str, content: str, body: Manifest, user: User) -> None:
        found = self._path(place)
        if found is None:
            return
        headers = {"content-type": content, "user-agent": "housekeeping"}
        response = self._api.answer(parse(method, found[1], headers, json.dumps(body).encode(), user))
        if response.code not in (200, 201, 404, 409):
            self._again.add(place)

    def _delete(self, place: Place, manifest: Manifest, policy: str, user: User) -> None:
        preconditions = {"uid": manifest["metadata"]["uid"]}
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions}
        self._send(place, "DELETE", "application/json", {**body, "propagationPolicy": policy}, user)

    def _patch(self, place: Place, patch: Manifest) -> None:
        self._send(place, "PATCH", "application/merge-patch+json", patch, COLLECTOR)

    def _finalized(self, place: Place, manifest: Manifest, finalizer: str) -> None:
        kept = [one for one in manifest["metadata"].get("finalizers") or () if one != finalizer]
        version = manifest["metadata"]["resourceVersion"]
        self._patch(place, {"metadata": {"finalizers": kept or None, "resourceVersion": version}})


def _place(bucket: str, manifest: Manifest) -> Place:
    metadata = manifest["metadata"]
    return bucket, metadata.get("namespace", ""), metadata["name"]


def _in_foreground(owner: Manifest) -> bool:
    metadata = owner["metadata"]
    return bool(metadata.get("deletionTimestamp")) and FOREGROUND in (metadata.get("finalizers") or ())
