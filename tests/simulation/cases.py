"""The matrix of what a failover must survive, by the ids of the handbook's page, and what shows each case.

A case is one or more stories, which keep every invariant and come to rest, or tests elsewhere; a few are not shown,
with the reason. `python -m simulation.cases` (with tests on PYTHONPATH) writes the page's tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from simulation.case import Case
from simulation.cases_of_moves import MOVES
from simulation.cases_of_parts import PARTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "simulation.md"
MARK = "<!-- generated -->"

GROUPS = {
    "A": "Normal",
    "B": "Planned",
    "C": "Disaster",
    "D": "Return",
    "E": "Git",
    "F": "Controller, guard and API servers",
    "G": "Storage",
    "H": "Restart",
    "I": "Topology",
    "J": "Drill",
    "K": "Races of a rival, where the last write wins",
}

CASES: dict[str, Case] = {**MOVES, **PARTS}


def page() -> str:
    """The tables of the page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for group, name in GROUPS.items():
        yield f"### {group}: {name}\n"
        yield "| case | | shown by |"
        yield "|---|---|---|"
        for number, case in CASES.items():
            if number[0] == group:
                yield f"| {number} | {case.words} | {_shown(case)} |"
        yield ""


def _shown(case: Case) -> str:
    stories = [f"{len(case.stories)} {'story' if len(case.stories) == 1 else 'stories'}"] if case.stories else []
    tests = [f"`{each.rpartition('/')[2].partition('::')[2]}`" for each in case.tests]
    return "; ".join([*stories, *tests]) or f"not shown: {case.why}"


def written(text: str) -> str:
    """The page with its tables as the code has them."""
    before, _, rest = text.partition(MARK)
    _, _, behind = rest.partition("<!-- end -->")
    return f"{before}{MARK}\n{page()}<!-- end -->{behind}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
