"""The log: one line an event, only events of the table, repeated news is no news."""

from __future__ import annotations

import io
import json

import pytest

from reconciler.status.log import EVENTS, Log


def test_a_json_line_has_the_fields_that_exist() -> None:
    out = io.StringIO()
    Log("a", "json", out).say("state", "Active", application="ledger", epoch=4, revision=None)
    line = json.loads(out.getvalue())
    line.pop("time")
    assert line == {"site": "a", "event": "state", "application": "ledger", "epoch": 4, "message": "Active"}


def test_a_text_line_reads_from_left_to_right() -> None:
    out = io.StringIO()
    Log("a", "text", out).say("state", "Active", application="ledger", epoch=4)
    assert out.getvalue().split(" ", 1)[1] == "a state application=ledger epoch=4: Active\n"


def test_what_was_said_last_about_a_subject_is_not_said_again() -> None:
    out = io.StringIO()
    log = Log("a", "text", out)
    for message in ("Moving", "Moving", "Active", "", "Active"):
        log.change("state", "ledger", message)
    assert [line.rsplit(": ", 1)[1] for line in out.getvalue().splitlines()] == ["Moving", "Active", "Active"]


def test_an_event_that_is_not_in_the_table_is_a_bug() -> None:
    with pytest.raises(KeyError, match="surprise"):
        Log("a", "text", io.StringIO()).say("surprise", "!")
    assert all(event == event.lower() and meaning for event, meaning in EVENTS.items())
