"""Judging csi-addons resources: every fact that bites is a case, and what is not known is never good."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.drivers import driver_of
from reconciler.drivers.csi_addons import judge, together
from reconciler.errors import NotFound, UsageError
from reconciler.fleet.model import Application, Group, Placement, Replication
from reconciler.replica import Replica, ReplicaRole, Sync

GENERATION = 7
NOW = 1_795_334_400.0
LAST = "2026-11-22T07:59:50Z"


def volume(asked: str, state: str, *, generation: int = GENERATION, last: str | None = None, **conditions: Any) -> Any:
    """A VolumeReplication; a condition is (status, reason) or (status, reason, observed generation)."""
    listed = [
        {"type": name, "status": each[0], "reason": each[1], "observedGeneration": (*each, GENERATION)[2]}
        for name, each in conditions.items()
    ]
    status = {"state": state, "observedGeneration": GENERATION, "conditions": listed}
    return {
        "kind": "VolumeReplication",
        "metadata": {"name": "data", "namespace": "bank", "generation": generation},
        "spec": {"replicationState": asked},
        "status": status | ({"lastSyncTime": last} if last else {}),
    }


PROMOTED, DEMOTED = ("True", "Promoted"), ("True", "Demoted")
OFF, ON = ("False", "x"), ("True", "x")


@pytest.mark.parametrize(
    ("resource", "role", "sync"),
    [
        (volume("primary", "Primary", Completed=PROMOTED, Replicating=ON, last=LAST), "primary", "insync"),
        (volume("primary", "Primary", Completed=PROMOTED, Replicating=ON), "primary", "unknown"),
        (volume("primary", "Primary", Completed=PROMOTED), "primary", "unknown"),
        (volume("primary", "Primary", Completed=PROMOTED, Replicating=OFF, last=LAST), "primary", "broken"),
        (
            volume("primary", "Primary", Completed=PROMOTED, Replicating=ON, last="2026-11-22T07:00:00Z"),
            "primary",
            "lagging",
        ),
        (volume("primary", "Primary", Completed=PROMOTED, Validated=OFF), "unknown", "unknown"),
        (volume("primary", "Primary", Completed=("True", "Promoted", 6)), "unknown", "unknown"),
        (volume("primary", "Primary", Completed=("False", "FailedToPromote")), "unknown", "unknown"),
        (volume("primary", "Primary"), "unknown", "unknown"),
        (volume("secondary", "Secondary", Completed=DEMOTED, Degraded=OFF, Resyncing=OFF), "secondary", "insync"),
        (volume("secondary", "Secondary", Completed=DEMOTED, Degraded=ON, Resyncing=OFF), "secondary", "broken"),
        (volume("secondary", "Secondary", Completed=DEMOTED, Degraded=ON, Resyncing=ON), "secondary", "syncing"),
        (volume("secondary", "Secondary", Completed=DEMOTED, Degraded=OFF), "secondary", "unknown"),
        (
            volume("secondary", "Secondary", Completed=DEMOTED, Degraded=("False", "x", 6), Resyncing=OFF),
            "secondary",
            "unknown",
        ),
        (volume("secondary", "Secondary", Completed=PROMOTED), "unknown", "unknown"),
        (volume("secondary", "Tertiary", Completed=DEMOTED), "unknown", "unknown"),
        ({"metadata": {"generation": 1}, "spec": {"replicationState": "primary"}}, "unknown", "unknown"),
    ],
    ids=[
        "healthy primary",
        "never synced",
        "no GetInfo",
        "not replicating",
        "older than the RPO",
        "not validated",
        "F2 an old generation",
        "F2 failed with the new generation",
        "no condition",
        "secondary in sync",
        "F4 first pass",
        "resyncing",
        "half a statement",
        "F4 a stale condition",
        "contradiction",
        "unknown state",
        "no status yet",
    ],
)
def test_judging_one_volume(resource: Any, role: str, sync: str) -> None:
    found = judge(resource, resource, 300.0, NOW)
    assert (found.role.value, found.sync.value) == (role, sync)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("primary", "primary"), ("secondary", "secondary"), ("resync", "secondary"), ("?", "unknown")],
)
def test_what_a_copy_was_told(asked: str, expected: str) -> None:
    assert judge(volume(asked, ""), None, None, NOW).asked.value == expected


def test_the_exposure_of_a_primary_is_the_age_of_its_last_sync() -> None:
    resource = volume("primary", "Primary", Completed=PROMOTED, Replicating=ON, last=LAST)
    assert judge(resource, resource, 300.0, NOW).exposure == 10.0


class Objects:
    """A reader over a few objects."""

    def __init__(self, *objects: Any) -> None:
        self._objects = {(each["kind"], each["metadata"]["name"]): each for each in objects}

    def get(self, api_version: str, kind: str, namespace: str | None, name: str) -> Any:
        if (kind, name) not in self._objects:
            raise NotFound(name)
        return self._objects[kind, name]


def application(*kinds: str, sites: tuple[str, ...] = ("a", "b")) -> Application:
    groups = tuple(Group(kind, f"data{number or ''}", "bank") for number, kind in enumerate(kinds))
    return Application(
        "x", "apps/x", sites, "a", Placement("a", 1, "planned", "p"), replication=Replication("csi-addons", groups)
    )


def group(asked: str, state: str, inner: str | None, **conditions: Any) -> Any:
    found = volume(asked, state, **conditions)
    found["kind"] = "VolumeGroupReplication"
    found["spec"]["volumeReplicationName"] = inner
    return found


GOOD = {"Completed": DEMOTED, "Degraded": OFF, "Resyncing": OFF}


@pytest.mark.parametrize(
    ("inner", "role"),
    [
        (volume("secondary", "Secondary", **GOOD), "secondary"),
        (volume("primary", "Secondary", **GOOD), "unknown"),
        (volume("secondary", "Secondary", generation=8, **GOOD), "unknown"),
        (None, "unknown"),
    ],
    ids=["agrees", "F6 told something else", "F6 conditions of an older generation", "not there"],
)
def test_a_group_is_judged_by_its_inner_replication(inner: Any, role: str) -> None:
    if inner is not None:
        inner["metadata"]["name"] = "inner"
    objects = [each for each in (group("secondary", "Secondary", "inner", **GOOD), inner) if each is not None]
    found = driver_of("csi-addons").observe(Objects(*objects), application("VolumeGroupReplication"), "a", NOW)
    assert found.role.value == role


def test_an_absent_resource_is_no_copy_and_not_an_unknown_one() -> None:
    found = driver_of("csi-addons").observe(Objects(), application("VolumeReplication"), "a", NOW)
    assert found.role is ReplicaRole.NONE


def test_a_group_half_demoted_has_no_role() -> None:
    half = together(
        (
            Replica(ReplicaRole.PRIMARY, Sync.IN_SYNC, ReplicaRole.SECONDARY),
            Replica(ReplicaRole.SECONDARY, Sync.IN_SYNC, ReplicaRole.SECONDARY),
        ),
        (),
    )
    assert (half.role, half.asked) == (ReplicaRole.UNKNOWN, ReplicaRole.SECONDARY)


def test_no_groups_are_an_unknown_copy() -> None:
    assert together((), ("b",)).role is ReplicaRole.UNKNOWN


def test_with_three_sites_nobody_says_which_copy_is_in_sync() -> None:
    found = driver_of("csi-addons").observe(
        Objects(volume("secondary", "Secondary", **GOOD)),
        application("VolumeReplication", sites=("a", "b", "c")),
        "a",
        NOW,
    )
    assert found.peers == ()


def test_a_secondary_is_overwritten_only_where_it_is_said_and_a_primary_never() -> None:
    driver = driver_of("csi-addons")
    assert driver.secondary(discard_local=False) == {"replicationState": "secondary", "autoResync": False}
    assert driver.secondary(discard_local=True)["autoResync"] is True
    assert driver.primary()["autoResync"] is False


def test_an_unknown_driver_is_named() -> None:
    with pytest.raises(UsageError, match="csi-addons, none"):
        driver_of("tape")


def test_without_replication_every_role_is_held_and_nothing_is_waited_for() -> None:
    driver = driver_of("none")
    found = driver.observe(Objects(), application(), "a", NOW)
    assert (found.role, found.sync, found.peers, driver.role_objects(application())) == (
        ReplicaRole.ANY,
        Sync.IN_SYNC,
        ("b",),
        (),
    )


def named(resource: Any, *peers: str) -> Any:
    resource["metadata"]["annotations"] = {"siteshift.io/peers": " , ".join(peers)}
    return resource


@pytest.mark.parametrize(
    ("first", "second", "peers"),
    [
        (("b",), ("b",), ("b",)),
        (("b", "c"), ("c", "b"), ("b", "c")),
        (("b",), ("c",), ()),
        (("b",), (), ()),
        (("z",), ("z",), ()),
    ],
    ids=["the same", "both", "another one each", "half", "no site of it"],
)
def test_with_three_sites_a_copy_is_complete_where_every_group_names_it(
    first: tuple[str, ...], second: tuple[str, ...], peers: tuple[str, ...]
) -> None:
    one, two = (volume("secondary", "Secondary", **GOOD) for _ in range(2))
    two["metadata"]["name"] = "data1"
    found = driver_of("csi-addons").observe(
        Objects(named(one, *first), named(two, *second)),
        application("VolumeReplication", "VolumeReplication", sites=("a", "b", "c")),
        "a",
        NOW,
    )
    assert found.peers == peers
    assert ("siteshift.io/peers" in found.evidence) is (not peers)


@pytest.mark.parametrize("deleted", ["the group", "its inner replication"])
@pytest.mark.parametrize("state", ["primary", "secondary"])
def test_an_object_being_deleted_is_no_good_news(deleted: str, state: str) -> None:
    conditions = GOOD if state == "secondary" else {"Completed": PROMOTED, "Replicating": ON, "last": LAST}
    outer = group(state, state.capitalize(), "inner", **conditions)
    inner = volume(state, state.capitalize(), **conditions)
    inner["metadata"]["name"] = "inner"
    going = outer if deleted == "the group" else inner
    going["metadata"]["deletionTimestamp"] = "2026-11-22T08:00:00Z"
    found = driver_of("csi-addons").observe(Objects(outer, inner), application("VolumeGroupReplication"), "a", NOW)
    assert (found.role, found.sync, found.exposure) == (ReplicaRole.UNKNOWN, Sync.UNKNOWN, None)


def test_a_sync_from_the_future_has_no_age() -> None:
    resource = volume("primary", "Primary", Completed=PROMOTED, Replicating=ON, last=LAST)
    assert judge(resource, resource, 300.0, NOW - 60).exposure is None
    assert judge(resource, resource, 300.0, NOW - 12).exposure == 0.0
