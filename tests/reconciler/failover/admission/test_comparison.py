"""A gate that somebody changed is noticed field by field, named, and put as it should be."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from gated import Gated

from reconciler.errors import NotFound
from reconciler.failover.admission import policies
from reconciler.failover.admission.comparison import differences, wanted

Path = tuple[str | int, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The places of everything in a manifest's spec that is no fold itself, or an empty one."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = [leaf for key, child in children for leaf in leaves(child, (*path, key))]
    yield from below or [path]


SITE = wanted({"ledger": ["bank", "vault"]})
EVERY_FIELD = [(index, path) for index, manifest in enumerate(SITE) for path in leaves(manifest["spec"])]


def test_a_site_as_it_should_be_has_no_differences() -> None:
    assert differences(SITE, copy.deepcopy(SITE)) == ()
    assert wanted({}) == ()


@pytest.mark.parametrize(
    ("index", "path"),
    EVERY_FIELD,
    ids=[f"{SITE[i]['metadata']['name']}-{'.'.join(map(str, p))}" for i, p in EVERY_FIELD],
)
def test_no_field_can_be_changed_unseen(index: int, path: Path) -> None:
    found = copy.deepcopy(list(SITE))
    place: Any = found[index]["spec"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = "another"
    (tampered,) = differences(SITE, found)
    assert tampered.wanted == SITE[index]
    assert str(path[0]) in tampered.because
    assert "another" in tampered.because


def test_what_is_added_missing_or_going_is_named() -> None:
    excluded, going, *rest = copy.deepcopy(list(SITE))
    rule = {"apiGroups": [""], "apiVersions": ["*"], "resources": ["pods"], "operations": ["CREATE"]}
    excluded["spec"]["matchConstraints"]["excludeResourceRules"] = [rule]
    going["metadata"]["deletionTimestamp"] = "2026-11-30T00:00:00Z"
    found = differences(SITE, [excluded, going, *rest[1:]])
    name = rest[0]["metadata"]["name"]
    assert [str(each).partition(":")[0] for each in found] == [
        f"ValidatingAdmissionPolicy {excluded['metadata']['name']}",
        f"ValidatingAdmissionPolicy {going['metadata']['name']}",
        f"{rest[0]['kind']} {name}",
    ]
    because = [each.because for each in found]
    assert because[0].startswith("spec.matchConstraints.excludeResourceRules is ")
    assert because[1:] == ["is being deleted", "is missing"]


def test_what_a_server_stores_is_what_was_meant(gated: Gated) -> None:
    assert gated.gate.check({gated.place: [gated.place]}) == ()


def changes(gated: Gated) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Ways to open the gate by changing it: kind, name, merge patch."""
    own = f"{policies.GATE}-{gated.place}"
    return {
        "the namespace": (
            policies.BINDING,
            own,
            {"spec": {"matchResources": {"namespaceSelector": {"matchLabels": {"nobody": "has"}}}}},
        ),
        "the action": (policies.BINDING, own, {"spec": {"validationActions": ["Audit"]}}),
        "what a missing record means": (
            policies.BINDING,
            own,
            {"spec": {"paramRef": {"parameterNotFoundAction": "Allow"}}},
        ),
        "the objects": (
            policies.BINDING,
            own,
            {"spec": {"matchResources": {"objectSelector": {"matchLabels": {"nobody": "has"}}}}},
        ),
    }


@pytest.mark.parametrize("what", ["the namespace", "the action", "what a missing record means", "the objects"])
def test_what_somebody_changed_is_named_and_repaired(gated: Gated, what: str) -> None:
    kind, name, patch = changes(gated)[what]
    gated.cluster.patch(policies.API_VERSION, kind, None, name, patch, manager="somebody")
    (tampered,) = gated.gate.check({gated.place: [gated.place]})
    assert str(tampered).startswith(f"{kind} {name}: spec.")
    gated.gate.repair(tampered)
    assert gated.gate.check({gated.place: [gated.place]}) == ()
    gated.eventually(gated.is_closed)


def test_a_binding_that_somebody_deleted_opens_the_gate_and_is_put_back(gated: Gated) -> None:
    name = f"{policies.GATE}-{gated.place}"
    gated.cluster.delete(policies.API_VERSION, policies.BINDING, None, name)
    gated.eventually(lambda: not gated.is_closed())
    (tampered,) = gated.gate.install(gated.place, [gated.place])
    assert tampered.because == "is missing"
    gated.eventually(gated.is_closed)


def test_applications_are_bound_one_by_one(gated: Gated) -> None:
    gated.gate.install("another", [f"{gated.place}-another"])
    both = {gated.place: [gated.place], "another": [f"{gated.place}-another"]}
    assert gated.gate.check(both) == ()
    with pytest.raises(NotFound):
        gated.cluster.get(policies.API_VERSION, policies.BINDING, None, f"{policies.GATE}-third")
