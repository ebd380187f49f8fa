"""Journal and stop card are read as they were written; whatever else lies there is damage with a name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from reconciler.failover.protocol.card import CardObject, StopCard
from reconciler.failover.protocol.record_documents import read_card, read_journal, write_card, write_journal
from reconciler.failover.protocol.strict_json import DocumentError
from reconciler.failover.protocol.values import Journal, Promotion, StopOrder
from reconciler.fleet.model import Lease
from reconciler.objects import Ref

NAMES = some.text("abcdef-", max_size=8)
LEASES = some.builds(Lease, some.floats(0, 1e6), some.floats(0, 1e6))
OBJECTS = some.builds(
    CardObject,
    some.builds(Ref, NAMES, NAMES, NAMES, NAMES),
    NAMES,
    some.dictionaries(NAMES, some.booleans() | some.integers(0, 9) | NAMES, max_size=3),
)
CARDS = some.builds(
    StopCard,
    NAMES,
    namespaces=some.lists(NAMES, max_size=3).map(tuple),
    starts=some.lists(OBJECTS, max_size=3).map(tuple),
    roles=some.lists(OBJECTS, max_size=3).map(tuple),
    driver=NAMES,
    leases=some.lists(some.none() | LEASES, max_size=3).map(tuple),
    stop_orders=some.lists(some.builds(StopOrder, NAMES, some.integers(0, 99), NAMES), max_size=2).map(tuple),
    accepted=some.none() | some.floats(0, 1e10),
)


@given(some.from_type(Journal).filter(lambda each: each.sequence >= 0))
def test_a_journal_is_read_as_it_was_written(journal: Journal) -> None:
    try:
        text = write_journal(journal)
        read = read_journal(text, "x")
    except (DocumentError, ValueError):
        return  # numbers and texts beyond the limits
    assert read == journal


@given(CARDS)
def test_a_card_is_read_as_it_was_written(card: StopCard) -> None:
    assert read_card(write_card(card), "x") == card


JOURNAL = Journal(sequence=3, epoch=2, promotion=Promotion(1, 2), stop_orders=(StopOrder("c1", 2, "b"),), since=4.5)


def changed(path: tuple[Any, ...], value: Any) -> str:
    document = json.loads(write_journal(JOURNAL))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(document)


DAMAGE = {
    "nothing": ("", "x: no JSON"),
    "cut off": (write_journal(JOURNAL)[:80], "x: no JSON"),
    "edited by hand": ("{ edited by hand", "x: no JSON"),
    "another version": (changed(("version",), 99), "x: version 99 is not known"),
    "an unknown step": (changed(("journal", "step"), "Paused"), "x: journal.step: found 'Paused', expected one of"),
    "a text for a number": (changed(("journal", "sequence"), "3"), "x: journal.sequence: found '3', expected a whole"),
    "true for a number": (changed(("journal", "epoch"), True), "x: journal.epoch: found true, expected a whole"),
    "a negative epoch": (changed(("journal", "epoch"), -1), "x: journal.epoch: found -1"),
    "no list": (changed(("journal", "stop_orders"), {}), "x: journal.stop_orders: found an object, expected a list"),
    "half a stop order": (
        changed(("journal", "stop_orders"), [{"commit": "c"}]),
        'x: journal.stop_orders[0]: field "epoch" is missing',
    ),
    "an unknown field": (changed(("journal", "extra"), 1), 'x: journal: field "extra" is not known'),
    "another word for unknown": (changed(("journal", "loss"), "lots"), "x: journal.loss: found 'lots'"),
    "a giant": (changed(("journal", "commit"), "c" * 70_000), "x: 7"),
}


@pytest.mark.parametrize(("text", "message"), list(DAMAGE.values()), ids=list(DAMAGE))
def test_damage_is_named(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_journal(text, "x")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", list(json.loads(write_journal(JOURNAL))["journal"]))
def test_no_field_may_be_missing(name: str) -> None:
    document = json.loads(write_journal(JOURNAL))
    del document["journal"][name]
    with pytest.raises(DocumentError, match=f'field "{name}" is missing'):
        read_journal(json.dumps(document), "x")
