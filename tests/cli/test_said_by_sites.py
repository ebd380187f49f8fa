"""accept-rewind and rebind: the commits that rest on what the sites said on their refs, on a real Git server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cli.speaking import LOST, OLD, ack, beat, say
from clones import Clone

from reconciler.failover.protocol.documents import ack_file
from reconciler.git import Mirror

Run = Callable[..., tuple[int, str, str]]
LEDGER = "apps/ledger/placement.yaml"
NEW = "22222222-bbbb"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITESHIFT_STATE", str(tmp_path / "state"))


@pytest.fixture
def server(clone: Clone, tmp_path: Path) -> Mirror:
    """Where the sites speak."""
    found = Mirror(str(clone.bare), tmp_path / "site", branch="main")
    found.fetch()
    return found


def test_a_rewind_is_accepted_above_everything_that_was_said_with_every_mark(
    clone: Clone, siteshift: Run, server: Mirror
) -> None:
    say(server, ack("a", 4))
    say(server, ack("b", 3, promoted=6))
    before, head = clone.read(LEDGER), clone.head
    code, out, err = siteshift("accept-rewind", "ledger", "--from", "c0ffee1", "--reason", "restored", "--yes")
    assert (code, err) == (0, "")
    assert clone.read(LEDGER) == before.replace(
        "    epoch: 1\n",
        "    epoch: 7\n    move: planned\n    reason: restored\n"
        f"    acceptRewind: {{to: {_written(head)}, from: [{LOST['a']}, {LOST['b']}, c0ffee1]}}\n",
    )
    assert "a: ledger: Passive at epoch 4" in out
    assert clone.git("log", "-1", "--format=%B") == (
        "Accept the branch as it is for ledger\n\nledger: epoch 7 at a\n\nReason: restored"
    )
    assert siteshift("validate")[0] == 0
    assert siteshift("failover", "payments", "--to", "b", "--dry-run")[0] == 0


def _written(commit: str) -> str:
    return commit if commit[0].isalpha() else f'"{commit}"'


def test_a_disaster_that_was_rewound_is_not_asked_for_again(clone: Clone, siteshift: Run, server: Mirror) -> None:
    line = ["failover", "ledger", "--to", "b", "--disaster", "--declare-down", "a", "--allow-data-loss", "10m"]
    assert siteshift(*line, "--reason", "fire", "--override-fence", "dark", "--yes")[0] == 0
    say(server, ack("b", 9))
    code, out, _ = siteshift("accept-rewind", "ledger", "--yes")
    assert code == 0
    assert "What its disaster move asserted is void" in out
    text = clone.read(LEDGER)
    assert "epoch: 10" in text
    assert "move: planned" in text
    for field in ("declaredDown", "allowDataLoss", "overrideFence", "reason"):
        assert field not in text


@pytest.mark.parametrize("broken", ["nothing", "unreadable", "bad mark"])
def test_what_cannot_be_read_is_never_taken_for_nothing(
    clone: Clone, siteshift: Run, server: Mirror, broken: str
) -> None:
    options = []
    if broken == "unreadable":
        say(server, ack("a", 4))
        server.append("refs/siteshift/acks/b", None, {ack_file("ledger"): b"{"}, "said")
    elif broken == "bad mark":
        options = ["--from", "HEAD~1"]
    head = clone.head
    code, _, err = siteshift("accept-rewind", "ledger", *options, "--yes")
    said = {
        "nothing": "no site has said anything about ledger",
        "unreadable": "what site b said about ledger cannot be read",
        "bad mark": '--from is "HEAD~1", expected the id of a commit',
    }
    assert code == (2 if broken == "bad mark" else 1)
    assert said[broken] in err
    assert clone.head == head


REBIND = ["rebind", "b", "--old", "destroyed", "--reason", "rebuilt"]


def test_a_site_is_bound_to_a_new_cluster(clone: Clone, siteshift: Run, server: Mirror) -> None:
    beat(server, "b", 41, OLD)
    before = clone.read("siteshift.yaml")
    code, out, err = siteshift(*REBIND, "--to", NEW, "--yes")
    assert (code, err) == (0, "")
    assert clone.read("siteshift.yaml") == before.replace(
        "{name: b}", f'{{name: b, rebind: {{from: "{OLD}", to: "{NEW}", old: destroyed, reason: rebuilt}}}}'
    )
    assert f"cluster {NEW} speaks for it from now on" in out
    assert siteshift("validate")[0] == 0
    assert "already" in siteshift(*REBIND, "--to", NEW, "--yes")[1]


def test_a_cluster_restored_in_place_is_bound_up_to_the_highest_counter_that_anybody_saw(
    clone: Clone, siteshift: Run, server: Mirror
) -> None:
    beat(server, "b", 41, OLD)
    beat(server, "a", 7, NEW, {"b": 44})
    code, out, _ = siteshift(*REBIND, "--to", OLD, "--yes")
    assert code == 0
    assert "reason: rebuilt, counter: 44}" in clone.read("siteshift.yaml")
    assert "was restored in place" in out
    assert siteshift("validate")[0] == 0


def test_the_cluster_of_an_ack_counts_where_no_heartbeat_is_left(clone: Clone, siteshift: Run, server: Mirror) -> None:
    say(server, replace(ack("b", 4), cluster=OLD))
    assert siteshift(*REBIND, "--to", NEW, "--dry-run")[0] == 0


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ([*REBIND, "--to", NEW], 1, "no cluster has spoken for site b yet"),
        (["rebind", "c", *REBIND[2:], "--to", NEW], 2, "c is no site of this fleet (a, b)"),
        (["rebind", "b", "--reason", "x", "--to", NEW], 2, "--old"),
    ],
    ids=["nobody", "no site", "what became of the old one"],
)
def test_a_rebind_that_makes_no_sense_is_refused(
    clone: Clone, siteshift: Run, line: list[str], code: int, said: str
) -> None:
    head = clone.head
    found = siteshift(*line, "--yes")
    assert found[0] == code
    assert said in found[2]
    assert clone.head == head
