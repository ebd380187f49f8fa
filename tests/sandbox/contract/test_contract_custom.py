"""Custom resources: what a CustomResourceDefinition makes of its objects."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

Manifest = dict[str, Any]
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

SPEC = {
    "type": "object",
    "required": ["size"],
    "x-kubernetes-validations": [
        {"rule": "self.size < 100", "message": "too big"},
        {"rule": "self.size >= oldSelf.size", "message": "may not shrink"},
    ],
    "properties": {
        "size": {"type": "integer", "minimum": 1},
        "mode": {"type": "string", "enum": ["fast", "slow"], "default": "fast"},
        "short": {"type": "string", "maxLength": 3, "pattern": "^a"},
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "steps": {"type": "array", "items": {"type": "string"}},
        "parts": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "value": {"type": "integer"}},
            },
        },
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "either": {"x-kubernetes-int-or-string": True},
    },
}
STATUS = {"type": "object", "properties": {"phase": {"type": "string"}}}


@dataclass(frozen=True)
class Widgets:
    """A kind of its own: where its objects are, and how one looks."""

    group: str
    path: str

    def manifest(self, name: str = "w", **spec: Any) -> Manifest:
        metadata = {"name": name}
        return {"apiVersion": f"{self.group}/v1", "kind": "Widget", "metadata": metadata, "spec": {"size": 5, **spec}}


def definition(group: str) -> Manifest:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
            {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ],
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC, "status": STATUS}}},
    }
    names = {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return {**kind, "metadata": {"name": f"widgets.{group}"}, "spec": spec}


@pytest.fixture
def widgets(api, namespace) -> Iterator[Widgets]:
    group = f"{uuid.uuid4().hex[:8]}.example.com"
    assert api.create(DEFINITIONS, definition(group)).code == 201
    path = f"/apis/{group}/v1/namespaces/{namespace}/widgets"
    made = Widgets(group, path)
    api.eventually(lambda: api.create(path, made.manifest(), dryRun="All"), lambda answer: answer.code == 201)
    yield made
    api.delete(f"{DEFINITIONS}/widgets.{group}")


def test_a_definition_says_when_it_is_established(api, widgets) -> None:
    crd = api.get(f"{DEFINITIONS}/widgets.{widgets.group}").body
    conditions = {one["type"]: one["status"] for one in crd["status"]["conditions"]}
    assert {"NamesAccepted": "True", "Established": "True"}.items() <= conditions.items()
    assert crd["status"]["storedVersions"] == ["v1"]
    assert crd["status"]["acceptedNames"]["listKind"] == "WidgetList"


def test_defaults_are_filled_in_and_unknown_fields_pruned(api, widgets) -> None:
    made = api.create(widgets.path, widgets.manifest(nothing=1, free={"any": {"thing": [1]}}))
    assert made.code == 201
    assert made.body["spec"] == {"size": 5, "mode": "fast", "free": {"any": {"thing": [1]}}}
    assert made.warnings == ['299 - "unknown field \\"spec.nothing\\""']
    assert made.body["metadata"]["generation"] == 1


INVALID = [
    pytest.param({"size": "big"}, {("spec.size", "FieldValueTypeInvalid"), ("<nil>", "FieldValueInvalid")}, id="type"),
    pytest.param({"size": 0}, {("spec.size", "FieldValueInvalid")}, id="minimum"),
    pytest.param(
        {"mode": "x"}, {("spec.mode", "FieldValueNotSupported"), ("<nil>", "FieldValueInvalid")}, id="enumeration"
    ),
    pytest.param({"short": "b"}, {("spec.short", "FieldValueInvalid")}, id="pattern"),
    pytest.param({"short": "abcd"}, {("spec.short", "FieldValueTooLong"), ("<nil>", "FieldValueInvalid")}, id="length"),
    pytest.param({"tags": ["a", "a"]}, {("spec.tags[1]", "FieldValueDuplicate")}, id="twice in a set"),
    pytest.param(
        {"parts": [{"name": "a"}, {"name": "a"}]}, {("spec.parts[1]", "FieldValueDuplicate")}, id="one key twice"
    ),
    pytest.param(
        {"parts": [{"value": 1}]},
        {("spec.parts[0].name", "FieldValueRequired"), ("<nil>", "FieldValueInvalid")},
        id="a key left out",
    ),
    pytest.param({"size": 100}, {("spec", "FieldValueInvalid")}, id="a rule"),
]


@pytest.mark.parametrize(("spec", "causes"), INVALID)
def test_what_the_schema_forbids_is_invalid(api, widgets, spec, causes) -> None:
    answer = api.create(widgets.path, widgets.manifest(**spec))
    assert (answer.code, answer.body["reason"], answer.causes) == (422, "Invalid", causes)


def test_a_rule_may_compare_with_the_old_object(api, widgets) -> None:
    api.create(widgets.path, widgets.manifest())
    assert api.patch(f"{widgets.path}/w", {"spec": {"size": 6}}).code == 200
    refused = api.patch(f"{widgets.path}/w", {"spec": {"size": 5}})
    assert refused.code == 422
    assert refused.body["details"]["causes"][0]["message"] == 'Invalid value: "object": may not shrink'


def test_a_replacement_needs_a_resource_version(api, widgets) -> None:
    made = api.create(widgets.path, widgets.manifest()).body
    answer = api.send("PUT", f"{widgets.path}/w", widgets.manifest())
    assert (answer.code, answer.causes) == (422, {("metadata.resourceVersion", "FieldValueInvalid")})
    assert api.send("PUT", f"{widgets.path}/w", made).code == 200


def test_status_is_a_subresource(api, widgets) -> None:
    made = api.create(widgets.path, {**widgets.manifest(), "status": {"phase": "Early"}}).body
    assert "status" not in made
    both = {"status": {"phase": "Ready", "other": 1}, "spec": {"size": 9}, "metadata": {"labels": {"a": "b"}}}
    changed = api.patch(f"{widgets.path}/w/status", both).body
    assert (changed["status"], changed["spec"]["size"]) == ({"phase": "Ready"}, 5)
    assert "labels" not in changed["metadata"]
    assert changed["metadata"]["generation"] == 1


def test_lists_are_applied_as_the_schema_says(api, widgets) -> None:
    one = widgets.manifest(
        tags=["a", "b"], steps=["x"], parts=[{"name": "p", "value": 1}], free={"k": {"l": [1]}}, labels={"one": "1"}
    )
    assert api.apply(f"{widgets.path}/w", one, manager="one").code == 201
    two = widgets.manifest(tags=["c"], parts=[{"name": "q"}], free={"k": {"m": 1}}, labels={"two": "2"})
    merged = api.apply(f"{widgets.path}/w", two, manager="two").body["spec"]
    assert sorted(merged["tags"]) == ["a", "b", "c"]
    assert sorted(part["name"] for part in merged["parts"]) == ["p", "q"]
    assert merged["free"] == {"k": {"l": [1], "m": 1}}
    assert merged["labels"] == {"one": "1", "two": "2"}
    refused = api.apply(f"{widgets.path}/w", widgets.manifest(steps=["y"], free={"k": {"l": [2]}}), manager="two")
    assert {one["field"] for one in refused.body["details"]["causes"]} == {".spec.steps", ".spec.free.k.l"}
    left = api.apply(f"{widgets.path}/w", widgets.manifest(), manager="one").body["spec"]
    assert left == {
        "size": 5,
        "mode": "fast",
        "tags": ["c"],
        "parts": [{"name": "q"}],
        "free": {"k": {"m": 1}},
        "labels": {"two": "2"},
    }


def test_an_unknown_field_cannot_be_applied(api, widgets) -> None:
    answer = api.apply(f"{widgets.path}/w", widgets.manifest(nothing=1), manager="one")
    assert answer.code == 500
    assert answer.body["message"].endswith(".spec.nothing: field not declared in schema")


def test_strategic_patches_are_for_built_in_kinds(api, widgets) -> None:
    api.create(widgets.path, widgets.manifest())
    assert api.patch(f"{widgets.path}/w", {"spec": {"size": 6}}, "strategic").code == 415


def test_items_of_a_list_say_what_they_are(api, widgets) -> None:
    api.create(widgets.path, widgets.manifest())
    listed = api.get(widgets.path).body
    assert (listed["kind"], [item["kind"] for item in listed["items"]]) == ("WidgetList", ["Widget"])


def test_printer_columns_make_a_table(api, widgets) -> None:
    api.create(widgets.path, widgets.manifest())
    table = api.send("GET", widgets.path, accept="application/json;as=Table;v=v1;g=meta.k8s.io,application/json").body
    assert table["kind"] == "Table"
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Size", "Phase", "Age"]
    (row,) = table["rows"]
    assert row["cells"][:3] == ["w", 5, None]
    assert row["object"]["kind"] == "PartialObjectMetadata"


def test_a_definition_takes_its_objects_with_it(api, widgets) -> None:
    api.create(widgets.path, widgets.manifest())
    assert api.delete(f"{DEFINITIONS}/widgets.{widgets.group}").code == 200
    api.eventually(lambda: api.get(widgets.path), lambda answer: answer.code == 404)


def test_a_definition_is_named_after_what_it_defines(api) -> None:
    crd = definition("x.example.com")
    crd["metadata"]["name"] = "gadgets.x.example.com"
    assert ("metadata.name", "FieldValueInvalid") in api.create(DEFINITIONS, crd).causes


def test_a_list_is_keyed_by_fields_that_are_always_there(api) -> None:
    group = f"{uuid.uuid4().hex[:8]}.example.com"
    crd = definition(group)
    item = {"type": "object", "properties": {"name": {"type": "string"}}}
    keyed = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": item}
    root = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"parts": keyed}}}}
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = root
    answer = api.create(DEFINITIONS, crd)
    assert answer.code == 422
    assert {reason for _, reason in answer.causes} == {"FieldValueRequired"}


def test_a_map_that_an_apply_empties_becomes_null_and_is_refused(api, widgets) -> None:
    """Whoever gives up all that a map holds leaves out the map itself."""
    path = f"{widgets.path}/w"
    api.apply(path, widgets.manifest(labels={"a": "1"}), manager="one")
    refused = api.apply(path, widgets.manifest(labels={}), manager="one")
    assert (refused.code, ("spec.labels", "FieldValueTypeInvalid") in refused.causes) == (422, True)
    assert "labels" not in api.apply(path, widgets.manifest(), manager="one").body["spec"]


def test_null_is_kept_where_it_is_allowed_and_else_taken_for_absent(api, widgets) -> None:
    made = api.create(widgets.path, widgets.manifest(mode=None, short=None, tags=None, free={"k": None}))
    assert (made.code, made.body["spec"]) == (201, {"size": 5, "mode": "fast", "free": {"k": None}})
