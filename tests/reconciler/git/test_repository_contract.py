"""What every repository promises, whether a real mirror of a real remote or the one in memory."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import HistoryRewound, PushRefused, SourceError
from reconciler.git.memory import MemoryRepository, MemoryServer
from reconciler.git.mirror import Mirror
from render.errors import NotInTree

ACKS = "refs/siteshift/acks/a"
BEATS = "refs/siteshift/heartbeats/a"


class GitRemote:
    """A bare repository on disk, and a person's clone of it."""

    def __init__(self, folder: Path) -> None:
        self.bare, self.clone, self._folder = folder / "bare.git", folder / "clone", folder
        self._mirrors = 0
        run(folder, "init", "-q", "--bare", "-b", "main", str(self.bare))
        run(folder, "clone", "-q", str(self.bare), str(self.clone))
        run(self.clone, "checkout", "-q", "-B", "main")

    def commit(self, files: dict[str, bytes], message: str = "change") -> str:
        run(self.clone, "rm", "-rq", "--ignore-unmatch", ".")
        for name, content in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        run(self.clone, "add", "-A")
        run(self.clone, "commit", "-q", "--allow-empty", "-m", message)
        run(self.clone, "push", "-q", "origin", "main")
        return run(self.clone, "rev-parse", "HEAD")

    def rewind(self, commit: str) -> None:
        run(self.bare, "update-ref", "refs/heads/main", commit)
        run(self.clone, "reset", "-q", "--hard", commit)

    def repository(self) -> Mirror:
        self._mirrors += 1
        return Mirror(self.bare.as_uri(), self._folder / f"mirror{self._mirrors}", branch="main")


class MemoryRemote:
    def __init__(self, folder: Path) -> None:
        self.server = MemoryServer()

    def commit(self, files: dict[str, bytes], message: str = "change") -> str:
        return self.server.commit(files, message)

    def rewind(self, commit: str) -> None:
        self.server.refs["refs/heads/main"] = commit

    def repository(self) -> MemoryRepository:
        return MemoryRepository(self.server)


def run(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(params=[GitRemote, MemoryRemote], ids=["git", "memory"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return request.param(tmp_path)


def test_a_fetch_lists_the_branch_and_reads_its_files(remote: Any) -> None:
    commit = remote.commit({"apps/a.yaml": b"one\n"}, "first")
    repository = remote.repository()
    assert repository.fetch().branch == commit
    assert repository.read(commit, "apps/a.yaml") == b"one\n"
    assert repository.message(commit).strip() == "first"


def test_a_fetch_sees_what_was_pushed_since(remote: Any) -> None:
    remote.commit({"a": b"1"})
    repository = remote.repository()
    repository.fetch()
    second = remote.commit({"a": b"2"})
    assert repository.fetch().branch == second
    assert repository.tree(second).read("a") == b"2"


def test_a_file_that_is_not_there_is_told_apart_from_a_failure(remote: Any) -> None:
    commit = remote.commit({"a": b"1"})
    repository = remote.repository()
    repository.fetch()
    with pytest.raises(NotInTree):
        repository.read(commit, "b")
    with pytest.raises(SourceError):
        repository.read("0" * 40, "a")


def test_a_server_without_the_branch_is_an_error(remote: Any) -> None:
    with pytest.raises(SourceError, match="no branch main"):
        remote.repository().fetch()


def test_first_parents_are_oldest_first_without_the_old_one(remote: Any) -> None:
    commits = [remote.commit({"a": str(number).encode()}) for number in range(4)]
    repository = remote.repository()
    repository.fetch()
    assert repository.first_parents(commits[0], commits[3]) == commits[1:]
    assert repository.first_parents(commits[2], commits[2]) == []


def test_a_rewound_branch_is_noticed(remote: Any) -> None:
    first = remote.commit({"a": b"1"})
    second = remote.commit({"a": b"2"})
    repository = remote.repository()
    repository.fetch()
    remote.rewind(first)
    other = remote.commit({"a": b"3"})
    assert repository.fetch().branch == other
    with pytest.raises(HistoryRewound):
        repository.first_parents(second, other)


def test_an_old_commit_that_nobody_has_any_more_counts_as_rewound(remote: Any) -> None:
    head = remote.commit({"a": b"1"})
    repository = remote.repository()
    repository.fetch()
    with pytest.raises(HistoryRewound):
        repository.first_parents("1" * 40, head)


def test_acks_are_appended_and_keep_the_files_of_other_applications(remote: Any) -> None:
    branch = remote.commit({"a": b"1"})
    repository = remote.repository()
    repository.fetch()
    first = repository.push_ack(ACKS, None, {"ledger.json": b"1"}, "ledger Ready").refs[ACKS]
    heads = repository.push_ack(ACKS, first, {"payments.json": b"2"}, "payments Ready")
    second = heads.refs[ACKS]
    assert heads.branch == branch
    assert repository.first_parents(first, second) == [second]
    assert [repository.read(second, name) for name in ("ledger.json", "payments.json")] == [b"1", b"2"]


def test_a_second_writer_of_acks_is_refused_and_changes_nothing(remote: Any) -> None:
    remote.commit({"a": b"1"})
    one, two = remote.repository(), remote.repository()
    one.fetch()
    first = one.push_ack(ACKS, None, {"ledger.json": b"1"}, "Passive").refs[ACKS]
    two.fetch()
    second = one.push_ack(ACKS, first, {"ledger.json": b"2"}, "Ready").refs[ACKS]
    for previous in (first, None):
        with pytest.raises(PushRefused):
            two.push_ack(ACKS, previous, {"ledger.json": b"3"}, "Ready")
    assert two.fetch().refs[ACKS] == second


def test_a_push_returns_what_the_server_listed_after_it(remote: Any) -> None:
    remote.commit({"a": b"1"})
    repository = remote.repository()
    repository.fetch()
    newer = remote.commit({"a": b"2"})
    heads = repository.push_ack(ACKS, None, {"ledger.json": b"1"}, "Promoting")
    assert heads.branch == newer
    assert repository.read(newer, "a") == b"2"


def test_a_heartbeat_replaces_the_one_before(remote: Any) -> None:
    remote.commit({"a": b"1"})
    repository, other = remote.repository(), remote.repository()
    repository.fetch()
    repository.push_heartbeat(BEATS, {"heartbeat.json": b"1"})
    heads = repository.push_heartbeat(BEATS, {"heartbeat.json": b"2"})
    assert other.fetch().refs == heads.refs
    assert other.read(heads.refs[BEATS], "heartbeat.json") == b"2"
    assert other.tree(heads.refs[BEATS]).list("") == ["heartbeat.json"]


def test_refs_of_others_are_not_listed(remote: Any) -> None:
    remote.commit({"a": b"1"})
    assert remote.repository().fetch().refs == {}
