"""The sandbox's Git server: the git command line and pygit2 meet the real protocol, and nothing is left behind."""

from __future__ import annotations

import gzip
import http.client
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pygit2
import pytest

from sandbox.gitserver import Faults, GitServer, git_environment

IDENTITY = ["-c", "user.name=site a", "-c", "user.email=a@example.com"]
ACKS = "refs/siteshift/acks/a"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    folder = tmp_path / "served"
    folder.mkdir()
    with GitServer(folder) as running:
        running.create("fleet.git")
        yield running


def git(*arguments: str | Path, cwd: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = git_environment() | {"GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(
        ["git", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False, env=environment
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def commit(folder: Path, name: str, content: str = "x") -> None:
    (folder / name).write_text(content)
    git("add", name, cwd=folder)
    git(*IDENTITY, "commit", "-q", "-m", name, cwd=folder)


def clone(server: GitServer, folder: Path) -> Path:
    git("clone", "-q", f"{server.url}/fleet.git", folder)
    git("checkout", "-q", "-B", "main", cwd=folder)
    return folder


def empty_commit(repository: pygit2.Repository, message: str, parents: list[str]) -> str:
    who = pygit2.Signature("site a", "a@example.com", 1_700_000_000, 0)
    tree = repository.TreeBuilder().write()
    return str(repository.create_commit(None, who, who, message, tree, parents))


def test_the_command_line_pushes_and_fetches_branches(server: GitServer, tmp_path: Path) -> None:
    first = clone(server, tmp_path / "first")
    commit(first, "placement.yaml", "active: a\n")
    git("push", "-q", "origin", "main", cwd=first)
    second = clone(server, tmp_path / "second")
    git("pull", "-q", "origin", "main", cwd=second)
    assert (second / "placement.yaml").read_text() == "active: a\n"


def test_a_big_push_comes_in_chunks_and_arrives_whole(server: GitServer, tmp_path: Path) -> None:
    first = clone(server, tmp_path / "first")
    (first / "big").write_bytes(os.urandom(3 << 20))
    git("add", "big", cwd=first)
    git(*IDENTITY, "commit", "-q", "-m", "big", cwd=first)
    git("-c", "http.postBuffer=65536", "push", "-q", "origin", "main", cwd=first)
    second = clone(server, tmp_path / "second")
    git("pull", "-q", "origin", "main", cwd=second)
    assert (second / "big").read_bytes() == (first / "big").read_bytes()


def test_pygit2_pushes_refs_of_our_own_and_the_server_lists_them(server: GitServer, tmp_path: Path) -> None:
    repository = pygit2.init_repository(str(tmp_path / "mirror"), bare=True)
    remote = repository.remotes.create("origin", f"{server.url}/fleet.git")
    ack = empty_commit(repository, "ack 1", [])
    repository.references.create(ACKS, ack)
    remote.push([f"{ACKS}:{ACKS}"])
    listed = {head.name: str(head.oid) for head in remote.list_heads()}
    assert listed[ACKS] == ack


def test_a_push_that_is_no_fast_forward_is_refused(server: GitServer, tmp_path: Path) -> None:
    first, second = clone(server, tmp_path / "first"), clone(server, tmp_path / "second")
    for folder in (first, second):
        commit(folder, "file", str(folder))
    git("push", "-q", "origin", f"main:{ACKS}", cwd=first)
    refused = git("push", "-q", "origin", f"main:{ACKS}", cwd=second, check=False)
    assert refused.returncode != 0
    assert "rejected" in refused.stderr


def test_many_sites_push_at_once(server: GitServer, tmp_path: Path) -> None:
    answers: dict[str, int] = {}

    def push(name: str) -> None:
        folder = clone(server, tmp_path / name)
        commit(folder, name)
        answers[name] = git(
            "push", "-q", "origin", f"main:refs/siteshift/acks/{name}", cwd=folder, check=False
        ).returncode

    threads = [threading.Thread(target=push, args=(f"site{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {f"site{number}": 0 for number in range(6)}
    assert git("ls-remote", f"{server.url}/fleet.git").stdout.count("refs/siteshift/acks/") == 6


def test_a_gzipped_request_is_understood(server: GitServer, tmp_path: Path) -> None:
    first = clone(server, tmp_path / "first")
    commit(first, "file")
    git("push", "-q", "origin", "main", cwd=first)
    head = git("rev-parse", "HEAD", cwd=first).stdout.strip()
    want = f"want {head} ofs-delta\n".encode()
    body = b"%04x%b0000%04x%b" % (len(want) + 4, want, 9, b"done\n")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    headers = {"Content-Type": "application/x-git-upload-pack-request", "Content-Encoding": "gzip"}
    connection.request("POST", "/fleet.git/git-upload-pack", gzip.compress(body), headers)
    answer = connection.getresponse()
    assert (answer.status, b"PACK" in answer.read()) == (200, True)
    connection.close()


@pytest.mark.parametrize(
    ("login", "accepted"),
    [("a:right", True), ("a:wrong", False), ("", False), ("stranger:right", False)],
    ids=["right token", "wrong token", "no credentials", "unknown user"],
)
def test_users_need_their_token(tmp_path: Path, login: str, accepted: bool) -> None:
    with GitServer(tmp_path, users={"a": "right"}) as server:
        server.create("fleet.git")
        at = f"{login}@" if login else ""
        done = git("ls-remote", f"http://{at}127.0.0.1:{server.port}/fleet.git", check=False)
        assert (done.returncode == 0) is accepted


@pytest.mark.parametrize(
    ("faults", "fetches", "pushes", "arrives"),
    [
        (Faults(), True, True, True),
        (Faults(refuse=frozenset({"a"})), False, False, False),
        (Faults(refuse=frozenset({""})), False, False, False),
        (Faults(refuse=frozenset({"b"})), True, True, True),
        (Faults(read_only=frozenset({"a"})), True, False, False),
        (Faults(lose_answers=frozenset({"a"})), True, False, True),
    ],
    ids=["none", "refused", "refused to all", "refused to another", "push rights lost", "answer lost"],
)
def test_faults_meet_the_users_that_they_name(
    tmp_path: Path, faults: Faults, fetches: bool, pushes: bool, arrives: bool
) -> None:
    with GitServer(tmp_path, users={"a": "x"}) as server:
        server.create("fleet.git")
        work = tmp_path / "work"
        url = f"http://a:x@127.0.0.1:{server.port}/fleet.git"
        git("init", "-q", "-b", "main", work)
        commit(work, "file")
        server.faults = faults
        assert (git("ls-remote", url, check=False).returncode == 0) is fetches
        assert (git("push", "-q", url, "main", cwd=work, check=False).returncode == 0) is pushes
        server.faults = Faults()
        assert ("refs/heads/main" in git("ls-remote", url).stdout) is arrives


def test_a_path_outside_the_folder_is_not_served(server: GitServer, tmp_path: Path) -> None:
    git("init", "-q", "--bare", tmp_path / "secret.git")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/../secret.git/info/refs?service=git-upload-pack")
    assert connection.getresponse().status >= 400
    connection.close()


def test_a_client_that_hangs_up_leaves_no_process(server: GitServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(
            b"POST /fleet.git/git-receive-pack HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 1000000\r\n\r\n0000"
        )
        wait_until(lambda: len(server._backends) == 1)
    wait_until(lambda: not server._backends)


def test_stopping_ends_what_still_runs(tmp_path: Path) -> None:
    server = GitServer(tmp_path).start()
    server.create("fleet.git")
    client = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    client.sendall(b"POST /fleet.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    wait_until(lambda: len(server._backends) == 1)
    (backend,) = server._backends
    server.stop()
    client.close()
    assert backend.poll() is not None


def wait_until(happened: object) -> None:
    assert callable(happened)
    for _ in range(2000):
        if happened():
            return
        time.sleep(0.01)
    pytest.fail("it did not happen")


def test_a_request_that_the_end_of_the_server_cuts_is_no_news(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server = GitServer(tmp_path).start()
    server.create("fleet.git")
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        head = b"POST /fleet.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
        connection.sendall(head + b"Content-Type: application/x-git-receive-pack-request\r\n\r\n0000000000")
        while not server._backends:
            time.sleep(0.01)
        server.stop()
        connection.sendall(b"0" * 90)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b"", "the connection ends without an answer"
    assert capfd.readouterr().err == ""
