"""The page of Kustomize's semantics defines each rule that the code cites, and a case or a comment shows each."""

from __future__ import annotations

import re

import pytest
from quality.sources import ROOT, files

PAGE = ROOT / "docs" / "kustomize-semantics.md"
DEFINED = set(re.findall(r"^\| (K\d+) \|", PAGE.read_text(), re.MULTILINE))
CASES = ROOT / "tests" / "render" / "kustomization" / "cases"


def cited() -> dict[str, str]:
    """Each rule that the engine cites, with a place where it does; "K13 to K19" cites all between."""
    found: dict[str, str] = {}
    for path in files("render/**/*.py"):
        for first, last in re.findall(r"\bK(\d+)(?: to K(\d+))?\b", (ROOT / path).read_text()):
            for number in range(int(first), int(last or first) + 1):
                found.setdefault(f"K{number}", str(path))
    return found


def test_each_rule_that_the_engine_cites_is_defined() -> None:
    assert {rule: place for rule, place in cited().items() if rule not in DEFINED} == {}


@pytest.mark.parametrize("rule", sorted(DEFINED, key=lambda rule: int(rule[1:])))
def test_a_case_shows_the_rule_or_the_engine_cites_it(rule: str) -> None:
    shown = any(CASES.glob(f"{rule.lower()}_*.txt"))
    assert shown or re.search(
        rf"\b{rule}\b(?! to )", "".join((ROOT / path).read_text() for path in files("render/**/*.py"))
    )
