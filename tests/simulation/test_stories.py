"""Stories of fixed and of fresh seeds; that one seed has one history; that what is broken on purpose is found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from simulation.cases import CASES
from simulation.stories import Story, draw, failure, shortened
from simulation.variants import LAST_WRITE_WINS, NO_FENCE, NO_LEASE, NO_SOURCES
from simulation.world import Variant

FIXED, FRESH = 16, 8
"""How many seeds each run of the tests tells: the same ones, and others for each state of the sources."""

MOST = 40
"""Within so many seeds what is broken on purpose must be found."""


@pytest.mark.parametrize("seed", range(FIXED))
def test_a_fixed_seed_keeps_every_invariant_and_comes_to_rest(seed: int) -> None:
    assert failure(draw(str(seed))) == ""


def _sources() -> str:
    """The identity of what is committed: the same seeds for one commit each time, so that a failure can be repeated."""
    command = ["git", "rev-parse", "--short=12", "HEAD^{tree}"]
    return subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("number", range(FRESH))
def test_a_fresh_seed_keeps_every_invariant_and_comes_to_rest(number: int) -> None:
    story = draw(f"{_sources()}-{number}")
    if failure(story):
        shorter, found = shortened(story)
        pytest.fail("\n".join([f"seed {story.seed}:", *map(str, shorter.actions), found]))


HISTORY = "from simulation.stories import draw, tell; print(*tell(draw('7')).story, sep='\\n')"


def test_one_seed_has_one_history_in_every_process() -> None:
    """Whatever the order of sets is there, and however the machine's threads are scheduled."""
    path = str(Path(__file__).parent.parent)

    def told(hashes: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": path}
        command = [sys.executable, "-c", HISTORY]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120).stdout

    first, second = told("1"), told("2")
    assert len(first.splitlines()) > 50
    assert first == second


SEEDS = [draw(str(seed)) for seed in range(MOST)]
ISOLATED = CASES["C3"].stories
"""The active site lives, is cut off, and is declared down."""


@pytest.mark.parametrize(
    ("variant", "stories", "what"),
    [
        (LAST_WRITE_WINS, SEEDS, "epochs"),
        (NO_SOURCES, SEEDS, "I1"),
        (NO_LEASE, ISOLATED, "I1"),
        (NO_FENCE, SEEDS, "I"),
    ],
    ids=lambda each: each.name if isinstance(each, Variant) else "",
)
def test_what_is_broken_on_purpose_is_found(variant: Variant, stories: Sequence[Story], what: str) -> None:
    """Group K too: where the last write wins, journals and acks fall behind what was said."""
    found = (failure(each, variant) for each in stories)
    assert any(each.partition(": ")[2].startswith(what) for each in found)
