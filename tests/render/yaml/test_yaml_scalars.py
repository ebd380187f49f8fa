"""What a plain or tagged scalar means, row by row of what Kustomize 5.8.1 did with it."""

from __future__ import annotations

import pytest

from render.errors import YamlError
from render.yaml import parse, parse_kustomization

STRINGS = [
    *("yes", "no", "on", "off", "y", "n", "Yes", "tRue", "nan", "Infinity", "=", "<<", "a:b", "a#b", "25%"),
    *("1.2.3", "1e", "0x", "0b", "0b2", "0o8", "0x1p-2", ".", "._", "._5", ".5_", "_1", "1e400", "123e4567", "++1"),
    *("12:30:45", "190:20", "08:00", "80:80", "2024-13-45", "2023-02-29", "2024-1-1x", "2024-01-01T10:20:30"),
    *("2024-01-01 10:20:30Z", "24-01-01", "2024-01-01T25:00:00Z", "2024-01-01T10:60:00Z", "0x10000000000000000"),
    "http://x/y?a=b&c=d",
]

VALUES = [
    *((word, None) for word in ("", "~", "null", "Null", "NULL")),
    *((word, True) for word in ("true", "True", "TRUE")),
    *((word, False) for word in ("false", "False", "FALSE")),
    *(("0644", 420), ("+0644", 420), ("0o644", 420), ("007", 7), ("0_7", 7), ("0888", 888.0)),
    *(("0x1F", 31), ("-0x1F", -31), ("0b101", 5), ("-0b11", -3), ("0o-7", -7), ("0b-1", -1)),
    *(("1_000", 1000), ("1__0", 10), ("1_", 1), ("1_0.5", 10.5), ("+1", 1), ("-0", 0), ("0", 0)),
    *(("1e3", 1000.0), ("1E3", 1000.0), ("1e+3", 1000.0), ("12e03", 12000.0), ("1.10", 1.1), ("5.", 5.0)),
    *((".5", 0.5), ("-.5", -0.5), ("+.5", 0.5), (".5_5", 0.55), (".1e5_5", 1e54), ("1e-7", 1e-7)),
    *(("9007199254740993", 9007199254740993), ("18446744073709551615", 2**64 - 1), ("18446744073709551616", 2.0**64)),
    *(("+18446744073709551615", 2.0**64), ("-9223372036854775808", -(2**63)), ("-9223372036854775809", -(2.0**63))),
]

DATES = [
    ("2024-01-01", "2024-01-01T00:00:00Z"),
    ("2024-1-1", "2024-01-01T00:00:00Z"),
    ("2024-02-29", "2024-02-29T00:00:00Z"),
    ("2000-02-29", "2000-02-29T00:00:00Z"),
    ("2024-01-01T10:20:30Z", "2024-01-01T10:20:30Z"),
    ("2024-01-01t1:2:3Z", "2024-01-01T01:02:03Z"),
    ("2024-01-01 10:20:30", "2024-01-01T10:20:30Z"),
    ("2024-01-01   10:20:30.5", "2024-01-01T10:20:30.5Z"),
    ("2024-01-01T10:20:30.500+02:00", "2024-01-01T10:20:30.5+02:00"),
    ("2024-01-01T10:20:30,5Z", "2024-01-01T10:20:30.5Z"),
    ("2024-01-01T10:20:30.12345678912Z", "2024-01-01T10:20:30.123456789Z"),
    ("2024-01-01T10:20:30+00:00", "2024-01-01T10:20:30Z"),
    ("2024-01-01T10:20:30-00:00", "2024-01-01T10:20:30Z"),
]

TAGGED = [
    ("!!str 123", "123"),
    ("!!str", ""),
    ('!!int "3"', 3),
    ("!!float 1", 1.0),
    ('!!bool "true"', True),
    ('!!null ""', None),
    ("!!binary aGVsbG8=", "hello"),
    ("!!binary gIGC", "\ufffd\ufffd\ufffd"),
    ('!!timestamp "2024-01-01"', "2024-01-01T00:00:00Z"),
    ("! 12", 12),
    ('! "12"', "12"),
    ("!custom 123", "123"),
    ("!Ref {a: b}", {"a": "b"}),
    ("!!omap [a: 1]", [{"a": 1}]),
    ("!!str [1]", [1]),
    ("!!set {a, b}", {"a": "", "b": ""}),
    ("!<tag:yaml.org,2002:str> 3", "3"),
]

WRONG_TAGS = [
    ("!!bool yes", "cannot decode !!str `yes` as a !!bool"),
    ("!!int 1.5", "cannot decode !!float `1.5` as a !!int"),
    ("!!float x", "cannot decode !!str `x` as a !!float"),
    ("!!null x", "cannot decode !!str `x` as a !!null"),
    ('!!int ""', "cannot decode !!null `` as a !!int"),
    ("!!timestamp 1", "cannot decode !!int `1` as a !!timestamp"),
    ('!!binary "@@"', "!!binary value contains invalid base64 data"),
]


def value_of(text: str) -> object:
    """What a resource holds whose field `v` is written as `text`."""
    (document,) = parse(f"v: {text}\n".encode(), "a.yaml")
    return document["v"]


@pytest.mark.parametrize("text", STRINGS)
def test_stays_a_string(text: str) -> None:
    assert value_of(text) == text


@pytest.mark.parametrize(("text", "value"), VALUES, ids=[repr(text) for text, _ in VALUES])
def test_is_a_value_of_exactly_this_type(text: str, value: object) -> None:
    found = value_of(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(("text", "date"), DATES)
def test_plain_date_is_a_timestamp(text: str, date: str) -> None:
    assert value_of(text) == date


@pytest.mark.parametrize("text", ["2024-01-01", "1", "true", "null", "~", "0x1F", "<<"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_quoted_scalar_is_a_string(text: str, quote: str) -> None:
    assert value_of(quote + text + quote) == text


@pytest.mark.parametrize(("text", "value"), TAGGED)
def test_tag_decides(text: str, value: object) -> None:
    found = value_of(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(("text", "message"), WRONG_TAGS)
def test_tag_that_the_text_does_not_fit_is_refused(text: str, message: str) -> None:
    with pytest.raises(YamlError, match=r"a\.yaml:1:4: error:") as caught:
        value_of(text)
    assert caught.value.message == message


OLD = [
    *((word, True) for word in ("y", "Y", "yes", "on", "ON", "true")),
    *((word, False) for word in ("n", "N", "no", "off", "OFF", "false")),
    *(("2024-01-01", "2024-01-01"), ("0644", 420), ("1.0", 1.0), ("~", None), ("", None), ("x", "x"), ("tRue", "tRue")),
]


@pytest.mark.parametrize(("text", "value"), OLD, ids=[repr(text) for text, _ in OLD])
def test_kustomization_file_is_read_as_yaml_1_1(text: str, value: object) -> None:
    found = parse_kustomization(f"v: {text}\n".encode(), "kustomization.yaml")["v"]
    assert (type(found), found) == (type(value), value)
