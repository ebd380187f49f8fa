"""What this site says on Git and what it reads there: acks, heartbeats, and listings with the proof of freshness (P8).

A listing is proven when it was made after a push of this process that the server accepted. How long another site has
been silent is counted here, from this process's own first look on; no clock of another machine is read.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from reconciler.clock import Clock
from reconciler.errors import SourceError
from reconciler.failover.protocol.documents import (
    HEARTBEAT_FILE,
    DocumentError,
    ack_file,
    read_ack,
    read_heartbeat,
    write_ack,
    write_heartbeat,
)
from reconciler.failover.protocol.values import Ack, Listing, Sign
from reconciler.fleet.model import Refs
from reconciler.git.seam import Heads, Repository
from render.errors import TreeError

SUFFIX = ".json"

EVERYTHING = frozenset({"*"})
"""In place of the names of applications whose acks cannot be trusted: all of the site's."""


class Publisher:
    """One for a site; safe to call from several threads. `latest` is the last listing, `accepted_at` when (this
    process's clock, before the push began) a push was last accepted."""

    def __init__(self, repository: Repository, site: str, sites: tuple[str, ...], refs: Refs, clock: Clock) -> None:
        self.repository = repository
        self.site = site
        self.sites = sites
        self.latest: Listing | None = None
        self.accepted_at: float | None = None
        self._refs = refs
        self._clock = clock
        self._lock = threading.Lock()
        self._counter = 0
        self._beats: dict[str, str] = {}
        self._trusted: dict[str, str] = {}
        self._signs: dict[str, Sign] = {}
        self._acks: dict[str, tuple[dict[str, Ack], frozenset[str]]] = {}
        self._said: dict[str, dict[str, Ack]] = {}
        self._distrusted: dict[str, frozenset[str]] = {}

    def fetch(self) -> Listing:
        """A listing without proof: after it `latest` is at least as new as the server answered."""
        with self._lock:
            return self._take(self.repository.fetch(), proven=False)

    def heartbeat(self, exposures: Mapping[str, float]) -> Listing:
        """Push the heartbeat and list: the ordinary proof of freshness, once a poll."""
        with self._lock:
            began = self._clock.monotonic()
            self._counter += 1
            ref = self._refs.heartbeats.format(site=self.site)
            files = {HEARTBEAT_FILE: write_heartbeat(self._counter, exposures)}
            heads = self.repository.push_heartbeat(ref, files)
            self.accepted_at = began
            return self._take(heads, proven=True)

    def push(self, ack: Ack) -> Listing:
        """Push one application's ack on this site's ref, keeping the others', and list."""
        with self._lock:
            began = self._clock.monotonic()
            ref = self._refs.acks.format(site=self.site)
            message = f"{ack.application}: {ack.state.value} at epoch {ack.epoch}"
            files = {ack_file(ack.application): write_ack(ack)}
            heads = self.repository.push_ack(ref, self._trusted.get(self.site), files, message)
            self.accepted_at = began
            return self._take(heads, proven=True)

    def _take(self, heads: Heads, *, proven: bool) -> Listing:
        """What one server listed, read and compared with what was seen before."""
        now = self._clock.monotonic()
        acks: dict[str, dict[str, Ack]] = {}
        distrusted: dict[str, frozenset[str]] = {}
        for site in self.sites:
            commit = heads.refs.get(self._refs.acks.format(site=site))
            moved = commit is not None and commit != self._trusted.get(site)
            descends = commit is None or not moved or self._descends(site, commit)
            if commit is None and site in self._trusted:
                descends = False
            acks[site], unreadable = self._acks_at(commit) if commit else ({}, frozenset())
            if commit is not None and descends and unreadable != EVERYTHING:
                self._trusted[site] = commit
            distrusted[site] = unreadable if descends else EVERYTHING
            self._sign(site, heads.refs.get(self._refs.heartbeats.format(site=site)), moved, now)
        self.latest = Listing(
            heads.branch,
            now,
            proven,
            {},
            dict(self._signs),
            frozenset(site for site, names in distrusted.items() if names == EVERYTHING),
        )
        self._said = acks
        self._distrusted = distrusted
        return self.latest

    def of(self, application: str) -> Listing | None:
        """The last listing as one application sees it: its own acks alone."""
        with self._lock:
            if self.latest is None:
                return None
            acks = {site: each[application] for site, each in self._said.items() if application in each}
            unreadable = {site for site, names in self._distrusted.items() if application in names}
            return replace(self.latest, acks=acks, distrusted=self.latest.distrusted | unreadable)

    def _descends(self, site: str, commit: str) -> bool:
        before = self._trusted.get(site)
        if before is None:
            return True
        try:
            self.repository.first_parents(before, commit)
        except SourceError:  # rewound, or not even a history
            return False
        return True

    def _acks_at(self, commit: str) -> tuple[dict[str, Ack], frozenset[str]]:
        """All acks of a commit, and the applications whose ack cannot be read."""
        if commit not in self._acks:
            if len(self._acks) > 4 * len(self.sites):
                self._acks.clear()
            found: dict[str, Ack] = {}
            unreadable: set[str] = set()
            try:
                names = self.repository.tree(commit).list("")
            except (SourceError, TreeError):
                # One site's damaged ref must not keep another from reading the rest.
                return {}, EVERYTHING
            for name in names:
                if not name.endswith(SUFFIX):
                    continue
                application = name.removesuffix(SUFFIX)
                try:
                    found[application] = read_ack(self.repository.read(commit, name), f"{name} of {commit[:12]}")
                except (DocumentError, TreeError):
                    unreadable.add(application)
            self._acks[commit] = found, frozenset(unreadable)
        return self._acks[commit]

    def _sign(self, site: str, commit: str | None, ack_moved: bool, now: float) -> None:
        before = self._signs.get(site)
        if before is None:
            before = Sign(0, {}, since=now, ack_since=now)
            if commit is not None:
                before = self._beat(before, commit)
        elif commit is not None and commit != self._beats.get(site):
            before = replace(self._beat(before, commit), since=now, witnessed=True)
        if commit is not None:
            self._beats[site] = commit
        self._signs[site] = replace(before, ack_since=now) if ack_moved else before

    def _beat(self, sign: Sign, commit: str) -> Sign:
        """What a heartbeat says; one that cannot be read is still a sign of life, with unknown exposures."""
        try:
            counter, exposures = read_heartbeat(
                self.repository.read(commit, HEARTBEAT_FILE), f"heartbeat {commit[:12]}"
            )
        except (DocumentError, SourceError, TreeError):
            return replace(sign, exposures={})
        return replace(sign, counter=counter, exposures=exposures)
