"""The handbook cannot drift: every state, hold and event of the code is in it, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.failover.protocol.decisions import State
from reconciler.status.log import EVENTS

ROOT = Path(__file__).resolve().parents[2]
HOLD = re.compile(r'(?:Hold\(|in_time\(case, )\s*"(\w+)"')


def section(page: str, heading: str) -> str:
    text = (ROOT / "docs" / page).read_text()
    return text.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def first_column(table: str) -> set[str]:
    return set(re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE))


def test_every_state_is_explained() -> None:
    assert first_column(section("moves.md", "States")) == {state.value for state in State}


def test_every_hold_is_explained() -> None:
    sources = [path.read_text() for path in (ROOT / "reconciler").rglob("*.py")]
    assert first_column(section("moves.md", "Holds")) == {name for text in sources for name in HOLD.findall(text)}


def test_every_event_is_explained() -> None:
    text = (ROOT / "docs" / "log.md").read_text()
    assert all(f"| `{event}` | {meaning} |" in text for event, meaning in EVENTS.items())
    assert first_column(text) == set(EVENTS)


def test_every_page_is_in_the_index_and_every_link_leads_somewhere() -> None:
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert set(re.findall(r"\]\((\w[\w.-]+\.md)\)", (ROOT / "docs" / "README.md").read_text())) == pages
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert "://" in link or (page.parent / link).exists(), f"{page.name}: {link}"
