"""Guests: they go on where their disk ends, stop at an I/O error, and acknowledge only what the array took."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.simulation.array import Array, PreconditionError
from sandbox.simulation.copies import copy_folder, read_records
from sandbox.simulation.guests import Guests
from sandbox.simulation.ledger import Ledger, ledger_file, lost_records
from sandbox.simulation.settings import Settings

DISK = "ledger-data"


class Host:
    """An array with guests on it, in one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.array = Array(folder, "a")
        self.ledger = Ledger(folder)
        self.troubled: list[str] = []
        self.guests = Guests(self.array, self.ledger, "a", Settings, troubled=self.troubled.append)

    def run(self, uid: str, rounds: int) -> None:
        self.guests.switch_on(uid, [DISK])
        self.guests.boot(uid)
        for _ in range(rounds):
            self.guests.write_round()

    def records(self) -> list[tuple[Any, Any]]:
        lines = read_records(copy_folder(self.folder, DISK), 0).splitlines()
        return [(record["n"], record["instance"]) for record in map(json.loads, lines)]

    def acknowledged(self) -> list[bytes]:
        path = ledger_file(self.folder, DISK)
        return path.read_bytes().splitlines() if path.exists() else []


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path / "array")
    yield made
    made.array.close()
    made.ledger.close()


def test_a_guest_writes_only_once_it_has_booted(host: Host) -> None:
    host.guests.switch_on("one", [DISK])
    host.guests.write_round()
    assert host.acknowledged() == []
    host.guests.boot("one")
    host.guests.write_round()
    assert len(host.acknowledged()) == 1


def test_the_next_guest_goes_on_after_the_last_record(host: Host) -> None:
    host.run("one", 2)
    host.guests.switch_off("one")
    host.run("two", 2)
    assert host.records() == [(1, "one"), (2, "one"), (3, "two"), (4, "two")]


def test_a_guest_that_is_off_writes_nothing_and_frees_its_disk(host: Host) -> None:
    host.run("one", 1)
    with pytest.raises(PreconditionError):
        host.array.demote([DISK])
    host.guests.switch_off("one")
    host.guests.write_round()
    host.array.demote([DISK])
    assert host.records() == [(1, "one")]


def test_an_error_stops_the_guest_and_is_told_once(host: Host) -> None:
    host.array.demote([DISK])
    host.run("one", 3)
    assert host.troubled == ["one"]
    assert "secondary at a" in host.guests.problem("one")
    assert host.acknowledged() == []


def test_what_was_acknowledged_and_is_not_there_is_lost(host: Host, tmp_path: Path) -> None:
    host.run("one", 3)
    assert lost_records(DISK, surviving=host.folder, arrays=[host.folder]) == ()
    records = copy_folder(host.folder, DISK) / "records"
    kept = records.read_bytes().splitlines(keepends=True)
    records.write_bytes(b"".join(kept[:2]))
    lost = lost_records(DISK, surviving=host.folder, arrays=[host.folder, tmp_path / "another"])
    assert [json.loads(line)["n"] for line in lost] == [3]
