"""`--wait`: one line for each thing that happens, and an exit code that says whether it has arrived."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cli.speaking import say, server_of
from clones import Clone

from reconciler.cli import waiting
from reconciler.failover.protocol.values import Ack, AckState
from reconciler.fleet.model import Application, Placement
from reconciler.fleet.moving import plan_move

Run = Callable[..., tuple[int, str, str]]
HOLD = {"reason": "NotFit", "message": "no claim", "liftedBy": "siteshift diff"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("reconciler.cli.moving._started", lambda *_: ())
    monkeypatch.setattr(waiting, "LOOK", 0.02)
    return iter(())


def acked(site: str, state: AckState, epoch: int = 2, **evidence: Any) -> Ack:
    return Ack("ledger", site, epoch, "c1", "uid", state, evidence=evidence)


def progress() -> waiting.Progress:
    move = plan_move(Application("ledger", "apps/ledger", ("a", "b"), "a", Placement("a", 1, "planned", "p")), "b")
    assert move is not None
    return waiting.Progress([move])


def take(found: waiting.Progress, *acks: Ack, now: float = 0.0, **reports: Mapping[str, Any]) -> list[str]:
    return list(found.take({"ledger": {each.site: each for each in acks}}, reports, now))


def test_each_word_is_shown_once_and_older_ones_never() -> None:
    found = progress()
    old = acked("a", AckState.ACTIVE, epoch=1)
    assert take(found, old, acked("b", AckState.READY)) == ["b: ledger: Ready"]
    assert take(found, old, acked("b", AckState.READY)) == []
    assert take(found, acked("a", AckState.STOPPING), acked("b", AckState.READY)) == ["a: ledger: Stopping"]
    assert not found.ended
    assert take(found, acked("b", AckState.ACTIVE)) == ["b: ledger: Active"]
    assert found.ended == "arrived"


def test_why_it_does_not_fit_is_shown() -> None:
    assert take(progress(), acked("b", AckState.FAILED, reason="no claim")) == ["b: ledger: Failed: no claim"]


def test_a_hold_ends_the_waiting_once_it_stands() -> None:
    found = progress()
    report = {"ledger": {"epoch": 2, "holds": [HOLD]}}
    assert take(found, now=1.0, b=report) == ["b: ledger: NotFit: no claim"]
    assert take(found, now=5.0, b={"ledger": {"epoch": 2, "holds": []}}) == []
    assert take(found, now=6.0, b=report) == ["b: ledger: NotFit: no claim"]
    assert take(found, now=12.0, b=report) == []
    assert take(found, now=16.0, b=report) == ["  siteshift diff"]
    assert found.ended == "ledger is held at b (NotFit)"


def test_a_hold_of_the_epoch_before_says_nothing() -> None:
    found = progress()
    for now in (0.0, 20.0):
        assert take(found, now=now, b={"ledger": {"epoch": 1, "holds": [HOLD]}}) == []
    assert not found.ended


def test_a_newer_move_to_another_site_ends_it() -> None:
    found = progress()
    take(found, acked("a", AckState.PROMOTING, epoch=3))
    assert found.ended == "ledger was moved to a meanwhile, by epoch 3"


@pytest.mark.parametrize(("says", "code", "last"), [(True, 0, "Arrived."), (False, 1, "not arrived within 100ms")])
def test_the_exit_code_says_whether_it_arrived(
    clone: Clone, siteshift: Run, tmp_path: Path, says: bool, code: int, last: str
) -> None:
    server = server_of(clone, tmp_path)
    if says:
        say(server, acked("b", AckState.ACTIVE))
    done, out, _ = siteshift(
        "failover", "ledger", "--to", "b", "--yes", "--wait", "--timeout", "5m" if says else "100ms"
    )
    assert done == code
    assert last in out.splitlines()[-1]
    assert (f"{0:5.0f}s  b: ledger: Active" in out) is says


def test_ctrl_c_leaves_everything_running_and_says_so(
    clone: Clone, siteshift: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> Iterator[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting.Progress, "take", interrupt)
    code, _, err = siteshift("failover", "ledger", "--to", "b", "--yes", "--wait")
    assert code == 130
    assert "the commit is pushed and the move goes on" in err
    assert clone.pushed == clone.head
    assert not [each for each in threading.enumerate() if each is not threading.main_thread() and not each.daemon]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["--wait", "--no-push"], "--no-push keeps the commit from them"),
        (["--wait", "--timeout", "soon"], '--timeout is "soon", expected a time such as 10m'),
    ],
)
def test_what_nobody_could_wait_for_is_refused(clone: Clone, siteshift: Run, line: list[str], said: str) -> None:
    head = clone.head
    code, _, err = siteshift("failover", "ledger", "--to", "b", "--yes", *line)
    assert code == 2
    assert said in err
    assert clone.head == head
