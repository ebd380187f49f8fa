"""A site whose keys siteshift.yaml names is believed by its signature alone: not by who could push its refs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.errors import SourceError
from reconciler.failover.execute.publisher import Publisher
from reconciler.failover.execute.signatures import Signatures
from reconciler.failover.protocol.documents import ack_file, write_ack, write_heartbeat
from reconciler.failover.protocol.values import AckState, Heartbeat, SiteSeen
from reconciler.git.memory import Commit, MemoryRepository

from .publishing import ACKS_OF_A, ACKS_OF_B, BEATS_OF_B, Refs, Sites, ack

FILE = ack_file("ledger")


class Keys:
    """Private keys by name, and the public half of each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def private(self, name: str) -> Path:
        path = self._folder / name
        if not path.exists():
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
            subprocess.run(words, check=True)
        return path

    def public(self, name: str) -> str:
        return self.private(name).with_suffix(".pub").read_text().strip()


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


class SignedSites(Sites):
    """Sites of which each signs with a key of its own, `a` and `b`, and knows the other's."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        super().__init__()

    def process(self, site: str, key: str | None = None) -> Publisher:
        signatures = Signatures(
            self.keys.private(key or site), {name: (self.keys.public(name),) for name in ("a", "b")}
        )
        repository = MemoryRepository(self.server)
        return Publisher(repository, site, ("a", "b"), Refs(), self.clock, self.records[site], signatures)

    def seen(self, site: str = "b") -> SiteSeen:
        """What a knows of a site after a fetch."""
        self.a.fetch()
        listing = self.a.of("ledger")
        assert listing is not None
        return listing.sites[site]

    def forge(self, ref: str, files: dict[str, bytes]) -> None:
        parents = (self.server.refs[ref],) if ref in self.server.refs else ()
        self.server.refs[ref] = self.server.add(Commit(files, "forged", parents))


@pytest.fixture
def sites(keys: Keys) -> SignedSites:
    made = SignedSites(keys)
    made.b.heartbeat({}, 1)
    made.say(made.b, ack("b", AckState.PASSIVE, sequence=3))
    return made


def test_what_a_site_has_signed_is_believed(sites: SignedSites) -> None:
    found = sites.seen()
    assert found.distrust == ""
    assert found.ack is not None
    assert found.heartbeat is not None


FORGED = ack("b", AckState.ACTIVE, epoch=2, sequence=99)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("unsigned", "its ledger.json is not signed, and siteshift.yaml names keys of site b"),
        ("another key", "its ledger.json is signed by none of the keys that siteshift.yaml names for site b"),
        ("another site's", "its ledger.json is signed by none of the keys that siteshift.yaml names for site b"),
        ("an older signature", "its ledger.json is signed by none of the keys that siteshift.yaml names for site b"),
        ("no signature at all", "its ledger.json is signed by none of the keys that siteshift.yaml names for site b"),
    ],
)
def test_a_forged_ack_permits_and_forbids_nothing_and_one_line_says_why(
    sites: SignedSites, keys: Keys, how: str, said: str
) -> None:
    before, files = sites.seen().ack, {FILE: write_ack(FORGED)}
    if how == "another key":
        files = Signatures(keys.private("stranger")).signed("b", files)
    elif how == "another site's":
        files = Signatures(keys.private("b")).signed("a", files)
    elif how == "an older signature":
        files |= {f"{FILE}.sig": sites.server.commits[sites.server.refs[ACKS_OF_B]].files[f"{FILE}.sig"]}
    elif how == "no signature at all":
        files |= {f"{FILE}.sig": b"-----BEGIN SSH SIGNATURE-----\n"}
    sites.forge(ACKS_OF_B, files)

    found = sites.seen()
    assert found.distrust == said
    assert found.ack == before, "its high sequence is not remembered"
    assert sites.seen("a").distrust == ""


def test_an_older_word_of_the_site_itself_is_no_newer_one(sites: SignedSites) -> None:
    older = dict(sites.server.commits[sites.server.refs[ACKS_OF_B]].files)
    sites.say(sites.b, ack("b", AckState.PASSIVE, epoch=2, sequence=4))
    assert sites.seen().distrust == ""
    sites.forge(ACKS_OF_B, older)
    assert sites.seen().distrust == "the sequence of its ack of ledger fell from 4 to 3"


def test_a_forged_heartbeat_is_not_taken_in(sites: SignedSites) -> None:
    before = sites.seen().heartbeat
    sites.forge(BEATS_OF_B, {"heartbeat.json": write_heartbeat(Heartbeat(99, "uid-b", 9))})
    found = sites.seen()
    assert found.distrust == "its heartbeat.json is not signed, and siteshift.yaml names keys of site b"
    assert found.heartbeat == before
    sites.records["b"].counter = 5
    sites.b.fetch()
    sites.b.heartbeat({}, 2)
    assert sites.seen().distrust == "", "the site's next word is believed again"


def test_a_site_does_not_believe_a_forged_sequence_on_its_own_ref(sites: SignedSites) -> None:
    sites.say(sites.a, ack("a", AckState.ACTIVE, sequence=5))
    sites.forge(ACKS_OF_A, {FILE: write_ack(ack("a", AckState.PASSIVE, epoch=9, sequence=2**40))})
    again = sites.process("a")
    listing = again.fetch()
    assert again.own_words().acks == {}
    again.push(ack("a", AckState.ACTIVE, sequence=6), listing.value)
    again.fetch()
    assert again.own_words().acks["ledger"].sequence == 6


def test_a_key_is_changed_without_a_gap_and_counts_no_more_once_it_is_taken_out(sites: SignedSites, keys: Keys) -> None:
    old, new = keys.public("b"), keys.public("b-2")
    sites.a.signatures.keys = {"b": (old, new)}
    assert sites.seen().distrust == ""
    changed = sites.process("b", key="b-2")
    changed.signatures.keys = {"b": (old, new)}
    changed.fetch()
    sites.say(changed, ack("b", AckState.PASSIVE, sequence=4))
    changed.heartbeat({}, 2)
    assert sites.seen().distrust == ""

    sites.a.signatures.keys = {"b": (new,)}
    found = sites.seen()
    assert found.distrust == ""
    assert found.ack is not None
    sites.a.signatures.keys = {"b": (old,)}
    found = sites.seen()
    assert "is signed by none of the keys" in found.distrust
    assert (found.ack, found.heartbeat) == (None, None)


def test_a_key_that_cannot_sign_says_nothing(sites: SignedSites, tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("no key")
    (tmp_path / "broken").chmod(0o600)
    with pytest.raises(SourceError, match=r"the key .*broken does not sign: "):
        Signatures(tmp_path / "broken").signed("a", {"x": b""})
