"""The handbook's list of what a failover must survive, and what shows each case, are the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from simulation.cases import CASES, GROUPS, PAGE, written

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_has_the_cases_as_the_code_has_them() -> None:
    page = PAGE.read_text()
    assert page == written(page), "PYTHONPATH=tests .venv/bin/python -m simulation.cases writes it anew"


def test_every_group_has_its_cases_in_one_row() -> None:
    for group in GROUPS:
        numbers = [int(number[1:]) for number in CASES if number[0] == group]
        assert numbers == list(range(1, len(numbers) + 1))
        assert numbers


@pytest.mark.parametrize("number", CASES)
def test_a_case_is_shown_by_what_exists_or_says_why_not(number: str) -> None:
    case = CASES[number]
    assert bool(case.why) != bool(case.stories or case.tests)
    for test in case.tests:
        file, _, name = test.partition("::")
        functions = [each.name for each in ast.walk(ast.parse((ROOT / file).read_text())) if hasattr(each, "name")]
        assert name in functions, f"{file} has no {name}"


def test_the_page_numbers_every_case_once() -> None:
    numbers = re.findall(r"^\| ([A-K]\d+) \|", PAGE.read_text(), re.MULTILINE)
    assert numbers == list(CASES)
