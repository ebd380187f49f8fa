"""Latencies and faults: read strictly, followed while the site runs, and never made worse by a broken file."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import UsageError
from sandbox.simulation.settings import Settings, SettingsFile, first_match, meets, parse_settings, write_settings


def test_a_field_that_is_not_named_keeps_its_default() -> None:
    assert parse_settings('{"pod_start": 3}', path="s.json") == Settings(pod_start=3.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no JSON"),
        ("[]", "must be a JSON object"),
        ('{"pod_begin": 1}', "no setting 'pod_begin'"),
        ('{"pod_start": "1s"}', "must be a number"),
        ('{"pod_start": -1}', "must be a number from 0"),
        ('{"pod_start": true}', "must be a number"),
        ('{"link_cut": 1}', "must be true or false"),
        ('{"crash": "a/b"}', "must be a list"),
        ('{"load": {"a/b": "much"}}', "must be an object"),
    ],
    ids=[
        "cut off",
        "a list",
        "misspelt",
        "a text",
        "negative",
        "a boolean",
        "a number for a boolean",
        "no list",
        "no number in an object",
    ],
)
def test_what_is_wrong_is_said_with_the_file(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_settings(text, path="s.json")
    assert str(caught.value).startswith("s.json: ")


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [((), False), (("ledger/*",), True), (("*/db",), True), (("orders/*",), False), (("*",), True)],
    ids=["none", "namespace", "name", "another", "everything"],
)
def test_faults_name_objects_by_patterns(patterns: tuple[str, ...], expected: bool) -> None:
    assert meets(patterns, "ledger", "db") is expected


def test_the_first_pattern_gives_the_value() -> None:
    load = {"ledger/api": 50.0, "ledger/*": 10.0}
    assert [first_match(load, "ledger", name) for name in ("api", "web")] == [50.0, 10.0]
    assert first_match(load, "orders", "api") is None


def test_a_change_is_seen_and_a_broken_one_ignored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "settings.json"
    write_settings(path, {"pod_start": 1})
    settings = SettingsFile(path)
    assert not settings.look()
    write_settings(path, {"link_cut": True})
    assert settings.look()
    assert settings.current == Settings(pod_start=1.0, link_cut=True)
    path.write_text("{")
    assert not settings.look()
    assert settings.current.link_cut
    assert "stay as they were" in capsys.readouterr().err
