"""The simulated array: roles, replication, split brain, and what survives the death of a site."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.simulation.array import Array, ArrayInUseError, NotWritableError, PreconditionError
from sandbox.simulation.copies import ReplicaRole, copy_folder, read_records
from sandbox.simulation.ledger import Ledger, Record, lost_records, number_of

VOLUME = "ledger-db"
ALL = [VOLUME]


class Pair:
    """Two arrays with their ledgers, as the two sites have them; a killed one can be started again."""

    def __init__(self, root: Path) -> None:
        self.folders = {"a": root / "a", "b": root / "b"}
        self.written = 0
        self.arrays: dict[str, Array] = {}
        self.ledgers = {site: Ledger(folder) for site, folder in self.folders.items()}
        for site in self.folders:
            self.start(site)

    def start(self, site: str) -> None:
        self.arrays[site] = Array(self.folders[site], site, self.folders)

    def kill(self, site: str) -> None:
        self.arrays.pop(site).close()

    def write(self, site: str, count: int = 1) -> None:
        array = self.arrays[site]
        for _ in range(count):
            # No two records are alike: a number that was lost is written again, with another time.
            self.written += 1
            line = Record(number_of(array.last_line(VOLUME)) + 1, site, float(self.written), f"guest-{site}").to_line()
            array.write(VOLUME, line)
            self.ledgers[site].acknowledge(VOLUME, line)

    def replicate(self) -> None:
        for array in self.arrays.values():
            array.replicate()

    def records(self, site: str) -> bytes:
        return read_records(copy_folder(self.folders[site], VOLUME), 0)

    def lost(self, surviving: str) -> int:
        return len(lost_records(VOLUME, surviving=self.folders[surviving], arrays=self.folders.values()))

    def close(self) -> None:
        for array in self.arrays.values():
            array.close()
        for ledger in self.ledgers.values():
            ledger.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    both = Pair(tmp_path)
    both.arrays["a"].promote(ALL)
    both.arrays["b"].demote(ALL)
    yield both
    both.close()


def test_a_secondary_takes_over_what_the_primary_has(pair: Pair) -> None:
    pair.write("a", 3)
    pair.replicate()
    assert pair.records("b") == pair.records("a")
    assert pair.arrays["b"].resync(ALL, force=False).in_sync


def test_a_secondary_refuses_writes(pair: Pair) -> None:
    with pytest.raises(NotWritableError, match="secondary at b"):
        pair.arrays["b"].write(VOLUME, b"{}\n")


def test_a_volume_without_replication_is_written_anywhere(pair: Pair) -> None:
    pair.arrays["b"].write("scratch", b"{}\n")
    assert pair.arrays["b"].copy("scratch").role is ReplicaRole.NONE


def test_a_volume_in_use_is_not_demoted(pair: Pair) -> None:
    pair.arrays["a"].attach(VOLUME)
    with pytest.raises(PreconditionError, match="in use"):
        pair.arrays["a"].demote(ALL)
    pair.arrays["a"].detach(VOLUME)
    pair.arrays["a"].demote(ALL)
    assert pair.arrays["a"].copy(VOLUME).role is ReplicaRole.SECONDARY


def test_a_group_is_promoted_whole_or_not_at_all(pair: Pair) -> None:
    a, b = pair.arrays["a"], pair.arrays["b"]
    a.promote(["second"])
    b.demote(["second"])
    a.demote(["second"])
    with pytest.raises(PreconditionError, match="ledger-db is primary at a"):
        b.promote(["second", VOLUME])
    assert b.copy("second").role is ReplicaRole.SECONDARY


def prepare_peer_primary(pair: Pair) -> None:
    pair.write("a")


def prepare_not_shipped(pair: Pair) -> None:
    pair.write("a")
    pair.arrays["a"].demote(ALL)


def prepare_link_cut(pair: Pair) -> None:
    pair.arrays["a"].demote(ALL)
    pair.arrays["a"].cut_link(True)


def prepare_peer_dead(pair: Pair) -> None:
    pair.arrays["a"].demote(ALL)
    pair.kill("a")


REFUSALS = [
    ("the peer is primary", prepare_peer_primary, "primary at a"),
    ("the last records are not here", prepare_not_shipped, "not complete here"),
    ("the link is cut", prepare_link_cut, "cannot be asked"),
    ("the peer is dead", prepare_peer_dead, "cannot be asked"),
]


@pytest.mark.parametrize(("prepare", "reason"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
def test_a_promotion_without_proof_asks_for_force(pair: Pair, prepare: object, reason: str) -> None:
    assert callable(prepare)
    prepare(pair)
    with pytest.raises(PreconditionError, match=reason):
        pair.arrays["b"].promote(ALL)
    pair.arrays["b"].promote(ALL, force=True)
    assert pair.arrays["b"].copy(VOLUME).role is ReplicaRole.PRIMARY


def test_force_is_noted_for_whoever_counts_it(pair: Pair) -> None:
    pair.arrays["b"].promote(ALL, force=True)
    events = [json.loads(line) for line in (pair.folders["b"] / "events.jsonl").read_text().splitlines()]
    assert [(event["event"], event.get("forced")) for event in events] == [("demoted", None), ("promoted", True)]


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_cut_link_stops_replication_whoever_cuts_it(pair: Pair, side: str) -> None:
    pair.arrays[side].cut_link(True)
    pair.write("a")
    pair.replicate()
    assert pair.records("b") == b""
    assert "cannot be reached" in pair.arrays["b"].resync(ALL, force=False).problem
    pair.arrays[side].cut_link(False)
    pair.replicate()
    assert pair.records("b") == pair.records("a")


def test_a_dead_array_ships_nothing_and_keeps_its_disk(pair: Pair) -> None:
    pair.write("a", 2)
    before = pair.records("a")
    pair.kill("a")
    pair.replicate()
    assert (pair.records("a"), pair.records("b")) == (before, b"")
    pair.start("a")
    assert pair.arrays["a"].copy(VOLUME).role is ReplicaRole.PRIMARY
    pair.replicate()
    assert pair.records("b") == before


def test_half_a_record_is_dropped_at_the_start(pair: Pair) -> None:
    pair.write("a", 2)
    whole = pair.records("a")
    pair.kill("a")
    with (copy_folder(pair.folders["a"], VOLUME) / "records").open("ab") as records:
        records.write(b'{"n":3,"si')
    pair.start("a")
    pair.write("a")
    assert pair.records("a").startswith(whole)
    assert pair.records("a").count(b"\n") == 3
    assert number_of(pair.arrays["a"].last_line(VOLUME)) == 3


def test_one_process_serves_an_array(pair: Pair) -> None:
    with pytest.raises(ArrayInUseError):
        Array(pair.folders["a"], "a")


def diverge(pair: Pair) -> None:
    """Records 1 to 5 on both sides; 6 and 7 only at a, which died; 6 to 8 anew at b."""
    pair.write("a", 5)
    pair.replicate()
    pair.write("a", 2)
    pair.kill("a")
    pair.arrays["b"].promote(ALL, force=True)
    pair.write("b", 3)
    pair.start("a")
    pair.arrays["a"].demote(ALL)
    pair.replicate()


def test_a_split_brain_stays_until_somebody_consents(pair: Pair) -> None:
    diverge(pair)
    before = pair.records("a")
    answer = pair.arrays["a"].resync(ALL, force=False)
    pair.replicate()
    assert (answer.in_sync, answer.diverged) == (False, True)
    assert "split brain" in answer.problem
    assert pair.records("a") == before


def test_a_forced_resync_keeps_a_snapshot_and_follows_the_primary(pair: Pair) -> None:
    diverge(pair)
    before = pair.records("a")
    pair.arrays["a"].resync(ALL, force=True)
    pair.replicate()
    assert pair.arrays["a"].resync(ALL, force=True).in_sync
    assert pair.records("a") == pair.records("b")
    (snapshot,) = (pair.folders["a"] / "snapshots" / VOLUME).iterdir()
    assert snapshot.read_bytes() == before
    assert pair.lost("b") == 2


def test_records_that_a_silent_primary_never_got_make_a_split_brain(pair: Pair) -> None:
    pair.write("a", 2)
    pair.kill("a")
    pair.arrays["b"].promote(ALL, force=True)
    pair.start("a")
    pair.arrays["a"].demote(ALL)
    assert pair.arrays["a"].resync(ALL, force=False).diverged
    pair.arrays["a"].resync(ALL, force=True)
    pair.replicate()
    assert pair.arrays["a"].resync(ALL, force=False).in_sync
    assert pair.records("a") == b""


def test_nothing_is_discarded_while_nobody_is_primary(pair: Pair) -> None:
    diverge(pair)
    pair.arrays["b"].demote(ALL)
    before = pair.records("a")
    assert "primary nowhere" in pair.arrays["a"].resync(ALL, force=True).problem
    assert pair.records("a") == before


def test_a_returning_copy_that_lost_nothing_follows_without_consent(pair: Pair) -> None:
    pair.write("a", 5)
    pair.replicate()
    pair.kill("a")
    pair.arrays["b"].promote(ALL, force=True)
    pair.write("b", 2)
    pair.start("a")
    pair.arrays["a"].demote(ALL)
    pair.replicate()
    assert pair.arrays["a"].resync(ALL, force=False).in_sync


def test_a_planned_giver_is_in_sync_only_when_all_was_shipped(pair: Pair) -> None:
    pair.write("a", 4)
    pair.arrays["a"].demote(ALL)
    assert not pair.arrays["a"].resync(ALL, force=False).in_sync
    pair.replicate()
    assert pair.arrays["a"].resync(ALL, force=False).in_sync
    pair.arrays["b"].promote(ALL)


actions = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 4)),
        st.tuples(st.just("replicate"), st.just(0)),
        st.tuples(st.just("planned move"), st.just(0)),
        st.tuples(st.just("disaster"), st.just(0)),
        st.tuples(st.just("cut"), st.just(0)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=14,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=actions)
def test_planned_moves_lose_nothing_and_disasters_no_more_than_was_not_shipped(
    script: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    pair = Pair(tmp_path_factory.mktemp("pair"))
    active, other, losses = "a", "b", 0
    pair.arrays[active].promote(ALL)
    pair.arrays[other].demote(ALL)
    for what, count in script:
        unshipped = pair.records(active).count(b"\n") - pair.records(other).count(b"\n")
        match what:
            case "write":
                pair.write(active, count)
            case "replicate":
                pair.replicate()
            case "cut":
                pair.arrays[other].cut_link(True)
            case "restart":
                pair.kill(active)
                pair.start(active)
            case "planned move":
                pair.arrays[other].cut_link(False)
                pair.arrays[active].demote(ALL)
                pair.replicate()
                assert pair.arrays[active].resync(ALL, force=False).in_sync
                pair.arrays[other].promote(ALL)
                active, other = other, active
                assert pair.lost(active) == losses
            case "disaster":
                pair.arrays[other].cut_link(False)
                pair.kill(active)
                pair.arrays[other].promote(ALL, force=True)
                active, other = other, active
                assert pair.lost(active) <= losses + unshipped
                losses = pair.lost(active)
                pair.start(other)
                pair.arrays[other].demote(ALL)
                pair.arrays[other].resync(ALL, force=True)
                pair.replicate()
                assert pair.records(other) == pair.records(active)
    pair.close()
