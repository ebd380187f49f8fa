"""The watch caches of one controller: one LIST and a watch for each kind that it manages, started when first asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from reconciler.clock import Clock, SystemClock
from reconciler.cluster.client import Cluster
from reconciler.cluster.discovery import UNKNOWN_KIND
from reconciler.cluster.watch_cache import WatchCache
from reconciler.errors import NotFound
from reconciler.objects import Manifest, Ref, group_of

DEFINITION = "CustomResourceDefinition"


class Caches:
    """A watch cache a kind. `changed` is set whenever any watched object changed; `drain` says which."""

    def __init__(
        self, cluster: Cluster, *, selectors: Mapping[tuple[str, str], str] | None = None, clock: Clock | None = None
    ) -> None:
        """`selectors` maps (group, kind) to the label selector that its watch uses; other kinds are watched whole."""
        self.changed = threading.Event()
        self._cluster = cluster
        self._selectors = dict(selectors or {})
        self._clock = clock or SystemClock()
        self._coming: dict[tuple[str, str], float] = {}
        self._caches: dict[tuple[str, str], WatchCache] = {}
        self._touched: set[Ref] = set()
        self._lock = threading.Lock()

    def of(self, api_version: str, kind: str) -> WatchCache:
        """The cache of a kind, started if it is not yet. One version of a kind serves all: the first one asked for."""
        key = (group_of(api_version), kind)
        with self._lock:
            cache = self._caches.get(key)
            if cache is None:
                selector = self._selectors.get(key)
                cache = WatchCache(self._cluster, api_version, kind, selector, on_change=self._note, clock=self._clock)
                self._caches[key] = cache
            return cache

    def live(self, manifest: Manifest, *, timeout: float) -> Manifest | None:
        """The live object of a manifest, None if there is none: nothing of that name, or no such kind in the cluster.

        Waits at most so many seconds, from the cache's start on, for the kind's first LIST; raises Unreachable (or what
        it met) without one. A kind whose definition was applied a moment ago is waited for as long.
        """
        cache = self.of(manifest["apiVersion"], manifest["kind"])
        cache.wait_answered(timeout)
        if not cache.synced.is_set():
            self._wait_for_new_kind(cache, timeout)
        metadata = manifest["metadata"]
        try:
            return cache.get(metadata.get("namespace"), metadata["name"])
        except NotFound as error:
            if error.reason == UNKNOWN_KIND:
                return None
            raise

    def absorb(self, manifest: Manifest) -> None:
        """Take the answer to a write into the cache of its kind, if that is watched."""
        with self._lock:
            cache = self._caches.get((group_of(manifest["apiVersion"]), manifest["kind"]))
            if manifest["kind"] == DEFINITION:
                spec = manifest["spec"]
                self._coming[spec["group"], spec["names"]["kind"]] = self._clock.monotonic()
        if cache is not None:
            cache.absorb(manifest)

    def drain(self) -> frozenset[Ref]:
        """What changed since the last call; clears `changed`."""
        with self._lock:
            self.changed.clear()
            touched, self._touched = self._touched, set()
        return frozenset(touched)

    def each(self) -> tuple[WatchCache, ...]:
        """The caches that are running."""
        with self._lock:
            return tuple(self._caches.values())

    def stop(self) -> None:
        """End all watches."""
        stops: list[Callable[[], None]] = [cache.stop for cache in self.each()]
        for stop in stops:
            stop()

    def _wait_for_new_kind(self, cache: WatchCache, timeout: float) -> None:
        """The server needs a moment between taking a definition and serving its kind."""
        key = (group_of(cache.api_version), cache.kind)
        with self._lock:
            begun = self._coming.get(key)
        left = 0.0 if begun is None else begun + timeout - self._clock.monotonic()
        if left > 0:
            cache.look_again()
            cache.wait_synced(left)

    def _note(self, ref: Ref) -> None:
        with self._lock:
            self._touched.add(ref)
            self.changed.set()
