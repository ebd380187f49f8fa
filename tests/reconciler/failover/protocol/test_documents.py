"""The documents that sites exchange and keep: what is written is read back, and what is damaged is never nothing."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as some

from reconciler.failover.protocol import documents
from reconciler.failover.protocol.values import Ack, AckState, Demotion, Freeze, Journal, Step, StopOrder

NAMES = some.text("abcdef-", min_size=1, max_size=8)
EPOCHS = some.integers(0, 99)
DEMOTIONS = some.builds(
    Demotion, EPOCHS, EPOCHS, some.lists(NAMES, max_size=3).map(tuple), some.none() | some.text(max_size=9)
)
ACKS = some.builds(
    Ack,
    NAMES,
    NAMES,
    EPOCHS,
    NAMES,
    NAMES,
    some.sampled_from(AckState),
    some.none() | some.sampled_from(AckState),
    EPOCHS,
    some.none() | DEMOTIONS,
    EPOCHS,
    some.none() | NAMES,
    some.dictionaries(NAMES, some.text() | some.integers()),
)
JOURNALS = some.builds(
    Journal,
    sequence=EPOCHS,
    epoch=EPOCHS,
    commit=NAMES,
    step=some.sampled_from(Step),
    role=some.sampled_from(["active", "passive"]),
    primary=EPOCHS,
    demotion=some.none() | DEMOTIONS,
    stop_orders=some.lists(some.builds(StopOrder, EPOCHS, NAMES), max_size=2).map(tuple),
    freeze=some.none() | some.builds(Freeze, NAMES, NAMES, some.text()),
    loss=some.none() | some.just("unknown") | some.floats(0, 9),
    down=some.lists(NAMES, max_size=2).map(tuple),
    skipped=some.lists(EPOCHS, max_size=2).map(tuple),
)


@given(ACKS)
def test_an_ack_is_read_as_it_was_written(ack: Ack) -> None:
    assert documents.read_ack(documents.write_ack(ack), "x") == ack


@given(JOURNALS)
def test_a_journal_is_read_as_it_was_written(journal: Journal) -> None:
    assert documents.read_journal(documents.write_journal(journal), "x") == journal


@given(EPOCHS, some.dictionaries(NAMES, some.floats(0, 1e6)))
def test_a_heartbeat_is_read_as_it_was_written(counter: int, exposures: dict[str, float]) -> None:
    assert documents.read_heartbeat(documents.write_heartbeat(counter, exposures), "x") == (counter, exposures)


GOOD = Ack("ledger", "a", 1, "c", "u", AckState.PASSIVE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        documents.write_ack(GOOD).replace(b"Passive", b"Dancing"),
        documents.write_ack(GOOD).replace(b'"version": 1', b'"version": 2'),
        documents.write_ack(GOOD).replace(b'"epoch": 1', b'"epoch": null'),
    ],
    ids=["empty", "nothing in it", "no object", "no text", "unknown state", "a later version", "no epoch"],
)
def test_a_damaged_ack_is_an_error_that_names_it(data: bytes) -> None:
    with pytest.raises(documents.DocumentError, match=r"ledger\.json"):
        documents.read_ack(data, "ledger.json")


def test_every_field_of_an_ack_and_a_journal_is_kept() -> None:
    text = documents.write_journal(Journal())
    assert all(f'"{each.name}"' in text for each in dataclasses.fields(Journal))
