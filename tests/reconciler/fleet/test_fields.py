"""Fields that the API server would refuse are found before anybody merges them, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.fleet.fields import custom_schemas, misfits

Manifest = dict[str, Any]


def deployment(**container: Any) -> Manifest:
    spec = {"containers": [{"name": "c", "image": "i", **container}]}
    labels = {"app": "web"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": labels},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {"metadata": {}, "spec": spec}},
    }


def with_spec(**fields: Any) -> Manifest:
    manifest = deployment()
    return {**manifest, "spec": {**manifest["spec"], **fields}}


CONTAINER = "spec.template.spec.containers[0]"

WRONG = {
    "misspelt": (with_spec(replcas=3), 'unknown field "replcas" in spec', 'did you mean "replicas"?'),
    "in a list": (deployment(imagePullPolcy="Always"), f'unknown field "imagePullPolcy" in {CONTAINER}', "imagePull"),
    "at the top": ({**deployment(), "sepc": {}}, 'unknown field "sepc"', 'did you mean "spec"?'),
    "in metadata": ({**deployment(), "metadata": {"nme": "x"}}, 'unknown field "nme" in metadata', "name"),
    "nothing near": (with_spec(zzz=1), 'unknown field "zzz" in spec', "the API server refuses"),
    "text for a number": (with_spec(replicas="3"), 'spec.replicas is "3", expected a number', None),
    "number for a text": (deployment(image=5), f"{CONTAINER}.image is 5, expected text", None),
    "text for a boolean": (with_spec(paused="yes"), 'spec.paused is "yes", expected true or false', None),
    "boolean for a number": (with_spec(replicas=True), "spec.replicas is true, expected a number", None),
    "mapping for a list": (deployment(ports={}), f"{CONTAINER}.ports is a mapping, expected a list", None),
    "list for a mapping": (with_spec(template=[]), "spec.template is a list, expected a mapping of fields", None),
    "number for an annotation": (
        {**deployment(), "metadata": {"annotations": {"a/b": 1}}},
        "metadata.annotations.a/b is 1, expected text",
        None,
    ),
}


@pytest.mark.parametrize(("manifest", "message", "hint"), WRONG.values(), ids=WRONG)
def test_what_would_be_refused(manifest: Manifest, message: str, hint: str | None) -> None:
    (found,) = misfits(manifest, {})
    assert message in found.message
    assert (hint is None) == (found.hint is None)
    assert hint is None or hint in str(found.hint)


RIGHT = {
    "as it should be": deployment(),
    "nulls": with_spec(strategy=None, replicas=None),
    "quantities": deployment(resources={"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": 0.5}}),
    "numbers or texts": with_spec(strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": "25%"}}),
    "free maps": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"any": "thing"}},
    "a kind that is not known": {"apiVersion": "example.com/v1", "kind": "Odd", "metadata": {"name": "x"}, "any": [1]},
    "text written into a Secret": {"apiVersion": "v1", "kind": "Secret", "metadata": {}, "stringData": {"a": "b"}},
}


@pytest.mark.parametrize("manifest", RIGHT.values(), ids=RIGHT)
def test_what_would_be_taken(manifest: Manifest) -> None:
    assert misfits(manifest, {}) == []


def definition(schema: Manifest) -> Manifest:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "ships", "kind": "Ship"}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return {**kind, "metadata": {"name": "ships.example.com"}, "spec": spec}


def ship(**spec: Any) -> Manifest:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Ship",
        "metadata": {"name": "s", "labels": {"a": "b"}},
        "spec": spec,
    }


SHIP = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "masts": {"type": "integer"},
                "cargo": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"t": {}}},
                "crew": {"type": "object", "additionalProperties": {"type": "string"}},
                "draught": {"x-kubernetes-int-or-string": True},
            },
        }
    },
}


@pytest.mark.parametrize(
    ("spec", "messages"),
    [
        pytest.param({"masts": 3, "cargo": {"any": 1}, "crew": {"cook": "x"}, "draught": "3m"}, [], id="right"),
        pytest.param({"mast": 3}, ['unknown field "mast" in spec'], id="misspelt"),
        pytest.param({"crew": {"cook": 1}}, ["spec.crew.cook is 1, expected text"], id="value-of-a-free-map"),
    ],
)
def test_a_custom_kind_is_known_by_its_definition(spec: Manifest, messages: list[str]) -> None:
    assert [found.message for found in misfits(ship(**spec), custom_schemas([definition(SHIP)]))] == messages


@pytest.mark.parametrize(
    "schema",
    [{}, {"type": "object"}, {**SHIP, "x-kubernetes-preserve-unknown-fields": True}],
    ids=["none", "bare", "open"],
)
def test_a_definition_without_fields_says_nothing(schema: Manifest) -> None:
    assert misfits(ship(mast=3), custom_schemas([definition(schema)])) == []


def test_a_broken_definition_says_nothing_about_others() -> None:
    broken = definition(SHIP)
    broken["spec"]["versions"] = "none"
    assert custom_schemas([broken]) == {}
