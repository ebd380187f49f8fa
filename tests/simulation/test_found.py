"""Stories that the simulation found, in their shortest form: each failed before its fix."""

from __future__ import annotations

import pytest

from simulation.stories import Action, Story, tell

FOUND = {
    # The moment of the last renewal lay in the future of the new clock for ever: promoted and stopped, again and again.
    "a lease survives a clock that goes back by a day": Story(
        "6", "ab", True, 0.08, (Action(27.8, "clock", ("a", -86400.0)),)
    ),
    # What the lost commit had placed could not be read any more, and every pass failed.
    "a rewind is accepted by a process that lost its mirror": Story(
        "327",
        "ab",
        True,
        0.02,
        (
            Action(16.6, "move", ("ledger", "b")),
            Action(39.4, "pause", ("b", "controller", "pushed", 30, 15.3, True)),
            Action(39.5, "rewind", (2,)),
            Action(147.3, "backup"),
        ),
    ),
    "a rewind is accepted by the third site too": Story(
        "235",
        "abc",
        True,
        0.2,
        (
            Action(20.9, "move", ("shop", "b")),
            Action(35.1, "rewind", (2,)),
            Action(104.1, "pause", ("c", "controller", "push", 8, 11.3, True)),
            Action(130.1, "git", ("b", "heartbeats", 34.7)),
        ),
    ),
    # The active site took the accepted branch for frozen again at the next epoch, and nobody could fence it.
    "an active site follows an accepted branch at once": Story(
        "210",
        "ab",
        True,
        0.08,
        (
            Action(88.9, "move", ("ledger", "b")),
            Action(120.5, "disaster", ("ledger", "a", "unknown", True, False)),
            Action(144.5, "rewind", (1,)),
        ),
    ),
}


@pytest.mark.parametrize("story", FOUND.values(), ids=FOUND.keys())
def test_what_was_found_is_found_no_more(story: Story) -> None:
    tell(story)
