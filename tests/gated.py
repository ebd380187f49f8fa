"""An application under the gates at a real or an embedded API server, and the objects that people try to create."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from reconciler.cluster import Cluster
from reconciler.errors import Refused
from reconciler.failover.admission import permits, policies
from reconciler.failover.execute.admission_gate import AdmissionGate
from reconciler.failover.execute.fenced_writer import FencedWriter
from reconciler.failover.execute.record import Record, Window
from reconciler.failover.protocol.values import Journal, Step
from reconciler.objects import APPLICATION_LABEL, MOVES_MANAGER

GROUP_VERSION = "replication.storage.openshift.io/v1alpha1"
Manifest = dict[str, Any]


class Gated:
    """An application whose gate is closed everywhere; its name is that of its only namespace."""

    def __init__(self, cluster: Cluster, place: str, eventually: Callable[[Callable[[], Any]], None]) -> None:
        self.cluster, self.place, self.eventually = cluster, place, eventually
        self.hand = FencedWriter(cluster, place)
        self.gate = AdmissionGate(cluster)
        self.record: Record = self.hand.records.write(self.hand.records.read(place), journal=Journal(sequence=1))
        self.gate.install(place, [place])
        eventually(lambda: self.is_closed() and self._role_is_gated())

    def is_closed(self) -> bool:
        return self.gate.probe(self.place, [self.place]).closed

    def _role_is_gated(self) -> bool:
        kinds = ("VolumeReplication", "VolumeGroupReplication")
        replicas = [self.replication("primary", kind=kind) for kind in kinds]
        return all(refusal(partial(self.create, each, dry_run=True)) for each in replicas)

    def create(self, manifest: Manifest, *, by: Cluster | None = None, **options: Any) -> None:
        (by or self.cluster).create(manifest, manager=options.pop("manager", "person"), **options)

    def window(self, window: Window) -> None:
        self.record = self.hand.records.write(self.record, window=window)

    def enter(self, **journal: Any) -> None:
        assert self.record.journal is not None
        entry = Journal(sequence=self.record.journal.sequence + 1, **journal)
        self.record = self.hand.records.write(self.record, journal=entry)

    def open(self, length: float = 60) -> None:
        self.enter(step=Step.ACTIVE)
        self.window(lambda data, now: permits.opened(data, now, length))
        self.eventually(lambda: not self.is_closed())

    def close(self) -> None:
        self.window(lambda data, now: permits.closed(data))
        self.eventually(self.is_closed)

    def pod(
        self,
        name: str,
        labels: dict[str, str] | None = None,
        volume: Manifest | None = None,
        annotations: dict[str, str] | None = None,
    ) -> Manifest:
        metadata = {
            "name": name,
            "namespace": self.place,
            "labels": {APPLICATION_LABEL: self.place} if labels is None else labels,
            "annotations": annotations or {},
        }
        volumes = [] if volume is None else [{"name": "data", **volume}]
        containers = [{"name": "main", "image": "example"}]
        spec = {"containers": containers, "volumes": volumes}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}

    def instance(self, name: str, labels: dict[str, str] | None = None) -> Manifest:
        metadata = {"name": name, "namespace": self.place, "labels": labels or {APPLICATION_LABEL: self.place}}
        return {
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachineInstance",
            "metadata": metadata,
            "spec": {"volumes": [{"name": "disk", "persistentVolumeClaim": {"claimName": "data"}}]},
        }

    def replication(
        self, state: str, *, resync: bool = False, nonce: str | None = None, kind: str = "VolumeReplication"
    ) -> Manifest:
        annotations = {} if nonce is None else {policies.NONCE_ANNOTATION: nonce}
        metadata = {"name": "data", "namespace": self.place, "annotations": annotations}
        spec = {"replicationState": state, "autoResync": resync}
        return {"apiVersion": GROUP_VERSION, "kind": kind, "metadata": metadata, "spec": spec}

    def write_role(self, spec: Manifest, *, nonce: str | None = None, manager: str = "person") -> None:
        metadata = {} if nonce is None else {"metadata": {"annotations": {policies.NONCE_ANNOTATION: nonce}}}
        body = {**metadata, "spec": spec}
        self.cluster.patch(GROUP_VERSION, "VolumeReplication", self.place, "data", body, manager=manager)

    def promote(self, nonce: str, manager: str = MOVES_MANAGER) -> None:
        self.write_role({"replicationState": "primary", "autoResync": False}, nonce=nonce, manager=manager)

    def role(self) -> Manifest:
        spec: Manifest = self.cluster.get(GROUP_VERSION, "VolumeReplication", self.place, "data")["spec"]
        return spec


def refusal(act: Callable[[], Any]) -> str | None:
    """Why it was refused; None where it was not."""
    try:
        act()
    except Refused as error:
        return str(error)
    return None
