"""P19: a cluster is bound to one site of one fleet, and a site to one cluster; one that was restored says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.failover.protocol.values import Ack, Heartbeat
from reconciler.fleet.model import Rebind


@dataclass(frozen=True, slots=True)
class Bound:
    """What the cluster itself says that it is, and the highest counter that it ever gave to a heartbeat. `forgiven`:
    the sequences of the acks that it had forgotten when a commit took it as it was after a restore."""

    fleet: str
    site: str
    cluster: str
    counter: int = 0
    forgiven: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What this site's refs say of it: its heartbeat and its acks as the server has them, and the highest of its
    counters that another site has seen."""

    heartbeat: Heartbeat | None = None
    acks: Mapping[str, Ack] = field(default_factory=dict)
    echo: int = 0

    @property
    def cluster(self) -> str:
        """The UID of the cluster that spoke last for this site ("": none did)."""
        if self.heartbeat is not None:
            return self.heartbeat.cluster
        newest = max(self.acks.values(), key=lambda ack: (ack.epoch, ack.sequence), default=None)
        return "" if newest is None else newest.cluster

    @property
    def counter(self) -> int:
        """The highest counter that this site is known to have used."""
        return max(self.echo, 0 if self.heartbeat is None else self.heartbeat.counter)


def unbound(bound: Bound | None, uid: str, fleet: str, site: str, words: OwnWords, rebind: Rebind | None) -> str:
    """Why the cluster `uid` is not this site's ("": it is, or may become it, where `bound` is None)."""
    if bound is not None and (bound.fleet, bound.site) != (fleet, site):
        return (
            f"cluster {uid} is bound to site {bound.site} of fleet {bound.fleet}, and this controller is told to be "
            f"site {site} of fleet {fleet}: point it at another cluster"
        )
    if rebind is not None:
        if uid != rebind.to:
            return (
                f"site {site} is bound to cluster {rebind.to} by siteshift.yaml, and this is cluster {uid}: "
                f"`siteshift rebind {site}` binds it to this one, once that one is destroyed"
            )
        if words.cluster not in ("", rebind.to, rebind.before):
            return (
                f"siteshift.yaml rebinds site {site} from cluster {rebind.before}, and cluster {words.cluster} spoke "
                f"for it last: `siteshift rebind {site}` names the right one"
            )
        return ""
    before = words.cluster or (uid if bound is None else bound.cluster)
    if uid != before or (bound is not None and uid != bound.cluster):
        other = before if uid != before else bound.cluster if bound is not None else before
        return (
            f"site {site} is bound to cluster {other}, and this is cluster {uid}: `siteshift rebind {site}` binds it "
            "to this one, once that one is destroyed"
        )
    return ""


def restored(
    bound: Bound | None, uid: str, site: str, words: OwnWords, sequences: Mapping[str, int], rebind: Rebind | None
) -> str:
    """Why this cluster is taken for one that was restored from a backup, or for a clone ("": it is not): its memory is
    behind what its own cluster said on Git. `sequences`: those of the journals that can be read, read after the refs; a
    journal that is damaged or gone is that application's trouble alone."""
    if words.cluster != uid or taken_as_it_is(uid, words, rebind):
        return ""
    way_out = f": `siteshift rebind {site}` says what became of the other one"
    if bound is None:
        return f"cluster {uid} spoke for site {site} before, and has forgotten it{way_out}"
    if bound.counter < words.counter:
        return f"cluster {uid} counts {bound.counter} heartbeats, and its refs say {words.counter}{way_out}"
    for application, ack in sorted(words.acks.items()):
        known = max(sequences.get(application, 0), bound.forgiven.get(application, 0))
        if application in sequences and ack.cluster == uid and ack.sequence > known:
            return f"the journal of {application} is at entry {known}, and its ack at {ack.sequence}{way_out}"
    return ""


def taken_as_it_is(uid: str, words: OwnWords, rebind: Rebind | None) -> bool:
    """Whether a commit says of this very restore that the cluster from before is destroyed."""
    return rebind is not None and rebind.before == rebind.to == uid and (rebind.counter or 0) >= words.counter
