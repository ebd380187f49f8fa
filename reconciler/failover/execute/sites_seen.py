"""The sites' refs as one process sees them: what each says, when it was last seen to move, and why it is not trusted.

What is wrong with one site's refs is that site's. Times are of this process's clock; a new process begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.errors import SourceError
from reconciler.failover.execute.signatures import Signatures
from reconciler.failover.protocol import trust
from reconciler.failover.protocol.documents import (
    HEARTBEAT_FILE,
    DocumentError,
    application_of,
    read_ack,
    read_heartbeat,
)
from reconciler.failover.protocol.values import Ack, Heartbeat, SiteSeen
from reconciler.fleet.model import Refs
from reconciler.git.seam import Heads, Repository

Acks = dict[str, Ack]


@dataclass(slots=True)
class SeenSite:
    """What is known of one site. `heartbeat_value`, `ack_value`: the refs' last listed values; `listed`: the heartbeat
    that the server has now, `heartbeat` the newest one that could be read; `trusted`: the last ack
    value whose history was followed, `acks` what it said; `highest`: of each application the ack with the highest
    sequence, `bad` why those of some applications are not trusted; the two `…_distrust` are about the whole site.
    `highest_counter` is that of the cluster `counted`. `bound` and `keys`: the cluster and the
    keys that all this was judged by."""

    heartbeat_since: float
    guard_since: float
    ack_since: float
    heartbeat_value: str | None = None
    heartbeat: Heartbeat | None = None
    listed: Heartbeat | None = None
    heartbeat_distrust: str = ""
    highest_counter: int = 0
    counted: str = ""
    bound: str = ""
    keys: tuple[str, ...] = ()
    witnessed: bool = False
    ack_value: str | None = None
    ack_distrust: str = ""
    trusted: str | None = None
    acks: Acks = field(default_factory=dict)
    highest: Acks = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)

    def seen(self, application: str) -> SiteSeen:
        """The site as it matters to one application."""
        return SiteSeen(
            ack=self.highest.get(application),
            distrust=self.heartbeat_distrust or self.ack_distrust or self.bad.get(application, ""),
            heartbeat=self.heartbeat,
            heartbeat_since=self.heartbeat_since,
            guard_since=self.guard_since,
            ack_since=self.ack_since,
            witnessed=self.witnessed,
        )

    def copy(self) -> SeenSite:
        """A copy that shares nothing that changes."""
        return replace(self, acks=dict(self.acks), highest=dict(self.highest), bad=dict(self.bad))


class SitesSeen:
    """`bound(site)`: the UID of the cluster that a site is bound to ("": not known yet). One thread at a time may
    `take`; the others read what was known before, whatever that waits for."""

    def __init__(
        self, repository: Repository, refs: Refs, bound: Callable[[str], str], signatures: Signatures | None = None
    ) -> None:
        self._signatures = signatures or Signatures()
        self._repository = repository
        self._refs = refs
        self._bound = bound
        self._sites: Mapping[str, SeenSite] = {}

    def take(self, heads: Heads, sites: tuple[str, ...], now: float) -> None:
        """Read what one server listed, at `now` by this process's clock, and compare it with what was seen before."""
        taken = dict(self._sites)
        for site in sites:
            first = site not in taken
            known = SeenSite(now, now, now) if first else taken[site].copy()
            bound, keys = self._bound(site), self._signatures.keys.get(site, ())
            judge, known.bound = known.bound != bound, bound
            if keys != known.keys:
                # What a key said that does not count any more must not be remembered either.
                judge, known.keys, known.trusted = True, keys, None
                known.acks, known.highest, known.bad, known.heartbeat = {}, {}, {}, None
                known.highest_counter, known.counted = 0, ""
            self._take_heartbeat(site, known, heads, now, first=first, judge=judge)
            self._take_acks(site, known, heads, now, first=first, judge=judge)
            taken[site] = known
        self._sites = {site: taken[site] for site in sites}

    @property
    def sites(self) -> Mapping[str, SeenSite]:
        """All sites as they were last taken; nothing in it changes any more."""
        return self._sites

    def counters(self) -> dict[str, int]:
        """The highest counter of each site that was ever trusted, for the echo."""
        return {site: known.highest_counter for site, known in self._sites.items() if known.counted}

    def echo(self, site: str) -> int:
        """The highest of a site's counters that another site says that it has seen (0: none)."""
        beats = [known.heartbeat for name, known in self._sites.items() if name != site and known.heartbeat is not None]
        return max((beat.echo.get(site, 0) for beat in beats), default=0)

    def listed(self, site: str) -> Heartbeat | None:
        """The heartbeat of a site that the server has now, if it can be read."""
        known = self._sites.get(site)
        return None if known is None else known.listed

    def acks(self, site: str) -> Mapping[str, Ack]:
        """What a site's ref said when its history was last followed."""
        known = self._sites.get(site)
        return {} if known is None else dict(known.acks)

    def newest(self, site: str) -> Mapping[str, Ack]:
        """Of each application the ack with the highest sequence, trusted or not."""
        known = self._sites.get(site)
        return {} if known is None else dict(known.highest)

    def _take_heartbeat(
        self, site: str, known: SeenSite, heads: Heads, now: float, *, first: bool, judge: bool
    ) -> None:
        ref = self._refs.heartbeats.format(site=site)
        value = heads.refs.get(ref)
        if value is None:
            known.listed = None
            return
        if value != known.heartbeat_value:
            if not first:
                # Whatever it holds: who pushed it is alive, and may have kept a lease by it.
                known.heartbeat_since, known.witnessed = now, True
            known.heartbeat_value, judge = value, True
        if judge or known.heartbeat_distrust:
            known.heartbeat_distrust = self._read_heartbeat(site, known, heads, now)

    def _read_heartbeat(self, site: str, known: SeenSite, heads: Heads, now: float) -> str:
        """Read the listed heartbeat into what is known; returns why it is not trusted."""
        ref, value = self._refs.heartbeats.format(site=site), known.heartbeat_value
        assert value is not None
        known.listed = None
        if ref in heads.failed:
            return f"its heartbeat is not taken in: {heads.failed[ref]}"
        try:
            files = self._repository.files(ref, value)
            content = files.get(HEARTBEAT_FILE)
            if content is None:
                return f"its heartbeat {value[:7]} holds no {HEARTBEAT_FILE}"
            if why := self._signatures.wrong(site, HEARTBEAT_FILE, files):
                return why
            heartbeat = read_heartbeat(content, f"{HEARTBEAT_FILE} of {value[:7]}")
        except (DocumentError, SourceError) as error:
            return f"its heartbeat cannot be read: {error}"
        known.listed = heartbeat
        highest = known.highest_counter if heartbeat.cluster == known.counted else 0
        distrust = trust.heartbeat_distrust(heartbeat, known.bound, highest)
        if heartbeat.counter < highest:
            return distrust
        if known.heartbeat is None or heartbeat.guard != known.heartbeat.guard:
            known.guard_since = now
        known.heartbeat = heartbeat
        if not distrust:
            known.highest_counter, known.counted = heartbeat.counter, heartbeat.cluster
        return distrust

    def _take_acks(self, site: str, known: SeenSite, heads: Heads, now: float, *, first: bool, judge: bool) -> None:
        ref = self._refs.acks.format(site=site)
        value = heads.refs.get(ref)
        if value != known.ack_value and not first:
            known.ack_since = now
        if value is None:
            known.ack_distrust = "its ack ref is gone" if known.trusted else ""
        elif judge or value != known.ack_value or known.ack_distrust or known.bad:
            known.ack_distrust = self._read_acks(site, known, heads, ref, value)
        known.ack_value = value

    def _read_acks(self, site: str, known: SeenSite, heads: Heads, ref: str, value: str) -> str:
        """Read the listed acks into what is known; returns why the site is not trusted."""
        if ref in heads.failed:
            return f"its acks are not taken in: {heads.failed[ref]}"
        try:
            found, bad = self._acks(site, known.bound, ref, value)
            follows = known.trusted in (None, value) or self._repository.descends(ref, known.trusted or "", value)
        except SourceError as error:
            return f"its acks cannot be read: {error}"
        for application, ack in found.items():
            before = known.highest.get(application)
            if before is None or ack.sequence >= before.sequence:
                known.highest[application] = ack
        if not follows and (why := trust.went_back(known.acks, found)):
            return why
        fallen = {name: trust.fell(before, found.get(name)) for name, before in known.acks.items() if name not in bad}
        known.bad = {**{name: why for name, why in fallen.items() if why}, **bad}
        known.trusted = value
        known.acks = {**known.acks, **{name: ack for name, ack in found.items() if name not in known.bad}}
        return ""

    def _acks(self, site: str, bound: str, ref: str, value: str) -> tuple[Acks, dict[str, str]]:
        """All acks of a commit that can be read, and why some are not trusted."""
        found, bad = Acks(), dict[str, str]()
        files = self._repository.files(ref, value)
        for name, content in files.items():
            application = application_of(name)
            if application is None:
                continue
            if why := self._signatures.wrong(site, name, files):
                bad[application] = why
                continue
            try:
                ack = read_ack(content, f"{name} of {value[:7]}")
            except DocumentError as error:
                bad[application] = f"its ack of {application} cannot be read: {error}"
                continue
            if ack.site == site and ack.application == application:
                found[application] = ack
            if why := trust.ack_distrust(ack, site, application, bound):
                bad[application] = why
        return found, bad
