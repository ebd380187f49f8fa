"""The commits by which people lift a hold: they name the same site again, in the next epoch, with what was missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli.speaking import beat, server_of
from clones import Clone

Run = Callable[..., tuple[int, str, str]]
LEDGER = "apps/ledger/placement.yaml"
DISASTER = ["failover", "ledger", "--to", "b", "--disaster", "--declare-down", "a", "--allow-data-loss", "10m"]


@pytest.fixture(autouse=True)
def workloads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the sites would start is the renderer's business, not this file's."""
    monkeypatch.setattr("reconciler.cli.moving._started", lambda *_: ())
    return iter(())


@pytest.fixture
def burnt(clone: Clone, siteshift: Run, tmp_path: Path) -> Clone:
    """Site a was declared down while it still spoke, and nothing was consented to."""
    beat(server_of(clone, tmp_path), "a")
    assert siteshift(*DISASTER, "--reason", "fire", "--yes")[0] == 0
    return clone


def test_a_discard_is_allowed_in_the_next_epoch_beside_what_was_asserted(burnt: Clone, siteshift: Run) -> None:
    before = burnt.read(LEDGER)
    code, out, err = siteshift("allow-discard", "ledger", "--site", "a", "--reason", "looked", "--yes")
    assert (code, err) == (0, "")
    assert "ledger: what a wrote and b never got is lost." in out
    assert burnt.read(LEDGER) == before.replace("epoch: 2\n", "epoch: 3\n").replace(
        "    reason: fire\n", "    reason: fire\n    allowDiscard: [a]\n"
    )
    assert burnt.git("log", "-1", "--format=%B") == (
        "Let the copy of ledger at a be overwritten\n\nledger: epoch 3 at b\n\nReason: looked"
    )
    assert burnt.pushed == burnt.head
    assert siteshift("validate")[0] == 0
    code, out, _ = siteshift("allow-discard", "ledger", "--site", "a", "--yes")
    assert (code, out) == (0, f"the placement of ledger says so already (epoch 3 in {LEDGER})\n")


def test_a_fence_is_overridden_in_the_next_epoch_beside_what_was_asserted(burnt: Clone, siteshift: Run) -> None:
    before = burnt.read(LEDGER)
    code, out, err = siteshift("override-fence", "ledger", "--reason", "power is cut", "--yes")
    assert (code, err) == (0, "")
    assert "b no longer waits until a has stopped" in out
    assert burnt.read(LEDGER) == before.replace("epoch: 2\n", "epoch: 3\n").replace(
        "    reason: fire\n", '    reason: fire\n    overrideFence: "power is cut"\n'
    )
    assert siteshift("validate")[0] == 0
    assert "says so already" in siteshift("override-fence", "ledger", "--reason", "power is cut", "--yes")[1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["allow-discard", "ledger", "--site", "a"], "a is the active site of ledger"),
        (["allow-discard", "ledger", "--site", "c"], "c is no site of ledger (a, b)"),
        (["override-fence", "ledger", "--reason", "x"], "by a planned move, which waits for no fence"),
        (["override-fence", "nobody", "--reason", "x"], 'there is no application "nobody"'),
    ],
    ids=["active site", "no site", "planned", "no application"],
)
def test_what_makes_no_sense_is_refused(clone: Clone, siteshift: Run, line: list[str], said: str) -> None:
    head = clone.head
    code, _, err = siteshift(*line, "--yes")
    assert code == 1
    assert said in err
    assert clone.head == head


@pytest.mark.parametrize(
    "line", [["allow-discard", "ledger", "--site", "a"], ["override-fence", "ledger", "--reason", "x"]]
)
def test_a_dry_run_shows_and_changes_nothing(burnt: Clone, siteshift: Run, line: list[str]) -> None:
    head = burnt.head
    code, out, _ = siteshift(*line, "--dry-run")
    assert code == 0
    assert "+    epoch: 3" in out
    assert (burnt.head, burnt.git("status", "--porcelain")) == (head, "")


def test_a_suspended_application_is_resumed_first(burnt: Clone, siteshift: Run) -> None:
    assert siteshift("suspend", "ledger", "--yes")[0] == 0
    for line in (["allow-discard", "ledger", "--site", "a"], ["override-fence", "ledger", "--reason", "x"]):
        assert siteshift(*line, "--yes")[2] == "error: ledger is suspended\n  hint: siteshift resume ledger\n"
