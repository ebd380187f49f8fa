"""One object: compare it with what is live, write it if it differs, judge its health.

Nothing is asked of the API server about an object that is as it should be: the comparison and the judgement read the
watch caches only, and an object that was found as it should be is not even compared again until it or Git changes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.clock import Clock
from reconciler.cluster.client import JSON_PATCH
from reconciler.controller.adopting import Rights, refuse_other_managers, taken_over
from reconciler.controller.contests import Contests
from reconciler.diff import Verdict, diff
from reconciler.errors import ClusterError, NotFound, Refused
from reconciler.fleet.model import Role
from reconciler.fleet.walls import allows
from reconciler.health import Health, judge
from reconciler.objects import APPLY_MANAGER, Manifest, Ref, group_of, ref_of
from reconciler.starts.fields import owned_fields, without_owned_fields
from render.site import SiteManifest

if TYPE_CHECKING:
    from reconciler.cluster import Caches, Cluster

READ_TIMEOUT = 10.0
"""How long the first LIST of a kind may take, in seconds."""

FIRST_RETRY, LAST_RETRY = 1.0, 60.0
"""A write that failed is tried again after so many seconds, doubled each time."""

INSTANCE = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance"}

Create = Callable[[Manifest], Manifest]


@dataclass(frozen=True, slots=True)
class ObjectState:
    """What became of one object in a pass: `live` is None where it is not there, `error` what its write met,
    `contested` who else keeps writing it."""

    item: SiteManifest
    ref: Ref
    live: Manifest | None
    health: Health | None
    written: bool = False
    error: str = ""
    contested: str = ""


@dataclass(slots=True)
class _Failure:
    manifest: Manifest
    again: float
    pause: float
    error: str


class Applier:
    """Brings objects to what Git says. Safe to call from the executor's workers."""

    def __init__(self, cluster: Cluster, caches: Caches, clock: Clock) -> None:
        self._cluster = cluster
        self._caches = caches
        self._clock = clock
        self._lock = threading.Lock()
        self._as_desired: dict[Ref, tuple[Manifest, str]] = {}
        self._failures: dict[Ref, _Failure] = {}
        self._contests = Contests(clock)

    def bring(
        self, item: SiteManifest, role: Role, create: Create | None = None, rights: Rights | None = None
    ) -> ObjectState:
        """Compare, write if need be, judge. `create` makes objects whose start or role fields belong to the moves;
        `rights` bound what is written."""
        ref = ref_of(item.manifest)
        live: Manifest | None = None
        try:
            live = self._caches.live(item.manifest, timeout=READ_TIMEOUT)
            failure = self._failures.get(ref)
            if failure and failure.manifest is item.manifest and self._clock.monotonic() < failure.again:
                return self._judged(item, ref, live, role, error=failure.error)
            written = self._write(item.manifest, ref, live, create, rights)
        except ClusterError as error:
            return self._judged(item, ref, live, role, error=self._failed(ref, item.manifest, error))
        live = live if written is None else written
        return self._judged(item, ref, live, role, written=written is not None)

    def _judged(
        self, item: SiteManifest, ref: Ref, live: Manifest | None, role: Role, *, written: bool = False, error: str = ""
    ) -> ObjectState:
        """What became of the object. Where its health cannot be told, that is this object's error and nobody else's."""
        try:
            health = self.judge(live, role)
        except ClusterError as unknown:
            return ObjectState(item, ref, live, None, written, error or f"its health cannot be told: {unknown}")
        return ObjectState(item, ref, live, health, written, error, self._contests.said(ref))

    def judge(self, live: Manifest | None, role: Role) -> Health | None:
        """The health of a live object in a role; None where it is not there."""
        if live is None:
            return None
        instance = None
        if live["kind"] == "VirtualMachine":
            metadata = live["metadata"]
            named = {"metadata": {"namespace": metadata["namespace"], "name": metadata["name"]}}
            instance = self._caches.live(named | INSTANCE, timeout=READ_TIMEOUT)
        return judge(live, role=role, now=self._cluster.server_time(), instance=instance)

    def forget(self, refs: frozenset[Ref]) -> None:
        """Drop what is remembered of objects that are no longer desired."""
        self._contests.forget(refs)
        with self._lock:
            for ref in refs:
                self._as_desired.pop(ref, None)
                self._failures.pop(ref, None)

    def _write(
        self, manifest: Manifest, ref: Ref, live: Manifest | None, create: Create | None, rights: Rights | None
    ) -> Manifest | None:
        """Write the object if it differs; returns what the server answered, None where nothing had to be written."""
        if rights is not None and not self._is_as_desired(ref, manifest, live):
            self._check(manifest, live, rights)
        created = live is None and create is not None and bool(owned_fields(manifest))
        if created and create is not None:
            live = create(manifest)
        elif self._is_as_desired(ref, manifest, live):
            return None
        desired = manifest if create is None else without_owned_fields(manifest)
        live = None if live is None else self._adopt(live, moves=create is not None)
        # What was just created is applied as well: only then does the generic apply own just what Git says.
        if live is not None and not created:
            change = diff(desired, live, manager=APPLY_MANAGER)
            if change.verdict is Verdict.UNCHANGED:
                self._contests.settled(ref)
                self._remember(ref, manifest, live)
                return None
            was_as_desired = ref in self._as_desired and self._as_desired[ref][0] == manifest
            if was_as_desired and not self._contests.turn(ref, manifest, live, change):
                return None
        written = self._cluster.apply(desired, manager=APPLY_MANAGER)
        self._caches.absorb(written)
        self._remember(ref, manifest, written)
        return written

    def _remember(self, ref: Ref, manifest: Manifest, live: Manifest) -> None:
        """The object is as the manifest says, as long as it has this resourceVersion."""
        with self._lock:
            self._as_desired[ref] = (manifest, live["metadata"]["resourceVersion"])
            self._failures.pop(ref, None)

    def _is_as_desired(self, ref: Ref, manifest: Manifest, live: Manifest | None) -> bool:
        """Whether just this was found to be as it should."""
        return live is not None and self._as_desired.get(ref) == (manifest, live["metadata"]["resourceVersion"])

    def _check(self, manifest: Manifest, live: Manifest | None, rights: Rights) -> None:
        """Raise `Refused` for what the application may not write, by what the cluster says of it."""
        resource = self._cluster.discovery.find(manifest["apiVersion"], manifest["kind"])
        if not resource.namespaced and not allows(rights.contents, group_of(manifest["apiVersion"]), manifest["kind"]):
            raise Refused(f"{ref_of(manifest)} is cluster-scoped, and spec.contents.clusterKinds does not allow it")
        if live is not None:
            refuse_other_managers(manifest, live, rights)

    def refuse_foreign_workloads(self, items: Iterable[SiteManifest], rights: Rights) -> None:
        """Raise `Refused` for the first object with a start field that somebody else manages: a move would stop it."""
        for item in items:
            if owned_fields(item.manifest):
                live = self._caches.live(item.manifest, timeout=READ_TIMEOUT)
                if live is not None:
                    refuse_other_managers(item.manifest, live, rights)

    def _adopt(self, live: Manifest, *, moves: bool) -> Manifest:
        """Take over the fields of who managed the object before; returns it as it is then."""
        owners = taken_over(live, moves=moves)
        if owners is None:
            return live
        metadata = live["metadata"]
        place = (live["apiVersion"], live["kind"], metadata.get("namespace"), metadata["name"])
        body = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
            {"op": "replace", "path": "/metadata/managedFields", "value": owners},
        ]
        return self._cluster.patch(*place, body, manager=APPLY_MANAGER, content_type=JSON_PATCH)

    def _failed(self, ref: Ref, manifest: Manifest, error: ClusterError) -> str:
        what = f"{ref.kind} is not known to this cluster yet" if isinstance(error, NotFound) else str(error)
        with self._lock:
            before = self._failures.get(ref)
            pause = FIRST_RETRY
            if before is not None and before.manifest is manifest:
                pause = min(before.pause * 2, LAST_RETRY)
            self._failures[ref] = _Failure(manifest, self._clock.monotonic() + pause, pause, what)
        return what
