"""WATCH: events from a resource version on, as a generator of frames that blocks until something happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.apiserver.kinds import Kind
from sandbox.apiserver.problems import Problem, cause, invalid
from sandbox.apiserver.reads import in_version, selection
from sandbox.apiserver.requests import Request
from sandbox.apiserver.store import Bucket, Event, Store, Stored, encode

BOOKMARK_EVERY = 10.0
"""Seconds between bookmarks on a quiet watch that allows them."""

LONGEST = 1800.0
"""Seconds after which a watch without a limit of its own ends, as real servers end theirs."""

Frame = Callable[[str, Stored], bytes]
Seen = tuple[str, Stored]


def plain_frame(kind: str, stored: Stored) -> bytes:
    """One event as the watch protocol frames it."""
    return b'{"type":"' + kind.encode() + b'","object":' + stored.body + b"}\n"


class Watcher:
    """Serves watches. `monotonic` is the clock of their limits."""

    def __init__(self, store: Store, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store, self._monotonic = store, monotonic

    def watch(self, kind: Kind, request: Request, frame: Frame) -> Iterator[bytes]:
        """The frames of one watch; refusals come before the first frame. Ends with the limit or the server.

        An empty frame says that nothing happened for a while, so that the caller can see whether the client is there.
        """
        bucket = self._store.bucket(kind.storage)
        initial = request.flag("sendInitialEvents")
        bookmarks = request.flag("allowWatchBookmarks")
        if initial and not (bookmarks and request.query.get("resourceVersionMatch") == "NotOlderThan"):
            text = "Forbidden: sendInitialEvents requires allowWatchBookmarks and resourceVersionMatch=NotOlderThan"
            raise invalid(
                "ListOptions", "meta.k8s.io", "", [cause("FieldValueForbidden", text, "resourceVersionMatch")]
            )
        start = request.number("resourceVersion")
        with self._store.lock:
            if start and not initial and start < bucket.oldest:
                raise Problem("Expired", f"too old resource version: {start} ({bucket.oldest})")
            listed = self._store.snapshot(kind.storage, request.namespace or None)[1] if initial or not start else []
            position = (
                _after(bucket, start) if not listed and start and not initial else bucket.first + len(bucket.events)
            )
            version = self._store.version
        return self._frames(kind, request, frame, bucket, position, (version, listed, initial), bookmarks=bookmarks)

    def _frames(
        self,
        kind: Kind,
        request: Request,
        frame: Frame,
        bucket: Bucket,
        position: int,
        start: tuple[int, list[Stored], bool],
        *,
        bookmarks: bool,
    ) -> Iterator[bytes]:
        match = selection(kind, request)
        version, listed, initial = start
        for one in listed:
            if match is None or match(one.object):
                yield frame("ADDED", in_version(kind, one))
        if initial:
            yield frame("BOOKMARK", _bookmark(kind, version, initial=True))
        limit = request.number("timeoutSeconds") or LONGEST
        end = self._monotonic() + limit
        marked = self._monotonic() + BOOKMARK_EVERY
        while True:
            events, position, version, lost = self._next(bucket, position, min(end, marked))
            if lost:
                yield frame("ERROR", _gone(version))
                return
            for event in events:
                seen = _seen(event, request.namespace, match)
                if seen is not None:
                    yield frame(seen[0], in_version(kind, seen[1]))
            now = self._monotonic()
            if now >= marked or (now >= end and not self._store.closed):
                marked = now + BOOKMARK_EVERY
                yield frame("BOOKMARK", _bookmark(kind, version, initial=False)) if bookmarks else b""
            if now >= end or self._store.closed:
                return

    def _next(self, bucket: Bucket, position: int, until: float) -> tuple[list[Event], int, int, bool]:
        """New events, the position after them, the version up to which they are all, and whether some were lost."""
        with self._store.changed:
            while bucket.first + len(bucket.events) <= position and not self._store.closed:
                left = until - self._monotonic()
                if left <= 0 or not self._store.changed.wait(left):
                    break
            if position < bucket.first:
                return [], position, self._store.version, True
            events = bucket.events[position - bucket.first :]
            return events, position + len(events), self._store.version, False


def _after(bucket: Bucket, version: int) -> int:
    """The number of the first event after a resource version."""
    low, high = 0, len(bucket.events)
    while low < high:
        middle = (low + high) // 2
        if bucket.events[middle].version <= version:
            low = middle + 1
        else:
            high = middle
    return bucket.first + low


def _seen(event: Event, namespace: str, match: Callable[[dict[str, Any]], bool] | None) -> Seen | None:
    """The event as a watch with these selectors sees it: an object that leaves the selection is a deletion."""
    stored = event.now or event.before
    assert stored is not None
    if namespace and stored.object["metadata"].get("namespace") != namespace:
        return None
    if event.now is None:
        return ("DELETED", stored) if match is None or match(stored.object) else None
    after = match is None or match(event.now.object)
    before = event.before is not None and (match is None or match(event.before.object))
    if after:
        return ("MODIFIED" if before else "ADDED"), event.now
    if before and event.before is not None:
        metadata = {**event.before.object["metadata"], "resourceVersion": str(event.version)}
        left = {**event.before.object, "metadata": metadata}
        return "DELETED", Stored(left, event.version, encode(left))
    return None


def _bookmark(kind: Kind, version: int, *, initial: bool) -> Stored:
    metadata: dict[str, Any] = {"resourceVersion": str(version), "creationTimestamp": None}
    if initial:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    manifest = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
    return Stored(manifest, version, encode(manifest))


def _gone(version: int) -> Stored:
    manifest = Problem("Expired", f"too old resource version: the events before {version} are gone").status()
    return Stored(manifest, version, encode(manifest))
