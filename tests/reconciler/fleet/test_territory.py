"""Who has a namespace or a volume keeps it: a push to one application's folder takes nothing from another."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.fleet.contents import check_contents
from reconciler.fleet.model import Application, Contents, Fleet, Group, Placement, Replication
from reconciler.fleet.rendered import Found, Rendered
from reconciler.fleet.territory import Territory, places_of

ANYBODY = Contents()


def app(name: str, *groups: Group) -> Application:
    placed = Placement("a", 1, "planned", f"apps/{name}/placement.yaml")
    return Application(name, f"apps/{name}", ("a", "b"), "a", placed, replication=Replication("none", groups))


def config_map(namespace: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": namespace}}


def volume(name: str, handle: str, claimed_from: str) -> dict[str, Any]:
    spec = {"csi": {"driver": "rbd", "volumeHandle": handle}, "claimRef": {"namespace": claimed_from, "name": "c"}}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def claim(territory: Territory, of: Application, *manifests: dict[str, Any], contents: Contents = ANYBODY) -> list[str]:
    objects = [Found(each, f"{of.folder}/base/x.yaml") for each in manifests]
    return [error.message for error in territory.claim(of, places_of(objects, of), contents)]


VICTIM = [config_map("payments"), volume("pv-1", "7f", "payments")]
TAKEN = {
    "an object in it": [config_map("payments")],
    "its Namespace": [namespace("payments")],
    "a volume for a claim in it": [volume("pv-9", "9f", "payments")],
    "the same volume under another name": [volume("pv-9", "7f", "attacker")],
    "the same PersistentVolume": [volume("pv-1", "9f", "attacker")],
}


@pytest.mark.parametrize("taken", TAKEN.values(), ids=TAKEN.keys())
@pytest.mark.parametrize("attacker", ["aaa", "zzz"])
def test_what_another_application_has_is_refused_to_whoever_comes_later(taken: Any, attacker: str) -> None:
    territory, payments, other = Territory(), app("payments"), app(attacker)
    assert claim(territory, payments, *VICTIM) == []
    assert claim(territory, other, config_map("attacker")) == []
    for _ in range(2):
        (error,) = claim(territory, other, *taken, config_map("attacker"))
        assert error.endswith("belongs to application payments")
        assert claim(territory, payments, *VICTIM) == []


def test_a_replication_group_of_another_application_is_refused() -> None:
    territory = Territory()
    claim(territory, app("payments"), *VICTIM)
    group = Group("VolumeGroupReplication", "payments", "payments")
    (error,) = claim(territory, app("aaa", group))
    assert error == (
        "a replication group of application aaa uses namespace payments, which belongs to application payments"
    )


def test_after_a_restart_who_was_recorded_there_has_it() -> None:
    territory = Territory()
    territory.seed({"payments": ["payments"]})
    territory.keep_only(["aaa", "payments"])
    assert claim(territory, app("aaa"), config_map("payments")) != []
    assert claim(territory, app("payments"), config_map("payments")) == []


def test_what_was_given_up_can_be_had_by_others() -> None:
    territory = Territory()
    claim(territory, app("payments"), config_map("payments"), config_map("extra"))
    claim(territory, app("payments"), config_map("payments"))
    assert claim(territory, app("ledger"), config_map("extra")) == []
    territory.keep_only(["ledger"])
    assert claim(territory, app("renamed"), config_map("payments")) == []


def test_the_platforms_namespaces_are_refused_unless_the_fleet_gives_them() -> None:
    territory, ledger = Territory(), app("ledger")
    given = Contents(namespaces={"ledger": ("shared",)})
    territory.give_platform(places_of([Found(namespace("shared"), "platform/x.yaml")]), ANYBODY)
    (error,) = claim(territory, ledger, config_map("shared"))
    assert error.endswith("uses namespace shared, which belongs to the platform")
    territory.give_platform(places_of([Found(namespace("shared"), "platform/x.yaml")]), given)
    assert claim(territory, ledger, config_map("shared"), contents=given) == []


def test_an_application_with_namespaces_of_its_own_uses_no_others() -> None:
    given = Contents(namespaces={"ledger": ("ledger",)})
    territory = Territory()
    assert claim(territory, app("zzz"), config_map("ledger"), contents=given) != []
    assert claim(territory, app("ledger"), config_map("ledger"), contents=given) == []
    (error,) = claim(territory, app("ledger"), config_map("free"), contents=given)
    assert error.endswith("which belongs to none of its own namespaces")


def test_validate_says_it_of_the_one_without_the_namespace_and_how_to_give_it() -> None:
    fleet = Fleet("bank", "symmetric", (), (), ())
    units = [
        Rendered(app("aaa"), "active", [Found(config_map("payments"), "apps/aaa/base/x.yaml")]),
        Rendered(app("payments"), "active", [Found(namespace("payments"), "apps/payments/base/x.yaml")]),
    ]
    (error,) = check_contents(fleet, "a", units)
    assert str(error) == (
        "apps/aaa/base/x.yaml: error: ConfigMap payments/c of application aaa uses namespace payments, which belongs to"
        " application payments\n  hint: spec.contents.namespaces in siteshift.yaml says who has it: aaa: [payments]"
    )
