"""YAML that somebody has broken, or meant to: read, or refused with a place, and by both ways to read it the same.

Most texts are the files of `tests/render/kustomization/cases`, edited by bytes and by lines, and lines out of thin air.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from corpus import CASES, read_case
from fuzzing import PIECES, mutated, tries
from hypothesis import event, given
from hypothesis import strategies as st

from render.errors import SiteshiftError, YamlError
from render.kustomization import build
from render.tree import MemoryTree
from render.yaml import dump, parse, parse_kustomization, position
from render.yaml.brackets import Unusual
from render.yaml.lines import Lines, read_lines
from render.yaml.reading import KUSTOMIZATION_LINES, RESOURCE_LINES, parse_kustomization_whole, parse_whole

FILES = sorted({text for case in map(read_case, CASES) for text in case.files.values() if len(text) < 700})
RESOURCES = [
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: {b: c}\ndata:\n  k: v  # why\n"
    "  l: |\n    x\n     y\n",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {a: 'it''s', b: \"\\u00e9\"}}\nspec:\n  containers:\n"
    '  - name: c\n    args: [one, "two three", 3, 0o7, 1e3]\n    image: x:1\n',
    "apiVersion: x/v1\nkind: X\nmetadata: {name: x}\nspec:\n- &a {b: 1}\n- *a\n- <<: *a\n"
    "  c: 2024-01-01\n- >-\n  folded\n  text\n",
    "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\n# two\napiVersion: v1\nkind: Secret\nmetadata:\n"
    "  name: b\nstringData:\n  key: yes\n  other: ~\n",
]
"""Always the same ones, so that a case more or less does not change what is tried against the real program."""

HEAD = "apiVersion: v1\nkind: X\nmetadata:\n  name: x\n"

KEYS_TRIED = [
    "", "", "a: ", "b: ", "a:", "c:  ", "- ", "- a: ", "-  a: ", "- a:", "- - ", "-", "'k': ", '"k": ', "1: ",
    "null: ", "~: ", "<<: ", "? ", "? a", ": ", "2024-01-01: ", "a b: ", "a.b/c: ", "/x: ", "true: ", "é: ", "a : ",
    "a:b: ", "-a: ", "--a: ", "- -a: ", "- # c", "-   ",
]  # fmt: skip
VALUES_TRIED = [
    "", "", "x", "x y", "1", "'a'", '"b"', "|", ">", "|-", ">-", "|+", ">+", "|2", ">1-", "| # c", "[]", "{}",
    "[a,b]", "{a: 1}", "# c", "x # c", "x #", "x#y", "'a' # c", '"x"#c', '"a\\nb"', '"a', "'a", "-", "null", "- x",
    "x:", "---", "...", "a]", "[a", "''", "<<", "$(A)", "*x", "&x y", "?", "? x", ":", "%x", "!t x", "@x", "`x`",
    ", x", "2024-01-01", "2024-01-01 10:00:00", "1_000", "0o7", "1e3", ".5", "+1", ".", "0x", "-0", "0644", "y", "=",
    "\\", "x'y", '"x" y', "{{x}}", "[a] # c", "[a]#c", '["a # b"]', "['x', y]", '{a: "#"}', "[a: b]",
    "{a: [b, {c: d}]}", "[,a]", "[a,]", "[ ]", "{,}", "[{}]", "[?x]", "[-x]", "[- x]", "[x -]", "{a:}", "{a :b}",
    "{a: }", "{'a':b}", '{"a":b}', "{a:b}", "[::]", '["a""b"]', "[a  b]", "[---]", "[2024-01-01]", "[1:30]", "[~]",
    "{x? y}", "it's", "a: b", "x: # c",
]  # fmt: skip
LINE = st.builds(
    lambda indent, key, value, end: f"{' ' * indent}{key}{value}{end}",
    st.integers(0, 5),
    st.sampled_from(KEYS_TRIED),
    st.sampled_from(VALUES_TRIED),
    st.sampled_from(["", "", "", " ", "  ", " # c", "\t", "\r"]),
)
TEXT = st.sampled_from(
    ["", "  ", "    ", "# c", "  # c", "---", "--- x", "x", "  x", "    x", "...", "  y z", " 'z'", ' z"']
)
LINES = st.builds(
    lambda lines, end: "\n".join(lines) + end,
    st.lists(st.one_of(LINE, LINE, LINE, TEXT), max_size=8),
    st.sampled_from(["\n", "\n", "\n", "", "\n\n", "\n \n", "\n  "]),
)
TEXTS = st.one_of(mutated(FILES), mutated(FILES), LINES, LINES, st.lists(PIECES, max_size=14).map("".join))


def read_by_lines(data: bytes, known: Lines) -> list[Any] | None:
    """None if it is left to the whole grammar."""
    try:
        return read_lines(data, known)
    except Unusual:
        return None


@given(TEXTS)
@tries(2500)
def test_what_is_read_by_lines_is_what_the_grammar_reads(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    found = read_by_lines(data, RESOURCE_LINES)
    event("by grammar" if found is None else "by lines")
    if found is not None:
        assert repr(found) == repr(parse_whole(data, "file.yaml"))
    found = read_by_lines(data, KUSTOMIZATION_LINES)
    if found is not None and data.count(b"\n---") + data.startswith(b"---") <= 1:
        assert repr(found[:1]) == repr([parse_kustomization_whole(data, "file.yaml")] if found else [])


def refusal(read: Any, data: bytes) -> YamlError | None:
    try:
        read(data, "file.yaml")
    except YamlError as error:
        return error
    return None


@given(
    st.one_of(
        TEXTS.map(lambda text: text.encode()),
        TEXTS.map(lambda text: text.encode("utf-16")),
        TEXTS.map(lambda text: text.encode("latin-1", "replace")),
        st.binary(max_size=60),
    )
)
@tries(1000)
def test_bytes_are_read_or_refused_with_line_and_column(data: bytes) -> None:
    for read in (parse, parse_whole, parse_kustomization):
        error = refusal(read, data)
        event(f"{read.__name__} refuses" if error else f"{read.__name__} reads")
        if error is not None:
            assert error.path == "file.yaml"
            assert error.line is not None
            assert 1 <= error.line <= data.count(b"\n") + data.count(b"\r") + 2 + 2 * len(data)
            assert error.column is not None
            assert error.column >= 1
    refusal(lambda data, path: position(data, path, 0, ["a", 0, "metadata"]), data)


@given(TEXTS)
@tries(500)
def test_what_is_read_is_printed_and_read_again_the_same(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    if refusal(parse, data) is None:
        printed = dump(document for document in parse(data, "file.yaml") if isinstance(document, dict))
        assert dump(parse(printed.encode("utf-8", "surrogateescape"), "printed.yaml")) == printed


RESOURCE = st.one_of(
    mutated(RESOURCES),
    LINES.map(lambda text: HEAD + text),
    LINES.map(lambda text: HEAD + "v:\n" + "".join(f"  {line}\n" for line in text.split("\n"))),
    st.lists(PIECES, max_size=10).map(lambda pieces: f"{HEAD}v: {''.join(pieces)}\n"),
)
"""A file of resources, or something like one."""


def ours(resource: str) -> str | None:
    """What is printed, None for an error, and "different" for one that is known to be ours alone."""
    tree = MemoryTree({"kustomization.yaml": "resources: [r.yaml]\n", "r.yaml": resource}, "")
    try:
        return dump(found.manifest for found in build(tree, ""))
    except SiteshiftError as error:
        return "different" if isinstance(error, YamlError) and _known_difference(error) else None


def _known_difference(error: YamlError) -> bool:
    """What `docs/differences.md` lists about YAML."""
    return any(part in error.message for part in ("<document start>", "unexpected ':'", "already defined"))


@pytest.mark.testbed
@given(resources=st.lists(RESOURCE, min_size=4, max_size=4))
@tries(60)
def test_resources_come_out_as_kustomize_prints_them(
    kustomize_binary: Path, tmp_path: Path, resources: list[str]
) -> None:
    for resource in resources:
        (tmp_path / "kustomization.yaml").write_text("resources: [r.yaml]\n")
        (tmp_path / "r.yaml").write_bytes(resource.encode("utf-8", "surrogatepass"))
        found = ours(resource)
        if found != "different":
            done = subprocess.run([kustomize_binary, "build", tmp_path], capture_output=True, timeout=60, check=False)
            assert found == (done.stdout.decode() if done.returncode == 0 else None)
