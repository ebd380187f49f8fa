"""What the demo shows: lines for a pipe, a picture for a terminal, a table at the end."""

from __future__ import annotations

import io
from typing import Any

import pytest
from demo.histories import DATABASE, LEVELS, machine

from sandbox.demo.checker.observer import Seen
from sandbox.demo.checker.words import Commit, Word
from sandbox.demo.screen import Lines, Live, picture
from sandbox.demo.table import Row, as_text
from sandbox.demo.timeline import Moment, line, of_commit, of_event, of_word
from sandbox.demo.view import ApplicationView, Level, SiteView, view_of


def test_a_line_says_when_where_and_what() -> None:
    assert line(Moment(12.34, "b", "ledger", "ack Ready for epoch 2"), 10.0) == (
        "   2.3s  b    ledger    ack Ready for epoch 2"
    )


def test_commits_and_words_are_moments() -> None:
    assert of_commit(Commit(1.0, "3f9c2d1", "Move")) == Moment(1.0, "git", "", 'commit 3f9c2d1 "Move"')
    assert of_word(Word(1.0, "a", "ledger", 2, "Demoted")) == Moment(1.0, "a", "ledger", "ack Demoted for epoch 2")


def copy(state: str, role: str = "secondary", **conditions: str) -> dict[str, Any]:
    found = [{"type": kind, "status": status} for kind, status in conditions.items()]
    return {
        "kind": "VolumeGroupReplication",
        "metadata": {"name": "ledger", "namespace": "ledger"},
        "spec": {"replicationState": role},
        "status": {"state": state, "conditions": found},
    }


@pytest.mark.parametrize(
    ("before", "now", "texts"),
    [
        pytest.param(None, machine(1, "Always").value, ["level 10  VirtualMachine db starts"], id="starts"),
        pytest.param(
            machine(1, "Always").value,
            machine(2, "Always", ready=True).value,
            ["level 10  VirtualMachine db is ready"],
            id="ready",
        ),
        pytest.param(
            machine(1, "Always").value,
            machine(2, "Halted").value,
            ["level 10  VirtualMachine db is told to stop"],
            id="stop",
        ),
        pytest.param(machine(1, "Halted").value, machine(2, "Halted").value, [], id="nothing"),
    ],
)
def test_workloads_tell_what_changed(before: Any, now: Any, texts: list[str]) -> None:
    found = of_event("a", Seen(1.0, 1, DATABASE, now), before, LEVELS)
    assert [moment.text for moment in found] == texts


@pytest.mark.parametrize(
    ("before", "now", "texts"),
    [
        pytest.param(copy("Primary", "primary"), copy("Primary"), ["copy is told to be secondary"], id="told"),
        pytest.param(copy("Primary"), copy("Secondary"), ["copy is Secondary"], id="reached"),
        pytest.param(
            copy("Secondary", Degraded="True"), copy("Secondary", Degraded="False"), ["copy is in sync"], id="in sync"
        ),
        pytest.param(
            copy("Secondary", Resyncing="False"),
            copy("Secondary", Resyncing="True"),
            ["copy is resynchronised"],
            id="resync",
        ),
        pytest.param(copy("Secondary", Degraded="False"), copy("Secondary", Degraded="False"), [], id="nothing"),
    ],
)
def test_copies_tell_what_changed(before: Any, now: Any, texts: list[str]) -> None:
    key = ("VolumeGroupReplication", "ledger", "ledger")
    assert [moment.text for moment in of_event("a", Seen(1.0, 1, key, now), before, LEVELS)] == texts


def test_a_platform_workload_is_no_part_of_the_story() -> None:
    seen = Seen(1.0, 1, ("Deployment", "monitoring", "collector"), {"kind": "Deployment", "spec": {"replicas": 1}})
    assert list(of_event("a", seen, None, LEVELS)) == []


def test_the_table_has_columns() -> None:
    rows = [Row("ledger", "a", "active", "3", "9.4 s", "0"), Row("ledger", "b", "passive", "3")]
    assert as_text(rows).splitlines() == [
        "APPLICATION  SITE  ROLE     EPOCH  RTO REACHED  RECORDS LOST",
        "ledger       a     active   3      9.4 s        0",
        "ledger       b     passive  3      -            -",
    ]


def test_a_view_counts_what_is_ready_and_names_what_starts() -> None:
    status = {"role": "active", "state": "Starting", "epoch": 2}
    now = {
        ("SiteApplication", "siteshift-system", "ledger"): {"status": status},
        DATABASE: machine(1, "Always", ready=True).value,
        ("VirtualMachine", "ledger", "vm1"): machine(1, "Always", name="vm1").value,
        ("VirtualMachine", "ledger", "vm2"): machine(1, "Halted", name="vm2").value,
    }
    site = view_of("a", True, now, LEVELS)  # type: ignore[arg-type]
    levels = (Level(10, 1, 1), Level(50, 0, 9))
    assert site.applications == (ApplicationView("ledger", "active", "Starting", "2", levels, ("vm1",)),)
    assert site.starting == 1


SITES = (
    SiteView("a", False),
    SiteView("b", True, (ApplicationView("ledger", "active", "Starting", "2", (Level(10, 1, 1),), ("web",)),)),
)


@pytest.mark.parametrize("width", [80, 120])
def test_the_picture_shows_both_sites_and_the_time_line(width: int) -> None:
    from rich.console import Console

    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    with console.capture() as shown:
        console.print(picture(SITES, ["   1.0s  b    ledger    ack Active for epoch 2"], "waits"))
    text = shown.get()
    for words in ("site a", "every process of it was killed", "site b", "ledger 2", "active", "Starting", "1/1"):
        assert words in text
    assert "starting 1: ledger/web" in text
    assert "ack Active for epoch 2" in text
    assert max(map(len, text.splitlines())) <= width


def test_a_terminal_keeps_what_was_observed() -> None:
    from rich.console import Console

    out = io.StringIO()
    with Live(Console(file=out, force_terminal=True, width=80, height=30)) as screen:
        screen.say("1  It begins")
        screen.moment(Moment(1.0, "a", "ledger", "step Starting"), 0.0)
        screen.draw(SITES, "waits for ledger")
        screen.claim("ledger runs at a", ())
        screen.claim("orders runs at a", ["it does not"])
    text = out.getvalue()
    for words in ("1  It begins", "step Starting", "waits for ledger", "ok      ledger runs", "FAILED  orders runs"):
        assert words in text


def test_a_pipe_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Lines() as screen:
        screen.say("1  It begins")
        screen.moment(Moment(1.0, "a", "ledger", "step Starting"), 0.0)
        screen.draw(SITES, "waits")
        screen.claim("ledger runs at a", ())
    assert capsys.readouterr().out.splitlines() == [
        "1  It begins",
        "   1.0s  a    ledger    step Starting",
        "  ok      ledger runs at a",
    ]
