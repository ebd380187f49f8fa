"""The site's voice on Git: its heartbeat and its acks, and what it last heard from there.

A push that the server accepted proves freshness (P8), and its moment counts before anything is read: nothing that
others pushed can take it away. Everything else is a fetch. A server that lost what this site said, because it was
restored from a backup, is told again at once (P14).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from reconciler.clock import Clock
from reconciler.errors import ClusterError, PushRefused, SourceError
from reconciler.failover.execute.signatures import Signatures
from reconciler.failover.execute.sites_seen import SeenSite, SitesSeen
from reconciler.failover.protocol.binding import OwnWords
from reconciler.failover.protocol.documents import (
    HEARTBEAT_FILE,
    DocumentError,
    ack_file,
    application_of,
    read_ack,
    write_ack,
    write_heartbeat,
)
from reconciler.failover.protocol.trust import went_back
from reconciler.failover.protocol.values import Ack, Heartbeat, Listing, Running, SiteSeen
from reconciler.fleet.model import Placement, Refs
from reconciler.git.seam import Heads, Repository

REMEMBERED = 1000
"""How many of its last pushes this process remembers."""


@dataclass(frozen=True, slots=True)
class _Beat:
    """The last heartbeat that was accepted: its commit, and what it said."""

    commit: str
    counter: int
    applications: Mapping[str, Running]
    guard: int


Place = Callable[[Ack, str], tuple[bool, Placement | None]]
"""An ack and the branch's head → whether the ack's commit is on the branch, and what it says of the application."""


class SiteCounters(Protocol):
    """What the publisher needs of the site's record in the cluster (`site_record`)."""

    @property
    def cluster(self) -> str:
        """The UID of this cluster."""

    def reserve(self) -> tuple[int, float]:
        """A counter that was never used, written down before it is used, and the API server's time at that moment."""

    def accept(self, at: float) -> None:
        """A heartbeat was accepted whose push began at this moment of the API server's clock."""

    def bound(self, site: str) -> str:
        """The UID of the cluster that a site is bound to ("": not known yet)."""

    def meet(self, site: str, uid: str) -> None:
        """Bind another site to the cluster that it was first heard from."""


class Publisher:
    """One for a site; safe to call from several threads, and reading (`of`, `latest`) never waits for Git.

    `sites` may be replaced when the fleet changes. `latest` is the last listing, without the sites; `accepted_at` when
    (this process's clock, before the push began) a heartbeat was last accepted: only that counts for leases (P6).
    """

    def __init__(
        self,
        repository: Repository,
        site: str,
        sites: tuple[str, ...],
        refs: Refs,
        clock: Clock,
        record: SiteCounters,
        signatures: Signatures | None = None,
    ) -> None:
        self.signatures = signatures or Signatures()
        self.repository = repository
        self.site = site
        self.sites = sites
        self.latest: Listing | None = None
        self.accepted_at: float | None = None
        self._clock = clock
        self._record = record
        self._refs = refs
        self._ack_ref = refs.acks.format(site=site)
        self._beat_ref = refs.heartbeats.format(site=site)
        self._exchanging = threading.Lock()
        self._state = threading.Lock()
        self._seen = SitesSeen(repository, refs, record.bound, self.signatures)
        self._heads: Heads | None = None
        self._taken: Mapping[str, SeenSite] = {}
        self._pushed: deque[tuple[str, str]] = deque(maxlen=REMEMBERED)
        self._spoken: str | None = None
        self._strange = False
        self._last_beat: _Beat | None = None

    def changed(self) -> bool:
        """Whether the server lists anything new: one cheap request, for every second or two during a move."""
        with self._exchanging:
            heads = self.repository.heads(self._names())
            return self._heads is None or (heads.branch, heads.refs) != (self._heads.branch, self._heads.refs)

    def fetch(self) -> Listing:
        """List and read. The listing is a proof only if nothing is new since the one that was."""
        with self._exchanging:
            listing = self._fetch(None)
            beat = self._last_beat
            if beat is not None and self._is_lost(beat):
                with suppress(SourceError, ClusterError):  # the next heartbeat says why
                    return self._beat(beat.applications, beat.guard)
            return listing

    def heartbeat(self, applications: Mapping[str, Running], guard: int) -> Listing:
        """Push the heartbeat and list: the ordinary proof of freshness, once a poll. `guard`: the guard's own counter.
        Raises `SourceError` or `ClusterError` where there is no proof."""
        with self._exchanging:
            if self._heads is None:
                self._fetch(None)
            return self._beat(applications, guard)

    def push(self, ack: Ack, expects: str | None) -> Listing:
        """Push one application's ack, keeping the others', on the value of the ref that the decision rested on, and
        list. Raises `PushRefused` where the ref says something newer about this application."""
        with self._exchanging:
            expected = self._carried(expects, ack.application)
            self._refuse_older(ack, expected)
            files = self.signatures.signed(self.site, {ack_file(ack.application): write_ack(ack)})
            message = f"{ack.application}: {ack.state.value} at epoch {ack.epoch}"
            commit = self.repository.append(self._ack_ref, expected, files, message)
            self._pushed.append((commit, ack.application))
            self._spoken = commit
            self._fetch((self._ack_ref, commit))
        listing = self.of(ack.application)
        assert listing is not None
        return listing

    def of(self, application: str, place: Place | None = None) -> Listing | None:
        """The last listing as one application sees it; None before the first. `place` fills in what the branch says of
        each ack's commit."""
        with self._state:
            if self.latest is None:
                return None
            listing = self.latest
            sites = {site: known.seen(application) for site, known in self._taken.items()}
        return replace(listing, sites={name: _placed(seen, listing.head, place) for name, seen in sites.items()})

    def own_words(self) -> OwnWords:
        """What this site's own refs said when they were last listed."""
        return OwnWords(self._seen.listed(self.site), self._seen.newest(self.site), self._seen.echo(self.site))

    def _beat(self, applications: Mapping[str, Running], guard: int) -> Listing:
        counter, server_time = self._record.reserve()
        plain = {HEARTBEAT_FILE: write_heartbeat(self._heartbeat(counter, guard, applications))}
        document = self.signatures.signed(self.site, plain)
        try:
            began = self._clock.monotonic()
            commit = self._replace(document)
        except PushRefused:
            # The answer to the push before may have been lost: its value is the one to replace.
            self._fetch(None)
            if not self._is_own(counter):
                raise
            began = self._clock.monotonic()
            commit = self._replace(document)
        self.accepted_at = began
        self._last_beat = _Beat(commit, counter, dict(applications), guard)
        with suppress(ClusterError):  # the record then says an earlier moment, which only shortens a lease
            self._record.accept(server_time)
        return self._fetch((self._beat_ref, commit))

    def _names(self) -> tuple[str, ...]:
        patterns = (self._refs.acks, self._refs.heartbeats)
        return tuple(pattern.format(site=site) for site in self.sites for pattern in patterns)

    def _heartbeat(self, counter: int, guard: int, applications: Mapping[str, Running]) -> Heartbeat:
        heads = self._heads
        assert heads is not None
        echo = {site: count for site, count in self._seen.counters().items() if site != self.site}
        ack_head = heads.refs.get(self._ack_ref, "")
        return Heartbeat(counter, self._record.cluster, guard, ack_head, heads.branch, echo, applications)

    def _replace(self, document: Mapping[str, bytes]) -> str:
        assert self._heads is not None
        return self.repository.replace(self._beat_ref, self._heads.refs.get(self._beat_ref), document, "heartbeat")

    def _is_own(self, counter: int) -> bool:
        """Whether what the heartbeat ref holds is an earlier heartbeat of this very cluster."""
        heartbeat = self._seen.listed(self.site)
        return heartbeat is not None and heartbeat.cluster == self._record.cluster and heartbeat.counter < counter

    def _is_lost(self, beat: _Beat) -> bool:
        """Whether the server has none, or an older one, of this cluster's heartbeats in place of the last one."""
        value = None if self._heads is None else self._heads.refs.get(self._beat_ref)
        return value is None or (value != beat.commit and self._is_own(beat.counter))

    def _carried(self, expects: str | None, application: str) -> str | None:
        """The value to push on: the expected one, or what this process made of it since by pushing other applications'
        acks, of which this one's decision knows nothing."""
        if not self._pushed or expects == self._spoken:
            return expects
        later = list(self._pushed)
        values = [value for value, _ in later]
        after = later[values.index(expects) + 1 :] if expects in values else []
        alone = bool(after) and all(name != application for _, name in after)
        return self._spoken if alone else expects

    def _refuse_older(self, ack: Ack, expected: str | None) -> None:
        """Raise `PushRefused` where the ref has a higher sequence for the application, or is not the expected one."""
        if expected is None:
            return
        try:
            name, files = ack_file(ack.application), self.repository.files(self._ack_ref, expected)
            if name not in files or self.signatures.wrong(self.site, name, files):
                return  # what this site did not say is replaced by what it says
            said = read_ack(files[name], name)
        except DocumentError:
            return  # what cannot be read is replaced by what can
        except SourceError as error:
            raise PushRefused(f"the decision rests on an older value of {self._ack_ref}: {error}") from None
        if said.sequence > ack.sequence:
            raise PushRefused(
                f"{self._ack_ref} has sequence {said.sequence} for {ack.application}, this ack has {ack.sequence}"
            )

    def _fetch(self, pushed: tuple[str, str] | None) -> Listing:
        """List and read. `pushed`: the ref and the commit that the server accepted just before."""
        began = self._clock.monotonic()
        heads = self.repository.fetch(self._names())
        if self._spoken is not None and self._is_older(heads, self._spoken):
            with suppress(SourceError):  # then the listing shows what is wrong
                self._speak_again(heads, self._spoken)
                began = self._clock.monotonic()
                heads = self.repository.fetch(self._names())
        proven = pushed is not None and heads.refs.get(pushed[0]) == pushed[1]
        return self._take(heads, began, proven=proven)

    def _is_older(self, heads: Heads, spoken: str) -> bool:
        """Whether this site's own ack ref went back to something that its last words follow."""
        value = heads.refs.get(self._ack_ref)
        if value is None or value == spoken:
            return value is None
        with suppress(SourceError, DocumentError):
            if self.repository.descends(self._ack_ref, value, spoken):
                return True
            if self.repository.descends(self._ack_ref, spoken, value):
                return False
            return not went_back(self._read(value), self._seen.acks(self.site))
        return False

    def _speak_again(self, heads: Heads, spoken: str) -> None:
        """Give the server the lost commits back, or, where they are not here any more, what they said."""
        value = heads.refs.get(self._ack_ref)
        try:
            self.repository.push_commit(self._ack_ref, value, spoken)
        except PushRefused:
            raise
        except SourceError:
            files = {ack_file(name): write_ack(ack) for name, ack in self._seen.acks(self.site).items()}
            signed = self.signatures.signed(self.site, files)
            self._spoken = self.repository.append(self._ack_ref, value, signed, "said again")

    def _read(self, value: str) -> dict[str, Ack]:
        """The acks of a value of this site's own ref."""
        files = self.repository.files(self._ack_ref, value)
        names = {name: application for name in files if (application := application_of(name))}
        for name in names:
            if why := self.signatures.wrong(self.site, name, files):
                raise SourceError(why)
        return {application: read_ack(files[name], name) for name, application in names.items()}

    def _take(self, heads: Heads, began: float, *, proven: bool) -> Listing:
        now = self._clock.monotonic()
        diverged = self._diverged(heads)
        self._seen.take(heads, self.sites, now)
        own = self._seen.listed(self.site)
        with self._state:
            last, before = self.latest, self._heads
            same = before is not None and (heads.branch, heads.refs) == (before.branch, before.refs)
            kept = last if last is not None and last.proven and same and not proven else None
            listing = Listing(
                heads.branch,
                began if kept is None else kept.at,
                proven or kept is not None,
                counter=0 if own is None else own.counter,
                value=heads.refs.get(self._ack_ref),
                diverged=diverged,
            )
            self.latest, self._heads, self._taken = listing, heads, self._seen.sites
        self._meet()
        return listing

    def _diverged(self, heads: Heads) -> str:
        """Why the own ack ref is none of what this process pushed: said when two listings in a row show it."""
        value, spoken = heads.refs.get(self._ack_ref), self._spoken
        if value is None or value == spoken:
            self._strange = False
            return ""
        with suppress(SourceError, DocumentError):
            # A push whose answer was lost, or one of the process before this one.
            follows = spoken is None or self.repository.descends(self._ack_ref, spoken, value)
            if follows and all(ack.cluster == self._record.cluster for ack in self._read(value).values()):
                self._spoken, self._strange = value, False
                return ""
        twice, self._strange = self._strange, spoken is not None
        if not twice or spoken is None:
            return ""
        return f"{self._ack_ref} is at {value[:12]}, which this site did not push; it pushed {spoken[:12]}"

    def _meet(self) -> None:
        """Bind the other sites that are heard for the first time."""
        for site in self._taken:
            heartbeat = self._seen.listed(site)
            if site != self.site and heartbeat is not None and heartbeat.cluster and not self._record.bound(site):
                with suppress(ClusterError):
                    self._record.meet(site, heartbeat.cluster)


def _placed(seen: SiteSeen, head: str, place: Place | None) -> SiteSeen:
    if place is None or seen.ack is None:
        return seen
    on_branch, placement = place(seen.ack, head)
    return replace(seen, on_branch=on_branch, placement=placement)
