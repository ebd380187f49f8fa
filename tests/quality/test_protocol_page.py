"""The specification cannot drift: its table is the code's, and every rule is defined there and cited where it acts."""

from __future__ import annotations

import re

from quality.protocol_page import ASKED, PAGE, written

from reconciler.failover.protocol.table import TABLE, Asked

ROOT = PAGE.parents[1]
RULE = re.compile(r"\b(?:P[1-9][0-9]?|I[1-9])\b")


def defined() -> list[str]:
    return re.findall(r"^\| ([PI]\d+) \|", PAGE.read_text(), re.MULTILINE)


def cited(folder: str) -> set[str]:
    return {rule for path in (ROOT / folder).rglob("*.py") for rule in RULE.findall(path.read_text())}


def test_the_generated_part_is_what_the_table_says() -> None:
    page = PAGE.read_text()
    assert page == written(page), "run: python tests/quality/protocol_page.py"


def test_every_rule_of_the_table_is_on_the_page() -> None:
    page = PAGE.read_text()
    assert {rule.name for rules in TABLE.values() for rule in rules if f"| {rule.name} |" not in page} == set()
    assert tuple(ASKED) == tuple(Asked)


def test_the_rules_are_numbered_without_a_gap() -> None:
    assert defined() == [f"I{number}" for number in range(1, 7)] + [f"P{number}" for number in range(1, 23)]


def test_every_rule_that_the_code_cites_is_defined() -> None:
    assert cited("reconciler") - set(defined()) == set()


def test_every_rule_is_cited_by_code_or_a_test() -> None:
    assert set(defined()) - cited("reconciler") - cited("tests") == set()
