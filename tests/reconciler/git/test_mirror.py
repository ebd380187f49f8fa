"""What only a real mirror can get wrong: refusals of the server, damaged folders, secrets, and time."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reconciler.errors import PushRefused, SourceError
from reconciler.git.credentials import Login, from_file, from_helper, mask
from reconciler.git.exchange import Exchange
from reconciler.git.mirror import MARK, Mirror
from reconciler.git.ref_store import RefStore
from reconciler.git.remote import Remote
from render.errors import TreeError
from sandbox.gitserver import Faults, GitServer

ACKS = "refs/siteshift/acks/a"
BEATS = "refs/siteshift/heartbeats/a"
REFS = (ACKS, BEATS)


def run(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    work, bare = tmp_path / "work", tmp_path / "bare.git"
    run(tmp_path, "init", "-q", "-b", "main", str(work))
    (work / "apps").mkdir()
    (work / "apps" / "a").write_text("1")
    run(work, "add", "-A")
    run(work, "commit", "-q", "-m", "one")
    run(tmp_path, "clone", "-q", "--bare", str(work), str(bare))
    return bare


def mirror(bare: Path, folder: Path | None = None) -> Mirror:
    return Mirror(bare.as_uri(), folder or bare.parent / "mirror", branch="main")


@pytest.fixture
def server(bare: Path) -> Iterator[GitServer]:
    with GitServer(bare.parent, users={"a": "secret-of-a", "reader": "r"}) as running:
        yield running


def served(server: GitServer, tmp_path: Path, user: str = "a", secret: str = "secret-of-a") -> Mirror:
    credentials = tmp_path / "credentials"
    credentials.write_text(f"http://{user}:{secret}@127.0.0.1:{server.port}\n")
    run(server.folder / "bare.git", "config", "http.receivepack", "true")
    return Mirror(f"{server.url}/bare.git", tmp_path / "mirror", branch="main", credentials=credentials)


def test_a_refusal_by_a_rule_of_the_server_is_heard(server: GitServer, bare: Path, tmp_path: Path) -> None:
    hook = bare / "hooks" / "update"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    repository = served(server, tmp_path)
    with pytest.raises(PushRefused, match="refs/siteshift/acks/a"):
        repository.append(ACKS, None, {"ledger.json": b"1"}, "Ready")
    assert repository.fetch(REFS).refs == {}


def test_acks_and_heartbeats_travel_over_http_with_a_login_from_a_file(server: GitServer, tmp_path: Path) -> None:
    repository = served(server, tmp_path)
    first = repository.append(ACKS, None, {"ledger.json": b"1"}, "Ready")
    second = repository.append(ACKS, first, {"ledger.json": b"2"}, "Stopping")
    beat = repository.replace(BEATS, None, {"heartbeat.json": b"1"}, "heartbeat")
    newer = repository.replace(BEATS, beat, {"heartbeat.json": b"2"}, "heartbeat")
    assert repository.fetch(REFS).refs == {ACKS: second, BEATS: newer}
    assert repository.files(BEATS, newer) == {"heartbeat.json": b"2"}


def test_a_refused_login_is_an_error_without_the_secret(server: GitServer, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not accept our credentials") as caught:
        served(server, tmp_path, "a", "wrong-secret").fetch()
    assert "wrong-secret" not in str(caught.value)


def test_a_redirect_does_not_take_our_credentials_to_another_server(server: GitServer, tmp_path: Path) -> None:
    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", f"{server.url}{self.path}")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as elsewhere:
        threading.Thread(target=elsewhere.serve_forever, args=(0.05,), daemon=True).start()
        file = tmp_path / "credentials"
        file.write_text(f"http://a:secret-of-a@127.0.0.1:{elsewhere.server_port}\n")
        url = f"http://127.0.0.1:{elsewhere.server_port}/bare.git"
        with pytest.raises(SourceError, match=f"127.0.0.1:{server.port}/bare.git, which does not get our"):
            Mirror(url, tmp_path / "mirror", branch="main", credentials=file).fetch()
        elsewhere.shutdown()


def test_a_push_whose_answer_is_lost_is_an_error_and_is_found_by_the_next_fetch(
    server: GitServer, tmp_path: Path
) -> None:
    repository = served(server, tmp_path)
    repository.fetch()
    server.faults = Faults(lose_answers=frozenset({"a"}))
    with pytest.raises(SourceError):
        repository.append(ACKS, None, {"ledger.json": b"1"}, "Demoted")
    server.faults = Faults()
    assert repository.files(ACKS, repository.fetch(REFS).refs[ACKS]) == {"ledger.json": b"1"}


def test_a_site_that_lost_only_its_push_rights_can_still_fetch(server: GitServer, tmp_path: Path) -> None:
    repository = served(server, tmp_path)
    server.faults = Faults(read_only=frozenset({"a"}))
    repository.fetch()
    with pytest.raises(SourceError):
        repository.replace(BEATS, None, {"heartbeat.json": b"1"}, "heartbeat")


@pytest.mark.parametrize("replaced", [1, 2])
def test_a_ref_that_is_replaced_between_listing_and_fetch_is_listed_again(
    server: GitServer, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaced: int
) -> None:
    """A heartbeat is replaced all the time, and a server refuses to give out a commit that no ref leads to any more."""
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
    commits = [run(bare, *identity, "commit-tree", "-m", str(n), "HEAD^{tree}") for n in range(replaced + 1)]
    run(bare, "update-ref", BEATS, commits[0])
    later = iter(commits[1:])
    backend = GitServer.backend

    def replacing(self: GitServer, environment: Mapping[str, str]) -> AbstractContextManager[subprocess.Popen[bytes]]:
        if environment["PATH_INFO"].endswith("/git-upload-pack") and (commit := next(later, None)):
            run(bare, "update-ref", BEATS, commit)
        return backend(self, environment)

    monkeypatch.setattr(GitServer, "backend", replacing)
    heads = served(server, tmp_path).fetch(REFS)
    assert (heads.refs[BEATS], heads.failed) == (commits[-1], {})


def _delete_pack(folder: Path) -> None:
    shutil.rmtree(folder / "objects" / "pack")
    (folder / "objects" / "pack").mkdir()


def _break_head(folder: Path) -> None:
    (folder / "HEAD").write_bytes(b"\0\0\0")


def _remove_config(folder: Path) -> None:
    (folder / "HEAD").unlink()


def _make_shallow(folder: Path) -> None:
    (folder / "shallow").write_text((folder / "refs" / "heads" / "main").read_text())


@pytest.mark.parametrize("damage", [_delete_pack, _break_head, _remove_config, _make_shallow, shutil.rmtree])
def test_a_damaged_folder_is_cloned_anew(bare: Path, damage: object) -> None:
    folder = bare.parent / "mirror"
    head = mirror(bare, folder).fetch().branch
    for path in [folder, *folder.rglob("*")]:
        os.chmod(path, 0o755)
    damage(folder)  # type: ignore[operator]
    again = mirror(bare, folder)
    assert again.fetch().branch == head
    assert again.read(head, "apps/a") == b"1"


def test_a_folder_that_is_no_mirror_is_never_removed(bare: Path, tmp_path: Path) -> None:
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / "thesis").write_text("years of work")
    with pytest.raises(SourceError, match="no mirror of ours"):
        mirror(bare, folder).fetch()
    assert (folder / "thesis").read_text() == "years of work"


def test_the_mirror_is_bare_marked_and_private(bare: Path) -> None:
    repository = mirror(bare)
    repository.fetch()
    assert (repository.folder / MARK).exists()
    assert not (repository.folder / "apps").exists()
    assert repository.folder.stat().st_mode & 0o777 == 0o700


def test_a_failed_fetch_raises_and_what_was_fetched_stays_readable(bare: Path) -> None:
    repository = mirror(bare)
    head = repository.fetch().branch
    bare.rename(bare.with_name("gone.git"))
    with pytest.raises(SourceError, match="cannot be listed"):
        repository.fetch()
    assert repository.read(head, "apps/a") == b"1"


@pytest.mark.parametrize("ref", [ACKS, "refs/heads/siteshift/acks/a", "refs/heads/acks-a"])
def test_the_fleet_says_which_refs_are_used(bare: Path, ref: str) -> None:
    ours, theirs = mirror(bare), mirror(bare, bare.parent / "theirs")
    commit = ours.append(ref, None, {"ledger.json": b"1"}, "Ready")
    assert theirs.fetch((ref,)).refs == {ref: commit}
    assert theirs.files(ref, commit) == {"ledger.json": b"1"}


def test_years_of_heartbeats_do_not_fill_the_mirror(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.git.compaction.MOST_LOOSE_FOLDERS", 5)
    monkeypatch.setattr("reconciler.git.compaction.MOST_PACKS", 3)
    bare, fetched = server.folder / "bare.git", tmp_path / "fetched"
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
    place = RefStore(fetched)
    exchange = Exchange(f"{server.url}/bare.git", tmp_path / "credentials", 60.0)
    served(server, tmp_path)
    for beat in range(30):
        commit = run(bare, *identity, "commit-tree", "-m", str(beat), "HEAD^{tree}")
        run(bare, "update-ref", BEATS, commit)
        assert place.bring(exchange, BEATS, commit)[0] == commit
        assert len([path for path in (fetched / "objects").rglob("*") if path.is_file()]) < 20
        assert not (fetched / "compacting").exists()


def _nothing(mirror: Mirror) -> None:
    """The branch's mirror is whole, and still cannot be fetched into."""


def _lose_an_object(mirror: Mirror) -> None:
    for path in (mirror.folder / "objects" / "pack").iterdir():
        path.chmod(0o644)
        path.unlink()


@pytest.mark.parametrize("harm", [_nothing, _lose_an_object])
def test_a_branch_that_cannot_be_fetched_is_fetched_into_a_new_repository(
    bare: Path, harm: Callable[[Mirror], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = mirror(bare)
    old = repository.fetch().branch
    harm(repository)
    new = run(bare, "-c", "user.name=T", "-c", "user.email=t@x", "commit-tree", "-m", "new", "-p", old, "HEAD^{tree}")
    run(bare, "update-ref", "refs/heads/main", new)
    fetch = Remote.fetch

    def into_a_new_one(self: Remote, folder: Path, refspecs: list[str]) -> None:
        if folder == repository.folder:
            raise SourceError("this repository takes nothing")
        fetch(self, folder, refspecs)

    monkeypatch.setattr(Remote, "fetch", into_a_new_one)
    if harm is _nothing:
        with pytest.raises(SourceError, match="takes nothing"):
            repository.fetch()
        assert repository.read(old, "apps/a") == b"1"
    assert repository.fetch().branch == new
    assert (repository.read(new, "apps/a"), repository.read(old, "apps/a")) == (b"1", b"1")
    assert mirror(bare).fetch().branch == new


def test_a_path_that_leaves_the_commit_is_refused(bare: Path) -> None:
    repository = mirror(bare)
    head = repository.fetch().branch
    with pytest.raises(TreeError):
        repository.read(head, "../outside")


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    kept.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://user:hunter2@127.0.0.1:{listener.getsockname()[1]}/fleet.git"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in kept:
            connection.close()


def test_a_silent_server_is_given_up_and_the_password_in_its_url_is_not_shown(
    silent_server: str, tmp_path: Path
) -> None:
    repository = Mirror(silent_server, tmp_path / "mirror", branch="main", timeout=0.2)
    with pytest.raises(SourceError) as caught:
        repository.fetch()
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("https://git.example.com/bank/fleet.git", Login("bot", "s/cret")),
        ("https://git.example.com:8443/bank/fleet.git", Login("other", "port")),
        ("https://elsewhere.example.com/fleet.git", None),
        ("http://git.example.com/bank/fleet.git", None),
    ],
    ids=["host", "port", "unknown host", "other scheme"],
)
def test_a_credentials_file_answers_for_its_own_hosts_only(tmp_path: Path, url: str, login: Login | None) -> None:
    file = tmp_path / "credentials"
    file.write_text("https://bot:s%2Fcret@git.example.com\nhttps://other:port@git.example.com:8443\n")
    assert from_file(file)(url) == login


def test_a_credentials_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        from_file(tmp_path / "missing")("https://git.example.com/x")


def test_git_credential_helpers_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    helper = "!f() { test \"$1\" = get && printf 'username=bot\\npassword=token\\n'; }; f"
    subprocess.run(["git", "config", "--file", str(config), "credential.helper", helper], check=True)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    assert from_helper("https://git.example.com/fleet.git") == Login("bot", "token")


def test_a_login_never_shows_its_secret() -> None:
    assert "s3cret" not in repr(Login("bot", "s3cret"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://user:pw@host/x failed", "https://***@host/x failed"),
        ("ssh://git@host/x", "ssh://***@host/x"),
        ("https://host/a@b", "https://host/a@b"),
        ("https://user:p/w@host/x", "https://***@host/x"),
        ("https://user:p@w@host/x", "https://***@host/x"),
        ("https://user:p@/w@host/x 'https://a:b@c'", "https://***@host/x 'https://***@c'"),
        ("https://to@ken@host/x", "https://***@host/x"),
    ],
    ids=["password", "user", "at sign in the path", "slash", "at sign", "both, twice", "token with an at sign"],
)
def test_logins_in_urls_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked
