"""A stop as it is carried out: starts first, the highest run level first; replicas only once nothing runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.cluster import Cluster
from reconciler.errors import Conflict
from reconciler.failover.admission import permits
from reconciler.failover.execute.record import Records
from reconciler.failover.guard.stopping import Stopped, close_regardless, halt, in_order, stop, stopping
from reconciler.failover.protocol.card import CardObject, StopCard
from reconciler.failover.protocol.values import Journal, Lapse, Step, StopOrder
from reconciler.objects import STANDBY_LABEL, Ref

GROUP, GROUP_VERSION = "replication.storage.openshift.io", "replication.storage.openshift.io/v1alpha1"
SECONDARY = {"replicationState": "secondary", "autoResync": False}
Manifest = dict[str, Any]


class Running:
    """An application with a machine that runs and a replica that is primary."""

    def __init__(self, cluster: Cluster, place: str) -> None:
        self.cluster, self.place = cluster, place
        metadata = {"name": "db", "namespace": place}
        self.machine = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": metadata}
        self.instance = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "metadata": metadata}
        replica = {"apiVersion": GROUP_VERSION, "kind": "VolumeReplication", "metadata": metadata}
        cluster.create(self.machine | {"spec": {"runStrategy": "Always"}}, manager="test")
        cluster.create(replica | {"spec": {"replicationState": "primary", "autoResync": False}}, manager="test")
        start = CardObject(
            Ref("kubevirt.io", "VirtualMachine", place, "db"), "kubevirt.io/v1", {"runStrategy": "Halted"}
        )
        role = CardObject(Ref(GROUP, "VolumeReplication", place, "db"), GROUP_VERSION, SECONDARY)
        self.card = StopCard(place, (place,), (start,), (role,), "csi-addons")
        self.records = Records(cluster)
        self.record = self.records.write(
            self.records.read(place),
            journal=Journal(sequence=1, step=Step.ACTIVE),
            card=self.card,
            window=lambda data, now: permits.opened(data, now, 60),
        )

    def told(self, kind: str) -> Any:
        found = self.cluster.get(
            GROUP_VERSION if kind == "VolumeReplication" else "kubevirt.io/v1", kind, self.place, "db"
        )
        return found["spec"].get("replicationState") or found["spec"].get("runStrategy")

    def stop(self, **options: Any) -> Stopped:
        return stop(self.cluster, self.record, self.card, **({"roles": True} | options))


@pytest.fixture
def running(cluster: Cluster, place: str) -> Running:
    return Running(cluster, place)


def test_closed_and_journaled_in_one_write_then_stopped_then_secondary(running: Running) -> None:
    running.record = halt(running.records, running.record, "Lease", 9.0)
    assert running.record.permit.closed
    assert running.record.journal == Journal(sequence=2, step=Step.STOPPING, stopped_for="Lease", since=9.0)
    result = running.stop()
    assert [each.partition(" ")[0] for each in result.written] == ["VirtualMachine", "VolumeReplication"]
    assert (result.failed, result.runs) == ((), False)
    assert (running.told("VirtualMachine"), running.told("VolumeReplication")) == ("Halted", "secondary")
    assert running.stop() == Stopped(runs=False), "once is enough"


def test_while_something_runs_the_replica_stays_primary(running: Running) -> None:
    running.cluster.create(running.instance | {"spec": {}, "status": {"phase": "Running"}}, manager="test")
    assert running.stop().runs is True
    assert (running.told("VirtualMachine"), running.told("VolumeReplication")) == ("Halted", "primary")


@pytest.mark.parametrize("ended", ["succeeded", "stands by"])
def test_what_has_ended_or_stands_by_keeps_no_replica_primary(running: Running, ended: str) -> None:
    labels = {STANDBY_LABEL: ""} if ended == "stands by" else {}
    phase = "Succeeded" if ended == "succeeded" else "Running"
    instance = running.instance | {"metadata": running.instance["metadata"] | {"labels": labels}}
    running.cluster.create(instance | {"spec": {}, "status": {"phase": phase}}, manager="test")
    running.stop()
    assert running.told("VolumeReplication") == "secondary"


def test_a_role_that_people_consented_to_is_left(running: Running) -> None:
    running.stop(roles=False)
    assert (running.told("VirtualMachine"), running.told("VolumeReplication")) == ("Halted", "primary")


def test_an_entry_of_somebody_else_ends_it_before_it_writes(running: Running) -> None:
    running.records.write(running.record, journal=Journal(sequence=2, step=Step.STARTING))
    with pytest.raises(Conflict):
        running.stop()
    assert running.told("VirtualMachine") == "Always"


def test_without_an_entry_it_stops_all_the_same(running: Running) -> None:
    running.cluster.delete("v1", "ConfigMap", "siteshift-system", permits.name_of(running.place))
    result = stop(running.cluster, None, running.card, roles=True)
    assert (result.failed, running.told("VirtualMachine")) == ((), "Halted")


def test_a_gate_is_closed_whatever_stands_in_its_record(running: Running) -> None:
    name = permits.name_of(running.place)
    body = {"data": {"journal.json": "?", "card.json": "?", "nonce": "n1"}}
    running.cluster.patch("v1", "ConfigMap", "siteshift-system", name, body, manager="somebody")
    close_regardless(running.cluster, running.place)
    found = running.records.read(running.place)
    assert found.permit.closed
    assert (found.data[permits.PRIMARY], found.data.get(permits.NONCE)) == ("false", None)


ORDER = StopOrder("c2", 2, "b")


@pytest.mark.parametrize("step", list(Step))
def test_a_stop_turns_only_what_is_not_stopping_yet_into_stopping(step: Step) -> None:
    before = Journal(sequence=7, step=step, since=3.0, role="active", lapse=Lapse(1, 1))
    card = StopCard("ledger", (), (), (), "none", stop_orders=(ORDER,))
    after = stopping(before, card, "Lease", 9.0)
    interrupted = step in (Step.PROMOTING, Step.STARTING, Step.ACTIVE)
    assert after == replace(
        before,
        sequence=8,
        step=Step.STOPPING if interrupted else step,
        since=9.0 if interrupted else 3.0,
        stopped_for="Lease",
        stop_orders=(ORDER,),
        lapse=None,
    )


def test_the_highest_run_level_stops_first_and_what_stands_by_does_not() -> None:
    def each(name: str, run_level: str, standby: bool = False) -> CardObject:
        return CardObject(Ref("apps", "Deployment", "bank", name), "apps/v1", {}, run_level, standby)

    objects = (each("a", "10"), each("b", "run-level-50"), each("c", "9"), each("d", "50", True), each("e", ""))
    assert [found.ref.name for found in in_order(objects)] == ["b", "a", "c", "e"]
