"""What people see of a difference, and what they must never see."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from reconciler.cluster import MASK
from reconciler.diff import Change, FieldChange, Verdict, deleted, diff, format_changes, summary
from reconciler.diff.text import format_field
from reconciler.diff.values import equal, quantity
from reconciler.objects import Ref

SPEC = ("spec", "resources", "requests", "cpu")


def _live(kind: str, owned: dict[str, Any] | None, **rest: Any) -> dict[str, Any]:
    fields = [] if owned is None else [_entry(owned)]
    metadata = {"namespace": "shop", "name": "x", "uid": "u", "resourceVersion": "7", "managedFields": fields}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **rest}


def _entry(owned: dict[str, Any]) -> dict[str, Any]:
    return {"manager": "siteshift", "operation": "Apply", "apiVersion": "v1", "fieldsV1": owned}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_secret_values_are_masked_and_still_said_to_differ() -> None:
    owned = {"f:data": {"f:same": {}, "f:other": {}, "f:old": {}}}
    data = {"same": _encoded("stays"), "other": _encoded("before"), "old": _encoded("removed")}
    desired = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": "shop", "name": "x"},
        "data": {"same": _encoded("stays")},
        "stringData": {"other": "afterwards", "new": "brand-new"},
    }

    found = diff(desired, _live("Secret", owned, data=data), manager="siteshift")

    assert found.fields == (
        FieldChange("data.new", None, MASK),
        FieldChange("data.old", MASK, None),
        FieldChange("data.other", MASK, MASK),
    )
    shown = "\n".join(format_changes([("0000_10 x", found)]))
    assert "data.other: ***** > ***** (values differ)" in shown
    for text in ("stays", "before", "removed", "afterwards", "brand-new"):
        assert text not in shown
        assert _encoded(text) not in shown


def test_a_secret_taken_over_shows_no_value_of_its_data() -> None:
    desired = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": "shop", "name": "x"},
        "data": {"a": _encoded("mine")},
    }

    found = diff(desired, _live("Secret", None, data={"a": _encoded("theirs")}), manager="siteshift")

    assert found.fields == (FieldChange("data.a", MASK, MASK),)


def test_an_entry_of_another_manager_version_or_subresource_is_not_ours() -> None:
    desired = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"namespace": "shop", "name": "x"},
        "data": {"a": "1"},
    }
    owned = {"f:data": {"f:a": {}}}
    others = [
        {**_entry(owned), "manager": "kubectl"},
        {**_entry(owned), "operation": "Update"},
        {**_entry(owned), "apiVersion": "v0"},
        {**_entry(owned), "subresource": "status"},
    ]
    live = _live("ConfigMap", owned, data={"a": "1"})

    assert diff(desired, live, manager="siteshift").verdict is Verdict.UNCHANGED
    for other in others:
        live["metadata"]["managedFields"] = [other]
        assert diff(desired, live, manager="siteshift") == Change(Ref("", "ConfigMap", "shop", "x"), Verdict.CHANGED)


def test_changes_are_shown_in_columns_with_their_fields_and_counted() -> None:
    cores = FieldChange("spec.template.spec.domain.cpu.cores", 4, 8)
    machine, settings = Ref("kubevirt.io", "VirtualMachine", "ledger", "postgres"), "ConfigMap"
    changes = [
        ("0000_10 postgres", Change(machine, Verdict.CHANGED, (cores,))),
        ("0000_50 ledger", Change(Ref("", settings, "ledger", "settings-7h2k"), Verdict.CREATED)),
        ("0000_50 ledger", deleted(_live(settings, None))),
        ("0000_50 ledger", Change(Ref("", settings, "ledger", "adopted"), Verdict.CHANGED)),
        ("0000_50 ledger", Change(Ref("", settings, "ledger", "same"), Verdict.UNCHANGED)),
    ]

    assert list(format_changes(changes)) == [
        "0000_10 postgres  ~ VirtualMachine ledger/postgres",
        "    spec.template.spec.domain.cpu.cores: 4 > 8",
        "0000_50 ledger    + ConfigMap ledger/settings-7h2k",
        "0000_50 ledger    - ConfigMap shop/x      (will be pruned)",
        "0000_50 ledger    ~ ConfigMap ledger/adopted      (takes over its fields, no value changes)",
    ]
    assert summary(change for _, change in changes) == "1 to create, 2 to change, 1 to delete, 1 unchanged"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(None, "x", "f: (none) > x", id="added"),
        pytest.param("x", None, "f: x > (none)", id="removed"),
        pytest.param("", " x", 'f: "" > " x"', id="text-that-needs-quotes"),
        pytest.param("a\nb", True, 'f: "a\\nb" > true', id="lines-and-booleans"),
        pytest.param({"a": 1}, ["b"], 'f: {"a": 1} > ["b"]', id="containers"),
        pytest.param("x" * 100, 1, f"f: {'x' * 79}… > 1", id="long"),
    ],
)
def test_a_field_is_one_line(old: Any, new: Any, expected: str) -> None:
    assert format_field(FieldChange("f", old, new)) == expected


@pytest.mark.parametrize(
    ("desired", "live", "path", "expected"),
    [
        pytest.param("1000m", "1", SPEC, True, id="thousandths"),
        pytest.param("0.5", "500m", SPEC, True, id="half"),
        pytest.param(2, "2", SPEC, True, id="number-and-text"),
        pytest.param("1Gi", "1024Mi", SPEC, True, id="binary"),
        pytest.param("1G", "1Gi", SPEC, False, id="decimal-and-binary"),
        pytest.param("1e3", "1k", SPEC, True, id="exponent"),
        pytest.param("1E", "1000P", SPEC, True, id="exa-is-no-exponent"),
        pytest.param("1000m", "1", ("data", "requests"), False, id="text-that-looks-like-a-quantity"),
        pytest.param(80, "80", ("spec", "port"), False, id="number-and-text-elsewhere"),
        pytest.param(1, 1.0, ("spec", "x"), True, id="whole-and-float"),
        pytest.param(1, True, ("spec", "x"), False, id="number-and-boolean"),
        pytest.param({}, None, ("spec", "x"), True, id="empty-and-absent"),
        pytest.param([], {}, ("spec", "x"), True, id="two-kinds-of-empty"),
        pytest.param(False, None, ("spec", "x"), True, id="zero-value-left-out"),
        pytest.param(True, None, ("spec", "x"), False, id="not-the-zero-value"),
        pytest.param({"port": 80}, {"port": 80, "protocol": "TCP"}, ("spec", "x"), True, id="known-default"),
        pytest.param({"port": 80}, {"port": 80, "protocol": "UDP"}, ("spec", "x"), False, id="no-default"),
        pytest.param([1, 2], [2, 1], ("spec", "x"), False, id="order"),
    ],
)
def test_values_that_mean_the_same(desired: Any, live: Any, path: tuple[str, ...], expected: bool) -> None:
    assert equal(desired, live, path) is expected


@pytest.mark.parametrize("text", ["", "one", "1 Gi", "1.2.3", "0x10", "Gi", None, True])
def test_what_is_no_quantity(text: Any) -> None:
    assert quantity(text) is None
