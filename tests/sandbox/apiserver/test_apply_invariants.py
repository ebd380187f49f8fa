"""What holds for every sequence of applies and updates, whoever makes them.

No manifest here states an empty map or list: Kubernetes turns those that an apply empties into null, and takes the
empty one back with the next apply.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.apiserver.fieldsets import compact, difference, expand, intersection, union
from sandbox.apiserver.ownership import Managers, Owned, Who, after_apply, after_update
from sandbox.apiserver.registry import custom_schema
from sandbox.apiserver.typed import compare, ensure_named, field_set, merge

PART = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "a": {"type": "integer"}, "b": {"type": "integer"}},
}
SPEC = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}},
        "atom": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "integer"}},
        "steps": {"type": "array", "items": {"type": "integer"}},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "parts": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": PART,
        },
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
NODE = custom_schema({"type": "object", "properties": {"spec": SPEC}})
EMPTY: dict[str, Any] = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}}

numbers = st.integers(0, 2)
letters = st.sampled_from("abc")
few = st.dictionaries(letters, numbers, min_size=1, max_size=3)
parts = st.lists(
    st.fixed_dictionaries({"name": letters}, optional={"a": numbers, "b": numbers}),
    min_size=1,
    max_size=3,
    unique_by=lambda part: part["name"],
)
free = st.dictionaries(letters, st.one_of(numbers, few, st.lists(numbers, min_size=1)), min_size=1)
specs = st.fixed_dictionaries(
    {"n": numbers},
    optional={
        "map": few,
        "atom": few,
        "steps": st.lists(numbers, min_size=1),
        "set": st.lists(letters, min_size=1, unique=True),
        "parts": parts,
        "free": free,
    },
)
manifests = specs.map(lambda spec: {**EMPTY, "spec": spec})
managers = st.sampled_from(["one", "two", "three"])
steps = st.lists(st.tuples(st.sampled_from(["apply", "update"]), managers, manifests), min_size=1, max_size=6)


def run(history: list[tuple[str, str, dict[str, Any]]]) -> tuple[dict[str, Any], Managers]:
    live, owners = EMPTY, dict[Who, Owned]()
    for operation, name, manifest in history:
        live, owners = step(operation, name, manifest, live, owners)
    return live, owners


def step(
    operation: str, name: str, manifest: dict[str, Any], live: dict[str, Any], owners: Managers
) -> tuple[dict[str, Any], Managers]:
    if operation == "apply":
        return after_apply(NODE, live, manifest, owners, Who(name, "Apply", "v1"), "t", {}, force=True)
    return manifest, after_update(NODE, live, manifest, owners, Who(name, "Update", "v1"), "t", {})


@settings(deadline=None, max_examples=150)
@given(steps)
def test_nobody_owns_what_is_not_there(history) -> None:
    live, owners = run(history)
    there = ensure_named(NODE, field_set(NODE, live))
    assert {who: gone for who, owned in owners.items() if (gone := difference(owned.fields, there))} == {}


@settings(deadline=None, max_examples=150)
@given(steps, managers, manifests)
def test_an_applied_field_has_the_applied_value(history, name, manifest) -> None:
    live, owners = run(history)
    applied, _ = step("apply", name, manifest, live, owners)
    assert merge(NODE, applied, manifest) == applied


@settings(deadline=None, max_examples=150)
@given(steps, managers, manifests)
def test_applying_again_changes_nothing(history, name, manifest) -> None:
    once = step("apply", name, manifest, *run(history))
    assert step("apply", name, manifest, *once) == once


@settings(deadline=None, max_examples=150)
@given(steps, managers, manifests)
def test_an_apply_leaves_what_only_others_own(history, name, manifest) -> None:
    live, owners = run(history)
    applied, after = step("apply", name, manifest, live, owners)
    mine = owners.get(Who(name, "Apply", "v1"), Owned({}, "")).fields
    stated = field_set(NODE, manifest)
    changes = compare(NODE, live, applied)
    changed = union(union(changes.added, changes.modified), changes.removed)
    allowed = union(ensure_named(NODE, mine), ensure_named(NODE, stated))
    for who, owned in owners.items():
        if who.manager != name:
            touched = intersection(owned.fields, changed)
            below_mine = _within(touched, allowed)
            assert below_mine, (who, touched)
    assert Who(name, "Apply", "v1") in after


def _within(fields: dict[str, Any], allowed: dict[str, Any]) -> bool:
    """Every member lies at or below a member of `allowed`, or at a parent of one."""
    return all(
        key == "." or (key in allowed and ("." in allowed[key] or _within(child, allowed[key])))
        for key, child in fields.items()
    )


@settings(deadline=None, max_examples=100)
@given(manifests, manifests)
def test_sets_of_fields_are_sets(left, right) -> None:
    one, two = field_set(NODE, left), field_set(NODE, right)
    assert expand(compact(one)) == one
    assert union(one, two) == union(two, one)
    assert difference(one, one) == {}
    assert intersection(one, union(one, two)) == one
    assert union(difference(one, two), intersection(one, two)) == one


@settings(deadline=None, max_examples=100)
@given(manifests, manifests)
def test_a_comparison_and_its_reverse_mirror_each_other(left, right) -> None:
    there, back = compare(NODE, left, right), compare(NODE, right, left)
    assert (there.added, there.removed, there.modified) == (back.removed, back.added, back.modified)
