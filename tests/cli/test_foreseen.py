"""A disaster move that would only stand still is refused before its commit, and others say what they will meet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cli.speaking import ack, beat, say, server_of
from clones import Clone

from reconciler.cli.foreseen import LastWords, check
from reconciler.errors import FleetError
from reconciler.failover.protocol.values import Ack, AckState, Demotion, Promotion, Running
from reconciler.fleet.model import Application, Fleet, Lease, Placement, Replication
from reconciler.fleet.moving import Disaster, plan_move
from reconciler.replica import ReplicaRole

Run = Callable[..., tuple[int, str, str]]
LINE = ["failover", "ledger", "--to", "b", "--disaster", "--declare-down", "a", "--allow-data-loss", "10m"]
LINE += ["--reason", "fire"]
LEASE = Lease(60.0, 300.0)
PROMOTION = Promotion(1, 3)


def runs(exposure: float | None = 20.0, lease: Lease | None = None, role: ReplicaRole = ReplicaRole.PRIMARY) -> Running:
    return Running(role is ReplicaRole.PRIMARY, role, exposure, lease)


def said(state: AckState, settled: AckState | None = None, **parts: object) -> Ack:
    found = Ack("ledger", "a", 1, "c1", "uid", state, settled or state, PROMOTION, sequence=5)
    return replace(found, **parts)  # type: ignore[arg-type]


ACTIVE = said(AckState.ACTIVE)
DARK = LastWords(ACTIVE, runs(), 400.0)


def judge(
    words: dict[str, LastWords], override: str | None = None, loss: str = "10m", driver: str = "csi-addons"
) -> str:
    """The lines, or what was refused."""
    application = Application(
        "ledger",
        "apps/ledger",
        ("a", "b"),
        "a",
        Placement("a", 1, "planned", "p"),
        replication=Replication(driver, rpo=60.0),
    )
    disaster = Disaster(("a",), loss, "fire", override)
    move = plan_move(application, "b", disaster, None)
    assert move is not None
    fleet = Fleet("bank", "symmetric", (), (), (application,))
    try:
        return "\n".join(check(move, disaster, fleet, words))
    except FleetError as error:
        return f"refused: {error}"


@pytest.mark.parametrize(
    ("words", "override", "expected"),
    [
        (DARK, None, "ledger would be held at b (NotFenced): nothing proves that a has stopped"),
        (LastWords(), None, "it has given no sign of life"),
        (LastWords(unread="it is no JSON"), None, "what it said cannot be read: it is no JSON"),
        (DARK, "dark", "If it runs, two sites write at once"),
        (replace(DARK, silent=70.0), None, "its last sign of life is 1m10s old, and it obeys this commit"),
        (replace(DARK, running=runs(lease=LEASE)), None, "waits until a, which obeys a lease, was silent for 5m"),
        (replace(DARK, ack=said(AckState.STOPPED, AckState.ACTIVE)), None, "it said Stopped: nothing is waited for"),
    ],
    ids=["dark", "never heard", "unreadable", "overridden", "alive", "lease", "stopped"],
)
def test_how_the_target_will_know_that_a_site_has_stopped(
    words: LastWords, override: str | None, expected: str
) -> None:
    assert expected in judge({"a": words, "b": LastWords()}, override, loss="unknown")


def test_a_word_of_rest_beside_a_heartbeat_that_says_running_is_no_rest() -> None:
    rests = said(AckState.DEMOTED, promotion=None)
    still = LastWords(rests, runs(role=ReplicaRole.SECONDARY), 500.0)
    assert judge({"a": still}) == ""
    passive = LastWords(replace(rests, state=AckState.PASSIVE, settled=AckState.PASSIVE), runs(), 500.0)
    assert "NotFenced" in judge({"a": passive})


@pytest.mark.parametrize(
    ("words", "loss", "driver", "expected"),
    [
        (DARK, "10m", "csi-addons", "its copy is 7m old by now, or more; what a wrote since then is lost"),
        (replace(DARK, silent=590.0), "10m", "csi-addons", "(DataLoss): the copy at b is 10m10s old or more, and 10m"),
        (replace(DARK, silent=590.0), "11m", "csi-addons", "its copy is 10m10s old"),
        (replace(DARK, running=runs(lease=LEASE), silent=5000.0), "10m", "csi-addons", "its copy is 1h23m old"),
        (replace(DARK, running=runs(exposure=None)), "10m", "csi-addons", "how old the copy at b is cannot be told"),
        (replace(DARK, running=runs(exposure=None)), "unknown", "csi-addons", "b: ledger: how old its copy is cannot"),
        (replace(DARK, silent=5000.0), "10m", "none", "If it runs, two sites write at once."),
    ],
    ids=["within", "more", "allowed", "bounded by the lease", "unknown", "unknown is allowed", "nothing replicated"],
)
def test_what_may_be_lost_by_now_counts_the_silence_too(
    words: LastWords, loss: str, driver: str, expected: str
) -> None:
    assert expected in judge({"a": words}, "dark", loss, driver)


def test_a_copy_that_was_proven_complete_loses_nothing() -> None:
    demoted = said(AckState.DEMOTED, demotion=Demotion(PROMOTION, 1, 5, ("b",)))
    words = LastWords(demoted, runs(role=ReplicaRole.SECONDARY), 5000.0)
    assert judge({"a": words}) == "b: ledger: its copy has everything that a has written"
    older = replace(demoted, promotion=Promotion(4, 9))
    assert "cannot be told" in judge({"a": LastWords(older, None, 5000.0)}, "dark")


@pytest.fixture
def workloads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the sites would start is the renderer's business, not this file's."""
    monkeypatch.setattr("reconciler.cli.moving._started", lambda *_: ())
    return iter(())


@pytest.mark.usefixtures("workloads")
def test_the_command_refuses_before_the_commit_and_says_what_is_missing(
    clone: Clone, siteshift: Run, tmp_path: Path
) -> None:
    head = clone.head
    code, out, err = siteshift(*LINE, "--yes")
    assert (code, out) == (1, "")
    assert "ledger would be held at b (NotFenced)" in err
    assert '--override-fence "its power is cut"' in err
    assert (clone.head, clone.pushed) == (head, head)
    server = server_of(clone, tmp_path)
    beat(server, "a", running=runs(5.0, role=ReplicaRole.ANY))
    say(server, ack("a", 1, promoted=1))
    code, out, err = siteshift(*LINE, "--yes")
    assert (code, err) == (0, "")
    assert "b: ledger: waits until a says Stopped or Demoted; its last sign of life is" in out
    assert clone.pushed == clone.head != head


@pytest.mark.usefixtures("workloads")
def test_a_commit_that_is_not_pushed_says_that_nobody_looked(clone: Clone, siteshift: Run) -> None:
    code, out, _ = siteshift(*LINE, "--no-push", "--yes")
    assert code == 0
    assert "What the sites said last was not looked at (--no-push): the move may be held." in out


def test_a_silence_is_counted_from_when_the_heartbeat_was_made(clone: Clone, tmp_path: Path) -> None:
    server = server_of(clone, tmp_path)
    began = int(time.time())
    beat(server, "a")
    heads = server.fetch(["refs/siteshift/heartbeats/a"])
    made = server.pushed_at("refs/siteshift/heartbeats/a", heads.refs["refs/siteshift/heartbeats/a"])
    assert began <= made <= time.time()
