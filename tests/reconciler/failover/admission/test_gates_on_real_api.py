"""P7 and P18 as admission policies, tried through the very code that a controller uses."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.cluster import Cluster
from reconciler.errors import NotFound, Refused
from reconciler.failover.admission import permits, policies
from reconciler.failover.execute.admission_gate import AdmissionGate
from reconciler.failover.execute.fenced_writer import Entry, FencedWriter
from reconciler.failover.protocol.values import Journal
from reconciler.objects import APPLICATION_LABEL, MOVES_MANAGER, STANDBY_LABEL

GROUP_VERSION = "replication.storage.openshift.io/v1alpha1"


class Gated:
    """An application under the gates, with its gate closed everywhere."""

    def __init__(self, cluster: Cluster, place: str, eventually: Any) -> None:
        self.cluster, self.place, self.eventually = cluster, place, eventually
        self.hand = FencedWriter(cluster, place)
        self.keeper = AdmissionGate(self.hand, place)
        self.entry: Entry = self.hand.enter(Entry(Journal(), ""), Journal(sequence=1))
        self.keeper.install(self.entry, [place])
        eventually(lambda: self.is_closed() and self._label_is_asked_for() and self._role_is_gated())

    def is_closed(self) -> bool:
        answers = self.keeper.probe([self.place])
        return bool(answers) and all(answers.values())

    def _label_is_asked_for(self) -> bool:
        return refusal(lambda: self.create(self.pod("bare", labels={}), dry_run=True)) is not None

    def _role_is_gated(self) -> bool:
        return refusal(lambda: self.create(self.replication("primary"), dry_run=True)) is not None

    def create(self, manifest: dict[str, Any], **options: Any) -> None:
        self.cluster.create(manifest, manager=options.pop("manager", "person"), **options)

    def permit(self, change: Any) -> None:
        assert self.keeper.change(self.entry, change)

    def open(self, length: float = 60) -> None:
        self.permit(lambda data, now: permits.opened(data, now, length, None, None))
        self.eventually(lambda: not self.is_closed())

    def pod(self, name: str, labels: dict[str, str] | None = None, claim: bool = False) -> dict[str, Any]:
        volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}] if claim else []
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": self.place,
                "labels": {APPLICATION_LABEL: self.place} if labels is None else labels,
            },
            "spec": {"containers": [{"name": "main", "image": "example"}], "volumes": volumes},
        }

    def instance(self, name: str) -> dict[str, Any]:
        metadata = {"name": name, "namespace": self.place, "labels": {APPLICATION_LABEL: self.place}}
        return {
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachineInstance",
            "metadata": metadata,
            "spec": {"volumes": [{"name": "disk", "persistentVolumeClaim": {"claimName": "data"}}]},
        }

    def replication(self, state: str, nonce: str | None = None) -> dict[str, Any]:
        annotations = {} if nonce is None else {policies.NONCE_ANNOTATION: nonce}
        metadata = {"name": "data", "namespace": self.place, "labels": {APPLICATION_LABEL: self.place}}
        return {
            "apiVersion": GROUP_VERSION,
            "kind": "VolumeReplication",
            "metadata": metadata | ({"annotations": annotations} if annotations else {}),
            "spec": {"replicationState": state},
        }

    def promote(self, nonce: str, manager: str = MOVES_MANAGER) -> None:
        body = {
            "metadata": {"annotations": {policies.NONCE_ANNOTATION: nonce}},
            "spec": {"replicationState": "primary"},
        }
        self.cluster.patch(GROUP_VERSION, "VolumeReplication", self.place, "data", body, manager=manager)


def refusal(act: Any) -> str | None:
    """Why it was refused; None where it was not."""
    try:
        act()
    except Refused as error:
        return str(error)
    return None


@pytest.fixture
def gated(cluster: Cluster, place: str, eventually: Any) -> Gated:
    return Gated(cluster, place, eventually)


@pytest.mark.parametrize("kind", ["pod", "instance"])
def test_a_closed_gate_refuses_what_would_run(gated: Gated, kind: str) -> None:
    assert policies.GATE in (refusal(lambda: gated.create(getattr(gated, kind)("x"))) or "")


@pytest.mark.parametrize("kind", ["pod", "instance"])
def test_a_valid_permit_admits_and_its_end_refuses_again(gated: Gated, kind: str) -> None:
    gated.open(length=4)
    gated.create(getattr(gated, kind)("during"))
    gated.eventually(gated.is_closed)
    assert refusal(lambda: gated.create(getattr(gated, kind)("after"))) is not None


def test_closing_is_a_past_window_that_keeps_the_permit(gated: Gated) -> None:
    gated.open()
    gated.permit(permits.closed)
    gated.eventually(gated.is_closed)
    data = gated.keeper.data()
    assert data is not None
    assert data[permits.UNTIL] <= data[permits.WITHDRAWN]


def test_without_its_permit_the_gate_is_closed(gated: Gated) -> None:
    gated.open()
    gated.cluster.delete("v1", "ConfigMap", "siteshift-system", permits.name_of(gated.place))
    gated.eventually(gated.is_closed)


def test_a_missing_label_and_another_application_are_no_way_in(gated: Gated) -> None:
    assert policies.LABEL_GATE in (refusal(lambda: gated.create(gated.pod("bare", labels={}))) or "")


def test_break_glass_passes(gated: Gated) -> None:
    labels = {APPLICATION_LABEL: gated.place, policies.BREAK_GLASS_LABEL: "INC-1"}
    gated.create(gated.pod("glass", labels=labels))


@pytest.mark.parametrize(("claim", "admitted"), [(False, True), (True, False)], ids=["without volumes", "with volumes"])
def test_what_stands_by_may_run_without_volumes(gated: Gated, claim: bool, admitted: bool) -> None:
    labels = {APPLICATION_LABEL: gated.place, STANDBY_LABEL: ""}
    assert (refusal(lambda: gated.create(gated.pod("warm", labels=labels, claim=claim))) is None) is admitted


def test_a_dry_run_is_refused_and_admitted_as_a_create_would_be(gated: Gated) -> None:
    assert gated.is_closed()
    gated.open()
    assert not gated.is_closed()
    with pytest.raises(NotFound):
        gated.cluster.get("v1", "Pod", gated.place, f"siteshift-probe-{gated.place}")


def test_only_the_moves_promote_with_the_nonce_and_within_the_window(gated: Gated) -> None:
    gated.create(gated.replication("secondary"))
    assert policies.ROLE_GATE in (refusal(lambda: gated.promote("n1")) or ""), "no window was ever opened"
    gated.permit(lambda data, now: permits.promotion(data, now, 60, "n1"))
    assert refusal(lambda: gated.promote("n2")) is not None, "a nonce of another process or epoch"
    assert refusal(lambda: gated.promote("n1", manager="person")) is not None, "another manager"
    gated.eventually(lambda: refusal(lambda: gated.promote("n1")) is None)
    found = gated.cluster.get(GROUP_VERSION, "VolumeReplication", gated.place, "data")
    assert found["spec"]["replicationState"] == "primary"


def test_a_window_that_is_over_promotes_nobody_and_a_demotion_needs_none(gated: Gated) -> None:
    gated.create(gated.replication("secondary"))
    gated.permit(lambda data, now: permits.promotion(data, now - 3600, 60, "n1"))
    assert refusal(lambda: gated.promote("n1")) is not None
    gated.permit(lambda data, now: permits.promotion(data, now, 60, "n3"))
    gated.eventually(lambda: refusal(lambda: gated.promote("n3")) is None)
    gated.permit(permits.closed)
    body = {"spec": {"replicationState": "secondary"}}
    gated.cluster.patch(GROUP_VERSION, "VolumeReplication", gated.place, "data", body, manager=MOVES_MANAGER)


def test_creation_hands_all_but_the_start_field_to_the_generic_apply(gated: Gated) -> None:
    machine = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "db", "namespace": gated.place, "labels": {APPLICATION_LABEL: gated.place}},
        "spec": {"runStrategy": "Halted", "template": {"spec": {"x": 1}}, "gone": True},
    }
    gated.hand.create(machine)
    lighter = {**machine, "spec": {"template": {"spec": {"x": 1}}}}
    gated.cluster.apply(lighter, manager="siteshift")
    found = gated.cluster.get("kubevirt.io/v1", "VirtualMachine", gated.place, "db")
    assert found["spec"] == {"runStrategy": "Halted", "template": {"spec": {"x": 1}}}
