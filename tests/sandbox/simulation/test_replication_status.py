"""csi-addons' statuses: what each outcome says, and how a group's copy of it misleads."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.simulation.replication_groups import inner_of, selects
from sandbox.simulation.replication_status import (
    OUTCOMES,
    PRIMARY,
    SECONDARY,
    group_status,
    replication_status,
)


def resource(generation: int = 2, **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "data", "namespace": "ledger", "generation": generation}, "status": status}


def conditions(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {found["type"]: (found["status"], found["reason"]) for found in status["conditions"]}


@pytest.mark.parametrize(
    ("outcome", "state", "completed", "degraded", "resyncing"),
    [
        ("promoted", PRIMARY, ("True", "Promoted"), "False", "False"),
        ("promotion failed", SECONDARY, ("False", "FailedToPromote"), "True", "False"),
        ("demoted", SECONDARY, ("True", "Demoted"), "True", "False"),
        ("resyncing", SECONDARY, ("True", "Demoted"), "True", "True"),
        ("split brain", SECONDARY, ("True", "Demoted"), "True", "False"),
        ("in sync", SECONDARY, ("True", "Demoted"), "False", "False"),
    ],
)
def test_each_outcome_has_its_conditions(
    outcome: str, state: str, completed: tuple[str, str], degraded: str, resyncing: str
) -> None:
    status = replication_status(resource(), outcome, state)
    found = conditions(status)
    assert found["Completed"] == completed
    assert (found["Degraded"][0], found["Resyncing"][0]) == (degraded, resyncing)


@pytest.mark.parametrize("outcome", sorted(OUTCOMES))
def test_the_generation_counts_as_observed_even_after_a_failure(outcome: str) -> None:
    status = replication_status(resource(7), outcome, SECONDARY)
    assert status["observedGeneration"] == 7
    assert {found["observedGeneration"] for found in status["conditions"]} == {7}


def test_the_time_of_the_last_sync_is_known_at_a_primary_only() -> None:
    primary = replication_status(resource(), "promoted", PRIMARY, replicating=True, synced_at=0.0)
    assert primary["lastSyncTime"] == "1970-01-01T00:00:00Z"
    assert conditions(primary)["Replicating"] == ("True", "Replicating")
    lagging = replication_status(resource(**primary), "promoted", PRIMARY, replicating=False)
    assert lagging["lastSyncTime"] == primary["lastSyncTime"]
    secondary = replication_status(resource(**primary), "demoted", SECONDARY)
    assert "lastSyncTime" not in secondary
    assert "Replicating" not in conditions(secondary)


def test_a_status_that_says_the_same_is_the_same() -> None:
    first = replication_status(resource(), "in sync", SECONDARY)
    assert replication_status(resource(**first), "in sync", SECONDARY) == first


def test_a_group_makes_old_conditions_look_current() -> None:
    inner = resource(4, **replication_status(resource(4), "promoted", PRIMARY, replicating=True))
    status = group_status(resource(9), inner, ["data", "log"])
    assert {found["observedGeneration"] for found in status["conditions"]} == {9}
    assert status["persistentVolumeClaimsRefList"] == [{"name": "data"}, {"name": "log"}]


def test_the_inner_resource_has_no_labels_of_the_group() -> None:
    group = {
        "apiVersion": "replication.storage.openshift.io/v1alpha1",
        "kind": "VolumeGroupReplication",
        "metadata": {"name": "ledger", "namespace": "ledger", "uid": "u", "labels": {"siteshift.io/application": "l"}},
        "spec": {"replicationState": "primary", "volumeReplicationClassName": "fast"},
    }
    inner = inner_of(group)
    assert "labels" not in inner["metadata"]
    assert (inner["spec"]["replicationState"], inner["spec"]["autoResync"]) == ("primary", False)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({}, False),
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "2"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}, True),
    ],
    ids=["empty", "label", "other value", "in", "not in", "exists", "does not exist"],
)
def test_a_group_selects_claims(selector: dict[str, Any], expected: bool) -> None:
    assert selects(selector, {"a": "1"}) is expected
