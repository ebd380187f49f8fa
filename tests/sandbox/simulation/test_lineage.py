"""Histories of copies: what they share, and how one stands to the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.simulation.lineage import Generation, History, Relation, common_length, relation


def history(text: str, length: int) -> History:
    """`a0 b100` is generation a from byte 0 and b from byte 100."""
    return History(tuple(Generation(word[0], int(word[1:])) for word in text.split()), length)


CASES = [
    ("both empty", "", 0, "", 0, 0, Relation.SAME),
    ("nothing yet here", "", 0, "a0", 50, 0, Relation.BEHIND),
    ("equal", "a0", 50, "a0", 50, 50, Relation.SAME),
    ("data on its way", "a0", 30, "a0", 50, 30, Relation.BEHIND),
    ("not shipped yet", "a0", 50, "a0", 30, 30, Relation.AHEAD),
    ("followed by a promotion there", "a0", 50, "a0 b50", 80, 50, Relation.BEHIND),
    ("promoted there, nothing written since", "a0", 50, "a0 b50", 50, 50, Relation.SAME),
    ("promoted there without our last writes", "a0", 60, "a0 b50", 80, 50, Relation.DIVERGED),
    ("promoted there without our last writes, silent since", "a0", 60, "a0 b50", 50, 50, Relation.AHEAD),
    ("both promoted and written", "a0 c50", 70, "a0 b50", 80, 50, Relation.DIVERGED),
    ("nothing in common", "a0", 10, "b0", 10, 0, Relation.DIVERGED),
    ("a generation announced before its first byte", "a0 b50", 20, "a0 b50", 80, 20, Relation.BEHIND),
]


@pytest.mark.parametrize(
    ("here", "length", "there", "their_length", "common", "expected"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_a_copy_stands_to_another(
    here: str, length: int, there: str, their_length: int, common: int, expected: Relation
) -> None:
    one, other = history(here, length), history(there, their_length)
    assert common_length(one, other) == common
    assert relation(one, other) is expected


def test_a_promotion_forgets_what_never_arrived() -> None:
    assert history("a0 b50", 20).promoted("c") == history("a0 c20", 20)


Step = tuple[str, int]
steps = st.lists(st.tuples(st.sampled_from(["write", "promote"]), st.integers(1, 9)), max_size=8)


def told(script: list[Step], side: str, content: str, known: History) -> tuple[str, History]:
    """A copy with real content beside its history: the oracle."""
    for number, (what, amount) in enumerate(script):
        if what == "promote":
            known = known.promoted(f"{side}{number}")
        else:
            if not known.generations:
                known = known.promoted(f"{side}first")
            content += f"{known.known()[-1].name}." * amount
            known = History(known.generations, len(content))
    return content, known


@given(shared=steps, mine=steps, theirs=steps)
def test_what_is_called_common_is_really_the_same(shared: list[Step], mine: list[Step], theirs: list[Step]) -> None:
    content, known = told(shared, "s", "", History())
    here, one = told([("promote", 1), *mine], "m", content, known)
    there, other = told([("promote", 1), *theirs], "t", content, known)
    common = common_length(one, other)
    assert here[:common] == there[:common]
    assert common == (len(content) if known.generations else 0)
    assert relation(one, other) is expected_relation(len(here) > common, len(there) > common)


def expected_relation(exceeds: bool, lacks: bool) -> Relation:
    names = {(False, False): "SAME", (True, False): "AHEAD", (False, True): "BEHIND", (True, True): "DIVERGED"}
    return Relation[names[exceeds, lacks]]
