"""Where a field stands, found by reading the file again."""

from __future__ import annotations

import pytest

from render.errors import YamlError
from render.yaml import parse, position

FILE = b"""\
# comment
---
null
---
kind: A
spec:
  list:
  - name: x
    deep: {a: 1, b: [1, 2]}
  - - nested
  base: &base {k: v}
  copy: *base
---
kind: B
"""

FIELDS = [
    (0, ["kind"], (5, 1)),
    (0, ["spec"], (6, 1)),
    (0, ["spec", "list", 0], (8, 5)),
    (0, ["spec", "list", 0, "name"], (8, 5)),
    (0, ["spec", "list", 0, "deep", "b"], (9, 18)),
    (0, ["spec", "list", 0, "deep", "b", 1], (9, 25)),
    (0, ["spec", "list", 1, 0], (10, 7)),
    (0, ["spec", "absent", "deeper"], (6, 1)),
    (0, ["spec", "list", 7], (7, 3)),
    (0, ["spec", "copy", "k"], (12, 3)),
    (0, [], (5, 1)),
    (1, ["kind"], (14, 1)),
]


@pytest.mark.parametrize(("document", "field", "place"), FIELDS, ids=[str(row[:2]) for row in FIELDS])
def test_place_of_a_field(document: int, field: list[str | int], place: tuple[int, int]) -> None:
    assert position(FILE, "a.yaml", document, field) == place


def test_documents_are_counted_as_parse_returns_them() -> None:
    assert [document["kind"] for document in parse(FILE, "a.yaml")] == ["A", "B"]


def test_no_such_document() -> None:
    with pytest.raises(YamlError, match="there is no document 2"):
        position(FILE, "a.yaml", 2, [])


def test_file_that_cannot_be_parsed() -> None:
    with pytest.raises(YamlError, match=r"a\.yaml:1:5: error: mapping values"):
        position(b"a: b: c\n", "a.yaml", 0, ["a"])
