"""The real Kustomize as the oracle: what hypothesis invents is read and printed by both."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from render.errors import YamlError
from render.yaml import dump, parse

pytestmark = pytest.mark.testbed

HEAD = "apiVersion: v1\nkind: X\nmetadata:\n  name: x\nv:\n"
SETTINGS = settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TEXT = st.lists(
    st.sampled_from(
        [*"ab:-?#&*!|>'\"%@`{}[],~=<\\/.+_0 19eTZ\t\n\ré中\ufeff\u2028\xa0\U0001f680\x01\x1b\0", ": ", " #", "- ", "  ",
         "\n\n", "null", "true", "yes", "n", "0x1", "1:30", "1e3", "2024-01-01", "---", "...", "x" * 30, "y" * 81,
         "lorem ipsum dolor sit amet consectetur "]
    ),
    max_size=12,
).map("".join)  # fmt: skip
KEYS = TEXT.filter(lambda text: text != "<<")
VALUES = st.recursive(
    TEXT,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=2)),
    max_leaves=10,
)
PLAIN = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(2**66), 2**66).map(str),
    st.lists(st.sampled_from([*"0123456789+-._eExobTZ:", "0x", "0b", "0o", "inf"]), min_size=1, max_size=7)
    .map("".join),
    st.from_regex(r"20[0-3][0-9]-[01]?[0-9]-[0-3]?[0-9]([Tt ][0-2]?[0-9]:[0-6]?[0-9]:[0-6][0-9](\.[0-9]{1,3})?"
                  r"(Z|[+-]0[0-9]:[0-5]0)?)?", fullmatch=True),
)  # fmt: skip


def kustomize(binary: Path, folder: Path, resource: str) -> str | None:
    """What the real program prints for one resource, None if it refuses."""
    (folder / "kustomization.yaml").write_text("resources:\n- resource.yaml\n")
    (folder / "resource.yaml").write_bytes(resource.encode())
    done = subprocess.run([binary, "build", str(folder)], capture_output=True, timeout=60, check=False)
    return done.stdout.decode() if done.returncode == 0 else None


def ours(resource: str) -> str | None:
    try:
        return dump(parse(resource.encode(), "resource.yaml"))
    except YamlError:
        return None


def in_double_quotes(text: str) -> str:
    return '"' + "".join(
        f"\\u{ord(c):04x}" if ord(c) < 0x20 or c in '"\\\ufeff\u2028\xa0' else c for c in text
    ) + '"'  # fmt: skip


def in_flow_style(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"? {in_flow_style(key)} : {in_flow_style(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(in_flow_style, value)) + "]"
    assert isinstance(value, str)
    return in_double_quotes(value)


def ends_a_block_with_a_separator(value: object) -> bool:
    """The known difference: Kustomize forgets the line break after such a block."""
    if isinstance(value, dict):
        return any(ends_a_block_with_a_separator(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(map(ends_a_block_with_a_separator, value))
    return isinstance(value, str) and "\n" in value and value.endswith("\u2028")


@SETTINGS
@given(values=st.lists(VALUES, min_size=10, max_size=40))
def test_values_are_printed_as_kustomize_prints_them(
    kustomize_binary: Path, tmp_path: Path, values: list[object]
) -> None:
    kept = [value for value in values if not ends_a_block_with_a_separator(value)]
    resource = HEAD + "".join(f"- {in_flow_style(value)}\n" for value in kept)
    theirs = kustomize(kustomize_binary, tmp_path, resource)
    assert theirs is not None
    assert ours(resource) == theirs


@SETTINGS
@given(scalars=st.lists(PLAIN, min_size=20, max_size=60))
def test_plain_scalars_mean_what_kustomize_takes_them_for(
    kustomize_binary: Path, tmp_path: Path, scalars: list[str]
) -> None:
    unclear = (":", "- ")  # these make mappings and lists out of what should be one scalar
    kept = [text for text in scalars if not text.endswith(unclear) and text not in ("-", ".inf", "+.inf", "-.inf")]
    resource = HEAD + "".join(f"- {text}\n" for text in kept)
    theirs = kustomize(kustomize_binary, tmp_path, resource)
    assert theirs is not None
    assert ours(resource) == theirs
