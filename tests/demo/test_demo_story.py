"""A step is played until all that it claims is observed; what is not is said, with what was seen in its place."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.demo.screen import Lines
from sandbox.demo.stage import Claim, Interrupts, Stage, Step
from sandbox.demo.story import STORY
from sandbox.demo.world import World
from sandbox.processes import Processes


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    known = {number: signal.getsignal(number) for number in Interrupts.NUMBERS}
    with Processes() as processes:
        world = World(tmp_path, processes)
        yield Stage(world, Lines(), Interrupts())
        world.stop()
    for number, handler in known.items():
        signal.signal(number, handler)


def test_a_step_holds_when_all_its_claims_do(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    done: list[str] = []
    claim = Claim("it is done", lambda _: [] if done else ["nothing is done"], note=lambda _: "1 thing")
    assert stage.play(1, Step("Something is done", lambda _: done.append("it"), (claim,)))
    assert capsys.readouterr().out.splitlines() == ["", "1  Something is done", "  ok      it is done (1 thing)"]


def test_a_claim_may_come_true_later(stage: Stage) -> None:
    answers = [["not yet"], ["not yet"], []]
    assert stage.play(1, Step("Wait", lambda _: None, (Claim("it comes", lambda _: answers.pop(0), 3600.0),)))
    assert answers == []


def test_what_was_not_observed_is_said(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []
    wrong = Claim("it is done", lambda _: [f"reason {number}" for number in range(7)])
    later = Claim("it goes on", lambda _: asked)
    assert not stage.play(2, Step("Nothing is done", lambda _: None, (wrong, later)))
    assert capsys.readouterr().out.splitlines()[2:] == [
        "  FAILED  it is done",
        "          expected: it is done",
        *(f"          seen: reason {number}" for number in range(5)),
        "          and 2 more",
    ]


@pytest.mark.parametrize("number", Interrupts.NUMBERS, ids=lambda number: signal.Signals(number).name)
def test_a_signal_ends_the_story_at_the_next_look(stage: Stage, number: int) -> None:
    signal.raise_signal(number)
    with pytest.raises(KeyboardInterrupt, match=signal.Signals(number).name):
        stage.look()


def test_work_in_the_background_is_waited_for(stage: Stage) -> None:
    assert stage.during(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        stage.during(lambda: 1 / 0)


def test_every_step_of_the_story_claims_something() -> None:
    assert [step.title for step in STORY if not step.claims] == []
