"""A field changes and every other byte stays: comments, quotes, blank lines, line ends, indentation."""

from __future__ import annotations

import pytest

from reconciler.errors import SourceError
from reconciler.git.edits import Value, set_fields

MOVE: dict[str, Value] = {"active": "b", "epoch": 2}
AWKWARD = {
    "plain": ("spec:\n  active: a\n  epoch: 1\n", MOVE, "spec:\n  active: b\n  epoch: 2\n"),
    "comments everywhere": (
        "# top\n\nspec:   # the spec\n  # who\n  active:   a    # the site\n\n\n  epoch: 1# no comment\n# end",
        {"active": "b"},
        "# top\n\nspec:   # the spec\n  # who\n  active:   b    # the site\n\n\n  epoch: 1# no comment\n# end",
    ),
    "quotes are kept": (
        "spec:\n    active: 'a'\n    reason: \"old\"\n",
        {"active": "b", "reason": 'it\'s "new": yes'},
        'spec:\n    active: \'b\'\n    reason: "it\'s \\"new\\": yes"\n',
    ),
    "flow mapping": (
        "spec: { active: a, epoch: 1 }  # both\n",
        {**MOVE, "move": "planned"},
        "spec: { active: b, epoch: 2, move: planned }  # both\n",
    ),
    "flow mapping over lines": (
        "spec: {\n  active: a, # one\n  epoch: 1,\n}\n",
        MOVE,
        "spec: {\n  active: b, # one\n  epoch: 2,\n}\n",
    ),
    "field taken out of a flow mapping": (
        "spec: {active: a, declaredDown: [x, y], epoch: 1}\n",
        {"declaredDown": None},
        "spec: {active: a, epoch: 1}\n",
    ),
    "last field taken out of a flow mapping": (
        "spec: {active: a, declaredDown: [x]}\n",
        {"declaredDown": None},
        "spec: {active: a}\n",
    ),
    "windows line ends": (
        "spec:\r\n  active: a\r\n  epoch: 1\r\n",
        {**MOVE, "move": "planned"},
        "spec:\r\n  active: b\r\n  epoch: 2\r\n  move: planned\r\n",
    ),
    "no line end at the end": ("spec:\n  active: a", {"epoch": 1}, "spec:\n  active: a\n  epoch: 1"),
    "byte order mark": ("\ufeffspec:\n  active: a\n", {"active": "b"}, "\ufeffspec:\n  active: b\n"),
    "text that is not ASCII": (
        "# é🚀\nspec: {reason: 'ü', active: a} # ö\n",
        {"active": "b"},
        "# é🚀\nspec: {reason: 'ü', active: b} # ö\n",
    ),
    "document markers": (
        "%YAML 1.2\n---\nspec:\n  active: a\n...\n",
        {"active": "b"},
        "%YAML 1.2\n---\nspec:\n  active: b\n...\n",
    ),
    "spec before others": (
        "spec:\n  active: a\n\n# about kind\nkind: Placement\n",
        {"epoch": 1},
        "spec:\n  active: a\n  epoch: 1\n\n# about kind\nkind: Placement\n",
    ),
    "added behind a list": (
        "spec:\n  active: a\n  declaredDown:\n  - x  # far\n\n  # epilogue\nkind: P\n",
        {"epoch": 1},
        "spec:\n  active: a\n  declaredDown:\n  - x  # far\n  epoch: 1\n\n  # epilogue\nkind: P\n",
    ),
    "block list taken away keeps its comments": (
        "spec:\n  declaredDown:  # who\n  # why\n  - x   # far\n  - y\n  # about epochs\n  epoch: 1\n",
        {"declaredDown": None},
        "spec:\n  # who\n  # why\n  # far\n  # about epochs\n  epoch: 1\n",
    ),
    "list replaced": (
        "spec:\n  allowDiscard: [x, y]  # both\n  epoch: 1\n",
        {"allowDiscard": ["x"]},
        "spec:\n  allowDiscard: [x]  # both\n  epoch: 1\n",
    ),
    "text over lines taken away": (
        "spec:\n  reason: |\n    long\n\n    text # of course\n\n  epoch: 1\n",
        {"reason": None},
        "spec:\n\n  epoch: 1\n",
    ),
    "text over lines replaced": (
        "spec:\n  reason: >-\n    long\n    text\n\n  # next\n  epoch: 1\n",
        {"reason": "short"},
        "spec:\n  reason: short\n\n  # next\n  epoch: 1\n",
    ),
    "words that YAML takes for something else": (
        "spec: {active: a, epoch: 1}\n",
        {"active": "no", "reason": "007"},
        'spec: {active: "no", epoch: 1, reason: "007"}\n',
    ),
    "no spec": ("kind: Application\n", {"suspend": True}, "kind: Application\nspec:\n  suspend: true\n"),
    "nothing to take away": ("spec:\n  active: a\n", {"reason": None}, "spec:\n  active: a\n"),
    "a twin elsewhere": (
        "metadata:\n  active: a\n  spec: {active: a}\nspec:\n  active: a\n",
        {"active": "b"},
        "metadata:\n  active: a\n  spec: {active: a}\nspec:\n  active: b\n",
    ),
}


@pytest.mark.parametrize(("before", "changes", "after"), AWKWARD.values(), ids=AWKWARD.keys())
def test_only_what_is_meant_changes(before: str, changes: dict[str, Value], after: str) -> None:
    assert set_fields(before.encode(), "p.yaml", changes).decode() == after


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x: &site a\nspec:\n  active: *site\n", "is an alias"),
        ("spec:\n  active: &site a\n  other: *site\n", "cannot be edited safely"),
        ("spec:\n  ? active\n  : a\n", "cannot be edited safely"),
        ("spec:\n  active: a\t# Go reads a tab here, ruamel does not\n", "cannot be edited safely"),
    ],
    ids=["alias", "anchor", "explicit key", "tab before a comment"],
)
def test_what_cannot_be_edited_faithfully_is_refused(text: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        set_fields(text.encode(), "p.yaml", {"active": "b", "epoch": 2})


REBIND: dict[str, Value] = {"rebind": {"from": "1f", "to": "a-2", "counter": 7, "seen": ["p", "q"]}}
WRITTEN = '{from: "1f", to: a-2, counter: 7, seen: [p, q]}'
ITEMS = {
    "flow": (
        "spec:\n  sites: [{name: a}, {name: b}]  # two\n",
        f"spec:\n  sites: [{{name: a}}, {{name: b, rebind: {WRITTEN}}}]  # two\n",
    ),
    "block": (
        "spec:\n  sites:\n  - name: a   # one\n  - name: b   # two\n    context: x\n\n  # end\n  platform: [p]\n",
        "spec:\n  sites:\n  - name: a   # one\n  - name: b   # two\n    context: x\n"
        f"    rebind: {WRITTEN}\n\n  # end\n  platform: [p]\n",
    ),
    "said anew": (
        "spec:\n  sites:\n  - {name: a, rebind: {from: x, to: y}}\n  - {name: b, rebind: {from: x, to: y}}\n",
        f"spec:\n  sites:\n  - {{name: a, rebind: {{from: x, to: y}}}}\n  - {{name: b, rebind: {WRITTEN}}}\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), ITEMS.values(), ids=ITEMS.keys())
def test_a_field_of_one_item_of_a_list_changes(before: str, after: str) -> None:
    assert set_fields(before.encode(), "s.yaml", REBIND, ("sites", "b")).decode() == after


@pytest.mark.parametrize("text", ["spec:\n  sites: [{name: a}]\n", "spec:\n  sites: [{name: b}, {name: b}]\n"])
def test_an_item_that_is_not_there_once_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="items with the name b, expected one"):
        set_fields(text.encode(), "s.yaml", REBIND, ("sites", "b"))


def test_there_and_back_gives_the_same_bytes() -> None:
    text = b"# top\nspec:\n  active: 'a' # x\n\n  epoch: 1\n  move: planned\n# end\n"
    there = set_fields(text, "p", {"active": "b", "epoch": 2, "move": "disaster", "declaredDown": ["a"], "reason": "x"})
    back = {"active": "a", "epoch": 1, "move": "planned", "declaredDown": None, "reason": None}
    assert set_fields(there, "p", back) == text
