"""What a site's acks may be believed for: an ack permits only where it is trusted and plausible."""

from __future__ import annotations

from reconciler.failover.protocol.values import PROMOTION_STATES, Ack, SiteSeen


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
