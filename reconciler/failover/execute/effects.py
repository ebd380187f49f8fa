"""The effects of a decision, one function each. Every one is idempotent, and says whether it wrote anything."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.clock import Clock
from reconciler.drivers import RoleObject, driver_of
from reconciler.errors import NotFound, SiteshiftError
from reconciler.failover.admission import permits
from reconciler.failover.admission.policies import NONCE_ANNOTATION
from reconciler.failover.execute.admission_gate import AdmissionGate
from reconciler.failover.execute.definition import role_objects, start_object
from reconciler.failover.execute.fenced_writer import FencedWriter
from reconciler.failover.execute.memory import Memory, Task
from reconciler.failover.execute.observe import version_of
from reconciler.failover.execute.record import Record, Records
from reconciler.failover.protocol.card import CardObject
from reconciler.failover.protocol.decisions import (
    Effect,
    EnsurePrimary,
    EnsureSecondary,
    FinalSync,
    InstallGate,
    Stop,
    VoidOlderVersions,
)
from reconciler.objects import Manifest

if TYPE_CHECKING:
    from reconciler.cluster import Cluster


class PendingError(SiteshiftError):
    """An effect is under way: what comes after it waits for the next pass."""


@dataclass(frozen=True, slots=True)
class Doing:
    """What an effect acts on: the application's memory, its task, and the record under which it is done."""

    memory: Memory
    task: Task
    record: Record


class Effects:
    """Carries out effects for all applications of a site. The nonce of promotions (P18) is new in each process."""

    def __init__(self, cluster: Cluster, clock: Clock) -> None:
        self._cluster = cluster
        self._clock = clock
        self._records = Records(cluster)
        self._gate = AdmissionGate(cluster)
        self._nonce = secrets.token_hex(8)
        self._table: Mapping[type, Callable[[Doing, Any], bool]] = {
            InstallGate: self._install_gate,
            Stop: self._stop,
            VoidOlderVersions: self._void,
            EnsurePrimary: self._ensure_primary,
            FinalSync: self._final_sync,
            EnsureSecondary: self._ensure_secondary,
        }

    def do(self, doing: Doing, effect: Effect) -> bool:
        """Carry one effect out. Conflict: somebody else wrote, read again. PendingError: not finished."""
        return self._table[type(effect)](doing, effect)

    def writer(self, application: str) -> FencedWriter:
        """Fenced writes for one application."""
        return FencedWriter(self._cluster, application)

    def _install_gate(self, doing: Doing, effect: InstallGate) -> bool:
        del effect
        return bool(self._gate.install(doing.task.application.name, doing.task.definition.namespaces))

    def _stop(self, doing: Doing, effect: Stop) -> bool:
        writer, wrote = self.writer(doing.record.application), False
        for ref in effect.refs:
            wrote = writer.make_safe(doing.record, start_object(ref, version_of(ref))) or wrote
        return wrote

    def _void(self, doing: Doing, effect: VoidOlderVersions) -> bool:
        """Every object is looked at once more as it is written: one that would start, or is primary, ends it."""
        del effect
        journal = doing.record.journal
        assert journal is not None
        # The process is part of the mark: a predecessor's mark under the same entry must not make this a write of
        # nothing, which would leave the version as it was.
        mark = f"{journal.epoch}.{journal.sequence}.{self._nonce}"
        readings = doing.memory.readings
        objects = readings[-1].observation.objects if readings else ()
        starts = [start_object(each.ref, version_of(each.ref)) for each in objects if not each.standby]
        roles = role_objects(doing.task.application)
        writer = self.writer(doing.record.application)
        self._secondary(writer, doing, roles)
        doing.memory.record = writer.void(doing.record, mark, starts, roles)
        doing.memory.voided_under = journal.sequence
        return True

    def _ensure_primary(self, doing: Doing, effect: EnsurePrimary) -> bool:
        if self._clock.monotonic() > effect.by:
            return False
        application = doing.task.application
        driver = driver_of(application.replication.driver)
        wanted = driver.primary()
        nonce = f"{self._nonce}-{effect.epoch}"
        missing = [each for each in driver.role_objects(application) if self._differs(each, wanted)]
        if not missing:
            return False
        record = self._records.write(
            doing.record, window=lambda data, now: permits.promotion(data, now, effect.until, nonce)
        )
        doing.memory.record = record

        def primary(found: Manifest) -> Mapping[str, Any] | None:
            spec = found.get("spec", {})
            if all(spec.get(name) == value for name, value in wanted.items()):
                return None
            return {"metadata": {"annotations": {NONCE_ANNOTATION: nonce}}, "spec": wanted}

        writer, wrote = self.writer(application.name), False
        for each in missing:
            wrote = writer.change(record, each.api_version, each.kind, each.namespace, each.name, primary) or wrote
        return wrote

    def _differs(self, role: RoleObject, wanted: Mapping[str, Any]) -> bool:
        try:
            found = self._cluster.get(role.api_version, role.kind, role.namespace, role.name)
        except NotFound:
            raise PendingError(f"{role} is not there yet") from None
        return any(found.get("spec", {}).get(name) != value for name, value in wanted.items())

    def _final_sync(self, doing: Doing, effect: FinalSync) -> bool:
        del effect
        driver = driver_of(doing.task.application.replication.driver)
        readings = doing.memory.readings
        if not readings or not driver.shipped(readings[-1].replica):
            raise PendingError(f"{doing.record.application}: what was written last is being shipped")
        return False

    def _ensure_secondary(self, doing: Doing, effect: EnsureSecondary) -> bool:
        application = doing.task.application
        wanted = driver_of(application.replication.driver).secondary(effect.discard_local)
        writer = self.writer(application.name)

        def secondary(found: Manifest) -> Mapping[str, Any] | None:
            spec = found.get("spec", {})
            return None if all(spec.get(name) == value for name, value in wanted.items()) else {"spec": wanted}

        return self._change_roles(writer, doing, role_objects(application), secondary)

    def _secondary(self, writer: FencedWriter, doing: Doing, roles: tuple[CardObject, ...]) -> None:
        """The plain role before the mark: a replica that was let be overwritten is so no longer."""
        for each in roles:
            writer.make_safe(doing.record, each)

    def _change_roles(
        self,
        writer: FencedWriter,
        doing: Doing,
        roles: tuple[CardObject, ...],
        change: Callable[[Manifest], Mapping[str, Any] | None],
    ) -> bool:
        wrote = False
        for each in roles:
            ref = each.ref
            try:
                wrote = (
                    writer.change(doing.record, each.api_version, ref.kind, ref.namespace, ref.name, change) or wrote
                )
            except NotFound:
                continue
        return wrote
