"""The effects of a decision, one function each. Every one is idempotent, and says whether it wrote anything."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reconciler.clock import Clock
from reconciler.drivers import RoleObject, driver_of
from reconciler.errors import Conflict, NotFound, SiteshiftError
from reconciler.failover.admission import permits
from reconciler.failover.admission.policies import NONCE_ANNOTATION
from reconciler.failover.execute.fenced_writer import VOIDED_ANNOTATION, Change, Entry
from reconciler.failover.execute.memory import Memory, Task
from reconciler.failover.execute.observe import version_of
from reconciler.failover.protocol.decisions import (
    CloseGate,
    Effect,
    EnsurePrimary,
    EnsureSecondary,
    FinalSync,
    InstallGate,
    OpenPermit,
    Stop,
    VoidOlderVersions,
)
from reconciler.objects import Manifest, Ref
from reconciler.starts.fields import START_FIELDS, is_stopped, start_value

if TYPE_CHECKING:
    from reconciler.cluster import Cluster
    from reconciler.failover.execute.publisher import Publisher


class PendingError(SiteshiftError):
    """An effect is under way: what comes after it waits for the next pass."""


class Effects:
    """Carries out effects for all applications of a site. The nonce of promotions (P18) is new in each process."""

    def __init__(self, cluster: Cluster, publisher: Publisher, clock: Clock) -> None:
        self._cluster = cluster
        self._publisher = publisher
        self._clock = clock
        self._nonce = secrets.token_hex(8)
        self._table: Mapping[type, Callable[[Memory, Entry, Task, Any], bool]] = {
            InstallGate: self._install_gate,
            CloseGate: self._close_gate,
            OpenPermit: self._open_permit,
            Stop: self._stop,
            VoidOlderVersions: self._void,
            EnsurePrimary: self._ensure_primary,
            FinalSync: self._final_sync,
            EnsureSecondary: self._ensure_secondary,
        }

    def do(self, memory: Memory, entry: Entry, task: Task, effect: Effect) -> bool:
        """Carry one effect out. Conflict: somebody else wrote, read again. PendingError: not finished."""
        return self._table[type(effect)](memory, entry, task, effect)

    def _install_gate(self, memory: Memory, entry: Entry, task: Task, effect: InstallGate) -> bool:
        del effect
        memory.keeper.install(entry, task.namespaces)
        return True

    def _close_gate(self, memory: Memory, entry: Entry, task: Task, effect: CloseGate) -> bool:
        del task, effect
        memory.closed_since = None
        return memory.keeper.change(entry, permits.closed)

    def _open_permit(self, memory: Memory, entry: Entry, task: Task, effect: OpenPermit) -> bool:
        del effect
        accepted, end = self.lease_times(task)
        memory.closed_since = None
        return memory.keeper.change(
            entry, lambda data, now: permits.opened(data, now, task.fleet.permit, end, accepted)
        )

    def renew(self, memory: Memory, entry: Entry, task: Task) -> bool:
        """Make a valid permit longer, once a quarter of it is over."""
        accepted, end = self.lease_times(task)
        length = task.fleet.permit

        def change(data: dict[str, str], now: float) -> dict[str, str] | None:
            if permits.permit_of(data).until - now > length * (1 - 1 / permits.RENEWALS):
                return None
            return permits.renewed(data, now, length, end, accepted)

        return memory.keeper.change(entry, change)

    def lease_times(self, task: Task) -> tuple[float | None, float | None]:
        """When a push was last accepted, and when the lease ends, by the API server's clock; Nones without a lease."""
        lease, accepted_at = task.application.lease, self._publisher.accepted_at
        if lease is None:
            return None, None
        if accepted_at is None:
            return None, float("-inf")
        accepted = self._cluster.server_time() - (self._clock.monotonic() - accepted_at)
        return accepted, accepted + lease.time

    def _stop(self, memory: Memory, entry: Entry, task: Task, effect: Stop) -> bool:
        del task

        def stopped(found: Manifest) -> Mapping[str, Any] | None:
            owned = START_FIELDS[(effect_ref.group, effect_ref.kind)]
            if start_value(found) == owned.stopped:
                return None
            older = {owned.older: None} if owned.older in found.get("spec", {}) else {}
            return {"spec": {owned.name: owned.stopped, **older}}

        wrote = False
        for effect_ref in effect.refs:
            wrote = self.change(memory, entry, effect_ref, stopped) or wrote
        return wrote

    def change(self, memory: Memory, entry: Entry, ref: Ref, change: Change) -> bool:
        """A guarded write to an object with a start field; one that is gone needs none."""
        try:
            return memory.hand.change(entry, version_of(ref), ref.kind, ref.namespace, ref.name, change)
        except NotFound:
            return False

    def _void(self, memory: Memory, entry: Entry, task: Task, effect: VoidOlderVersions) -> bool:
        """Every object is looked at once more as it is written: one that would start, or is primary, ends it."""
        del effect
        # The process is part of the mark: a predecessor's mark under the same entry must not make this a write of
        # nothing, which would leave the version as it was.
        mark = {"annotations": {VOIDED_ANNOTATION: f"{entry.journal.epoch}.{entry.journal.sequence}.{self._nonce}"}}

        def void_start(found: Manifest) -> Mapping[str, Any]:
            if not is_stopped(found):
                raise Conflict(f"{found['kind']} {found['metadata']['name']} would start again")
            return {"metadata": mark}

        driver = driver_of(task.application.replication.driver)
        role_field, primary = next(iter(driver.primary().items()), ("", None))

        def void_role(found: Manifest) -> Mapping[str, Any]:
            if found.get("spec", {}).get(role_field) == primary:
                raise Conflict(f"{found['kind']} {found['metadata']['name']} was told to be primary")
            return {"metadata": mark, "spec": driver.secondary(discard_local=False)}

        objects = memory.reading.observation.objects if memory.reading else ()
        for each in objects:
            if not each.standby:
                self.change(memory, entry, each.ref, void_start)
        for role in driver.role_objects(task.application):
            self._change_role(memory, entry, role, void_role)
        memory.keeper.void(entry, mark["annotations"][VOIDED_ANNOTATION])
        memory.voided_under = entry.journal.sequence
        return True

    def _change_role(self, memory: Memory, entry: Entry, role: RoleObject, change: Change) -> bool:
        try:
            return memory.hand.change(entry, role.api_version, role.kind, role.namespace, role.name, change)
        except NotFound:
            return False

    def _ensure_primary(self, memory: Memory, entry: Entry, task: Task, effect: EnsurePrimary) -> bool:
        if self._clock.monotonic() > effect.by:
            return False
        driver = driver_of(task.application.replication.driver)
        nonce = f"{self._nonce}-{effect.epoch}"

        def primary(found: Manifest) -> Mapping[str, Any] | None:
            wanted = driver.primary()
            spec = found.get("spec", {})
            if all(spec.get(name) == value for name, value in wanted.items()):
                return None
            return {"metadata": {"annotations": {NONCE_ANNOTATION: nonce}}, "spec": wanted}

        length = task.fleet.freshness
        wrote = False
        for role in driver.role_objects(task.application):
            try:
                found = self._cluster.get(role.api_version, role.kind, role.namespace, role.name)
            except NotFound:
                raise PendingError(f"{role.kind} {role.namespace}/{role.name} is not there yet") from None
            if primary(found) is not None:
                memory.keeper.change(entry, lambda data, now: permits.promotion(data, now, length, nonce))
                wrote = self._change_role(memory, entry, role, primary) or wrote
        return wrote

    def _final_sync(self, memory: Memory, entry: Entry, task: Task, effect: FinalSync) -> bool:
        del entry, effect
        driver = driver_of(task.application.replication.driver)
        if memory.reading is None or not driver.shipped(memory.reading.replica):
            raise PendingError(f"{task.application.name}: what was written last is being shipped")
        return False

    def _ensure_secondary(self, memory: Memory, entry: Entry, task: Task, effect: EnsureSecondary) -> bool:
        driver = driver_of(task.application.replication.driver)
        wanted = driver.secondary(effect.discard_local)

        def secondary(found: Manifest) -> Mapping[str, Any] | None:
            spec = found.get("spec", {})
            return None if all(spec.get(name) == value for name, value in wanted.items()) else {"spec": wanted}

        wrote = False
        for role in driver.role_objects(task.application):
            wrote = self._change_role(memory, entry, role, secondary) or wrote
        return wrote
