"""What a site's refs may be believed for: an ack permits only where it is trusted and plausible, and always forbids.

Distrust is about one site's refs as they are seen; plausibility is about one ack and the branch that it speaks of.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.failover.protocol.values import PROMOTION_STATES, Ack, Heartbeat, SiteSeen


def implausible(seen: SiteSeen, site: str) -> str:
    """Why the ack cannot be true ("": it can): its commit is on the branch, the placement there says that epoch, and,
    for a promotion, names that site."""
    ack = seen.ack
    if ack is None:
        return ""
    if not seen.on_branch:
        return f"its ack names commit {ack.commit[:12] or '-'}, which is not on the branch"
    placement = seen.placement
    if placement is None or placement.epoch != ack.epoch:
        said = "no placement" if placement is None else f"epoch {placement.epoch}"
        return f"its ack says epoch {ack.epoch}, and commit {ack.commit[:12]} has {said}"
    if ack.state in PROMOTION_STATES and placement.active != site:
        return f"its ack says {ack.state.value}, and epoch {ack.epoch} names {placement.active}"
    return ""


def permitting(seen: SiteSeen, site: str) -> Ack | None:
    """The ack, if what it permits may be done."""
    return seen.ack if seen.ack and not seen.distrust and not implausible(seen, site) else None


def forbidding(seen: SiteSeen) -> Ack | None:
    """The ack, for what it forbids: trusted or not, plausible or not."""
    return seen.ack


def ack_distrust(ack: Ack, site: str, application: str, bound: str) -> str:
    """Why an ack in this site's file of this application is not its word ("": it is). `bound`: the UID of the cluster
    that the site is bound to ("": none is known yet)."""
    if ack.site != site:
        return f"its ack of {application} says that it is from {ack.site}"
    if ack.application != application:
        return f"its ack of {application} speaks of {ack.application}"
    if bound and ack.cluster != bound:
        return f"its ack of {application} is from cluster {ack.cluster or '-'}, and the site is bound to {bound}"
    return ""


def heartbeat_distrust(heartbeat: Heartbeat, bound: str, highest: int) -> str:
    """Why a heartbeat is not trusted ("": it is). `highest`: the highest counter of the site that was ever seen."""
    if bound and heartbeat.cluster != bound:
        return f"its heartbeat is from cluster {heartbeat.cluster or '-'}, and the site is bound to {bound}"
    if heartbeat.counter < highest:
        return f"the counter of its heartbeat fell from {highest} to {heartbeat.counter}"
    return ""


def fell(before: Ack | None, now: Ack | None) -> str:
    """Why an ack cannot follow the one before, on whatever line of commits: its sequence fell, or it is gone."""
    if before is None:
        return ""
    if now is None:
        return f"its ack of {before.application} is gone"
    if now.sequence < before.sequence:
        return f"the sequence of its ack of {before.application} fell from {before.sequence} to {now.sequence}"
    return ""


def went_back(before: Mapping[str, Ack], now: Mapping[str, Ack]) -> str:
    """Why acks on a ref that lost its history cannot be taken for later ones ("": each says the same or has gone on).

    A site that speaks again to a restored server, without the commits that were lost, has a higher sequence wherever
    it says something else.
    """
    for application, ack in before.items():
        later = now.get(application)
        if later is None or later.sequence < ack.sequence or (later.sequence == ack.sequence and later != ack):
            return f"the history of its acks went back, and what it said of {application} is not followed"
    return ""
