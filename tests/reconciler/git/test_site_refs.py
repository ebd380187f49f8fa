"""What anyone who may push a ref can do to the others: nothing. On a real Git server, with real hostile objects."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha1
from pathlib import Path

import pytest

from reconciler.errors import PushRefused, SourceError
from reconciler.git import limits
from reconciler.git.mirror import SITES, Mirror
from reconciler.git.remote import Remote
from reconciler.git.seam import Heads
from reconciler.worker import Worker
from sandbox.gitserver import GitServer

from .links import Link

ACKS_A, ACKS_B = "refs/siteshift/acks/a", "refs/siteshift/acks/b"
REFS = (ACKS_A, ACKS_B)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, event: threading.Event, seconds: float) -> bool:
        raise AssertionError("nothing here waits")


class Place:
    """A Git server with a fleet's branch, and mirrors of it. Hostile objects are put straight into its repository."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bare, self.clock = folder, folder / "fleet.git", Clock()
        self.git("init", "-q", "--bare", "-b", "main", str(self.bare), at=folder)
        self.tree = self.put("tree", b"100644 file\0" + bytes.fromhex(self.put("blob", b"one")))
        self.head = self.commit(self.tree)
        self.set("refs/heads/main", self.head)
        self.server = GitServer(folder).start()
        self.mirrors: list[Mirror] = []

    def close(self) -> None:
        for mirror in self.mirrors:
            mirror.close()
        self.server.stop()

    def mirror(self, *, port: int | None = None, timeout: float = 60.0) -> Mirror:
        url = f"http://127.0.0.1:{port or self.server.port}/fleet.git"
        folder = self.folder / f"mirror{len(self.mirrors)}"
        self.mirrors.append(Mirror(url, folder, branch="main", timeout=timeout, clock=self.clock))
        return self.mirrors[-1]

    def git(self, *words: str, at: Path | None = None) -> str:
        done = subprocess.run(["git", *words], cwd=at or self.bare, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def set(self, ref: str, value: str) -> None:
        path = self.bare / ref  # `git update-ref` would not take what is no commit
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")

    def put(self, kind: str, content: bytes) -> str:
        """An object as it is, whether or not Git would make such a one."""
        data = f"{kind} {len(content)}\0".encode() + content
        name = sha1(data, usedforsecurity=False).hexdigest()
        path = self.bare / "objects" / name[:2] / name[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zlib.compress(data, 1))
        return name

    def commit(self, tree: str, *parents: str, message: str = "x") -> str:
        who = "T <t@example.com> 1 +0000"
        lines = [f"tree {tree}", *(f"parent {each}" for each in parents), f"author {who}", f"committer {who}"]
        return self.put("commit", ("\n".join(lines) + f"\n\n{message}\n").encode())

    def files(self, contents: dict[str, bytes]) -> str:
        entries = [f"100644 {name}\0".encode() + bytes.fromhex(self.put("blob", contents[name])) for name in contents]
        return self.put("tree", b"".join(entries))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


def _many_parents(place: Place) -> str:
    return place.commit(place.tree, *([place.head] * 70_000))


def _two_parents(place: Place) -> str:
    return place.commit(place.tree, place.head, place.commit(place.tree, message="other"))


def _long_message(place: Place) -> str:
    return place.commit(place.tree, message="x" * 20_000)


def _giant_file(place: Place) -> str:
    return place.commit(place.files({"ledger.json": b"\0" * 50_000_000}))


def _many_files(place: Place) -> str:
    return place.commit(place.files({f"{number:06}.json": b"" for number in range(limits.FILES + 1)}))


def _many_large_files(place: Place) -> str:
    content = [bytes([number]) * (limits.FILE_BYTES - 1) for number in range(20)]
    return place.commit(place.files({f"{number:02}.json": each for number, each in enumerate(content)}))


def _no_commit(place: Place) -> str:
    return place.put("blob", b"I am no commit")


def _tag(place: Place) -> str:
    return place.put("tag", f"object {place.head}\ntype commit\ntag x\ntagger T <t@x> 1 +0000\n\nx\n".encode())


def _missing_tree(place: Place) -> str:
    return place.commit("1" * 40)


HOSTILE: dict[str, tuple[Callable[[Place], str], str]] = {
    "70,000 parents": (_many_parents, f"bytes, expected {limits.COMMIT_BYTES} at most"),
    "two parents": (_two_parents, "has 2 parents, expected 1"),
    "a long message": (_long_message, f"bytes, expected {limits.COMMIT_BYTES} at most"),
    "a giant file": (_giant_file, f"has 50000000 bytes, expected {limits.FILE_BYTES} at most"),
    "many files": (_many_files, f"{limits.FILES + 1} files, expected {limits.FILES} at most"),
    "many large files": (_many_large_files, f"more than {limits.ALL_FILES_BYTES} bytes"),
    "a blob": (_no_commit, "is a blob, expected a commit"),
    "a tag": (_tag, "is a tag, expected a commit"),
    "a tree that is not there": (_missing_tree, ""),
}


@pytest.mark.parametrize(("make", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_ref_harms_neither_the_branch_nor_the_other_refs(
    place: Place, make: Callable[[Place], str], said: str
) -> None:
    mirror = place.mirror()
    good = mirror.append(ACKS_A, None, {"ledger.json": b"1"}, "Passive")
    bad = make(place)
    place.set(ACKS_B, bad)
    place.set("refs/heads/main", place.commit(place.tree, place.head, message="newer"))
    heads = mirror.fetch(REFS)
    assert heads.refs == {ACKS_A: good, ACKS_B: bad}
    assert heads.failed.keys() == {ACKS_B}
    assert said in heads.failed[ACKS_B]
    assert heads.failed[ACKS_B].startswith(f"{ACKS_B}: ")
    assert "\n" not in heads.failed[ACKS_B]
    assert mirror.read(heads.branch, "file") == b"one"
    assert mirror.files(ACKS_A, good) == {"ledger.json": b"1"}
    with pytest.raises(SourceError):
        mirror.files(ACKS_B, bad)
    newer = mirror.append(ACKS_A, good, {"ledger.json": b"2"}, "Ready")
    # Once the ref is mended, so is the mirror: nobody removes anything by hand.
    mended = place.commit(place.files({"ledger.json": b"3"}))
    place.set(ACKS_B, mended)
    place.clock.now += limits.LONGEST_PAUSE
    heads = mirror.fetch(REFS)
    assert (heads.refs, heads.failed) == ({ACKS_A: newer, ACKS_B: mended}, {})
    assert mirror.files(ACKS_B, mended) == {"ledger.json": b"3"}


def test_folders_on_a_ref_are_passed_over_however_deep(place: Place) -> None:
    tree = place.tree
    for _ in range(3000):
        tree = place.put("tree", b"40000 deep\0" + bytes.fromhex(tree))
    blob = place.put("blob", b"1")
    top = place.put("tree", b"40000 deep\0" + bytes.fromhex(tree) + b"100644 ledger.json\0" + bytes.fromhex(blob))
    value = place.commit(top)
    place.set(ACKS_B, value)
    mirror = place.mirror()
    assert mirror.fetch(REFS).failed == {}
    assert mirror.files(ACKS_B, value) == {"ledger.json": b"1"}


def test_a_long_history_is_followed_and_a_hostile_one_is_not(place: Place) -> None:
    mirror = place.mirror()
    line = [place.commit(place.tree)]
    for number in range(300):
        line.append(place.commit(place.tree, line[-1], message=str(number)))
    line.append(place.commit(place.tree, line[-1], place.head, message="a merge"))
    line.append(place.commit(place.tree, line[-1], message="after it"))
    place.set(ACKS_B, line[-1])
    assert mirror.fetch(REFS).failed == {}
    with pytest.raises(SourceError, match="has 2 parents"):
        mirror.descends(ACKS_B, line[0], line[-1])
    assert mirror.descends(ACKS_B, line[0], line[300])
    assert not mirror.descends(ACKS_B, line[300], line[0])


def test_a_ref_that_fails_is_asked_for_less_and_less_often_whatever_is_pushed_to_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, asked, bring = place.mirror(), list[float](), Remote.bring

    def counted(self: Remote, folder: Path, ref: str, value: str) -> tuple[str, dict[str, bytes]]:
        if ref == ACKS_B:
            asked.append(place.clock.now)
        return bring(self, folder, ref, value)

    monkeypatch.setattr(Remote, "bring", counted)
    start = place.clock.now
    for second in range(100):
        place.set(ACKS_B, place.put("blob", str(second).encode()))
        assert ACKS_B in mirror.fetch(REFS).failed
        place.clock.now += 1.0
    assert [moment - start for moment in asked] == [0, 5, 15, 35, 75]


def test_refs_of_strangers_are_not_fetched(place: Place) -> None:
    hostile = _many_parents(place)
    for number in range(200):
        place.set(f"refs/siteshift/acks/z{number}", hostile)
    mirror = place.mirror()
    assert mirror.fetch(REFS).refs == {}
    assert not (mirror.folder / SITES).exists()


@pytest.mark.parametrize("harm", ["removed", "emptied", "shallow", "no repository"])
def test_a_damaged_copy_of_a_ref_is_made_anew(place: Place, harm: str) -> None:
    first = place.commit(place.files({"ledger.json": b"1"}))
    place.set(ACKS_B, first)
    mirror = place.mirror()
    mirror.fetch(REFS)
    (folder,) = (mirror.folder / SITES).iterdir()
    if harm == "removed":
        shutil.rmtree(folder)
    elif harm == "emptied":
        shutil.rmtree(folder / "objects")
        (folder / "objects" / "pack").mkdir(parents=True)
    elif harm == "shallow":
        (folder / "shallow").write_text(f"{first}\n")
    else:
        (folder / "HEAD").unlink()
    second = place.commit(place.files({"ledger.json": b"2"}), first)
    place.set(ACKS_B, second)
    for _ in range(2):  # what is missing may be noticed by the first fetch only
        heads = mirror.fetch(REFS)
        place.clock.now += limits.FIRST_PAUSE
    assert heads.failed == {}
    assert mirror.files(ACKS_B, second) == {"ledger.json": b"2"}
    assert mirror.descends(ACKS_B, first, second)


def test_a_pack_that_unfolds_without_end_ends_with_its_time(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """100 MB of zeros are 100 KB on the wire; to unfold them takes longer than the time that a ref gets here."""
    place.set(ACKS_B, place.commit(place.files({"ledger.json": b"\0" * 100_000_000})))
    place.git("-c", "pack.depth=0", "repack", "-adq")
    mirror = place.mirror()
    mirror.fetch()
    monkeypatch.setattr("reconciler.git.remote.SITE_REF_SECONDS", 0.01)
    monkeypatch.setattr("reconciler.worker.GRACE", 0.01)
    heads = mirror.fetch(REFS)
    assert "took longer than 0.01 seconds" in heads.failed[ACKS_B]
    assert mirror.read(heads.branch, "file") == b"one"


@pytest.mark.parametrize("passes", [0, 10, 200], ids=["nothing", "a little", "part of the answer"])
@pytest.mark.parametrize("what", ["heads", "fetch", "append", "replace"])
def test_every_exchange_ends_although_packets_vanish(place: Place, passes: int, what: str) -> None:
    asked = (REFS,) if what in ("heads", "fetch") else (ACKS_A, None, {"ledger.json": b"1"}, "x")
    with Link(place.server.port) as link:
        mirror = place.mirror(port=link.port, timeout=0.3)
        head = _patiently(mirror.fetch).branch
        link.passes = passes
        with pytest.raises(SourceError, match=r"took longer than 0.3 seconds|timed out|timeout"):
            getattr(mirror, what)(*asked)
        assert mirror.read(head, "file") == b"one"
        link.passes = None
        assert _patiently(lambda: mirror.fetch(REFS)).branch == head


def _patiently(ask: Callable[[], Heads]) -> Heads:
    """Ask again while the machine is too busy for the short time that an exchange has here."""
    for _ in range(100):
        with suppress(SourceError):
            return ask()
    return ask()


def test_what_is_here_can_be_read_while_an_exchange_hangs(place: Place) -> None:
    with Link(place.server.port) as link:
        mirror = place.mirror(port=link.port)
        ack = mirror.append(ACKS_A, None, {"ledger.json": b"1"}, "Passive")
        head = mirror.fetch(REFS).branch
        link.passes = 0
        raised: list[SourceError] = []

        def hang() -> None:
            try:
                mirror.fetch(REFS)
            except SourceError as error:
                raised.append(error)

        thread = threading.Thread(target=hang)
        thread.start()
        assert mirror.read(head, "file") == b"one"
        assert mirror.files(ACKS_A, ack) == {"ledger.json": b"1"}
        assert mirror.first_parents(head, head) == []
        assert thread.is_alive()
        mirror.close()  # as the kill of its worker does
        thread.join()
        assert raised


def _processes(worker: Worker) -> int:
    process = worker._process
    assert process is not None
    return process.pid


@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_dies_or_stands_still_is_replaced(place: Place, harm: signal.Signals) -> None:
    mirror = place.mirror(timeout=0.3)
    head = _patiently(mirror.fetch).branch
    os.kill(_processes(mirror._remote._worker), harm)
    with suppress(SourceError):
        mirror.fetch()
    assert _patiently(mirror.fetch).branch == head


def test_a_worker_ends_with_its_parent(place: Place) -> None:
    program = (
        "import sys; from reconciler.git.mirror import Mirror; m = Mirror(sys.argv[1], sys.argv[2], branch='main');"
        "m.fetch(); print(m._remote._worker._process.pid, flush=True); import os, signal; "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    url, folder = f"{place.server.url}/fleet.git", str(place.folder / "mirror")
    done = subprocess.run([sys.executable, "-c", program, url, folder], capture_output=True, text=True, check=False)
    worker = int(done.stdout)
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            try:
                os.kill(worker, 0)
            except ProcessLookupError:
                ended.set()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    assert ended.wait(60)


def test_a_push_names_what_it_replaces_at_the_server_too(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ref moves after the server told us its value: the server itself refuses the push."""
    mirror = place.mirror()
    first = mirror.append(ACKS_A, None, {"ledger.json": b"1"}, "Passive")
    rival = place.commit(place.files({"ledger.json": b"9"}), first)
    backend = GitServer.backend

    def racing(self: GitServer, environment: dict[str, str]) -> object:
        if environment["REQUEST_METHOD"] == "POST" and environment["PATH_INFO"].endswith("/git-receive-pack"):
            place.set(ACKS_A, rival)
        return backend(self, environment)

    monkeypatch.setattr(GitServer, "backend", racing)
    for push in (mirror.append, mirror.replace):
        place.set(ACKS_A, first)
        with pytest.raises(PushRefused):
            push(ACKS_A, first, {"ledger.json": b"2"}, "Ready")
        assert mirror.heads(REFS).refs == {ACKS_A: rival}
