"""Bases in other repositories: what a ref means, what costs a request, and who may be asked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.errors import SourceError
from reconciler.git.bases import Bases, check_host
from render.tree.remote import Remote


class Server:
    """A repository on this disk with two commits, a branch and both kinds of tag."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        self.first = self.commit("first")
        self.git("tag", "v1")
        self.git("tag", "-a", "v1-signed", "-m", "tagged")
        self.git("branch", "old/line")
        self.second = self.commit("second")

    @property
    def url(self) -> str:
        return f"file://{self.folder}"

    def commit(self, content: str) -> str:
        (self.folder / "file").write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", content)
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
        return subprocess.run(
            ["git", *who, *words], cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.strip()


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path / "server")


@pytest.mark.parametrize(
    ("ref", "content"),
    [
        ("", b"second"),
        ("main", b"second"),
        ("old/line", b"first"),
        ("v1", b"first"),
        ("v1-signed", b"first"),
        ("refs/heads/old/line", b"first"),
    ],
    ids=["none", "branch", "branch-with-slash", "tag", "annotated-tag", "full-name"],
)
def test_a_ref_is_what_the_server_says(server: Server, tmp_path: Path, ref: str, content: bytes) -> None:
    assert Bases(tmp_path / "bases")(Remote(server.url, ref, "")).read("file") == content


def test_a_branch_is_asked_for_again_by_the_next_build(server: Server, tmp_path: Path) -> None:
    base = Remote(server.url, "main", "")
    assert Bases(tmp_path / "bases")(base).read("file") == b"second"
    server.commit("third")
    assert Bases(tmp_path / "bases")(base).read("file") == b"third"


def test_a_commit_that_is_here_costs_no_request(server: Server, tmp_path: Path) -> None:
    base = Remote(server.url, server.first, "")
    assert Bases(tmp_path / "bases")(base).read("file") == b"first"
    server.folder.rename(tmp_path / "gone")
    assert Bases(tmp_path / "bases")(base).read("file") == b"first"
    with pytest.raises(SourceError):
        Bases(tmp_path / "bases")(Remote(server.url, "main", ""))


def test_a_commit_that_no_ref_names_directly_is_found(server: Server, tmp_path: Path) -> None:
    server.git("branch", "-D", "old/line")
    server.git("tag", "-d", "v1", "v1-signed")
    assert Bases(tmp_path / "bases")(Remote(server.url, server.first, "")).read("file") == b"first"


@pytest.mark.parametrize(
    ("ref", "said"),
    [("v9", r'has no branch or tag "v9" \(main, old/line, v1, v1-signed\)'), ("0" * 40, "has no commit 000")],
    ids=["name", "commit"],
)
def test_a_ref_that_is_not_there_is_an_error(server: Server, tmp_path: Path, ref: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        Bases(tmp_path / "bases")(Remote(server.url, ref, ""))


@pytest.mark.parametrize(
    ("hosts", "said"),
    [((), "takes bases from nowhere"), (("git.example.com",), "takes bases only from git.example.com")],
    ids=["none", "other"],
)
@pytest.mark.parametrize(
    "url",
    ["https://elsewhere.example/a/b", "ssh://git@elsewhere.example/a/b", "git@elsewhere.example:a/b", "file:///srv/a"],
    ids=["https", "ssh", "scp", "disk"],
)
def test_only_hosts_of_the_list_are_asked(tmp_path: Path, hosts: tuple[str, ...], said: str, url: str) -> None:
    with pytest.raises(SourceError, match=said):
        Bases(tmp_path / "bases", hosts=lambda: hosts)(Remote(url, "v1", ""))
    assert not (tmp_path / "bases").exists()


def test_secrets_in_a_url_are_neither_shown_nor_written_down(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        Bases(tmp_path / "bases", hosts=lambda: ())(Remote("https://me:hush@elsewhere.example/a/b", "", ""))
    assert "hush" not in str(caught.value)


def base(url: str) -> Remote:
    return Remote(url, "main", "")


ALLOWED = ("git.example.com", "https://forge.example.com/team/", "ssh://git@forge.example.com/other")


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com/any/repo",
        "https://git.example.com:8443/any/repo",
        "ssh://git@git.example.com/any/repo",
        "git@git.example.com:any/repo",
        "https://forge.example.com/team/base",
        "https://forge.example.com/team",
        "ssh://git@forge.example.com/other",
    ],
)
def test_a_base_that_the_list_allows_may_be_asked_for(url: str) -> None:
    check_host(base(url), ALLOWED)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://git.example.com/any/repo", "by https or ssh alone, and this is http"),
        ("git://git.example.com/any/repo", "by https or ssh alone, and this is git"),
        ("file:///etc", "takes bases only from"),
        ("https://evil.example.com/team/base", "takes bases only from"),
        ("https://forge.example.com/team-evil/base", "takes bases only from"),
        ("https://forge.example.com/other", "takes bases only from"),
        ("https://forge.example.com.evil.example/team/base", "takes bases only from"),
        ("https://git.example.com@evil.example/x/y", "takes bases only from"),
    ],
)
def test_a_base_that_the_list_does_not_allow_is_refused(url: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        check_host(base(url), ALLOWED)


def test_mirrors_of_bases_are_private_and_one_url_never_reads_anothers(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "bases"
    Bases(folder)(Remote(server.url, "main", ""))
    assert folder.stat().st_mode & 0o777 == 0o700
    made = Bases(folder)
    first, second = (
        made._mirror(Remote(f"https://{login}@git.example.com/a/b", "main", "")).path for login in ("one:x", "two:y")
    )
    assert first != second
    assert "one" not in first
    assert "x" not in Path(first).name.partition("git.example.com")[0]
