"""How much is tried where nobody can list what to try: little and always the same in CI, more where somebody asks.

`SITESHIFT_FUZZ=50 pytest -k fuzz` tries fifty times as much, and something else each time.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

TIMES = int(os.environ.get("SITESHIFT_FUZZ", "0"))


def tries(examples: int) -> settings:
    """Settings of a test that needs so many examples to be worth having."""
    return settings(
        derandomize=not TIMES,
        max_examples=examples * (TIMES or 1),
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
    )


PIECES = st.sampled_from(
    [*"ab:-?#&*!|>'\"%@`{}[],~=<\\/.+_ 019eTZ\n\t\r", "\r\n", "\x85", "\u2028", "\ufeff", "\xa0", "é", "\U0001f680",
     "\0", "\x7f", ": ", " #", "- ", "  ", "\n\n", "\n  ", "\n- ", "null", "true", "yes", "0x1", "1:30", "2024-01-01",
     "---", "...", "---\n", "\n---\n", "\n...\n", "<<: ", "? ", "a: ", "a:\n", "|\n", "|-\n", ">\n", ">-\n", "|2\n",
     ">2-\n", "|+\n", "''", '""', '\\"', "\\n", "\\\n", "[]", "{}", "[a, b]", "{a: b}", "# c", "%YAML 1.1\n", "&a ",
     "*a", "!!str ", "! ", "!t ", "- - ", "x" * 30]
)  # fmt: skip
"""What a text may be made of so that YAML has something to say about it."""

LINE_ENDS = st.sampled_from([" ", "  ", " # c", "#", "\t", ":", " |", " >", "\r", ' "', " '"])
STARTS = st.sampled_from([" ", "  ", "    ", "- ", "? ", "# ", "'", "\t"])
LINES = st.sampled_from(
    ["", " ", "   ", "        ", "# c", "   # c", "---", "--- # c", "---#", "...", "- ", "-", "a:", "?", "? a", ": b"]
)
EDITS = st.one_of(
    st.tuples(st.just("insert"), PIECES),
    st.tuples(st.just("replace"), PIECES),
    st.tuples(st.just("delete"), st.sampled_from(["1", "2", "3", "8"])),
    st.tuples(st.just("repeat line"), st.just("")),
    st.tuples(st.just("delete line"), st.just("")),
    st.tuples(st.just("insert line"), LINES),
    st.tuples(st.just("begin line"), STARTS),
    st.tuples(st.just("end line"), LINE_ENDS),
    st.tuples(st.just("outdent line"), st.just("")),
    st.tuples(st.just("value"), PIECES),
)


def edited(text: str, how: str, piece: str, place: int) -> str:
    """The text after one edit; `place` says where, counted round and round."""
    at = place % (len(text) + 1)
    if how == "insert":
        return text[:at] + piece + text[at:]
    if how == "replace":
        return text[:at] + piece + text[at + 1 :]
    if how == "delete":
        return text[:at] + text[at + int(piece) :]
    lines = text.split("\n")
    row = place % len(lines)
    if how == "repeat line":
        lines.insert(place // 7 % len(lines), lines[row])
    elif how == "delete line":
        del lines[row]
    elif how == "insert line":
        lines.insert(row, piece)
    elif how == "begin line":
        lines[row] = piece + lines[row]
    elif how == "end line":
        lines[row] += piece
    elif how == "outdent line":
        lines[row] = lines[row].removeprefix(" ")
    else:
        lines[row] = lines[row].replace(": ", f": {piece}", 1)
    return "\n".join(lines)


@st.composite
def mutated(draw: st.DrawFn, texts: list[str], *, most: int = 4) -> str:
    """One of the texts with a few edits."""
    text = draw(st.sampled_from(texts))
    for how, piece in draw(st.lists(EDITS, max_size=most)):
        text = edited(text, how, piece, draw(st.integers(0, 2000)))
    return text
