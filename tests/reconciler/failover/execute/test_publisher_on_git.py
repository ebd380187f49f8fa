"""The same words over a real Git server: two sites, hostile objects, a restored server, answers that are lost."""

from __future__ import annotations

import subprocess
import zlib
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path

import pytest

from reconciler.errors import SourceError
from reconciler.failover.execute.publisher import Publisher
from reconciler.failover.execute.signatures import Signatures
from reconciler.failover.protocol.values import AckState, Listing
from reconciler.fleet.model import Refs
from reconciler.git.mirror import Mirror
from sandbox.gitserver import Faults, GitServer

from .publishing import ACKS_OF_B, BEATS_OF_B, MemoryRecord, TestClock, ack


class Place:
    """A real Git server with a branch, and the publishers of a and b."""

    def __init__(self, folder: Path) -> None:
        self.bare, self.folder, self.clock = folder / "fleet.git", folder, TestClock()
        self.server = GitServer(folder, users={"a": "a", "b": "b"}).start()
        self.server.create("fleet.git")
        self.tree = self.git("mktree")
        self.git("update-ref", "refs/heads/main", self.commit())
        self.mirrors: list[Mirror] = []
        self.records = {site: MemoryRecord(f"uid-{site}", site) for site in ("a", "b")}
        self.a, self.b = (self.process(site) for site in ("a", "b"))

    def process(self, site: str, signatures: Signatures | None = None) -> Publisher:
        """Another controller of a site, with no mirror yet."""
        credentials = self.folder / f"credentials-{site}"
        credentials.write_text(f"http://{site}:{site}@127.0.0.1:{self.server.port}\n")
        url, folder = f"{self.server.url}/fleet.git", self.folder / f"mirror{len(self.mirrors)}"
        self.mirrors.append(Mirror(url, folder, branch="main", credentials=credentials, clock=self.clock))
        return Publisher(self.mirrors[-1], site, ("a", "b"), Refs(), self.clock, self.records[site], signatures)

    def close(self) -> None:
        for mirror in self.mirrors:
            mirror.close()
        self.server.stop()

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
        done = subprocess.run(
            ["git", *who, *words], cwd=self.bare, check=True, capture_output=True, text=True, input=""
        )
        return done.stdout.strip()

    def commit(self) -> str:
        return self.git("commit-tree", "-m", "x", self.tree)

    def many_parents(self) -> str:
        parents = f"parent {self.commit()}\n" * 70_000
        who = "T <t@example.com> 1 +0000"
        content = f"tree {self.tree}\n{parents}author {who}\ncommitter {who}\n\nx\n".encode()
        data = f"commit {len(content)}\0".encode() + content
        name = sha1(data, usedforsecurity=False).hexdigest()
        path = self.bare / "objects" / name[:2] / name[2:]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(zlib.compress(data))
        return name


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


def of(publisher: Publisher) -> Listing:
    listing = publisher.of("ledger")
    assert listing is not None
    return listing


def test_two_sites_hear_each_other(place: Place) -> None:
    assert place.a.heartbeat({}, 1).proven
    place.b.heartbeat({}, 1)
    assert place.b.push(ack("b", AckState.PASSIVE), None).proven
    assert place.b.push(ack("b", AckState.READY, sequence=2), of(place.b).value).proven
    assert place.a.changed()
    place.a.fetch()
    seen = of(place.a).sites["b"]
    assert (seen.ack, seen.distrust) == (ack("b", AckState.READY, sequence=2), "")
    place.a.heartbeat({}, 2)
    place.b.fetch()
    heard = of(place.b).sites["a"].heartbeat
    assert heard is not None
    assert (heard.counter, heard.guard, heard.echo) == (2, 2, {"b": 1})


@pytest.mark.parametrize("ref", [ACKS_OF_B, BEATS_OF_B])
def test_a_hostile_ref_of_one_site_costs_the_others_nothing(place: Place, ref: str) -> None:
    place.b.heartbeat({}, 1)
    place.b.push(ack("b", AckState.PASSIVE), None)
    place.a.heartbeat({}, 1)
    assert of(place.a).sites["b"].distrust == ""
    good = place.git("rev-parse", ref)
    place.git("update-ref", ref, place.many_parents())
    place.clock.now += 1
    assert place.a.heartbeat({}, 2).proven
    assert place.a.accepted_at == place.clock.now
    assert "bytes, expected" in of(place.a).sites["b"].distrust
    assert of(place.a).sites["a"].distrust == ""
    assert place.a.push(ack("a", AckState.PASSIVE), None).proven
    place.git("update-ref", ref, good)
    place.a.fetch()
    assert of(place.a).sites["b"].distrust == ""


@pytest.mark.parametrize("mirror", ["kept", "gone"])
def test_a_restored_server_hears_everything_again(place: Place, mirror: str) -> None:
    place.b.heartbeat({}, 1)
    place.b.push(ack("b", AckState.PASSIVE), None)
    old = {ref: place.git("rev-parse", ref) for ref in (ACKS_OF_B, BEATS_OF_B)}
    place.b.push(ack("b", AckState.ACTIVE, sequence=2), of(place.b).value)
    place.b.heartbeat({}, 2)
    place.a.fetch()
    for ref, value in old.items():
        place.git("update-ref", ref, value)
    place.a.fetch()
    assert of(place.a).sites["b"].distrust
    if mirror == "gone":
        place.mirrors[1]._refs._brought.clear()
        for path in (place.mirrors[1].folder / "site-refs").iterdir():
            path.rename(path.with_name(f"{path.name}-gone"))
    assert place.b.fetch().diverged == ""
    place.a.fetch()
    seen = of(place.a).sites["b"]
    assert (seen.distrust, seen.ack) == ("", ack("b", AckState.ACTIVE, sequence=2))
    assert seen.heartbeat is not None
    assert (seen.heartbeat.counter, seen.heartbeat.guard) == (3, 2)


def test_a_new_process_without_a_mirror_goes_on(place: Place) -> None:
    place.b.heartbeat({}, 1)
    place.b.push(ack("b", AckState.PASSIVE), None)
    successor = place.process("b")
    assert successor.heartbeat({}, 1).counter == 2
    assert successor.push(ack("b", AckState.READY, sequence=2), of(successor).value).proven
    assert successor.own_words().acks == {"ledger": ack("b", AckState.READY, sequence=2)}


def test_answers_that_are_lost_are_found_again(place: Place) -> None:
    place.b.heartbeat({}, 1)
    place.server.faults = Faults(lose_answers=frozenset({"b"}))
    with pytest.raises(SourceError):
        place.b.heartbeat({}, 2)
    with pytest.raises(SourceError):
        place.b.push(ack("b", AckState.PASSIVE), None)
    place.server.faults = Faults()
    assert place.b.heartbeat({}, 3).counter == 3
    listing = of(place.b)
    assert (listing.diverged, listing.sites["b"].ack) == ("", ack("b", AckState.PASSIVE))
    assert place.b.push(ack("b", AckState.READY, sequence=2), listing.value).proven


def test_a_site_that_may_only_read_hears_and_proves_nothing(place: Place) -> None:
    place.b.heartbeat({}, 1)
    place.server.faults = Faults(read_only=frozenset({"a"}))
    with pytest.raises(SourceError):
        place.a.heartbeat({}, 1)
    assert place.a.accepted_at is None
    assert not of(place.a).proven
    assert of(place.a).sites["b"].heartbeat is not None


def test_a_signed_word_is_believed_and_one_that_another_user_pushed_is_not(place: Place, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    keys = {"b": (key.with_suffix(".pub").read_text().strip(),)}
    a, b = place.process("a", Signatures(keys=keys)), place.process("b", Signatures(key, keys))
    b.heartbeat({}, 1)
    b.push(ack("b", AckState.PASSIVE), b.fetch().value)
    a.fetch()
    listing = a.of("ledger")
    assert listing is not None
    assert (listing.sites["b"].distrust, listing.sites["b"].ack) == ("", ack("b", AckState.PASSIVE))

    stranger = place.process("b")
    stranger.push(ack("b", AckState.ACTIVE, epoch=2, sequence=99), stranger.fetch().value)
    a.fetch()
    listing = a.of("ledger")
    assert listing is not None
    assert listing.sites["b"].distrust.startswith("its ledger.json is signed by none of the keys")
    assert listing.sites["b"].ack == ack("b", AckState.PASSIVE)
