"""The loop under every simulated controller: keys that changed, coalesced, reconciled one after the other, or later.

Level-triggered like the real ones: a controller is told which object to look at, never what happened to it, and reads
what is from watch caches. Nothing polls the API.
"""

from __future__ import annotations

import heapq
import itertools
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from reconciler.clock import Clock, SystemClock
from reconciler.cluster.client import Cluster
from reconciler.cluster.watch_cache import WatchCache
from reconciler.errors import ClusterError, Conflict, NotFound, Unreachable
from reconciler.objects import Manifest, Ref, ref_of

Key = tuple[str, str]
"""Namespace and name of what a controller looks after."""

KindId = tuple[str, str]
"""`apiVersion` and `kind`."""

PAUSES: Sequence[tuple[type[ClusterError], float]] = ((Conflict, 0.02), (NotFound, 0.02), (Unreachable, 0.5))
"""Seconds until a key is tried again after an error, by the error; any other takes `OTHER_PAUSE`."""

OTHER_PAUSE = 1.0
FIRST_LIST = 60.0
"""Seconds to wait for a kind's first listing."""


class Controller(Protocol):
    """One simulated controller; `reconcile` is never called twice at once."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    @property
    def watched(self) -> tuple[KindId, ...]:
        """The kinds whose changes it must hear of."""
        ...

    def keys(self, manifest: Manifest) -> Iterable[Key]:
        """What to look at when this object of a watched kind appeared, changed or went."""
        ...

    def reconcile(self, key: Key) -> float | None:
        """Bring what the key names a step further; seconds after which to look again, None: when something changes."""
        ...


class Queue:
    """Keys and when each is due; a key that is added twice is due once, at the earlier moment."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False

    def add(self, key: Key, delay: float = 0.0) -> None:
        """Make a key due after so many seconds."""
        due = self._clock.monotonic() + delay
        with self._changed:
            if self._due.get(key, due + 1) > due:
                self._due[key] = due
                heapq.heappush(self._heap, (due, next(self._order), key))
                self._changed.notify()

    def take(self) -> Key | None:
        """The next due key, once it is due; None after `stop`."""
        with self._changed:
            while not self._stopped:
                wait = self._until_next()
                if wait == 0:
                    _, _, key = heapq.heappop(self._heap)
                    del self._due[key]
                    return key
                self._changed.wait(wait)
        return None

    def stop(self) -> None:
        """Let `take` return None from now on."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _until_next(self) -> float | None:
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return max(0.0, self._heap[0][0] - self._clock.monotonic()) if self._heap else None


class Engine:
    """Watch caches shared by controllers, and a thread for each controller."""

    def __init__(self, cluster: Cluster, *, clock: Clock | None = None) -> None:
        self._cluster = cluster
        self._clock = clock or SystemClock()
        self._caches: dict[KindId, WatchCache] = {}
        self._controllers: list[tuple[Controller, Queue]] = []
        self._threads: list[threading.Thread] = []
        self._last: dict[tuple[KindId, Ref], Manifest] = {}
        self._stopping = threading.Event()

    def cache(self, kind: KindId) -> WatchCache:
        """The watch cache of a kind that some controller watches."""
        return self._caches[kind]

    def start(self, controllers: Iterable[Controller]) -> None:
        """Watch what the controllers watch, wait for the first listings, and begin to reconcile.

        Raises what the first listing of a kind met, if there is none in time.
        """
        self._controllers = [(controller, Queue(self._clock)) for controller in controllers]
        for kind in dict.fromkeys(kind for controller, _ in self._controllers for kind in controller.watched):
            self._caches[kind] = WatchCache(self._cluster, *kind, on_change=self._noticed(kind), clock=self._clock)
        for cache in self._caches.values():
            cache.wait_synced(FIRST_LIST)
            cache.items()
        self.look_again()
        for controller, queue in self._controllers:
            thread = threading.Thread(target=self._work, args=(controller, queue), name=controller.name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End all controllers and watches."""
        self._stopping.set()
        for _, queue in self._controllers:
            queue.stop()
        for thread in self._threads:
            thread.join()
        for cache in self._caches.values():
            cache.stop()

    def look_again(self) -> None:
        """Look at everything once more: settings have changed."""
        for kind, cache in self._caches.items():
            for manifest in cache.items():
                self._last.setdefault((kind, ref_of(manifest)), manifest)
                self.enqueue(kind, manifest)

    def _noticed(self, kind: KindId) -> Callable[[Ref], None]:
        def on_change(ref: Ref) -> None:
            cache = self._caches.get(kind)
            if cache is None:
                return  # still being made: `start` looks at everything once it is there
            manifest = cache.get(ref.namespace, ref.name)
            if manifest is None:
                manifest = self._last.pop((kind, ref), None)
            else:
                before = self._last.get((kind, ref))
                self._last[kind, ref] = manifest
                if before is not None and before["metadata"].get("uid") != manifest["metadata"].get("uid"):
                    self.enqueue(kind, before)
            if manifest is not None:
                self.enqueue(kind, manifest)

        return on_change

    def enqueue(self, kind: KindId, manifest: Manifest) -> None:
        """Let every controller that watches the kind look at what this object concerns."""
        for controller, queue in self._controllers:
            if kind in controller.watched:
                for key in controller.keys(manifest):
                    queue.add(key)

    def _work(self, controller: Controller, queue: Queue) -> None:
        while (key := queue.take()) is not None:
            try:
                again = controller.reconcile(key)
            except ClusterError as error:
                again = next((pause for kind, pause in PAUSES if isinstance(error, kind)), OTHER_PAUSE)
                if again == OTHER_PAUSE and not self._stopping.is_set():
                    print(f"simulation: {controller.name} {'/'.join(key)}: {error}", file=sys.stderr, flush=True)
            except Exception:
                # One object that a controller cannot cope with must not end the life of all others.
                traceback.print_exc()
                again = OTHER_PAUSE
            if again is not None:
                queue.add(key, again)
