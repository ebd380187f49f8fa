"""What is read line by line is what the whole grammar reads: on what people write, and on what nobody should."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from quality.sources import ROOT

from render.errors import YamlError
from render.yaml import parse
from render.yaml.brackets import Unusual
from render.yaml.lines import read_lines
from render.yaml.reading import (
    RESOURCE_LINES,
    parse_kustomization,
    parse_kustomization_whole,
    parse_whole,
)

SETTINGS = settings(
    derandomize=True, deadline=None, max_examples=400, database=None, suppress_health_check=[HealthCheck.too_slow]
)
SHARED = ROOT.parent / "shared"


def by_lines(text: str) -> list[Any] | None:
    """None if it is left to the whole grammar."""
    try:
        return read_lines(text.encode("utf-8", "surrogatepass"), RESOURCE_LINES)
    except Unusual:
        return None


def by_grammar(text: str) -> list[Any] | None:
    """None if it is an error."""
    try:
        return parse_whole(text.encode("utf-8", "surrogatepass"), "file.yaml")
    except YamlError:
        return None


def outcome(read: Callable[[bytes, str], Any], data: bytes) -> str:
    try:
        return repr(read(data, "file.yaml"))
    except YamlError as error:
        return str(error)


def agrees(text: str) -> bool:
    """Says whether the text was read by lines; fails if it was read differently, be it as a kustomization."""
    data = text.encode("utf-8", "surrogatepass")
    assert outcome(parse_kustomization, data) == outcome(parse_kustomization_whole, data)
    found = by_lines(text)
    if found is not None:
        expected = by_grammar(text)
        assert expected is not None, "the whole grammar refuses what was read by lines"
        assert repr(found) == repr([document for document in expected if document is not None])
    return found is not None


READ = {
    "mapping": "a: 1\nb: x\n",
    "deeper": "a:\n  b:\n    c: 1\n  d: 2\ne: 3\n",
    "list-below-its-key": "a:\n- 1\n- 2\nb: 3\n",
    "list-indented": "a:\n  - 1\n  - x: 1\n    y:\n    - 2\n    z: 3\nb: 3\n",
    "list-at-the-top": '- op: add\n  path: /a\n  value: [x, "y z"]\n- op: remove\n',
    "documents": "---\na: 1\n---\n# nothing\n---\nb: 2\n",
    "comments": '# one\na: 1 # two\n  # three\nb: # four\n  c: x#y\nd: "#" # five\n',
    "nulls": "a:\nb:\n  c:\nd: ~\ne: null\n- x",
    "words": "a: yes\nb: true\nc: 0644\nd: 1e3\ne: 2024-01-01\nf: 1:30\ng: .5\nh: -1\ni: --x\nj: <<\nk: =\n",
    "quoted": "a: \"x: y # z\"\nb: 'it''s'\nc: \"\"\nd: ''\n",
    "escapes": 'a: "say \\"x\\"\\n\\ty\\\\z"\nb: "\\u00e9\\x41"\n',
    "quoted-over-lines": "a: 'one\n  two\n\n  three'\nb: \"one\\\n    two\"\n",
    "plain-over-lines": "a: one\n  two three\n\n\n  four\nb:\n- x\n  y\n- z\n",
    "brackets": 'a: []\nb: {}\nc: [a, 1, "x, y", -v]\nd: {x: 1, y: [2]}\ne: [{a: b}]\nf: [] # none\n',
    "block": "a: |\n  one\n   two\n\n  three\nb: |-\n  x\n\nc: |+\n  y\n\nd:\n- |\n  z: 1\n- e: |\n    f\n",
    "indented-block": "a: |2\n\n   x\n  y\nb:\n- |2-\n    z\n\n- c: |2+\n     v\n\n",
    "folded": "a: >\n  one\n  two\nb: >-\n  one\n\n  two\n   three\nc: >+\n  x\n\n",
    "characters": "a: grüße, 世界\nb: |\n  ünï\n",
    "no-line-break-at-the-end": "a: 1\nb: x",
    "keys": "app.kubernetes.io/name: x\n_a/b-c.d: 1\nyes: 1\non: 2\n",
    "quoted-keys": '"a/b": 1\n\'null\': 2\nc:\n- "1": x\n  "true": {y: 1}\n',
    "quoted-and-folded": "a: 'it''s\n\n\n  folded '\nb: \"one\n  \\\"two\\\"\n  \"\nc: '\n  x'\n",
    "nested-brackets": "a: [{b: c, d: [1, 'it''s', \"x y\"]}, [], {}]  # none\nb: {x: {y: [z]}}\n",
    "colons": "a: http://x:80/y?z=1\nb: a:b\nc: ::x\n",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in READ.items() if name != "nulls"])
def test_what_people_write_is_read_by_lines(text: str) -> None:
    assert agrees(text)


LEFT = {
    "anchor": "a: &x 1\nb: *x\n",
    "tag": "a: !!str 1\n",
    "merge": "a: {x: 1}\n<<: {y: 2}\n",
    "repeated-key": "a: 1\na: 2\n",
    "repeated-null-key": "a:\na: 2\n",
    "key-that-is-no-text": "true: 1\n",
    "quoted-key-with-more-than-a-word": '"a b": 1\n',
    "key-in-two-kinds-of-quotes": "\"a': 1\n",
    "tab": "a:\t1\n",
    "carriage-return": "a: 1\r\n",
    "byte-order-mark": "\ufeffa: 1\n",
    "next-line": "a: x\u0085y\n",
    "directive": "%YAML 1.1\n---\na: 1\n",
    "end-of-document": "a: 1\n...\n",
    "content-beside-separator": "--- a: 1\n",
    "brackets-over-lines": "a: [1,\n  2]\n",
    "alias-in-brackets": "a: [*x]\n",
    "indented-block-header": "a: |1\n    x\n",
    "empty-block": "a: |2-\n\nb: 1\n",
    "block-with-a-longer-empty-line-first": "a: |\n    \n  x\n",
    "block-at-the-end-without-a-line-break": "a: |\n  x",
    "value-on-the-next-line": "a:\n  x\n",
    "dash-in-dash": "- - 1\n  - 2\n",
    "two-colons": "a: b: c\n",
    "colon-at-the-end": "a: b:\n",
    "deeper-after-a-value": "a: 1\n  b: 2\n",
    "less-than-any-parent": "a:\n    b: 1\n  c: 2\n",
    "list-among-keys": "a: 1\n- b\n",
    "key-among-dashes": "- a\nb: 1\n",
    "comment-in-a-plain-text": "a: x\n  # y\n  z\n",
    "text-after-quotes": 'a: "x" y\n',
    "quote-that-never-ends": "a: 'x\nb: 1\n",
    "percent": "a: %x\n",
    "at": "a: @x\n",
    "comma": "a: , x\n",
    "impossible-time": "a: 2024-01-01T00:00:00+24:00\n",
    "escaped-slash": 'a: "\\/"\n',
    "very-deep": "".join(f"{' ' * depth}a:\n" for depth in range(300)),
    "scalar-document": "x\n",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in LEFT.items()])
def test_what_is_unusual_is_left_to_the_whole_grammar(text: str) -> None:
    assert by_lines(text) is None


PLAIN = [
    *("a", "1", "true", "null", "~", "yes", "2024-01-01", "1:30", "0x1F", "-1", "-", "--", "a:b", "a#b", "#", ":x"),
    *("?x", "<<", "=", "%x", "@", "`", "&a", "*a", "!t", "!", ",", "]", "}", "---", "...", "."),
    *("x y", "- x", "a: b", "a :", "a #b", "? x", "é", "a  b ", "\\", "$(X)", "(a)"),
]
STYLED = [
    *("''", '""', "'a'", '"a"', "'a''b'", "'a", '"a', "'a' b", "'a' #c", "'a'#c", '"a\\"b"', '"\\n\\t\\\\"', '"\\x41"'),
    *('"\\/"', "'a': b", '"a: b"', "[]", "{}", "[a]", "[ a, b ]", "[a, ]", "[,]", "[a b, c]", '["a", 1]', "[a: b]"),
    *("[-]", "[- a]", "[a] b", "[a", "{a: b}", "{a}", "{a: }", "{a: b, a: c}", "[] # c", "['#']", "[1:30, .]"),
    *("[[a], {b: {c: d}}]", "{a: [b], 1: c}", "[a]b", "[a] #b", "[a]#b", "{'a': b}", "{<<: a}", "{a: 'it''s'}"),
    *("[2024-01-01]", "[---]", "[...]", "|", "|-", "|+", ">", ">-", ">+", "|2", "|2-", "|2+", "| # c", "|x", "> "),
]
KEYS_TRIED = ["a", "b", "c", "a.b/c", "yes", "true", "null", "1", "2024-01-01", "<<", "'q'", '"q"', "a b", "é", "?"]
LINE = st.builds(
    lambda indent, dashes, key, value, end: f"{' ' * indent}{dashes}{key}{value}{end}",
    st.integers(0, 6),
    st.sampled_from(["", "", "", "- ", "-  ", "- - ", "-"]),
    st.sampled_from(["", "", *[f"{key}: " for key in KEYS_TRIED], *["a:", "b:", "c:", "a: ", "b: "]]),
    st.sampled_from(["", "", "", *PLAIN, *STYLED]),
    st.sampled_from(["", "", "", "", " ", " # c", "#", "\t", "\r", "\u2028"]),
)
REST = st.sampled_from(["", "", "  ", "# c", "  # c", "---", "---", "...", "    text", " x"])
LINES = st.one_of(LINE, LINE, LINE, REST)


@given(lines=st.lists(LINES, max_size=6), end=st.sampled_from(["\n", "\n", ""]))
@SETTINGS
def test_no_lines_are_read_differently(lines: list[str], end: str) -> None:
    event("by lines" if agrees("\n".join(lines) + end) else "by grammar")


SIMPLE = st.sampled_from(
    ["a", "x y", "1", "0644", "yes", "null", "2024-01-01", "a:b", "it's", "a # b", "é ü", "- x", "", " x "]
)
TREES = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "c", "d.e/f"]), inner, max_size=4)
    ),
    max_leaves=15,
)


def written(value: Any, margin: str, draw: Any) -> list[str]:
    """The value as lines in one of the ways in which people write it; the first goes behind its key or dash."""
    if isinstance(value, dict) and value:
        lines = [""]
        for key, inner in value.items():
            first, *rest = written(inner, margin + "  ", draw)
            lines += [f"{margin}{key}:{' ' if first else ''}{first}", *rest]
        return lines
    if isinstance(value, list) and value:
        lines = [""]
        margin = margin if draw(st.booleans()) else margin[2:]
        for inner in value:
            if isinstance(inner, dict) and inner:
                lines += [line if place else f"{margin}- {line.strip(' ')}" for place, line in
                          enumerate(written(inner, margin + "  ", draw)[1:])]  # fmt: skip
            else:
                first, *rest = written(inner if not isinstance(inner, list) else [], margin + "  ", draw)
                lines += [f"{margin}- {first}", *rest]
        return lines
    if not isinstance(value, str):
        return ["{}" if isinstance(value, dict) else "[]"]
    styles = [json.dumps(value), "'" + value.replace("'", "''") + "'"]
    if value == value.strip() and value and " #" not in value and value[:2] != "- ":
        styles += [value, f"{value} # comment", f"{value}\n{margin}more", f"|\n{margin}{value}\n\n{margin} {value}",
                   f">-\n{margin}{value}\n{margin}{value}", f"'{value.replace(chr(39), '')}\n{margin}x'"]  # fmt: skip
    return draw(st.sampled_from(styles)).split("\n")


@given(data=st.data())
@SETTINGS
def test_trees_in_every_style_are_read_the_same(data: st.DataObject) -> None:
    tree = data.draw(st.dictionaries(st.sampled_from(["a", "b", "c"]), TREES, min_size=1, max_size=3))
    text = "\n".join(written(tree, "", data.draw)[1:]) + "\n"
    event("by lines" if agrees(text) else "by grammar")


@pytest.mark.conformance
@pytest.mark.parametrize("folder", ["inputs", "conformance/kustomize"])
def test_what_people_have_written_is_read_by_lines_nearly_always(folder: str) -> None:
    if not (SHARED / folder).is_dir():
        pytest.skip(f"../shared/{folder} is not there")
    files = [path for path in (SHARED / folder).rglob("*.y*ml") if path.is_file()]
    read = sum(agrees(path.read_bytes().decode("utf-8", "surrogatepass")) for path in files)
    assert read > 0.9 * len(files)


def test_both_ways_lead_to_the_same_place(tmp_path: Path) -> None:
    assert parse(b"a: 1\n", "x") == parse(b"a: !!int 1\n", "x") == [{"a": 1}]
    with pytest.raises(YamlError, match='mapping key "a" already defined at line 1'):
        parse(b"a: 1\na: 2\n", "x")
