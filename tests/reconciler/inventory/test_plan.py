"""What a prune may delete: each guard, the budget, the order; and what changed hands is nobody's to prune."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.inventory import Entry, PrunePlan, Surroundings, plan
from reconciler.inventory.guards import DATA, PRUNE_ANNOTATION, REPLICATION
from reconciler.objects import APPLICATION_LABEL, SYSTEM_NAMESPACE, Manifest, Ref

LABEL = (APPLICATION_LABEL, "ledger")
OURS = {"managedFields": [{"manager": "siteshift", "operation": "Apply"}], "labels": dict([LABEL])}


def entry(kind: str, name: str = "x", level: str = "50", *, group: str = "", space: str = "ledger") -> Entry:
    return Entry(Ref(group, kind, space, name), f"{group}/v1" if group else "v1", level)


def live(given: Entry, **metadata: Any) -> Manifest:
    ref = given.ref
    place = {"name": ref.name, "namespace": ref.namespace, "uid": f"uid-{ref.name}"}
    return {"apiVersion": given.api_version, "kind": ref.kind, "metadata": {**place, **OURS, **metadata}}


def planned(*old: tuple[Entry, Manifest | None], **given: Any) -> PrunePlan:
    around = given.pop("around", Surroundings())
    there = {each.ref: found for each, found in old if found is not None}
    return plan(
        [each for each, _ in old], given.pop("desired", ()), there, given.pop("budget", 10), label=LABEL, around=around
    )


CONFIG = entry("ConfigMap")
SPACE = entry("Namespace", "ledger", "00", space="")
DEFINITION = entry("CustomResourceDefinition", "things.example.com", "00", group="apiextensions.k8s.io", space="")
MACHINE = entry("VirtualMachine", "db", "10", group="kubevirt.io")
CLAIM = Ref("", "PersistentVolumeClaim", "ledger", "data")


def test_what_git_no_longer_has_is_deleted_by_its_uid() -> None:
    found = planned(
        (CONFIG, live(CONFIG)), (entry("ConfigMap", "stays"), None), desired={entry("ConfigMap", "stays").ref}
    )

    assert [(each.entry, each.uid) for each in found.delete] == [(CONFIG, "uid-x")]
    assert found.kept == found.leaving == found.gone == ()


def test_what_git_still_has_is_not_looked_at() -> None:
    assert planned((CONFIG, live(CONFIG)), desired={CONFIG.ref}) == PrunePlan()


def test_what_is_not_there_any_more_may_be_forgotten() -> None:
    assert planned((CONFIG, None)) == PrunePlan(gone=(CONFIG,))


def test_what_another_unit_has_in_git_now_is_handed_over() -> None:
    moved = Surroundings(desired=frozenset({CONFIG.ref}))

    assert planned((CONFIG, live(CONFIG)), around=moved) == PrunePlan(gone=(CONFIG,))


def test_what_is_being_deleted_is_not_deleted_again() -> None:
    assert planned((CONFIG, live(CONFIG, deletionTimestamp="2026-11-22T08:00:00Z"))) == PrunePlan(leaving=(CONFIG,))


def test_the_order_is_the_reverse_of_the_order_of_application() -> None:
    entries = [
        SPACE,
        entry("Secret", "s", "10"),
        entry("ClusterRole", "r", "10", space=""),
        entry("ConfigMap", "c", "9"),
    ]

    found = planned(*((each, live(each)) for each in entries))

    assert [each.entry.ref.kind for each in found.delete] == ["Secret", "ClusterRole", "ConfigMap", "Namespace"]


@pytest.mark.parametrize(
    ("given", "metadata", "spec", "around", "reason", "says"),
    [
        *(
            pytest.param(
                entry(kind, group=group),
                {},
                {},
                Surroundings(),
                "Replication",
                "replication",
                id=f"kind-{kind}-{group}",
            )
            for group, kind in sorted(REPLICATION)
        ),
        *(
            pytest.param(entry(kind, group=group), {}, {}, Surroundings(), "Data", "data", id=f"kind-{kind}-{group}")
            for group, kind in sorted(DATA)
        ),
        pytest.param(
            MACHINE,
            {},
            {"dataVolumeTemplates": [{}]},
            Surroundings(),
            "OwnsData",
            "volumes",
            id="machine-with-templates",
        ),
        pytest.param(
            MACHINE,
            {},
            {},
            Surroundings(owners_of_data=frozenset({"uid-db"})),
            "OwnsData",
            "volumes",
            id="machine-that-owns-a-claim",
        ),
        pytest.param(
            SPACE, {}, {}, Surroundings(data_in={"ledger": CLAIM}), "HoldsData", "ledger/data", id="namespace-with-data"
        ),
        pytest.param(
            SPACE,
            {},
            {},
            Surroundings(desired=frozenset({Ref("", "Secret", "ledger", "s")})),
            "HoldsDesired",
            "Secret ledger/s",
            id="namespace-with-something-wanted",
        ),
        pytest.param(
            SPACE,
            {},
            {},
            Surroundings(roots_in={"ledger": [(Ref("", "Secret", "ledger", "s"), {"app": "theirs"})]}),
            "HoldsOthers",
            "Secret ledger/s",
            id="namespace-with-something-of-others",
        ),
        pytest.param(
            DEFINITION,
            {},
            {},
            Surroundings(instances={"things.example.com": Ref("example.com", "Thing", "a", "b")}),
            "InUse",
            "Thing a/b",
            id="definition-with-an-instance",
        ),
        pytest.param(
            entry("Namespace", SYSTEM_NAMESPACE, space=""),
            {},
            {},
            Surroundings(),
            "System",
            "namespace",
            id="own-namespace",
        ),
        pytest.param(
            entry("Namespace", "kube-system", space=""), {}, {}, Surroundings(), "System", "namespace", id="cluster's"
        ),
        pytest.param(
            entry("ConfigMap", space=SYSTEM_NAMESPACE), {}, {}, Surroundings(), "System", "state", id="own-state"
        ),
        pytest.param(CONFIG, {"labels": {}}, {}, Surroundings(), "NotOurs", "label", id="without-the-label"),
        pytest.param(
            CONFIG, {"labels": {APPLICATION_LABEL: "other"}}, {}, Surroundings(), "NotOurs", "label", id="other-unit"
        ),
        pytest.param(
            CONFIG,
            {"managedFields": [{"manager": "operator"}]},
            {},
            Surroundings(),
            "NotOurs",
            "none of its fields",
            id="label-copied-by-an-operator",
        ),
        pytest.param(
            CONFIG,
            {"ownerReferences": [{"kind": "Cluster", "name": "c", "controller": True}]},
            {},
            Surroundings(),
            "NotOurs",
            "Cluster c controls it",
            id="controlled-by-somebody",
        ),
        pytest.param(
            CONFIG,
            {"annotations": {PRUNE_ANNOTATION: "disabled"}},
            {},
            Surroundings(),
            "Annotated",
            PRUNE_ANNOTATION,
            id="annotated",
        ),
    ],
)
def test_each_guard_keeps_with_a_reason_and_says_what_would_lift_it(
    given: Entry, metadata: dict[str, Any], spec: dict[str, Any], around: Surroundings, reason: str, says: str
) -> None:
    found = planned((given, {**live(given, **metadata), "spec": spec}), around=around)

    (kept,) = found.kept
    assert (kept.ref, kept.reason) == (given.ref, reason)
    assert says in kept.message
    assert kept.lifted_by
    assert found.delete == ()


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(live(CONFIG, ownerReferences=[{"kind": "X", "name": "y"}]), id="owned-but-not-controlled"),
        pytest.param(live(CONFIG, annotations={PRUNE_ANNOTATION: "enabled"}), id="another-value-of-the-annotation"),
        pytest.param(live(CONFIG, managedFields=[{"manager": "siteshift-moves"}]), id="made-by-the-moves"),
    ],
)
def test_what_only_looks_as_if_it_were_guarded_is_deleted(given: Manifest) -> None:
    assert [each.entry for each in planned((CONFIG, given)).delete] == [CONFIG]


def test_a_machine_without_volumes_of_its_own_and_an_empty_namespace_go() -> None:
    found = planned((MACHINE, {**live(MACHINE), "spec": {}}), (SPACE, live(SPACE)), (DEFINITION, live(DEFINITION)))

    assert {each.entry for each in found.delete} == {MACHINE, SPACE, DEFINITION}


@pytest.mark.parametrize(("count", "budget", "deleted"), [(3, 3, 3), (4, 3, 0), (1, 0, 0)])
def test_more_than_the_budget_is_nothing_at_all(count: int, budget: int, deleted: int) -> None:
    entries = [entry("ConfigMap", f"c{number}") for number in range(count)]

    found = planned(*((each, live(each)) for each in entries), budget=budget)

    assert len(found.delete) == deleted
    assert [kept.reason for kept in found.kept] == ["Budget"] * (count - deleted)


def test_what_is_kept_for_another_reason_does_not_use_up_the_budget() -> None:
    volume = entry("PersistentVolume", "v", space="")

    found = planned((CONFIG, live(CONFIG)), (volume, live(volume)), budget=1)

    assert [each.entry for each in found.delete] == [CONFIG]
    assert [kept.ref for kept in found.kept] == [volume.ref]


def test_what_is_leaving_still_counts_against_the_budget() -> None:
    leaving, other = entry("ConfigMap", "leaving"), entry("ConfigMap", "other")

    found = planned((leaving, live(leaving, deletionTimestamp="x")), (other, live(other)), budget=1)

    assert found.delete == ()
