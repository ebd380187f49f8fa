"""How values look when they are printed: key order, numbers, quotes, folds and blocks, as Kustomize prints them."""

from __future__ import annotations

import pytest

from render.errors import YamlError
from render.yaml import dump, parse
from render.yaml.order import natural_order

WORD = "lorem ipsum dolor sit amet consectetur adipiscing elit "

SHAPES = [
    ([], ""),
    ([{}], "{}\n"),
    ([{"b": 1, "a": [1, {"d": None, "c": []}, [True, [{}]]]}, {"a": ""}],
     "a:\n- 1\n- c: []\n  d: null\n- - true\n  - - {}\nb: 1\n---\na: \"\"\n"),
    ([[1, [2, 3]], "x", None, 1.5], "- 1\n- - 2\n  - 3\n---\nx\n---\nnull\n---\n1.5\n"),
    ([{"a": {"b": {"c": "x"}}}], "a:\n  b:\n    c: x\n"),
    ([{"k" * 128: 1}], f"{'k' * 128}: 1\n"),
    ([{"k" * 129: 1}], f"? {'k' * 129}\n: 1\n"),
    ([{"a": {"é" * 65: {"b": [1], "c": 2}}}], f"a:\n  ? {'é' * 65}\n  : b:\n    - 1\n    c: 2\n"),
    ([{"k" * 129: [1, 2], "z": 1}], f"? {'k' * 129}\n: - 1\n  - 2\nz: 1\n"),
    ([{"a\nb": 1}], "? |-\n  a\n  b\n: 1\n"),
    ([[{"k" * 129: "x", "z": 1}]], f"- ? {'k' * 129}\n  : x\n  z: 1\n"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "text"), SHAPES, ids=[repr(text[:40]) for _, text in SHAPES])
def test_shape(values: list[object], text: str) -> None:
    assert dump(values) == text


STRINGS = [
    *[(word, word) for word in ("short", "it's", "a, b", "=", "<<", "80:80", "a\xa0b", "x-y_z", "a:b", "a#b", "25%")],
    *[
        (word, word)
        for word in ("-x", "?x", ":x", "é", "2024-13-45", "1.2.3", "/a", "a?", "a[0]", "_1", "tRue", "a\\b")
    ],
    *[(word, f'"{word}"') for word in ("", "null", "~", "true", "False", "y", "Y", "no", "On", "off", "1", "0x1F")],
    *[(word, f'"{word}"') for word in ("1e3", ".5", ".5_5", "1_000", "0o17", ".inf", ".nan", "12:30:45", "190:20")],
    *[(word, f'"{word}"') for word in ("2024-01-01", "2024-1-1T1:2:3Z", "18446744073709551616", "+1", "-0", "1:30.5")],
    *[(word, f"'{word}'") for word in (" a", "a ", "a: b", "a #b", "a:", "- a", "-", "?", ":", "---", "...", "---x")],
    *[
        (word, f"'{word}'")
        for word in ("*a", "&a", "!a", "%a", "@a", "`a", "{a", "[a", "]", "}", "|", ">", '"', ",a", "#")
    ],
    ("'a", "'''a'"),
    ("a\tb", '"a\\tb"'),
    ("a\rb", '"a\\rb"'),
    ("\x00\x1b\x01", '"\\0\\e\\x01"'),
    ("\U0001f680", '"\\U0001F680"'),
    ("a\U0001f680 b", '"a\\U0001F680 b"'),
    ("a\ufeffb", '"a\\uFEFFb"'),
    ("\ufeffab c", '"\\uFEFF\\x61\\x62\\x20\\x63"'),
    ("a\u2028b", "'a\u2028  b'"),
    ("a \u2028b", '"a \\Lb"'),
    (".\u2029", "'.\u2029'"),
    ("a\u0085b", "a b"),
    ("a \u0085 b", "a b"),
    ("a\nb", "|-\n  a\n  b"),
    ("a\nb\n", "|\n  a\n  b"),
    ("a\n\n", "|+\n  a\n"),
    ("\n", "|2+\n"),
    ("\na", "|2-\n\n  a"),
    (" a\nb\n", "|2\n   a\n  b"),
    ("a\n  b\n\nc\n", "|\n  a\n    b\n\n  c"),
    ("a \nb", '"a \\nb"'),
    ("a\nb ", '"a\\nb "'),
    ("a\tb\nc", '"a\\tb\\nc"'),
    ("a\n\U0001f680", '"a\\n\\U0001F680"'),
    ("a\u0085\u0085b", "|-\n  a\n  b"),
    ("a\u2028b\nc", "|-\n  a\u2028  b\n  c"),
]


@pytest.mark.parametrize(("value", "text"), STRINGS, ids=[repr(value) for value, _ in STRINGS])
def test_string_in_a_mapping(value: str, text: str) -> None:
    assert dump([{"v": value}]) == f"v: {text}\n"


FOLDS = [
    (f"{WORD * 2}".strip(), f"v: {WORD}lorem ipsum dolor sit amet\n  consectetur adipiscing elit\n"),
    ("x" * 200, f"v: {'x' * 200}\n"),
    ("x" * 77 + " y", f"v: {'x' * 77} y\n"),
    ("x" * 78 + " y", f"v: {'x' * 78}\n  y\n"),
    ("x" * 90 + "  y z", f"v: {'x' * 90}  y\n  z\n"),
    ("x" * 90 + ": y z", f"v: '{'x' * 90}:\n  y z'\n"),
    ("x" * 90 + " it's: y", f"v: '{'x' * 90}\n  it''s: y'\n"),
    ("x" * 90 + "\t  y z", f"v: \"{'x' * 90}\\t\n  \\ y z\"\n"),
    ("é" * 77 + " y z", f"v: {'é' * 77} y\n  z\n"),
    (f"{WORD}\n{WORD}x", f'v: "{WORD}\\nlorem ipsum dolor sit\n  amet consectetur adipiscing elit x"\n'),
    ("a\n" + WORD * 3 + "x", f"v: |-\n  a\n  {WORD * 3}x\n"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), FOLDS, ids=[repr(value[-12:]) for value, _ in FOLDS])
def test_long_string_breaks_at_single_spaces_after_column_80(value: str, text: str) -> None:
    assert dump([{"v": value}]) == text


def test_further_lines_are_indented_below_the_mapping_that_holds_the_string() -> None:
    text = dump([{"a": {"b": [{"c": "x" * 90 + " y"}, "x" * 90 + " y", "p\nq"], "d": "p\nq"}}])
    assert (
        text
        == f"a:\n  b:\n  - c: {'x' * 90}\n      y\n  - {'x' * 90}\n    y\n  - |-\n    p\n    q\n  d: |-\n    p\n    q\n"
    )


def test_same_string_folds_or_not_by_where_it_stands() -> None:
    value = "x" * 70 + " y z"
    text = dump([{"v": value, "longer_key": value}])
    assert text == f"longer_key: {'x' * 70}\n  y z\nv: {value}\n"


NUMBERS = [
    *((value, str(value)) for value in (0, 1, -1, 2**64 - 1, -(2**63))),
    *((True, "true"), (False, "false"), (None, "null")),
    *((1.0, "1"), (-0.0, "0"), (1.1, "1.1"), (1e-7, "1e-07"), (0.0001, "0.0001"), (0.00001, "1e-05")),
    *((1e20, "1e+20"), (1e21, "1e+21"), (6.02e23, "6.02e+23"), (1e19, "10000000000000000000"), (1e18, f"{10**18}")),
    *((6871101821536573000.0, "6871101821536573000"), (1234567.5, "1.2345675e+06"), (123456.5, "123456.5")),
    *((1.8446744073709552e19, "1.8446744073709552e+19"), (-9.223372036854776e18, "-9.223372036854776e+18")),
    *((-1.5e300, "-1.5e+300"), (5e-324, "5e-324"), (0.1, "0.1"), (100.25, "100.25"), (1.2345678901234568e29,) * 2),
]


@pytest.mark.parametrize(("value", "text"), NUMBERS, ids=[repr(row[0]) for row in NUMBERS])
def test_number(value: float, text: str | float) -> None:
    assert dump([{"v": value}]) == f"v: {text}\n"


REFUSED = [
    (float("inf"), r"json: unsupported value: \+Inf"),
    (float("-inf"), "json: unsupported value: -Inf"),
    (float("nan"), "json: unsupported value: NaN"),
    ("a\x7f", "control characters are not allowed: U\\+007F"),
    ("\x80", "control characters are not allowed"),
    ("\ufffe", "control characters are not allowed"),
    ({"a\x85b": 1}, "holds a NEL"),
    ({"a\x7f": 1}, "control characters are not allowed"),
    (object(), "a value of type object cannot be printed"),
]


@pytest.mark.parametrize(("value", "message"), REFUSED, ids=[repr(message) for _, message in REFUSED])
def test_what_kustomize_cannot_print_is_refused(value: object, message: str) -> None:
    with pytest.raises(YamlError, match=message):
        dump([{"v": value}])


def test_infinity_can_be_read_and_is_refused_when_printed() -> None:
    with pytest.raises(YamlError, match="Inf"):
        dump(parse(b"v: .inf\n", "a.yaml"))


ORDERS = [
    ["_", "9", "10", "Z", "a"],
    ["env2", "env10", "env010"],
    ["v1", "v1alpha1", "v1beta1", "v2"],
    ["v2", "v10"],
    ["a_b", "ab"],
    ["", "a", "a-b", "a.b", "a/b", "aB", "ab"],
    ["1", "01", "2", "02"],
    ["a100", "a101", "a1000"],
    ["x", "x18446744073709551616", "x2"],
    ["é1", "é2", "é10"],
]


@pytest.mark.parametrize("ordered", ORDERS, ids=[str(order) for order in ORDERS])
def test_keys_come_in_natural_order(ordered: list[str]) -> None:
    assert list(natural_order(reversed(ordered))) == ordered
    assert list(natural_order(ordered)) == ordered


def test_order_that_is_no_order_is_still_the_same_each_time() -> None:
    keys = ["v10", "v1z", "v9"]
    assert natural_order(keys) == natural_order(keys[::-1]) == natural_order(["v1z", "v9", "v10"])


def test_shared_values_are_printed_in_full() -> None:
    (document,) = parse(b"a: &x [1, {b: c}]\nd: *x\n", "a.yaml")
    assert dump([document]) == "a:\n- 1\n- b: c\nd:\n- 1\n- b: c\n"
