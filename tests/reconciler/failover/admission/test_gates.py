"""P7 and P18 as admission policies, at the embedded API server and at a real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gated import GROUP_VERSION, Gated, refusal

from reconciler.cluster import Cluster
from reconciler.errors import NotFound
from reconciler.failover.admission import permits, policies
from reconciler.failover.execute import by_hand
from reconciler.failover.execute.admission_gate import AdmissionGate
from reconciler.failover.protocol.values import Step
from reconciler.fleet.model import Application, Group, Placement, Replication
from reconciler.objects import APPLICATION_LABEL, MOVES_MANAGER, STANDBY_LABEL

PASSES = {policies.BREAK_GLASS_ANNOTATION: "INC-1"}


@pytest.mark.parametrize("kind", ["pod", "instance"])
def test_a_closed_gate_refuses_what_would_run(gated: Gated, kind: str) -> None:
    assert policies.GATE in (refusal(lambda: gated.create(getattr(gated, kind)("x"))) or "")


@pytest.mark.parametrize("kind", ["pod", "instance"])
def test_a_valid_permit_admits_and_its_end_refuses_again(gated: Gated, kind: str) -> None:
    gated.open(length=4)
    gated.create(getattr(gated, kind)("during"))
    gated.eventually(gated.is_closed)
    assert refusal(lambda: gated.create(getattr(gated, kind)("after"))) is not None


def test_a_window_that_no_time_satisfies_closes_at_once_and_keeps_the_record(gated: Gated) -> None:
    gated.open()
    gated.close()
    assert gated.hand.records.read(gated.place).permit.closed


def test_without_its_record_the_gate_is_closed(gated: Gated) -> None:
    gated.open()
    gated.cluster.delete("v1", "ConfigMap", "siteshift-system", permits.name_of(gated.place))
    gated.eventually(gated.is_closed)


@pytest.mark.parametrize("labels", [{}, {APPLICATION_LABEL: "ledgr"}, {"app": "x"}], ids=["none", "another", "odd"])
@pytest.mark.parametrize("kind", ["pod", "instance"])
def test_attack_s03_no_value_of_the_label_walks_through(gated: Gated, kind: str, labels: dict[str, str]) -> None:
    manifest = getattr(gated, kind)("x")
    manifest["metadata"]["labels"] = labels
    assert policies.GATE in (refusal(lambda: gated.create(manifest)) or "")


def test_other_namespaces_are_untouched(gated: Gated, cluster: Cluster) -> None:
    other = f"{gated.place}-other"
    gated.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}})
    pod = gated.pod("x")
    pod["metadata"]["namespace"] = other
    gated.create(pod)


VOLUMES: dict[str, tuple[dict[str, Any], bool]] = {
    "configMap": ({"configMap": {"name": "x"}}, True),
    "secret": ({"secret": {"secretName": "x"}}, True),
    "emptyDir": ({"emptyDir": {}}, True),
    "projected": ({"projected": {"sources": [{"configMap": {"name": "x"}}]}}, True),
    "downwardAPI": ({"downwardAPI": {"items": []}}, True),
    "claim": ({"persistentVolumeClaim": {"claimName": "data"}}, False),
    "rbd": ({"rbd": {"monitors": ["m"], "image": "i"}}, False),
    "hostPath": ({"hostPath": {"path": "/data"}}, False),
    "ephemeral": (
        {
            "ephemeral": {
                "volumeClaimTemplate": {
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
                }
            }
        },
        False,
    ),
}


@pytest.mark.parametrize(("volume", "admitted"), list(VOLUMES.values()), ids=list(VOLUMES))
def test_what_stands_by_may_have_volumes_of_a_few_kinds_alone(
    gated: Gated, volume: dict[str, Any], admitted: bool
) -> None:
    pod = gated.pod("warm", {APPLICATION_LABEL: gated.place, STANDBY_LABEL: ""}, volume)
    assert (refusal(lambda: gated.create(pod)) is None) is admitted


def test_what_stands_by_without_volumes_runs(gated: Gated) -> None:
    gated.create(gated.pod("warm", {STANDBY_LABEL: ""}))


def test_break_glass_is_an_annotation_and_the_probe_has_none(gated: Gated) -> None:
    assert refusal(lambda: gated.create(gated.pod("wildcard"))) is not None, "the right alone is no way through"
    gated.create(gated.pod("glass", annotations=PASSES))
    assert gated.is_closed(), "the same user's probe is refused"


def limited(real: Any, place: str, name: str, *rules: dict[str, Any]) -> Cluster:
    """A client with just these rights in a namespace of a real cluster."""
    admin = Cluster.from_endpoint(real.server, real.token(), Path(real.ca_file).read_text())
    rbac = "rbac.authorization.k8s.io/v1"
    metadata = {"name": name, "namespace": place}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": place}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    for manifest in (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": rbac, "kind": "Role", "metadata": metadata, "rules": list(rules)},
        {"apiVersion": rbac, "kind": "RoleBinding", "metadata": metadata, "roleRef": reference, "subjects": [subject]},
    ):
        admin.create(manifest, manager="test")
    admin.close()
    token = real.service_account_token(place, name)
    return Cluster.from_endpoint(real.server, token, Path(real.ca_file).read_text())


CREATE_PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}


@pytest.mark.testbed
@pytest.mark.parametrize("cluster", ["real"], indirect=True)
@pytest.mark.parametrize(
    ("application", "annotated", "admitted"),
    [("own", True, True), ("own", False, False), ("other", True, False), ("", True, False)],
    ids=["right and annotation", "right alone", "right on another application", "annotation alone"],
)
def test_break_glass_needs_the_right_on_this_application(
    gated: Gated, real_api: Any, application: str, annotated: bool, admitted: bool
) -> None:
    names = {"own": [gated.place], "other": ["another"], "": []}[application]
    glass = {
        "apiGroups": ["siteshift.io"],
        "resources": ["applications"],
        "resourceNames": names,
        "verbs": ["break-glass"],
    }
    user = limited(real_api, gated.place, "breaker", CREATE_PODS, *([glass] if names else []))
    pod = gated.pod("glass", annotations=PASSES if annotated else {})
    gated.eventually(
        lambda: "cannot create resource" not in (refusal(lambda: gated.create(pod, by=user, dry_run=True)) or "")
    )
    assert (refusal(lambda: gated.create(pod, by=user)) is None) is admitted
    user.close()


@pytest.mark.testbed
@pytest.mark.parametrize("cluster", ["real"], indirect=True)
def test_a_prober_without_the_right_to_create_pods_proves_nothing_and_says_so_once(gated: Gated, real_api: Any) -> None:
    reads = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
    user = limited(real_api, gated.place, "reader", reads)
    for name in ("default", "siteshift-system"):
        gated.cluster.apply(_reader(name, gated.place), manager="test")
        gated.cluster.apply(_reader_binding(name, gated.place), manager="test")
    probed: list[Any] = []

    def asked() -> bool:
        found = AdmissionGate(user).probe(gated.place, [gated.place])
        probed.append(found)
        return True

    gated.eventually(asked)
    (server,) = probed[-1].answers
    assert probed[-1].answers[server] is None
    assert not probed[-1].closed
    assert (
        probed[-1].reasons[server].startswith(f'{server} needs the right to "create" pods in namespace {gated.place}')
    )
    user.close()


def _reader(namespace: str, name: str) -> dict[str, Any]:
    rules = [{"apiGroups": [""], "resources": ["endpoints", "configmaps"], "verbs": ["get", "create", "update"]}]
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules}


def _reader_binding(namespace: str, place: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": place, "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": place},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": place}],
    }


def test_a_dry_run_is_refused_and_admitted_as_a_create_would_be(gated: Gated) -> None:
    assert gated.is_closed()
    gated.open()
    probe = gated.gate.probe(gated.place, [gated.place])
    assert set(probe.answers.values()) == {False}
    assert "its gate is open" in next(iter(probe.reasons.values()))
    with pytest.raises(NotFound):
        gated.cluster.get("v1", "Pod", gated.place, f"siteshift-probe-{gated.place}")


def test_every_namespace_is_asked(gated: Gated) -> None:
    other = f"{gated.place}-second"
    gated.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}})
    probe = gated.gate.probe(gated.place, [gated.place, other])
    assert not probe.closed, "the second namespace is bound by nothing"


def test_only_the_moves_promote_with_the_nonce_and_within_the_window(gated: Gated) -> None:
    gated.create(gated.replication("secondary"))
    assert policies.ROLE_GATE in (refusal(lambda: gated.promote("n1")) or ""), "no window was ever opened"
    gated.window(lambda data, now: permits.promotion(data, now, now + 60, "n1"))
    assert refusal(lambda: gated.promote("n2")) is not None, "a nonce of another process or epoch"
    assert refusal(lambda: gated.promote("n1", manager="person")) is not None, "another manager"
    gated.eventually(lambda: refusal(lambda: gated.promote("n1")) is None)
    assert gated.role()["replicationState"] == "primary"


def test_a_window_that_is_over_promotes_nobody_and_a_demotion_needs_none(gated: Gated) -> None:
    gated.create(gated.replication("secondary"))
    gated.window(lambda data, now: permits.promotion(data, now - 3600, now - 3540, "n1"))
    assert refusal(lambda: gated.promote("n1")) is not None
    gated.window(lambda data, now: permits.promotion(data, now, now + 60, "n3"))
    gated.eventually(lambda: refusal(lambda: gated.promote("n3")) is None)
    gated.close()
    gated.write_role({"replicationState": "secondary"})


OVERWRITES = {
    "autoResync": {"autoResync": True},
    "resync": {"replicationState": "resync"},
    "an unknown value": {"replicationState": "Primary"},
    "primary, also overwritable": {"replicationState": "primary", "autoResync": True},
}


@pytest.mark.parametrize("spec", list(OVERWRITES.values()), ids=list(OVERWRITES))
def test_a_write_that_lets_the_replica_be_overwritten_needs_nonce_and_window_too(
    gated: Gated, spec: dict[str, Any]
) -> None:
    gated.create(gated.replication("secondary"))
    assert policies.ROLE_GATE in (refusal(lambda: gated.write_role(spec)) or "")
    gated.enter(step=Step.ACTIVE)  # a primary may not be made overwritable either
    assert refusal(lambda: gated.write_role(spec)) is not None
    gated.window(lambda data, now: permits.promotion(data, now, now + 60, "n1"))
    gated.eventually(
        lambda: refusal(lambda: gated.write_role(spec, nonce="n1", manager=MOVES_MANAGER)) is None,
    )


def test_in_two_steps_nobody_gets_from_primary_to_overwritable(gated: Gated) -> None:
    gated.enter(step=Step.ACTIVE)
    gated.eventually(lambda: refusal(lambda: gated.create(gated.replication("primary"))) is None)
    assert refusal(lambda: gated.write_role({"autoResync": True})) is not None
    assert refusal(lambda: gated.write_role({"replicationState": "secondary", "autoResync": True})) is not None


@pytest.mark.parametrize(
    ("journal", "admitted"),
    [
        ({"step": Step.ACTIVE}, True),
        ({"step": Step.STARTING}, True),
        ({"step": Step.PROMOTING, "called": True}, True),
        ({"step": Step.PROMOTING}, False),
        ({"step": Step.STOPPING}, False),
        ({"step": Step.PASSIVE}, False),
    ],
    ids=["active", "starting", "promoting, accepted", "promoting", "stopping", "passive"],
)
def test_a_group_s_own_controller_may_copy_the_role_that_the_journal_says(
    gated: Gated, journal: dict[str, Any], admitted: bool
) -> None:
    gated.enter(**journal)
    inner = gated.replication("primary")
    if admitted:
        gated.eventually(lambda: refusal(lambda: gated.create(inner)) is None)
    else:
        assert policies.ROLE_GATE in (refusal(lambda: gated.create(inner)) or "")


def test_a_consented_discard_may_be_copied_too_and_only_while_it_lasts(gated: Gated) -> None:
    gated.create(gated.replication("secondary"))
    gated.enter(step=Step.RESYNCING, discard=True)
    gated.eventually(lambda: refusal(lambda: gated.write_role({"autoResync": True})) is None)
    gated.write_role({"autoResync": False})
    gated.enter(step=Step.DEMOTED)
    gated.eventually(lambda: refusal(lambda: gated.write_role({"autoResync": True})) is not None)


def test_a_new_replica_that_is_secondary_and_other_changes_need_nobody(gated: Gated) -> None:
    gated.create(gated.replication("secondary", kind="VolumeGroupReplication"))
    gated.create(gated.replication("secondary"))
    gated.enter(step=Step.ACTIVE)
    gated.eventually(lambda: refusal(lambda: gated.write_role({"replicationState": "primary"})) is None)
    gated.enter(step=Step.STOPPING)
    gated.cluster.patch(
        GROUP_VERSION, "VolumeReplication", gated.place, "data", {"metadata": {"labels": {"x": "y"}}}, manager="person"
    )


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


@pytest.mark.parametrize("kind", ["pod", "instance"])
def test_broken_glass_admits_beside_a_closed_permit_until_its_time_or_until_it_is_mended(
    gated: Gated, kind: str
) -> None:
    gated.window(lambda data, now: permits.broken(data, now + 300, "anna: INC-1"))
    gated.eventually(lambda: refusal(lambda: gated.create(getattr(gated, kind)("probe"), dry_run=True)) is None)
    assert not gated.is_closed()
    assert gated.hand.records.read(gated.place).permit.closed
    gated.window(lambda data, _: permits.mended(data))
    gated.eventually(gated.is_closed)
    gated.window(lambda data, now: permits.broken(data, now - 1, "anna: INC-1"))
    gated.eventually(gated.is_closed)


def test_people_promote_by_hand_through_the_same_window(gated: Gated) -> None:
    gated.create(gated.replication("secondary"))
    assert refusal(lambda: gated.write_role({"replicationState": "primary"})) is not None
    group = Group("VolumeReplication", "data", gated.place)
    placement = Placement("a", 1, "planned", "p")
    replication = Replication("csi-addons", (group,))
    application = Application(gated.place, "apps/x", ("a",), "a", placement, replication=replication)
    assert by_hand.promote(gated.cluster, application, gated.record, "anna: INC-1") == 1
    found = gated.cluster.get(GROUP_VERSION, "VolumeReplication", gated.place, "data")
    assert found["spec"]["replicationState"] == "primary"
    assert found["metadata"]["annotations"][by_hand.BY_HAND_ANNOTATION] == "anna: INC-1"
    now = gated.hand.records.read(gated.place)
    assert permits.PROMOTE_UNTIL not in now.data
    assert by_hand.promote(gated.cluster, application, now, "again") == 0
