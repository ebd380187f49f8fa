"""The resources that a controller reports through are namespaced, have a status of its own, and print columns."""

from __future__ import annotations

from typing import Any

import pytest

import schemas
from render.yaml import parse

CRDS = {path.stem: parse(path.read_bytes(), path.name)[0] for path in (schemas.FOLDER / "crds").glob("site*.yaml")}


def test_there_are_two() -> None:
    assert sorted(CRDS) == ["siteapplications", "sites"]


@pytest.mark.parametrize("crd", CRDS.values(), ids=CRDS.keys())
def test_a_resource_is_namespaced_and_reports_only(crd: dict[str, Any]) -> None:
    (version,) = crd["spec"]["versions"]
    assert crd["metadata"]["name"] == f"{crd['spec']['names']['plural']}.siteshift.io"
    assert (crd["spec"]["scope"], version["name"]) == ("Namespaced", "v1alpha1")
    assert version["subresources"] == {"status": {}}


@pytest.mark.parametrize("crd", CRDS.values(), ids=CRDS.keys())
def test_a_column_shows_a_field_that_exists(crd: dict[str, Any]) -> None:
    (version,) = crd["spec"]["versions"]
    columns = version["additionalPrinterColumns"]
    assert {"State", "Ready"} <= {column["name"] for column in columns}
    for column in columns:
        field: Any = version["schema"]["openAPIV3Schema"]
        if column["jsonPath"].startswith(".metadata."):
            continue
        for name in column["jsonPath"].removeprefix(".").split("."):
            field = field["properties"][name]
        assert field["type"] in ("string", "integer", "boolean")
