"""The schemas are sound JSON Schemas, and the quick check accepts exactly what they accept."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schemas
from reconciler.fleet import schema
from render.yaml import parse

KINDS = ("Fleet", "Application", "Placement")

VALID: dict[str, dict[str, Any]] = {
    "Fleet": {
        "apiVersion": "siteshift.io/v1alpha1",
        "kind": "Fleet",
        "metadata": {"name": "bank"},
        "spec": {
            "topology": "symmetric",
            "sites": [{"name": "a", "cluster": {"context": "x"}}, {"name": "b"}],
            "platform": ["platform/*"],
            "applications": ["apps/*"],
            "starts": {"maxInFlight": 1, "perMinute": 2},
            "poll": "1m30s",
            "prune": {"budget": 0},
            "contents": {
                "clusterKinds": ["Namespace", "PriorityClass.scheduling.k8s.io"],
                "namespaces": {"ledger": ["ledger", "ledger-db"]},
                "takeOver": ["ledger"],
            },
            "remoteBases": {"allow": ["git.example.com", "https://forge.example.com/team/"]},
            "refs": {"acks": "refs/siteshift/acks/{site}", "heartbeats": "refs/heads/siteshift/x-{site}"},
        },
    },
    "Application": {
        "apiVersion": "siteshift.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "ledger"},
        "spec": {
            "sites": ["a", "b"],
            "overlay": "sites/{site}",
            "roles": {"active": "../roles/active"},
            "replication": {
                "driver": "csi-addons",
                "groups": [{"kind": "VolumeReplication", "name": "x.y", "namespace": "n"}],
                "rpo": "0.5s",
            },
            "onIsolation": "fence",
            "lease": {"time": "5m", "fenceAfter": "20m"},
            "suspend": False,
        },
    },
    "Placement": {
        "apiVersion": "siteshift.io/v1alpha1",
        "kind": "Placement",
        "metadata": {"name": "ledger"},
        "spec": {
            "active": "a",
            "epoch": 2,
            "move": "disaster",
            "declaredDown": ["b"],
            "allowDataLoss": "unknown",
            "reason": "x",
            "acceptRewind": {"from": ["3f9c2d1"], "to": "81c04aa"},
        },
    },
}

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from(["a", "", "planned", "5m", "unknown", "..", "a/b", "refs/x/{site}", "fence", 1.0, 1.5]),
    st.lists(st.sampled_from(["a", "b", "a"]), max_size=3),
    st.dictionaries(st.sampled_from(["name", "active", "spec", "x"]), st.sampled_from(["a", 1]), max_size=2),
)


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, child in children for path in paths(child, (*at, key)))]


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, Any]:
    """A right document with a few places overwritten, removed or added to."""
    kind = draw(st.sampled_from(KINDS))
    value: Any = copy.deepcopy(VALID[kind])
    for _ in range(draw(st.integers(0, 3))):
        *way, last = draw(st.sampled_from([path for path in paths(value) if path] or [("x",)]))
        target = value
        for key in way:
            target = target[key]
        match draw(st.sampled_from(["set", "remove", "add"])):
            case "set":
                target[last] = draw(VALUES)
            case "remove":
                del target[last]
            case _ if isinstance(target, dict):
                target[draw(st.sampled_from(["extra", "suspend", "reason", "home"]))] = draw(VALUES)
    return kind, value


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_a_schema(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas.read(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_described_for_editors(kind: str) -> None:
    def fields(rule: Any) -> list[tuple[str, Any]]:
        if not isinstance(rule, dict):
            return []
        own = list(rule.get("properties", {}).items())
        return own + [pair for child in rule.values() for pair in fields(child)]

    missing = [name for name, rule in fields(schemas.read(kind)) if "description" not in rule and "$ref" not in rule]
    assert [name for name in missing if name not in ("kind", "name", "namespace", "active", "passive")] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_right_document_is_accepted_without_jsonschema(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jsonschema.Draft202012Validator", None)
    assert schema.check(kind, VALID[kind]) == []


@settings(deadline=None, derandomize=True)
@given(documents())
def test_the_quick_check_never_accepts_what_the_schema_refuses(document: tuple[str, Any]) -> None:
    kind, value = document
    problems = schema.check(kind, value)
    right = jsonschema.Draft202012Validator(schemas.read(kind)).is_valid(value)
    assert (problems == []) is right
    for problem in problems:
        assert problem.message


def test_a_document_parsed_as_yaml_is_what_the_schema_expects() -> None:
    text = json.dumps(VALID["Fleet"]).encode()
    assert schema.check("Fleet", parse(text, "siteshift.yaml")[0]) == []
