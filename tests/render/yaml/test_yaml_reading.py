"""Documents, mappings, anchors, folds and characters: what is read, and where an error is said to be."""

from __future__ import annotations

import pytest

from render.errors import YamlError
from render.yaml import parse, parse_kustomization
from render.yaml.anchors import MOST_DEPTH


def only(text: str | bytes) -> object:
    """The one document of a file."""
    (document,) = parse(text.encode() if isinstance(text, str) else text, "a.yaml")
    return document


DOCUMENTS = [
    ("", []),
    ("# a comment\n", []),
    ("---\n# c\n---\nnull\n---\n~\n", []),
    ("a: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
    ("--- # c\na: 1\n...\n---\n---\nb: 2", [{"a": 1}, {"b": 2}]),
    ("--- {a: 1}\n", [{"a": 1}]),
    ("- 1\n---\ntext\n", [[1], "text"]),
    ("{}\n---\n[]\n---\n''\n", [{}, [], ""]),
    ("\ufeffa: 1\n---\n\ufeffb: 2\n", [{"a": 1}, {"b": 2}]),
    ("a: 1\r\nb:\r\n- x\r\n", [{"a": 1, "b": ["x"]}]),
    ("a: 1\rb: 2\r", [{"a": 1, "b": 2}]),
]


@pytest.mark.parametrize(("text", "documents"), DOCUMENTS, ids=[repr(text) for text, _ in DOCUMENTS])
def test_documents(text: str, documents: list[object]) -> None:
    assert parse(text.encode(), "a.yaml") == documents


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_with_byte_order_mark(encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    assert only(f"{mark}a: 'é'\n<<: {{b: 1}}\n".encode(encoding)) == {"a": "é", "b": 1}


VALUES = [
    ("? a\n: b\n", {"a": "b"}),
    ('{"a":1}', {"a": 1}),
    ("[1, 2,]", [1, 2]),
    ("[a: b]", [{"a": "b"}]),
    ("{a, b: , c: ~}", {"a": "", "b": "", "c": None}),
    ("{a:1}", {"a:1": ""}),
    ("[{a}, [b: ]]", [{"a": ""}, [{"b": ""}]]),
    ("a:\nb: !!null\n", {"a": None, "b": None}),
    ("yes: a\non: b\n", {"yes": "a", "on": "b"}),
    ('"1": a\n!!str 2: b\n', {"1": "a", "2": "b"}),
    ("a: &x 1\nb: *x\nc: &x 2\nd: *x\n", {"a": 1, "b": 1, "c": 2, "d": 2}),
    ("a: &x k\nb: {*x : 1}\n", {"a": "k", "b": {"k": 1}}),
    ("a: &x\nb: [*x]\nc: *x\n", {"a": None, "b": [""], "c": None}),
    ("b: &b {x: 1, z: 1}\nc: &c {x: 2, y: 2}\nv:\n  x: 3\n  <<: [*b, *c]\n", {"x": 3, "z": 1, "y": 2}),
    ("v:\n  <<: {<<: {a: 1}, b: 2}\n  b: 3\n", {"a": 1, "b": 3}),
    ('v:\n  "<<": {a: 1}\n  c: 1\n', {"c": 1}),
    ("\ta: 1\n".replace("\t", "") + "b:\t[\t1]\t# c\n", {"a": 1, "b": [1]}),
    ('{\n\t"a": 1\n}\n', {"a": 1}),
    ('"\\x01\\N\\_\\L"', "\x01\x85\xa0\u2028"),
    ('"a\n  b\n\n  c"', "a b\nc"),
    ("a\n  b\n", "a b"),
]


@pytest.mark.parametrize(("text", "value"), VALUES, ids=[repr(text) for text, _ in VALUES])
def test_values(text: str, value: object) -> None:
    found = only(text)
    assert (found["v"] if isinstance(found, dict) and "v" in found else found) == value


FOLDS = [
    (">-\n  a\n  b\n\n  c\n", "a b\nc"),
    (">-\n  a\n    b\n  c\n", "a\n\n  b\nc"),
    (">\n  a\n    b\n  c\n", "a\n\n  b\nc\n"),
    (">+\n  a\n\n", "a\n\n\n"),
    (">+\n\n\n", "\n\n"),
    (">\n  a\n   \n  b\n", "a\n \nb\n"),
    (">2-\n   x\n  y\n  z\n", " x\ny z"),
    (">-\n  a\n  \tb\n  c\n", "a\n\n\tb\nc"),
    (">-\n  a\n    b\n  c \n", "a\n  b\nc "),
    (">-\n  a\n    \U0001f600\n  c\n", "a\n  \U0001f600\nc"),
    ("|\n  a\n    b\n\n", "a\n  b\n"),
    ("|+\n  a\n\n", "a\n\n"),
]


@pytest.mark.parametrize(("block", "text"), FOLDS, ids=[repr(block) for block, _ in FOLDS])
def test_block_scalars_come_out_as_kustomize_rereads_them(block: str, text: str) -> None:
    assert only(f"v: {block}") == {"v": text}


ERRORS = [
    ("a: 1\nb: 2\na: 3\n", 3, 1, 'mapping key "a" already defined at line 1'),
    ("x:\n- {a: 1, b: [{a: 2}], a: 3}\n", 2, 23, 'mapping key "a" already defined at line 2'),
    ("a: &k x\nx: 1\n*k : 2\n", 3, 1, 'mapping key "x" already defined at line 2'),
    ("a:\n  1: x\n", 2, 3, "the key 1 is no string"),
    ("a: {true: x}\n", 1, 5, "the key true is no string"),
    ("~: x\n", 1, 1, "the key ~ is no string"),
    ("a: {2024-01-01: x}\n", 1, 5, "the key 2024-01-01 is no string"),
    ("a: {!!int 1: x}\n", 1, 5, "the key 1 is no string"),
    ("? [1]\n: a\n", 1, 3, "invalid map key: a key must be a string"),
    ("a: {{ x }}\n", 1, 5, "invalid map key: a key must be a string"),
    ("a: &x [1]\nb: {*x : 1}\n", 2, 5, "invalid map key: a key must be a string"),
    ("v:\n  <<: {a: 1}\n  <<: {b: 1}\n", 3, 3, "duplicate merge key"),
    ("v:\n  <<: 1\n  b: 1\n", 2, 3, "map merge requires map or sequence of maps as the value"),
    ("v:\n  <<: [1]\n", 2, 3, "map merge requires map or sequence of maps as the value"),
    ("a: *s\n", 1, 4, "unknown anchor 's' referenced"),
    ("a: &s 1\n---\nb: *s\n", 3, 4, "unknown anchor 's' referenced"),
    ("a: &s [1, {b: *s}]\n", 1, 15, "anchor 's' value contains itself"),
    ("a: &s {<<: *s}\n", 1, 12, "anchor 's' value contains itself"),
    ("a: @x\n", 1, 4, "while scanning for the next token: found character that cannot start any token"),
    ("a: b: c\n", 1, 5, "mapping values are not allowed in this context"),
    ("a: [1,,2]\n", 1, 7, "while parsing a flow node: did not find expected node content"),
    (": a\n", 1, 1, "while parsing a block mapping: did not find expected key"),
    ("a: 1\nb\nc: 1\n", 2, 1, "while scanning a simple key: could not find expected ':'"),
    ("a:\n\tb: 1\n", 2, 1, "while scanning for the next token: found character that cannot start any token"),
    ("a: 1\nb: '\x01'\n", 2, 5, "control characters are not allowed"),
    ("a: \x7f\n", 1, 4, "control characters are not allowed"),
    ('a: "x\\/y"\n', 1, 6, "found unknown escape character"),
    ('a:\n- "x\n  \\\\ \\/"\n', 3, 6, "found unknown escape character"),
    ('"\\/": 1\n', 1, 2, "found unknown escape character"),
    ('a: "\\ud83d\\ude80"\n', 1, 7, "while parsing a quoted scalar: found invalid Unicode character escape code"),
    ("%YAML 1.1\n---\na: 1\n", 1, 1, "did not find expected <document start>"),
    ("%TAG ! tag:x,2024:\n---\na: 1\n", 1, 1, "did not find expected <document start>"),
    ("a: 1\n--- {b: 1}\nc: 1\n", 2, 1, "invalid document separator: --- {b: 1}"),
    ("a: 1\n...\nb: 1\n", 3, 1, "did not find expected <document start>"),
    ("a: " + "[" * MOST_DEPTH + "]" * MOST_DEPTH, 1, MOST_DEPTH + 3, f"nested more than {MOST_DEPTH} levels deep"),
    ("x" * 1025 + ": 1\n", 1, 1026, "mapping values are not allowed in this context"),
]


def test_an_escaped_slash_is_no_key_even_where_a_slash_is_a_known_one() -> None:
    assert parse(b"/: {/: 1}\n", "a.yaml") == [{"/": {"/": 1}}]
    with pytest.raises(YamlError):
        parse(b'"\\/": 1\n', "a.yaml")


@pytest.mark.parametrize(("text", "line", "column", "message"), ERRORS, ids=[repr(error[0][:40]) for error in ERRORS])
def test_error_says_what_and_where(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(YamlError) as caught:
        parse(text.encode(), "a.yaml")
    assert (caught.value.message, caught.value.line, caught.value.column) == (message, line, column)
    assert str(caught.value).startswith(f"a.yaml:{line}:{column}: error: ")


NO_UTF_8 = [
    (b"a: caf\xe9\n", 1, 7, "incomplete UTF-8 octet sequence"),
    (b"a: 1\nb: \xff", 2, 4, "invalid leading UTF-8 octet"),
    (b"a: \xc3", 1, 4, "incomplete UTF-8 octet sequence"),
]


@pytest.mark.parametrize(("data", "line", "column", "message"), NO_UTF_8, ids=[repr(row[0]) for row in NO_UTF_8])
def test_bytes_that_are_not_utf_8_are_refused_with_their_place(
    data: bytes, line: int, column: int, message: str
) -> None:
    with pytest.raises(YamlError, match=message) as caught:
        parse(data, "a.yaml")
    assert (caught.value.line, caught.value.column, caught.value.hint) == (line, column, "save the file as UTF-8")


def test_depth_that_real_manifests_never_reach_is_read() -> None:
    assert only("[" * 200 + "]" * 200) is not None


def bomb(levels: int, width: int = 10) -> str:
    """A file whose aliases unfold to width ** levels leaves."""
    lines = ["a0: &a0 [" + ", ".join("x" * width) + "]"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [" + ", ".join([f"*a{level - 1}"] * width) + "]")
    return "\n".join(lines) + "\n"


def test_aliases_that_unfold_to_some_thousand_nodes_are_shared() -> None:
    document = only(bomb(4))
    assert isinstance(document, dict)
    assert document["a1"][0] is document["a0"]


def test_alias_bomb_is_refused() -> None:
    with pytest.raises(YamlError, match="aliases unfold to more than 1000000 nodes"):
        parse(bomb(9).encode(), "a.yaml")


def test_depth_that_aliases_add_up_to_is_refused() -> None:
    lines = ["a0: &a0 " + "[" * 40 + "]" * 40]
    lines += [f"a{n}: &a{n} " + "[" * 40 + f"*a{n - 1}" + "]" * 40 for n in range(1, 9)]
    with pytest.raises(YamlError, match=f"nested more than {MOST_DEPTH} levels deep"):
        parse("\n".join(lines).encode(), "a.yaml")


def test_what_was_read_before_does_not_change_what_a_quoted_or_tagged_key_means() -> None:
    parse(b"k: 1\n", "a.yaml")
    assert only("'k': 1\n!!str k2: &a 2\n&b k3: *a\nk4: *b\n") == {"k": 1, "k2": 2, "k3": 2, "k4": "k3"}


KUSTOMIZATIONS = [
    ("", None),
    ("# c\n", None),
    ("---\n# c\n---\na: b\n", None),
    ("a: 1\n---\na: 2\n", {"a": 1}),
    ("a: 1\nb: 2\na: 3\n", {"a": 3, "b": 2}),
    ("1: a\ntrue: b\nyes: c\n1.5: d\n", {"1": "a", "true": "c", "1.5": "d"}),
    ("{a, b: x}", {"a": None, "b": "x"}),
    ("a: 1\n<<: {a: 2}\n", {"a": 2}),
    ("<<: [{a: 2}, {a: 3}]\nb: 1\n", {"a": 2, "b": 1}),
    ("<<: {a: 2}\na: 1\n<<: {b: 1}\n", {"a": 1, "b": 1}),
    ('"<<": x\n', {"<<": "x"}),
    ("%YAML 1.1\n---\na: b\n", {"a": "b"}),
    ("a: >\n  x\n    y\n  z\n", {"a": "x\n  y\nz\n"}),
    ("a: !foo 12\nb: !!str 1\n", {"a": "12", "b": "1"}),
]


@pytest.mark.parametrize(("text", "value"), KUSTOMIZATIONS, ids=[repr(text) for text, _ in KUSTOMIZATIONS])
def test_kustomization_file(text: str, value: object) -> None:
    assert parse_kustomization(text.encode(), "kustomization.yaml") == value


@pytest.mark.parametrize("text", ["~: a\n", "[1]: a\n", "a: [\n", '"\\/": 1\n', "a: *x\n", "<<: x\n"])
def test_kustomization_file_that_kustomize_refuses(text: str) -> None:
    with pytest.raises(YamlError, match=r"^kustomization\.yaml:\d+:\d+: error: "):
        parse_kustomization(text.encode(), "kustomization.yaml")
