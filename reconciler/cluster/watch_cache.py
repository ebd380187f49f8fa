"""All objects of one kind, kept current by one LIST and a watch: what a pass reads instead of asking per object.

When the server cannot be reached the last good state stays, and `stale_for` says how old it is: nothing is ever
concluded from a watch that broke.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable

from reconciler.clock import Clock, SystemClock
from reconciler.cluster.client import Cluster, Listing
from reconciler.cluster.watch import Event, Watch
from reconciler.errors import ClusterError, Expired, Unreachable
from reconciler.objects import Manifest, Ref, ref_of

FIRST_PAUSE = 0.2
"""Seconds before the first new try; doubled each time, with jitter."""

LONGEST_PAUSE = 15.0
"""Seconds between tries at most."""

SHORTEST_WATCH = 1.0
"""Seconds; a watch that the server ends sooner counts as failed, so that it is not asked again without a pause."""

_Key = tuple[str, str]


class WatchCache:
    """The objects of one kind, listed and watched from construction until `stop`.

    Reading is safe from any thread; objects are shared, so they must not be changed. `on_change` is called in the
    watch's own thread for each object that appeared, changed or went.
    """

    def __init__(
        self,
        cluster: Cluster,
        api_version: str,
        kind: str,
        label_selector: str | None = None,
        *,
        namespace: str | None = None,
        on_change: Callable[[Ref], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.api_version = api_version
        self.kind = kind
        self.synced = threading.Event()
        """Set after the first LIST, and never cleared."""
        self.error: ClusterError | None = None
        """Why the state may be stale; None while the watch is well."""
        self.fresh_at: float | None = None
        """Monotonic seconds at which the server last said something; None before the first LIST."""
        self._cluster = cluster
        self._selector = label_selector
        self._namespace = namespace
        self._on_change = on_change
        self._clock = clock or SystemClock()
        self._objects: dict[_Key, Manifest] = {}
        self._passed = ""
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._again = threading.Event()
        self._answered = threading.Event()
        self._begun = self._clock.monotonic()
        self._watch: Watch | None = None
        self._thread = threading.Thread(target=self._run, name=f"watch-{kind}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the watch and its thread; the state stays readable."""
        self._stopping.set()
        self._again.set()
        with self._lock:
            watch = self._watch
        if watch is not None:
            watch.close()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def wait_synced(self, timeout: float) -> bool:
        """Wait for the first LIST; seconds."""
        return self._clock.wait(self.synced, timeout)

    def wait_answered(self, timeout: float) -> None:
        """Wait until the first LIST has ended, well or not, but never longer than so many seconds from construction:
        a kind that is not there, may not be read or does not answer costs its callers this time once."""
        left = self._begun + timeout - self._clock.monotonic()
        if left > 0 and not self._answered.is_set():
            self._clock.wait(self._answered, left)

    def look_again(self) -> None:
        """Try again now, if the last LIST failed: the kind may be there by now."""
        if not self.synced.is_set():
            self._again.set()

    def stale_for(self) -> float | None:
        """Seconds since the server last said something; None before the first LIST."""
        return None if self.fresh_at is None else self._clock.monotonic() - self.fresh_at

    def items(self) -> tuple[Manifest, ...]:
        """Every object. Raises (Unreachable, or what the LIST met) before the first LIST: never an empty set."""
        self._require_state()
        with self._lock:
            return tuple(self._objects.values())

    def get(self, namespace: str | None, name: str) -> Manifest | None:
        """One object, None if there is none. Raises as `items`."""
        self._require_state()
        with self._lock:
            return self._objects.get((namespace or "", name))

    def absorb(self, manifest: Manifest) -> None:
        """Take the answer to a write in at once, so that the next pass does not read what was before it.

        The kind is there, then: a cache that waits to look for it again looks now.
        """
        with self._lock:
            key = _key(manifest)
            # What the watch has passed it has shown, or it has shown its deletion: taking it in would undo that.
            if not _reached(self._passed, manifest) and _newer(manifest, self._objects.get(key)):
                self._objects[key] = manifest
        self.look_again()

    def _require_state(self) -> None:
        if not self.synced.is_set():
            raise self.error or Unreachable(f"list {self.kind}: no answer yet")

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            begun = self._clock.monotonic()
            try:
                self._list_and_follow()
            except ClusterError as error:
                self.error = error
            except Exception as error:
                # A thread that dies would leave a state that looks fresh for ever.
                self.error = ClusterError(f"watch {self.kind}: a bug: {type(error).__name__}: {error}")
                self.error.__cause__ = error
            self._answered.set()
            if self._clock.monotonic() - begun > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            if self._clock.wait(self._again, pause * (0.5 + random.random())):
                self._again.clear()
            pause = min(pause * 2, LONGEST_PAUSE)

    def _list_and_follow(self) -> None:
        """One LIST, then watch after watch; returns when stopped or when history is gone, to list again."""
        version = self._relist()
        with contextlib.suppress(Expired):
            while not self._stopping.is_set():
                version = self._follow(version)

    def _relist(self) -> str:
        listing = self._cluster.list(self.api_version, self.kind, self._namespace, self._selector)
        changed = self._replace(listing)
        self._alive()
        self.synced.set()
        self._answered.set()
        for ref in changed:
            self._tell(ref)
        return listing.resource_version

    def _replace(self, listing: Listing) -> list[Ref]:
        """Take over a listing; the refs of what differs from the state before."""
        fresh = {_key(item): item for item in listing.items}
        with self._lock:
            old, self._objects = self._objects, fresh
            self._passed = listing.resource_version
        changed = [key for key in {**old, **fresh} if _version(old.get(key)) != _version(fresh.get(key))]
        return [ref_of(fresh.get(key) or old[key]) for key in changed]

    def _follow(self, version: str) -> str:
        """Take events in until the server ends the watch; the version to go on from."""
        begun = self._clock.monotonic()
        watch = self._cluster.watch(
            self.api_version,
            self.kind,
            resource_version=version,
            namespace=self._namespace,
            label_selector=self._selector,
        )
        with self._lock:
            self._watch = watch
        if self._stopping.is_set():
            watch.close()
        try:
            self._alive()
            for event in watch:
                self._take(event)
                version = event.resource_version
        finally:
            with self._lock:
                self._watch = None
            with contextlib.suppress(OSError):
                watch.close()
        if self._clock.monotonic() - begun < SHORTEST_WATCH and not self._stopping.is_set():
            raise Unreachable(f"watch {self.kind}: the server ended it at once")
        return version

    def _take(self, event: Event) -> None:
        self._alive()
        if event.type == "BOOKMARK":
            return
        key = _key(event.object)
        with self._lock:
            self._passed = event.resource_version
            known = self._objects.get(key)
            if event.type == "DELETED":
                # A deletion that is older than what was absorbed was followed by a new creation.
                if known is not None and _newer(known, event.object):
                    return
                self._objects.pop(key, None)
            elif _newer(event.object, known):
                self._objects[key] = event.object
        self._tell(ref_of(event.object))

    def _alive(self) -> None:
        self.fresh_at = self._clock.monotonic()
        self.error = None

    def _tell(self, ref: Ref) -> None:
        if self._on_change is not None:
            self._on_change(ref)


def _key(manifest: Manifest) -> _Key:
    metadata = manifest["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def _version(manifest: Manifest | None) -> str | None:
    return None if manifest is None else str(manifest["metadata"].get("resourceVersion"))


def _reached(passed: str, manifest: Manifest) -> bool:
    """Whether the watch has passed this version of the object. Versions that are no numbers cannot be ordered."""
    version = _version(manifest) or ""
    return passed.isdigit() and version.isdigit() and int(version) <= int(passed)


def _newer(candidate: Manifest, known: Manifest | None) -> bool:
    """Whether the candidate replaces what is known. Versions that are no numbers cannot be ordered: then it does."""
    have, offered = _version(known), _version(candidate)
    if have is None or offered is None or not (have.isdigit() and offered.isdigit()):
        return True
    return int(offered) > int(have)
