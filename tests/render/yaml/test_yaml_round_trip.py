"""What is printed reads back as the same data: recorded builds byte for byte, and anything hypothesis invents."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render.errors import YamlError
from render.yaml import dump, parse, parse_kustomization, position
from render.yaml.anchors import MOST_DEPTH

SETTINGS = settings(derandomize=True, deadline=None, max_examples=300, database=None)

CHARACTERS = st.characters(
    exclude_categories=["Cs"],
    exclude_characters=["\ufffe", "\uffff", *map(chr, range(0x7F, 0xA0))],
)
FRAGMENTS = st.sampled_from(
    [*":-?#&*!|>'\"%@`{}[],~=<\\/.+_ \t\n\r", ": ", " #", "- ", "  ", "\n\n", "\n ", " \n", "null", "yes", "0x1",
     "1:30", "2024-01-01", "1e3", "x" * 40, "some words of text ", "é", "\ufeff", "\u2028", "\U0001f680", "---", "..."]
)  # fmt: skip
TEXT = st.one_of(st.text(CHARACTERS, max_size=20), st.lists(FRAGMENTS, max_size=12).map("".join))
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: abs(x) < 2**53 or abs(x) >= 2.0**64)
"""Between the two, Kustomize prints a float's shortest digits as an integer, which is another number."""
NUMBERS = st.one_of(st.integers(-(2**63), 2**64 - 1), FLOATS, st.booleans(), st.none())
KEYS = TEXT.filter(lambda text: text != "<<")
VALUES = st.recursive(
    st.one_of(TEXT, NUMBERS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


def carries_separator(value: object) -> bool:
    return (
        re.search("[\u2028\u2029]", repr(value).replace("\\u2028", "\u2028").replace("\\u2029", "\u2029")) is not None
    )


@SETTINGS
@given(st.dictionaries(KEYS, VALUES, max_size=5).filter(lambda value: not carries_separator(value)))
def test_parse_gives_back_what_dump_was_given(value: dict[str, object]) -> None:
    assert parse(dump([value]).encode(), "a.yaml") == [value]


@SETTINGS
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=3), max_size=3))
def test_printing_what_was_read_prints_the_same(values: list[dict[str, object]]) -> None:
    once = dump(parse(dump(values).encode(), "a.yaml"))
    assert dump(parse(once.encode(), "a.yaml")) == once


PIECES = st.sampled_from(
    [*"ab:-?#&*!|>'\"%@`{}[],~=<\\/.+_ 1\t\n\r", ": ", "\n  ", "\n- ", "&a ", "*a", "<<: ", "!!int ", "!!binary ",
     "---\n", "...\n", "%YAML 1.1\n", "2024-01-01", "\xe9", "\0", "\x85", "\ufeff", "\u2028", "\U0001f680"]
)  # fmt: skip


def refusal(read: Callable[[bytes, str], object], data: bytes) -> str:
    """The error that a reader raises, or the name of the file if it raises none."""
    try:
        read(data, "a.yaml")
    except YamlError as error:
        return str(error)
    return "a.yaml:"


@SETTINGS
@given(
    st.one_of(
        st.binary(max_size=60),
        st.lists(PIECES, max_size=30).map(lambda pieces: "".join(pieces).encode()),
        st.lists(PIECES, max_size=12).map(lambda pieces: "".join(pieces).encode("utf-16")),
    )
)
def test_bytes_are_read_or_refused_with_a_place_and_never_anything_else(data: bytes) -> None:
    for read in (parse, parse_kustomization, lambda data, path: position(data, path, 0, ["a", 0, "b"])):
        assert refusal(read, data).startswith("a.yaml:")


@pytest.mark.parametrize("digits", ["9" * 5000, "-" + "9" * 5000, "0x" + "f" * 5000, "1e" + "9" * 5000])
def test_number_of_any_length_is_read(digits: str) -> None:
    assert parse(f"v: {digits}\n".encode(), "a.yaml") == [{"v": digits}]


def test_deepest_document_that_is_read_can_be_printed() -> None:
    text = "- " * MOST_DEPTH + "x\n"
    assert dump(parse(text.encode(), "a.yaml")) == text


@pytest.mark.conformance
def test_recorded_builds_come_back_byte_for_byte(shared: Path) -> None:
    files = sorted(shared.glob("inputs/*/expected/*.yaml"))
    assert len(files) > 600
    different = [
        str(file.relative_to(shared))
        for file in files
        if dump(parse(file.read_bytes(), file.name)).encode() != file.read_bytes()
    ]
    assert different == []
