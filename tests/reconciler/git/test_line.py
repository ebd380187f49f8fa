"""A long branch is walked once and compared once, for all applications, by all processes after this one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pygit2
import pytest

from reconciler.errors import HistoryRewound, SourceError
from reconciler.git import line
from reconciler.git.line import REMEMBERED, Line

LENGTH = 2000


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A branch on which application `a` changes with each 100th commit, and `b` with each 1000th."""
    folder = tmp_path_factory.mktemp("long")
    repository = pygit2.init_repository(str(folder), bare=True)
    commands = []
    for number in range(LENGTH):
        commands += [
            "commit refs/heads/main",
            f"mark :{number + 1}",
            "committer T <t@example.com> 1 +0000",
            "data 0",
            f"M 100644 inline apps/a/placement.yaml\ndata {len(str(number // 100))}\n{number // 100}",
            f"M 100644 inline apps/b/placement.yaml\ndata {len(str(number // 1000))}\n{number // 1000}",
            f"M 100644 inline other\ndata {len(str(number))}\n{number}",
        ]
    text = "\n".join(commands) + "\ndone\n"
    subprocess.run(["git", "fast-import", "--quiet", "--done"], cwd=folder, input=text, text=True, check=True)
    head = repository.references["refs/heads/main"].target
    walk = [str(commit.id) for commit in repository.walk(head, pygit2.enums.SortMode.TOPOLOGICAL)]
    return folder, walk[::-1]


def opened(folder: Path) -> pygit2.Repository:
    (folder / REMEMBERED).unlink(missing_ok=True)
    return pygit2.Repository(str(folder))


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    compared: list[str] = []
    compare = line._compare

    def count(repository: pygit2.Repository, commit: str, trees: line._Trees) -> line.Paths:
        compared.append(commit)
        return compare(repository, commit, trees)

    monkeypatch.setattr(line, "_compare", count)
    return compared


def test_each_commit_is_compared_once_for_all_applications_and_processes(
    long: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, commits = long
    repository, compared = opened(folder), counted(monkeypatch)
    first, last = commits[0], commits[-1]
    for process in (Line(folder), Line(folder)):
        assert process.changes(repository, "apps/a/placement.yaml", first, last) == commits[100::100]
        assert process.changes(repository, "apps/b/placement.yaml", first, last) == commits[1000::1000]
        assert process.between(repository, first, last) == commits[1:]
    assert compared == commits[1:]


def test_a_damaged_memory_costs_a_comparison_and_nothing_else(
    long: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, commits = long
    repository = opened(folder)
    Line(folder).changes(repository, "apps/a", commits[0], commits[200])
    memory = folder / REMEMBERED
    lines = memory.read_text().splitlines()
    memory.write_text("\n".join([*lines[:50], lines[50][:20], "{}", "[1]", *lines[51:]]))
    compared = counted(monkeypatch)
    assert Line(folder).changes(repository, "apps/a", commits[0], commits[200]) == [commits[100], commits[200]]
    assert compared == [commits[51]]


def test_the_line_grows_with_the_branch_and_is_left_when_the_branch_is(long: tuple[Path, list[str]]) -> None:
    folder, commits = long
    repository, walked = opened(folder), Line(folder)
    assert walked.between(repository, commits[10], commits[20]) == commits[11:21]
    assert walked.between(repository, commits[15], commits[30]) == commits[16:31]
    assert walked.between(repository, commits[10], commits[12]) == commits[11:13]
    author = pygit2.Signature("T", "t@example.com", 1, 0)
    tree = repository[commits[25]].peel(pygit2.Commit).tree_id
    other = str(repository.create_commit(None, author, author, "other", tree, [commits[25], commits[500]]))
    assert walked.between(repository, commits[20], other) == [*commits[21:26], other]
    for beside in (commits[30], commits[500], "1" * 40):
        with pytest.raises(HistoryRewound, match="does not meet"):
            walked.between(repository, beside, other)
    assert walked.between(repository, commits[20], commits[30]) == commits[21:31]
    with pytest.raises(SourceError):
        walked.between(repository, commits[20], "1" * 40)


def test_a_commit_that_changes_very_much_counts_as_a_change_of_everything(
    long: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, commits = long
    monkeypatch.setattr(line, "MOST_PATHS", 1)
    repository = opened(folder)
    assert Line(folder).changes(repository, "no/such/file", commits[0], commits[250]) == [commits[100], commits[200]]
    assert Line(folder).changes(repository, "no/such/file", commits[0], commits[250]) == [commits[100], commits[200]]
