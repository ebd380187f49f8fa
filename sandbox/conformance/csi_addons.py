"""csi-addons in the kit: a group, its inner VolumeReplication, and a volume of its own, as csi-addons reports them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from reconciler.drivers import Driver, driver_of
from reconciler.fleet.model import Application, Group, Placement, Replication
from sandbox.conformance.array import Array, Copy
from sandbox.conformance.storage import Manifest, Report

API_VERSION = "replication.storage.openshift.io/v1alpha1"
NAMESPACE = "bank"


class CsiAddonsStorage:
    """Driver `csi-addons`."""

    def __init__(self) -> None:
        self.driver: Driver = driver_of("csi-addons")
        groups = (
            Group("VolumeGroupReplication", "group", NAMESPACE),
            Group("VolumeReplication", "single", NAMESPACE),
        )
        placement = Placement("a", 1, "planned", "placement.yaml")
        replication = Replication("csi-addons", groups, 60.0)
        self.application = Application("x", "apps/x", ("a", "b"), "a", placement, replication=replication)

    def objects(self, array: Array, site: str, report: Report) -> list[Manifest]:
        """The group and the two replications."""
        copy = array.copies[site]
        if copy.told is None:
            return []
        spec = self.driver.primary() if copy.told else self.driver.secondary(copy.discard)
        status = _status(array, site, copy, report)
        inner = {"volumeReplicationName": "inner"}
        return [
            _object("VolumeGroupReplication", "group", spec | inner, status, copy, report),
            _object("VolumeReplication", "inner", spec, status, copy, report),
            _object("VolumeReplication", "single", spec, status, copy, report),
        ]


def _object(kind: str, name: str, spec: Any, status: Any, copy: Copy, report: Report) -> Manifest:
    metadata: Manifest = {"name": name, "namespace": NAMESPACE, "generation": copy.generation}
    if report.deleting:
        metadata["deletionTimestamp"] = "2026-11-22T08:00:00Z"
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec, "status": status}


def _status(array: Array, site: str, copy: Copy, report: Report) -> Manifest:
    """F2: `observedGeneration` of the whole is set on failures too; only the conditions' own counts."""
    observed = copy.generation - 1 if report.stale else copy.done
    role = ("Primary", "Promoted") if copy.primary else ("Secondary", "Demoted")
    conditions = [("Completed", "True", role[1], observed)]
    if copy.failed:
        wanted = "FailedToPromote" if copy.told else "FailedToDemote"
        conditions = [("Completed", "False", wanted, copy.generation)]
    if copy.primary:
        broken = array.faults.link_cut
        conditions += [("Replicating", str(not broken), "Replicating", observed)]
        conditions += [("Degraded", str(broken), "Degraded", observed)]
    else:
        resyncs = copy.discard and array.is_diverged(site)
        conditions += [("Degraded", str(not array.follows(site)), "Degraded", observed)]
        conditions += [("Resyncing", str(resyncs), "Resyncing", observed)]
    listed = [
        {"type": kind, "status": status, "reason": reason, "observedGeneration": at}
        for kind, status, reason, at in conditions
    ]
    status: Manifest = {"state": report.state or role[0], "observedGeneration": copy.generation, "conditions": listed}
    if copy.primary and copy.synced_at is not None:
        moment = datetime.fromtimestamp(copy.synced_at + report.ahead, UTC)
        status["lastSyncTime"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return status
