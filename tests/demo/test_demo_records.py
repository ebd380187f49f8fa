"""Losses are counted from what guests were told is safe and what a copy still holds; words come from Git's refs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from sandbox.demo.checker.records import Count, count, last_written
from sandbox.demo.checker.words import Words
from sandbox.gitserver import git_environment


def record(number: int) -> bytes:
    return json.dumps({"n": number, "site": "a", "at": 1000.0 + number, "instance": "i"}).encode() + b"\n"


def write(array: Path, *, told: list[int], held: list[int], torn: bytes = b"") -> None:
    for path, numbers in (
        (array / "acknowledged" / "ledger%2Fdata.jsonl", told),
        (array / "volumes" / "ledger%2Fdata" / "records", held),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(map(record, numbers)) + torn)


@pytest.mark.parametrize(
    ("told", "held", "expected"),
    [
        pytest.param([1, 2, 3], [1, 2, 3], Count(3, 0, 0.0), id="nothing lost"),
        pytest.param([1, 2], [1, 2, 3], Count(2, 0, 0.0), id="written and not told yet"),
        pytest.param([1, 2, 3, 4], [1, 2], Count(4, 2, 1.0), id="the newest are lost"),
        pytest.param([1, 2, 9], [2], Count(3, 2, 8.0), id="an old one too"),
        pytest.param([], [], Count(0, 0, 0.0), id="nothing was written"),
    ],
)
def test_losses_are_counted(tmp_path: Path, told: list[int], held: list[int], expected: Count) -> None:
    write(tmp_path / "a", told=told, held=[1])
    write(tmp_path / "b", told=[], held=held)
    assert count([tmp_path / "a", tmp_path / "b"], tmp_path / "b", ["ledger/data"]) == expected


def test_half_a_record_is_none(tmp_path: Path) -> None:
    write(tmp_path, told=[1], held=[1], torn=b'{"n":2,"si')
    assert count([tmp_path], tmp_path, ["ledger/data"]) == Count(1, 0, 0.0)
    assert last_written(tmp_path, ["ledger/data"]) == 1001.0


def test_a_site_that_was_told_nothing_wrote_nothing(tmp_path: Path) -> None:
    assert last_written(tmp_path, ["ledger/data"]) == 0.0


def git(folder: Path, *words: str) -> None:
    own = {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, env=git_environment() | own)


def say(repository: Path, **states: str) -> None:
    for application, state in states.items():
        word = {"application": application, "epoch": 2, "state": state}
        (repository / f"{application}.json").write_text(json.dumps(word))
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "said")
    git(repository, "update-ref", "refs/siteshift/acks/a", "HEAD")


def test_words_come_in_the_order_of_the_pushes(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=acks")
    words = Words(tmp_path / ".git", ("a", "b"))
    assert words.look() == []
    say(tmp_path, ledger="Ready", orders="Active")
    say(tmp_path, ledger="Promoting")
    assert [(word.application, word.state) for word in words.look()] == [
        ("ledger", "Ready"),
        ("orders", "Active"),
        ("ledger", "Promoting"),
    ]
    assert words.look() == []
    say(tmp_path, ledger="Active")
    assert [word.state for word in words.look()] == ["Active"]
    first = words.first("a", "ledger", "Ready", since=0.0)
    assert first is not None
    assert words.first("a", "ledger", "Ready", since=first + 3600) is None
    assert words.first("b", "ledger", "Ready", since=0.0) is None


def test_each_commit_of_the_branch_is_news_once(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    words = Words(tmp_path / ".git", ("a",))
    assert words.commit() is None
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "Move ledger to b\n\nwhy")
    found = words.commit()
    assert found is not None
    assert found.subject == "Move ledger to b"
    assert words.commit() is None
