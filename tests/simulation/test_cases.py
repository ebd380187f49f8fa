"""The cases of the matrix that stories show: each keeps every invariant, and comes to rest."""

from __future__ import annotations

import pytest

from simulation.cases import CASES
from simulation.stories import failure

SHOWN = [number for number, case in CASES.items() if case.stories]


@pytest.mark.parametrize("number", SHOWN)
def test_a_case_keeps_every_invariant_and_comes_to_rest(number: str) -> None:
    assert [found for each in CASES[number].stories if (found := failure(each))] == []
