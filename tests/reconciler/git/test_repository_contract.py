"""What every repository promises, whether a real mirror of a real server or the one in memory."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import HistoryRewound, PushRefused, SourceError
from reconciler.git.memory import MemoryRepository, MemoryServer
from reconciler.git.mirror import Mirror
from render.errors import NotInTree
from sandbox.gitserver import GitServer

ACKS = "refs/siteshift/acks/a"
BEATS = "refs/siteshift/heartbeats/a"
REFS = (ACKS, BEATS)


class GitRemote:
    """A bare repository behind a real Git server, and a person's clone of it."""

    def __init__(self, folder: Path) -> None:
        self.bare, self.clone, self._folder = folder / "bare.git", folder / "clone", folder
        self._mirrors: list[Mirror] = []
        run(folder, "init", "-q", "--bare", "-b", "main", str(self.bare))
        run(folder, "clone", "-q", str(self.bare), str(self.clone))
        run(self.clone, "checkout", "-q", "-B", "main")
        self.server = GitServer(folder).start()

    def stop(self) -> None:
        for mirror in self._mirrors:
            mirror.close()
        self.server.stop()

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

    def keep_history(self) -> None:
        hook = self.bare / "hooks" / "update"
        hook.write_text('#!/bin/sh\ncase "$2" in *[!0]*) git merge-base --is-ancestor "$2" "$3";; esac\n')
        hook.chmod(0o755)

    def put(self, ref: str, commit: str) -> None:
        run(self.bare, "update-ref", ref, commit)

    def repository(self) -> Mirror:
        folder = self._folder / f"mirror{len(self._mirrors)}"
        self._mirrors.append(Mirror(f"{self.server.url}/bare.git", folder, branch="main"))
        return self._mirrors[-1]


class MemoryRemote:
    def __init__(self, folder: Path) -> None:
        self.server = MemoryServer()

    def stop(self) -> None:
        pass

    def commit(self, files: dict[str, bytes], message: str = "change") -> str:
        return self.server.commit(files, message)

    def rewind(self, commit: str) -> None:
        self.server.refs["refs/heads/main"] = commit

    def keep_history(self) -> None:
        self.server.keeps_history = True

    def put(self, ref: str, commit: str) -> None:
        self.server.refs[ref] = commit

    def repository(self) -> MemoryRepository:
        return MemoryRepository(self.server)


def run(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(params=[GitRemote, MemoryRemote], ids=["git", "memory"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    made = request.param(tmp_path)
    yield made
    made.stop()


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


def test_heads_are_listed_without_bringing_anything(remote: Any) -> None:
    commit = remote.commit({"a": b"1"})
    repository, other = remote.repository(), remote.repository()
    ack = other.append(ACKS, None, {"ledger.json": b"1"}, "Ready")
    heads = repository.heads(REFS)
    assert (heads.branch, heads.refs) == (commit, {ACKS: ack})
    with pytest.raises(SourceError):
        repository.read(commit, "a")
    with pytest.raises(SourceError):
        repository.files(ACKS, ack)


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
    assert repository.first_parents(commits[0], commits[1]) == [commits[1]]


def test_changes_are_the_commits_that_touch_a_path(remote: Any) -> None:
    first = remote.commit({"apps/a/x": b"1", "apps/ab": b"1"})
    second = remote.commit({"apps/a/x": b"1", "apps/ab": b"2"})
    third = remote.commit({"apps/a/x": b"2", "apps/ab": b"2"})
    last = remote.commit({"apps/ab": b"2"})
    repository = remote.repository()
    repository.fetch()
    assert repository.changes("apps/a", first, last) == [third, last]
    assert repository.changes("apps/a/x", first, last) == [third, last]
    assert repository.changes("apps/ab", first, last) == [second]
    assert repository.changes("apps", first, third) == [second, third]


@pytest.mark.parametrize("how", ["first_parents", "changes"])
def test_a_rewound_branch_is_noticed(remote: Any, how: str) -> None:
    first = remote.commit({"a": b"1"})
    second = remote.commit({"a": b"2"})
    repository = remote.repository()
    repository.fetch()
    assert repository.first_parents(first, second) == [second]
    remote.rewind(first)
    other = remote.commit({"a": b"3"})
    assert repository.fetch().branch == other
    path = ("a",) if how == "changes" else ()
    for old, new in ((second, other), ("1" * 40, other), (other, first)):
        with pytest.raises(HistoryRewound):
            getattr(repository, how)(*path, old, new)
    assert repository.first_parents(first, other) == [other]


def test_acks_are_appended_and_keep_the_files_of_other_applications(remote: Any) -> None:
    remote.commit({"a": b"1"})
    repository, other = remote.repository(), remote.repository()
    first = repository.append(ACKS, None, {"ledger.json": b"1"}, "ledger Ready")
    second = repository.append(ACKS, first, {"payments.json": b"2"}, "payments Ready")
    both = {"ledger.json": b"1", "payments.json": b"2"}
    assert repository.files(ACKS, second) == both
    assert other.fetch(REFS).refs == {ACKS: second}
    assert other.files(ACKS, second) == both
    for each in (repository, other):
        assert each.descends(ACKS, first, second)
        assert not each.descends(ACKS, second, first)
        assert not each.descends(ACKS, "1" * 40, second)


@pytest.mark.parametrize("how", ["append", "replace"])
def test_a_push_rests_on_the_value_that_it_names(remote: Any, how: str) -> None:
    remote.commit({"a": b"1"})
    one, two = remote.repository(), remote.repository()
    push = getattr(two, how)
    first = one.append(ACKS, None, {"ledger.json": b"1"}, "Passive")
    two.fetch(REFS)
    second = one.append(ACKS, first, {"ledger.json": b"2"}, "Ready")
    for expected in (first, None):
        with pytest.raises(PushRefused, match=second[:7]):
            push(ACKS, expected, {"ledger.json": b"3"}, "Ready")
    assert two.fetch(REFS).refs[ACKS] == second
    third = push(ACKS, second, {"ledger.json": b"3"}, "Ready")
    assert one.fetch(REFS).refs[ACKS] == third
    with pytest.raises(SourceError):
        push(BEATS, third, {"ledger.json": b"3"}, "Ready")


def test_a_heartbeat_replaces_the_one_before(remote: Any) -> None:
    remote.commit({"a": b"1"})
    repository, other = remote.repository(), remote.repository()
    first = repository.replace(BEATS, None, {"heartbeat.json": b"1", "old": b""}, "heartbeat")
    second = repository.replace(BEATS, first, {"heartbeat.json": b"2"}, "heartbeat")
    assert other.fetch(REFS).refs == {BEATS: second}
    assert other.files(BEATS, second) == {"heartbeat.json": b"2"}
    assert not other.descends(BEATS, first, second)


def test_a_heartbeat_is_appended_where_the_server_refuses_replacement(remote: Any) -> None:
    remote.commit({"a": b"1"})
    remote.keep_history()
    repository, other = remote.repository(), remote.repository()
    first = repository.replace(BEATS, None, {"heartbeat.json": b"1", "old": b""}, "heartbeat")
    second = repository.replace(BEATS, first, {"heartbeat.json": b"2"}, "heartbeat")
    assert other.fetch(REFS).refs == {BEATS: second}
    assert other.files(BEATS, second) == {"heartbeat.json": b"2"}
    assert other.descends(BEATS, first, second)
    with pytest.raises(PushRefused):
        other.replace(BEATS, first, {"heartbeat.json": b"3"}, "heartbeat")


@pytest.mark.parametrize("back", ["older", "gone"])
def test_a_value_that_a_restored_server_lost_is_pushed_again(remote: Any, back: str) -> None:
    head = remote.commit({"a": b"1"})
    repository, other = remote.repository(), remote.repository()
    first = repository.append(ACKS, None, {"ledger.json": b"1"}, "Passive")
    second = repository.append(ACKS, first, {"ledger.json": b"2"}, "Ready")
    other.fetch(REFS)
    remote.put(ACKS, first)
    if back == "older":
        with pytest.raises(PushRefused):
            repository.push_commit(ACKS, None, second)
        repository.push_commit(ACKS, first, second)
    else:
        repository.push_commit(ACKS, first, second)
    heads = other.fetch(REFS)
    assert (heads.branch, heads.refs) == (head, {ACKS: second})
    assert other.files(ACKS, second) == {"ledger.json": b"2"}
    with pytest.raises(SourceError):
        repository.push_commit(ACKS, second, "1" * 40)


def test_refs_are_asked_for_by_their_exact_names(remote: Any) -> None:
    remote.commit({"a": b"1"})
    repository = remote.repository()
    for ref in (ACKS, f"{ACKS}x", f"{ACKS}-b", BEATS):
        repository.append(ref, None, {"ledger.json": b"1"}, "Ready")
    assert set(repository.fetch((ACKS,)).refs) == {ACKS}
    assert repository.fetch().refs == {}
    assert repository.heads((BEATS, "refs/siteshift/heartbeats")).refs.keys() == {BEATS}
