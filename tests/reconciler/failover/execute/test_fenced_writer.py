"""P10 at its smallest: no write of the moves lands under an entry that is not the newest, or over a newer version."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.cluster import Cluster
from reconciler.errors import Conflict
from reconciler.failover.admission import permits
from reconciler.failover.execute.fenced_writer import VOIDED_ANNOTATION, FencedWriter, handed_over
from reconciler.failover.execute.record import Record
from reconciler.failover.protocol.card import CardObject
from reconciler.failover.protocol.values import Journal, Step
from reconciler.objects import MOVES_MANAGER, Ref

GROUP_VERSION = "replication.storage.openshift.io/v1alpha1"
Manifest = dict[str, Any]


class Hand:
    """An application with one machine that runs and one replica, and its writer."""

    def __init__(self, cluster: Cluster, place: str) -> None:
        self.cluster, self.place = cluster, place
        self.writer = FencedWriter(cluster, place)
        self.records = self.writer.records
        metadata = {"name": "db", "namespace": place}
        machine = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": metadata}
        replica = {"apiVersion": GROUP_VERSION, "kind": "VolumeReplication", "metadata": metadata}
        cluster.create(machine | {"spec": {"runStrategy": "Always"}}, manager="test")
        cluster.create(replica | {"spec": {"replicationState": "primary", "autoResync": False}}, manager="test")
        self.machine = CardObject(
            Ref("kubevirt.io", "VirtualMachine", place, "db"), "kubevirt.io/v1", {"runStrategy": "Halted"}
        )
        self.replica = CardObject(
            Ref("replication.storage.openshift.io", "VolumeReplication", place, "db"),
            GROUP_VERSION,
            {"replicationState": "secondary", "autoResync": False},
        )
        self.record = self.records.write(self.records.read(place), journal=Journal(sequence=1))

    def found(self, each: CardObject) -> Manifest:
        return self.cluster.get(each.api_version, each.ref.kind, each.ref.namespace, each.ref.name)

    def enter(self, record: Record, **journal: Any) -> Record:
        assert record.journal is not None
        return self.records.write(record, journal=Journal(sequence=record.journal.sequence + 1, **journal))


@pytest.fixture
def hand(cluster: Cluster, place: str) -> Hand:
    return Hand(cluster, place)


def test_a_safe_value_is_written_once(hand: Hand) -> None:
    assert hand.writer.make_safe(hand.record, hand.machine)
    assert hand.found(hand.machine)["spec"] == {"runStrategy": "Halted"}
    before = hand.found(hand.machine)
    assert not hand.writer.make_safe(hand.record, hand.machine)
    assert hand.found(hand.machine) == before


def test_the_older_form_of_a_start_field_is_taken_out(hand: Hand) -> None:
    body = {"spec": {"runStrategy": None, "running": True}}
    hand.cluster.patch("kubevirt.io/v1", "VirtualMachine", hand.place, "db", body, manager="person")
    assert hand.writer.make_safe(hand.record, hand.machine)
    assert hand.found(hand.machine)["spec"] == {"runStrategy": "Halted"}


def test_what_is_not_there_needs_no_write(hand: Hand) -> None:
    gone = CardObject(Ref("kubevirt.io", "VirtualMachine", hand.place, "gone"), "kubevirt.io/v1", {"x": 1})
    assert not hand.writer.make_safe(hand.record, gone)


def test_nothing_is_written_under_an_older_entry(hand: Hand) -> None:
    hand.enter(hand.record, step=Step.ACTIVE)
    with pytest.raises(Conflict, match="another entry"):
        hand.writer.make_safe(hand.record, hand.machine)
    assert hand.found(hand.machine)["spec"]["runStrategy"] == "Always"


def test_a_renewal_of_the_permit_is_no_newer_entry(hand: Hand) -> None:
    active = hand.records.write(
        hand.record,
        journal=Journal(sequence=2, step=Step.ACTIVE),
        window=lambda data, now: permits.opened(data, now, 60),
    )
    later = {permits.UNTIL: "2999-01-01T00:00:00Z"}
    hand.records.write(active, window=lambda data, now: dict(data) | later)
    assert hand.writer.make_safe(active, hand.machine)


def test_a_write_that_was_paused_meets_the_mark_of_its_successor(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = hand.writer.holds

    def then_a_successor_comes(record: Record) -> None:
        looked(record)
        monkeypatch.undo()
        successor = FencedWriter(hand.cluster, hand.place)
        entered = hand.enter(record, step=Step.STOPPING)
        successor.make_safe(entered, hand.machine)
        successor.make_safe(entered, hand.replica)
        successor.void(entered, "2.successor", [hand.machine], [hand.replica])

    monkeypatch.setattr(hand.writer, "holds", then_a_successor_comes)
    start = {"spec": {"runStrategy": "Always"}, "metadata": {"labels": {"late": "yes"}}}
    with pytest.raises(Conflict):
        hand.writer.change(hand.record, "kubevirt.io/v1", "VirtualMachine", hand.place, "db", lambda found: start)
    assert hand.found(hand.machine)["spec"]["runStrategy"] == "Halted"


def test_voiding_writes_once_to_every_object_and_to_the_record(hand: Hand) -> None:
    for each in (hand.machine, hand.replica):
        hand.writer.make_safe(hand.record, each)
    before = [hand.found(each)["metadata"]["resourceVersion"] for each in (hand.machine, hand.replica)]
    record = hand.writer.void(hand.record, "1.a", [hand.machine], [hand.replica])
    after = [hand.found(each) for each in (hand.machine, hand.replica)]
    assert [each["metadata"]["annotations"][VOIDED_ANNOTATION] for each in after] == ["1.a", "1.a"]
    assert all(each["metadata"]["resourceVersion"] != old for each, old in zip(after, before, strict=True))
    assert (record.version == hand.record.version, record.same_entry(hand.record)) == (False, True)


@pytest.mark.parametrize("left", ["machine", "replica", "permit"])
def test_nothing_is_voided_that_would_start_be_primary_or_open(hand: Hand, left: str) -> None:
    for name in {"machine", "replica"} - {left}:
        hand.writer.make_safe(hand.record, getattr(hand, name))
    if left == "permit":
        hand.record = hand.records.write(hand.record, window=lambda data, now: permits.opened(data, now, 60))
    with pytest.raises(Conflict):
        hand.writer.void(hand.record, "1.a", [hand.machine], [hand.replica])


def test_an_entry_that_cannot_be_read_still_fences(hand: Hand) -> None:
    name = permits.name_of(hand.place)
    hand.cluster.patch("v1", "ConfigMap", "siteshift-system", name, {"data": {"journal.json": "?"}}, manager="person")
    broken = hand.records.read(hand.place)
    assert hand.writer.make_safe(broken, hand.machine)
    hand.cluster.patch("v1", "ConfigMap", "siteshift-system", name, {"data": {"journal.json": "!"}}, manager="person")
    with pytest.raises(Conflict):
        hand.writer.make_safe(broken, hand.replica)


def test_of_a_created_object_the_moves_keep_their_own_fields_alone() -> None:
    whole = {"f:metadata": {"f:labels": {}}, "f:spec": {"f:runStrategy": {}, "f:template": {}}}
    created: Manifest = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"managedFields": [{"manager": MOVES_MANAGER, "operation": "Update", "fieldsV1": whole}]},
        "spec": {"runStrategy": "Halted", "template": {}},
    }
    assert handed_over(created) == [
        {"manager": MOVES_MANAGER, "operation": "Update", "fieldsV1": {"f:spec": {"f:runStrategy": {}}}},
        {
            "manager": "siteshift",
            "operation": "Apply",
            "fieldsV1": {"f:metadata": {"f:labels": {}}, "f:spec": {"f:template": {}}},
        },
    ]
    assert "f:runStrategy" in whole["f:spec"], "what was read is not changed"
