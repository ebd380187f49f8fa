"""The objects, their one ascending resource version, and the events that watches are served from.

Objects in the store are never changed in place: whoever wants another one makes it and puts it in whole, so that a
reader may hold on to what it got. Each carries its JSON, made once, for answers, watches and the disk alike.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.apiserver.persistence import REWRITE_AFTER, Line, Log, decode

HISTORY = 20_000
"""Events kept for each resource; a watch from before them is told 410, as by a real server after its compaction."""

FIRST_VERSION = 1


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of an object and its JSON."""

    object: dict[str, Any]
    version: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """What happened at `version`: `now` None is a deletion (`before` then carries the deletion's version)."""

    version: int
    now: Stored | None
    before: Stored | None


@dataclass(slots=True)
class Bucket:
    """All objects of one resource, and its recent events. `first` is the number of the oldest event still kept."""

    objects: dict[tuple[str, str], Stored] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    first: int = 0
    oldest: int = 0  # watches may begin at this resource version or later


def encode(manifest: dict[str, Any]) -> bytes:
    """An object as JSON."""
    return json.dumps(manifest, separators=(",", ":"), ensure_ascii=False).encode()


class Store:
    """All buckets. Whoever reads something in order to write holds `lock`; reading alone is `snapshot` or `get`."""

    def __init__(self, folder: Path | None = None, *, history: int = HISTORY) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.version = FIRST_VERSION
        self.closed = False
        self.listeners: list[Callable[[str, Stored], None]] = []
        self._history = history
        self._buckets: dict[str, Bucket] = {}
        self._log = Log(folder) if folder else None
        if self._log:
            self._load(self._log)

    def _load(self, log: Log) -> None:
        snapshot, lines = log.read()
        self.version = max(self.version, snapshot)
        for line in lines:
            self.version = max(self.version, line.version)
            stored = Stored(decode(line.body), line.version, line.body)
            if line.version <= snapshot:
                self.bucket(line.bucket).objects[line.namespace, line.name] = stored
            else:
                self._enter(line.bucket, line.namespace, line.name, stored, deleted=line.deleted)
        for bucket in self._buckets.values():
            bucket.oldest = max(bucket.oldest, snapshot)

    def bucket(self, name: str) -> Bucket:
        """A resource's bucket, made when first asked for."""
        found = self._buckets.get(name)
        if found is None:
            with self.lock:
                found = self._buckets.setdefault(name, Bucket())
        return found

    def buckets(self) -> list[str]:
        """The names of all buckets."""
        return list(self._buckets)

    def get(self, bucket: str, namespace: str, name: str) -> Stored | None:
        """One object."""
        return self.bucket(bucket).objects.get((namespace, name))

    def snapshot(self, bucket: str, namespace: str | None = None) -> tuple[int, list[Stored]]:
        """The resource version, and all objects of that moment (of a namespace), ordered by namespace and name."""
        with self.lock:
            objects = self.bucket(bucket).objects
            found = [(key, one) for key, one in objects.items() if namespace is None or key[0] == namespace]
            version = self.version
        return version, [one for _, one in sorted(found, key=lambda pair: pair[0])]

    def put(self, bucket: str, manifest: dict[str, Any]) -> Stored:
        """Store an object whole under the next resource version, which is put into it; what it is comes first."""
        with self.lock:
            self.version += 1
            metadata = {**manifest["metadata"], "resourceVersion": str(self.version)}
            typed = {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"]}
            manifest = {**typed, **manifest, "metadata": metadata}
            stored = Stored(manifest, self.version, encode(manifest))
            self._keep(bucket, stored, deleted=False)
            return stored

    def remove(self, bucket: str, stored: Stored) -> Stored:
        """Delete an object; the answer is its last state under the deletion's resource version."""
        with self.lock:
            self.version += 1
            metadata = {**stored.object["metadata"], "resourceVersion": str(self.version)}
            manifest = {**stored.object, "metadata": metadata}
            last = Stored(manifest, self.version, encode(manifest))
            self._keep(bucket, last, deleted=True)
            return last

    def _keep(self, bucket: str, stored: Stored, *, deleted: bool) -> None:
        metadata = stored.object["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        if self._log:
            self._log.append(Line(stored.version, bucket, namespace, name, stored.body, deleted))
        self._enter(bucket, namespace, name, stored, deleted=deleted)
        if self._log and self._log.written > REWRITE_AFTER:
            self._log.rewrite(self.version, self._lines())
        for listener in self.listeners:
            listener(bucket, stored)
        self.changed.notify_all()

    def _enter(self, bucket: str, namespace: str, name: str, stored: Stored, *, deleted: bool) -> None:
        place = self.bucket(bucket)
        before = place.objects.pop((namespace, name), None) if deleted else place.objects.get((namespace, name))
        if deleted:
            place.events.append(Event(stored.version, None, stored))
        else:
            place.objects[namespace, name] = stored
            place.events.append(Event(stored.version, stored, before))
        if len(place.events) > 2 * self._history:
            place.oldest = place.events[self._history - 1].version
            place.first += self._history
            del place.events[: self._history]

    def _lines(self) -> Iterator[Line]:
        for name, bucket in self._buckets.items():
            for (namespace, object_name), stored in bucket.objects.items():
                yield Line(stored.version, name, namespace, object_name, stored.body, deleted=False)

    def forget_history(self) -> None:
        """Drop all events, as a compaction does: watches and continuations from before are told 410."""
        with self.lock:
            for bucket in self._buckets.values():
                bucket.first += len(bucket.events)
                bucket.events.clear()
                bucket.oldest = self.version

    def close(self) -> None:
        """Write no more and wake every watch."""
        with self.lock:
            self.closed = True
            if self._log:
                self._log.close()
            self.changed.notify_all()
