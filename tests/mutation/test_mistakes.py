"""The mistakes are made, one at a time, and the tool tells those that a test notices from those that none does."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutation.mistakes import mistakes
from mutation.trying import survives


@pytest.mark.parametrize(
    ("source", "became"),
    [
        ("a == b", ["a != b"]),
        ("a < b", ["a <= b"]),
        ("a not in b", ["a in b"]),
        ("a and b", ["a or b", "b", "a"]),
        ("not a", ["a"]),
        ("x = True", ["False"]),
        ("x = 3", ["4"]),
        ("x = (a, b)", ["(b,)", "(a,)"]),
        ("x = a if b else c", ["a if not b else c"]),
    ],
)
def test_each_mistake_is_made_once(source: str, became: list[str]) -> None:
    assert [mistake.became for mistake in mistakes(source)] == became


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "def f(a: tuple[int, str]) -> dict[str, int]: ...",
        "x: Literal[1, 2]",
        "@dataclass(frozen=True)\nclass A: ...",
        "__all__ = ('a', 'b')",
    ],
)
def test_what_says_nothing_when_it_runs_is_left_alone(source: str) -> None:
    assert list(mistakes(source)) == []


def test_the_rest_of_the_module_stays() -> None:
    (mistake,) = mistakes("def f(a, b):\n    return a > b\n")
    assert mistake.source == "def f(a, b):\n    return a >= b"


@pytest.mark.parametrize(("test", "survived"), [("assert limit() == 3", False), ("assert limit()", True)])
def test_a_mistake_survives_only_where_no_test_notices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, test: str, survived: bool
) -> None:
    (tmp_path / "sized.py").write_text("def limit():\n    return 3\n")
    (tmp_path / "test_sized.py").write_text(f"from sized import limit\n\ndef test_it():\n    {test}\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (mistake,) = mistakes((tmp_path / "sized.py").read_text())
    assert survives(Path("sized.py"), mistake.source, [str(tmp_path / "test_sized.py")], 60) is survived
