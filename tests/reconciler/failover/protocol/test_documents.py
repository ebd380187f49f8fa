"""What sites say on Git refs: what is written is read back; what is damaged or hostile is one line, never nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from reconciler.failover.protocol.documents import (
    ACK_LIMIT,
    DocumentError,
    ack_file,
    application_of,
    read_ack,
    read_heartbeat,
    write_ack,
    write_heartbeat,
)
from reconciler.failover.protocol.values import Ack, AckState, Demotion, Heartbeat, Promotion, Running
from reconciler.fleet.model import Lease
from reconciler.replica import ReplicaRole

NAMES = some.from_regex(r"[a-z]([-a-z0-9]{0,9}[a-z0-9])?", fullmatch=True)
WHOLE = some.integers(0, 2**53 - 1)
SECONDS = some.floats(0, 1e9)
TEXTS = some.text(some.characters(categories=["L", "N", "P", "S"]), max_size=20)
PROMOTIONS = some.builds(Promotion, WHOLE, WHOLE)
LEASES = some.builds(Lease, SECONDS, SECONDS)
DEMOTIONS = some.builds(
    Demotion,
    ended=some.none() | PROMOTIONS,
    epoch=WHOLE,
    sequence=WHOLE,
    complete=some.lists(NAMES, max_size=3).map(tuple),
    token=some.none() | TEXTS,
)
ACKS = some.builds(
    Ack,
    application=NAMES,
    site=NAMES,
    epoch=WHOLE,
    commit=some.from_regex("[0-9a-f]{40}", fullmatch=True),
    cluster=some.uuids().map(str),
    state=some.sampled_from(AckState),
    settled=some.none() | some.sampled_from(AckState),
    promotion=some.none() | PROMOTIONS,
    demotion=some.none() | DEMOTIONS,
    sequence=WHOLE,
    lease=some.none() | LEASES,
    superseded=some.lists(WHOLE, max_size=3).map(tuple),
    evidence=some.dictionaries(NAMES, TEXTS | WHOLE | some.lists(TEXTS, max_size=2), max_size=3),
)
HEARTBEATS = some.builds(
    Heartbeat,
    counter=WHOLE,
    cluster=some.uuids().map(str),
    guard=WHOLE,
    ack_head=some.from_regex("[0-9a-f]{40}|", fullmatch=True),
    branch_head=some.from_regex("[0-9a-f]{40}|", fullmatch=True),
    echo=some.dictionaries(NAMES, WHOLE, max_size=3),
    applications=some.dictionaries(
        NAMES,
        some.builds(
            Running, some.booleans(), some.sampled_from(ReplicaRole), some.none() | SECONDS, some.none() | LEASES
        ),
        max_size=3,
    ),
)
ACK = Ack("ledger", "a", 1, "c" * 40, "uid-a", AckState.PASSIVE, sequence=3, evidence={"why": "x"})
HEARTBEAT = Heartbeat(7, "uid-a", 3, "", "c" * 40, {"b": 4}, {"ledger": Running(True, ReplicaRole.PRIMARY, 2.5)})
READERS = [(read_ack, write_ack(ACK)), (read_heartbeat, write_heartbeat(HEARTBEAT))]


@given(ACKS)
def test_an_ack_is_read_as_it_was_written(ack: Ack) -> None:
    assert read_ack(write_ack(ack), "x") == ack


@given(HEARTBEATS)
def test_a_heartbeat_is_read_as_it_was_written(heartbeat: Heartbeat) -> None:
    assert read_heartbeat(write_heartbeat(heartbeat), "x") == heartbeat


@given(some.dictionaries(some.text(max_size=9), some.text(max_size=5000), max_size=2))
def test_evidence_that_cannot_be_shown_is_written_so_that_it_can_be_read(evidence: dict[str, str]) -> None:
    ack = Ack("ledger", "a", 1, "", "uid-a", AckState.FAILED, evidence=evidence)
    assert read_ack(write_ack(ack), "x").state is AckState.FAILED


@pytest.mark.parametrize(
    ("name", "application"),
    [("ledger.json", "ledger"), (ack_file("a-b"), "a-b"), ("README", None), (".json", None), ("A.json", None)],
)
def test_a_file_of_an_ack_ref_belongs_to_one_application(name: str, application: str | None) -> None:
    assert application_of(name) == application


def edited(**changes: Any) -> bytes:
    return json.dumps({**json.loads(write_ack(ACK)), **changes}).encode()


HOSTILE = {
    "empty": (b"", "no JSON"),
    "nothing in it": (b"{}", '"version" is missing'),
    "no object": (b"[]", "found a list, expected an object"),
    "no text": (b"\xff", "no UTF-8"),
    "truncated": (write_ack(ACK)[:-20], "no JSON"),
    "unknown state": (edited(state="Dancing"), "state: found 'Dancing', expected one of Passive, "),
    "state of another type": (edited(state=["Passive"]), "state: found a list"),
    "later version": (edited(version=9), "version 9 is not known, expected 2"),
    "no epoch": (edited(epoch=None), "epoch: found null"),
    "epoch is true": (edited(epoch=True), "epoch: found true"),
    "epoch is negative": (edited(epoch=-1), "epoch: found -1"),
    "epoch is a fraction": (edited(epoch=1.5), "epoch: found 1.5"),
    "epoch is a text": (edited(epoch="1"), "epoch: found '1'"),
    "epoch too large": (edited(epoch=2**53), "epoch: found 9007199254740992"),
    "5,000 digits": (write_ack(ACK).replace(b'"epoch": 1', b'"epoch": ' + b"9" * 5000), "5000 digits"),
    "1e999": (write_ack(ACK).replace(b'"epoch": 1', b'"epoch": 1e999'), "finite"),
    "infinity": (write_ack(ACK).replace(b'"epoch": 1', b'"epoch": Infinity'), "found Infinity"),
    "no number": (write_ack(ACK).replace(b'"epoch": 1', b'"epoch": NaN'), "found NaN"),
    "long fraction": (write_ack(ACK).replace(b'"epoch": 1', b'"epoch": 0.' + b"1" * 60), "finite"),
    "unknown field": (edited(more=1), "field 'more' is not known"),
    "field twice": (write_ack(ACK).replace(b'"epoch": 1', b'"epoch": 1, "epoch": 2'), "'epoch' is there twice"),
    "name of another form": (edited(application="../ledger"), "application: found '../ledger'"),
    "unknown field inside": (edited(lease={"time": 1, "fenceAfter": 2, "x": 3}), "lease: field 'x' is not known"),
    "lease without end": (edited(lease={"time": 1, "fenceAfter": 1e300}), "lease: fenceAfter: found 1e+300"),
    "demotion as a text": (edited(demotion="yes"), "demotion: found 'yes', expected an object"),
    "deep": (b"[" * 5000 + b"]" * 5000, "nested deeper than 8"),
    "a little too deep": (edited(evidence={"x": [[[[[[[[1]]]]]]]]}), "nested deeper than 8"),
    "huge": (b" " * (ACK_LIMIT + 1), f"expected {ACK_LIMIT} at most"),
    "long text": (edited(evidence={"x": "y" * 5000}), "5000 characters"),
    "terminal escape": (edited(evidence={"x": "\x1b[2J"}), "characters that can be shown"),
    "half a character": (write_ack(ACK).replace(b'"x"', b'"\\ud800"'), "characters that can be shown"),
    "many items": (edited(superseded=[1] * 20_000), "at most"),
}


@pytest.mark.parametrize(("data", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_damaged_or_hostile_ack_is_one_line_that_names_it(data: bytes, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_ack(data, "ledger.json of 1234567")
    message = str(caught.value)
    assert message.startswith("ledger.json of 1234567")
    assert said in message
    assert "\n" not in message
    assert len(message) < 400
    assert message.isprintable()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"counter": -1}, "counter: found -1"),
        ({"echo": {"b": "x"}}, "echo: b: found 'x'"),
        ({"echo": {"../b": 1}}, "echo: found '../b'"),
        ({"applications": {"ledger": {"running": 1}}}, "applications: ledger: running: found 1"),
        ({"applications": {"ledger": {"running": True, "role": "king"}}}, "applications: ledger: role: found 'king'"),
    ],
)
def test_a_damaged_heartbeat_is_one_line_that_names_the_field(changes: dict[str, Any], said: str) -> None:
    data = json.dumps({**json.loads(write_heartbeat(HEARTBEAT)), **changes})
    with pytest.raises(DocumentError, match=r"^h: ") as caught:
        read_heartbeat(data, "h")
    assert said in str(caught.value)


JSON = some.recursive(
    some.none() | some.booleans() | some.floats() | some.integers() | some.text(max_size=9),
    lambda inside: some.lists(inside, max_size=3) | some.dictionaries(some.text(max_size=9), inside, max_size=3),
    max_leaves=9,
)


def refusal(read: Callable[[bytes, str], object], data: bytes) -> str:
    """Why a document is refused; any other error than the one of documents fails the test."""
    try:
        read(data, "x")
    except DocumentError as error:
        return str(error)
    return "read"


@pytest.mark.parametrize(("read", "good"), READERS, ids=["ack", "heartbeat"])
@settings(max_examples=300, deadline=None)
@given(data=some.data())
def test_no_field_of_any_type_does_more_than_be_refused(
    read: Callable[[bytes, str], object], good: bytes, data: some.DataObject
) -> None:
    document = json.loads(good)
    place = data.draw(some.sampled_from(sorted(document)))
    document[place] = data.draw(JSON)
    assert refusal(read, json.dumps(document).encode()).startswith(("x: ", "read"))


@pytest.mark.parametrize(("read", "good"), READERS, ids=["ack", "heartbeat"])
@settings(max_examples=300, deadline=None)
@given(data=some.data())
def test_no_bytes_do_more_than_be_refused(
    read: Callable[[bytes, str], object], good: bytes, data: some.DataObject
) -> None:
    start = data.draw(some.integers(0, len(good)))
    end = data.draw(some.integers(start, len(good)))
    assert "\n" not in refusal(read, good[:start] + data.draw(some.binary(max_size=20)) + good[end:])
