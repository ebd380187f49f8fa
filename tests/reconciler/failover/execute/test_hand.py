"""P10 at its smallest: no write of the moves lands under an entry that is not the newest, or over a newer version."""

from __future__ import annotations

from typing import Any, cast

import pytest
from two_sites.api import Api
from two_sites.world import World

from reconciler.cluster import Cluster
from reconciler.errors import Conflict
from reconciler.failover.execute.fenced_writer import Entry, FencedWriter, handed_over
from reconciler.failover.protocol.values import Journal, Step
from reconciler.objects import MOVES_MANAGER

MACHINE = ("VirtualMachine", "bank", "db")


@pytest.fixture
def api() -> Api:
    return World().apis["a"]


@pytest.fixture
def hand(api: Api) -> FencedWriter:
    return FencedWriter(cast(Cluster, api), "ledger")


def start(hand: FencedWriter, entry: Entry) -> bool:
    return hand.change(entry, "kubevirt.io/v1", *MACHINE, lambda found: {"spec": {"runStrategy": "Always"}})


def test_an_absent_journal_is_an_empty_one_and_its_first_entry_is_created_once(hand: FencedWriter) -> None:
    first = hand.read()
    assert first == Entry(Journal(), "")
    hand.enter(first, Journal(sequence=1))
    with pytest.raises(Exception, match="is there"):
        hand.enter(first, Journal(sequence=1))


def test_two_writers_of_the_journal_cannot_both_go_on(hand: FencedWriter) -> None:
    entry = hand.enter(hand.read(), Journal(sequence=1))
    hand.enter(entry, Journal(sequence=2, step=Step.STOPPING))
    with pytest.raises(Conflict):
        hand.enter(entry, Journal(sequence=2, step=Step.STARTING))


def test_nothing_is_written_under_an_older_entry(hand: FencedWriter, api: Api) -> None:
    entry = hand.enter(hand.read(), Journal(sequence=1))
    hand.enter(entry, Journal(sequence=2))
    with pytest.raises(Conflict, match="newer entry"):
        start(hand, entry)
    assert api.objects[MACHINE]["spec"]["runStrategy"] == "Halted"


def test_a_write_that_was_paused_meets_the_mark_of_its_successor(hand: FencedWriter, api: Api) -> None:
    entry = hand.enter(hand.read(), Journal(sequence=1))
    looked = hand.holds

    def then_a_successor_comes(entry: Entry) -> None:
        looked(entry)
        successor = hand.enter(hand.read(), Journal(sequence=2))
        mark = {"metadata": {"annotations": {"siteshift.io/voided": "2"}}}
        hand.holds = looked  # type: ignore[method-assign]
        hand.change(successor, "kubevirt.io/v1", *MACHINE, lambda found: mark)

    hand.holds = then_a_successor_comes  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="another version"):
        start(hand, entry)
    assert api.objects[MACHINE]["spec"]["runStrategy"] == "Halted"


def test_what_is_as_it_should_be_is_not_written(hand: FencedWriter, api: Api) -> None:
    entry = hand.enter(hand.read(), Journal(sequence=1))
    before = api.version
    assert not hand.change(entry, "kubevirt.io/v1", *MACHINE, lambda found: None)
    assert api.version == before


def test_of_a_created_object_the_moves_keep_their_own_fields_alone() -> None:
    whole = {"f:metadata": {"f:labels": {}}, "f:spec": {"f:runStrategy": {}, "f:template": {}}}
    created: dict[str, Any] = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"managedFields": [{"manager": MOVES_MANAGER, "operation": "Update", "fieldsV1": whole}]},
        "spec": {"runStrategy": "Halted", "template": {}},
    }
    assert handed_over(created) == [
        {"manager": MOVES_MANAGER, "operation": "Update", "fieldsV1": {"f:spec": {"f:runStrategy": {}}}},
        {
            "manager": "siteshift",
            "operation": "Apply",
            "fieldsV1": {"f:metadata": {"f:labels": {}}, "f:spec": {"f:template": {}}},
        },
    ]
    assert "f:runStrategy" in whole["f:spec"], "what was read is not changed"
