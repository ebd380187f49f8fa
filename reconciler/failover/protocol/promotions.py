"""Who was promoted last, whether its data is here, and whether that makes this site one that must stop."""

from __future__ import annotations

from reconciler.failover.protocol.case import Case
from reconciler.failover.protocol.knowledge import Knowledge
from reconciler.failover.protocol.trust import permitting
from reconciler.failover.protocol.values import (
    Ack,
    Journal,
    Promotion,
    Step,
)
from reconciler.fleet.model import Placement
from reconciler.replica import ReplicaRole


def own_promotion(journal: Journal) -> Promotion | None:
    """This site's last promotion; while one is under way, the one before it."""
    return journal.before if journal.step is Step.PROMOTING else journal.promotion


def last_primary(case: Case) -> tuple[str, Promotion] | None:
    """The site that was last primary and its promotion, by the epochs of all acks that can be read; None where none
    ever was."""
    found: dict[str, Promotion] = {}
    for site, seen in case.k.listing.sites.items() if case.k.listing else ():
        if site != case.k.site and seen.ack and seen.ack.promotion:
            found[site] = seen.ack.promotion
    own = own_promotion(case.journal)
    if own is not None:
        found[case.k.site] = own
    if not found:
        return None
    site = max(sorted(found), key=lambda each: (found[each].epoch, each == case.k.site))
    return site, found[site]


def data_is_here(case: Case) -> bool:
    """P4: the proof of the data, from a trusted ack that was made after that promotion."""
    last = last_primary(case)
    replica = case.k.replica
    if last is None or last[0] == case.k.site or (replica and replica.role is ReplicaRole.ANY):
        return True
    site, promotion = last
    ack = permitting(case.seen(site), site)
    demotion = ack.demotion if ack else None
    if demotion is None or demotion.ended != promotion or demotion.sequence <= promotion.sequence:
        return False
    reached = demotion.token is not None and replica is not None and replica.token == demotion.token
    return case.k.site in demotion.complete or reached


def proof_is_over(case: Case) -> bool:
    """Whether the last primary has said all that it will say of that promotion's end, without a proof for this site."""
    last = last_primary(case)
    ack = permitting(case.seen(last[0]), last[0]) if last else None
    demotion = ack.demotion if ack else None
    return demotion is not None and last is not None and demotion.ended == last[1] and demotion.token is None


def overtaking(k: Knowledge, journal: Journal, newest: Placement | None) -> Ack | None:
    """The ack of a site that was promoted after this one: this site's replica is behind. Taken only from a plausible
    ack: a forged one must not stop production. A site that the newest epoch declares down in this one's favour does
    not count."""
    if journal.promotion is None or not journal.primary_since:
        return None
    down: tuple[str, ...] = ()
    if newest and newest.active == k.site and newest.move == "disaster":
        down = newest.declared_down
    later: list[tuple[int, Ack]] = []
    for site, seen in k.listing.sites.items() if k.listing else ():
        ack = permitting(seen, site)
        if site in (k.site, *down) or ack is None or ack.promotion is None:
            continue
        if ack.promotion.epoch > journal.promotion.epoch:
            later.append((ack.promotion.epoch, ack))
    return max(later, key=lambda each: each[0], default=(0, None))[1]
