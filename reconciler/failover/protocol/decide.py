"""The engine of the failover protocol: draw the conclusions that every step needs, then take the first rule that
fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from reconciler.errors import SiteshiftError
from reconciler.failover.protocol import conditions, facts, proof, source, target
from reconciler.failover.protocol.case import MAY_BE_WRITING, RESTS, Case
from reconciler.failover.protocol.decisions import Blocker, Decision, Wait
from reconciler.failover.protocol.history import Verdict, judge
from reconciler.failover.protocol.knowledge import Knowledge
from reconciler.failover.protocol.lease import is_over, named
from reconciler.failover.protocol.promotions import overtaking
from reconciler.failover.protocol.registry import blockers as missing
from reconciler.failover.protocol.registry import holds
from reconciler.failover.protocol.table import TABLE, Asked
from reconciler.failover.protocol.trust import permitting
from reconciler.failover.protocol.values import (
    Ack,
    AckState,
    Journal,
    Step,
    StopOrder,
)
from reconciler.fleet.model import Lease

Action = Callable[[Case, tuple[Blocker, ...]], Decision]

ACTIONS: Mapping[str, Action] = {
    name: getattr(source, name, None) or getattr(target, name)
    for rules in TABLE.values()
    for rule in rules
    for name in (rule.do, rule.blocked or "nothing")
}
"""The actions that the table names."""

REGISTERED = (facts, conditions, proof)
"""The modules whose facts and conditions the table names: imported here, so that they are registered."""


LOST_ENTRIES = 1000
"""Entries that may have been journaled after the last ack, and of which some paused process may still know."""


class ImpossibleMoveError(SiteshiftError):
    """The table has no such cell, or an action went where its rule does not name: a bug, and nothing is done."""


def decide(k: Knowledge) -> Decision:
    """What this site does now about one application. Pure: equal knowledge, equal decision."""
    case, asked = draw(k)
    bookkeeping = _bookkeeping(case, asked)
    if bookkeeping is not None:
        return bookkeeping
    step = case.journal.step
    who = f"{k.application.name} at {k.site}, {step.value} asked {asked.value}"
    for rule in TABLE.get((step, asked), ()):
        if not all(holds(name, case) for name in rule.when):
            continue
        found = missing(rule.needs, case)
        action = rule.do if not found else rule.blocked or "nothing"
        decision = ACTIONS[action](case, found)
        reached = decision.entry.step if decision.entry else step
        if reached is not step and reached not in rule.then:
            raise ImpossibleMoveError(f"{who}: {action} went to {reached.value}")
        return decision
    raise ImpossibleMoveError(f"{who}: no rule of the table fits")


def draw(k: Knowledge) -> tuple[Case, Asked]:
    """Everything that is concluded from what is known, before any rule."""
    journal = _remembered(k)
    verdict = judge(journal, k.history, k.site, _marks(k), _highest(k, journal))
    newest = verdict.newest.placement if verdict.newest else None
    overtaken_by = overtaking(k, journal, newest)
    known = dict.fromkeys((*journal.stop_orders, *verdict.orders))
    stands = journal.step not in RESTS or journal.primary_since
    orders = tuple(each for each in known if stands and not _lifted(k, journal, each, verdict))
    over = journal.step in MAY_BE_WRITING and is_over(journal.leases or (k.application.lease,), k.lease)
    case = Case(k, journal, verdict, orders, overtaken_by, over)
    asked = _asked(case)
    blind = asked is Asked.HOLD and newest is None and not verdict.freeze and not k.application.suspended
    return replace(case, may_run=blind or asked in (Asked.ASSUME, Asked.YIELD)), asked


def _bookkeeping(case: Case, asked: Asked) -> Decision | None:
    """What the journal must hold before any rule is taken: what the site's own ref remembers, stop orders, leases."""
    if asked in (Asked.NOTHING, Asked.CLOSE):
        return None
    if case.journal.sequence > case.k.journal.sequence:
        return case.decide(entry=case.journal, permit="close")
    begins = case.journal.step in (Step.PROMOTING, Step.STARTING, Step.ACTIVE) and asked is Asked.STOP
    if not begins and set(case.stop_orders) != set(case.journal.stop_orders):
        return case.decide(entry=case.entry(stop_orders=case.stop_orders))
    leases = _leases(case)
    if leases != case.journal.leases:
        return case.decide(entry=case.entry(leases=leases))
    return None


def _leases(case: Case) -> tuple[Lease | None, ...]:
    """P6: all leases since the last one that was named, until a heartbeat that names the longest was accepted."""
    now, lease = case.journal.leases, case.k.application.lease
    if not now or now == (lease,):
        return (lease,)
    if now[-1] != lease:
        return (*(each for each in now if each != lease), lease)
    heartbeat = case.seen(case.k.site).heartbeat
    running = heartbeat.applications.get(case.k.application.name) if heartbeat else None
    accepted = case.k.listing is not None and case.k.listing.proven
    return (lease,) if accepted and running is not None and running.lease == named(now) else now


def _marks(k: Knowledge) -> tuple[str, ...]:
    """The commits that other sites last acted on and that are not on the branch, as their acks say."""
    sites = k.listing.sites.values() if k.listing else ()
    return tuple(seen.ack.commit for seen in sites if seen.ack and not seen.on_branch and seen.ack.site != k.site)


def _highest(k: Knowledge, journal: Journal) -> int:
    """The highest epoch that anyone ever said, but for who follows the newest placement already: the sites accept a
    rewound branch one after the other, and those that did it later must not be held by the word of the first."""
    newest = k.history.placements[-1].placement if k.history and k.history.placements else None
    said = [journal.epoch, journal.promotion.epoch if journal.promotion else 0]
    for seen in k.listing.sites.values() if k.listing else ():
        follows = seen.on_branch and newest is not None and seen.placement == newest
        if seen.ack and not follows:
            said += [seen.ack.epoch, seen.ack.promotion.epoch if seen.ack.promotion else 0]
    return max(said)


def _remembered(k: Knowledge) -> Journal:
    """The higher of the cluster's record and the site's own ack. A cluster that was rebuilt with people's consent does
    not go back; what it runs by its old state is not known, so a former primary begins with stopping."""
    journal = k.journal
    ack = k.listing.sites[k.site].ack if k.listing and k.site in k.listing.sites else None
    if ack is None or ack.sequence <= journal.sequence or k.restored:
        return journal
    restored = Journal(
        sequence=ack.sequence + LOST_ENTRIES,
        epoch=ack.epoch,
        commit=ack.commit,
        promotion=ack.promotion,
        demotion=ack.demotion,
        settled=ack.settled,
        superseded=ack.superseded,
        since=k.server_time,
    )
    return replace(restored, step=Step.STOPPING, role="active") if restored.primary_since else restored


def _lifted(k: Knowledge, journal: Journal, order: StopOrder, verdict: Verdict) -> bool:
    """P3: the site that the disaster epoch named has passed it by without having begun it; or people declare that very
    site down in favour of this one, and nothing writes here any more."""
    seen = k.listing.sites.get(order.site) if k.listing else None
    ack: Ack | None = permitting(seen, order.site) if seen else None
    if ack and ack.settled in (AckState.SUPERSEDED, AckState.PASSIVE) and ack.epoch > order.epoch:
        begun = ack.promotion is not None and ack.promotion.epoch >= order.epoch
        if not begun:
            return True
    newest = verdict.newest.placement if verdict.newest else None
    return (
        newest is not None
        and newest.move == "disaster"
        and newest.active == k.site
        and newest.epoch > order.epoch
        and order.site in newest.declared_down
        and journal.step in (Step.DEMOTING, Step.RESYNCING)
    )


def _asked(case: Case) -> Asked:
    """What is asked of this site: the first that holds, in the order of `Asked`."""
    k, journal, newest = case.k, case.journal, case.verdict.newest
    if k.unbound:
        return Asked.NOTHING
    if k.restored:
        return Asked.CLOSE
    placement = newest.placement if newest else None
    ordered = placement is not None and placement.move == "disaster" and placement.active != k.site
    stopped = journal.step in MAY_BE_WRITING and journal.stopped_for and not _taken_up(case)
    if case.stop_orders or case.overtaken_by or ordered or case.lease_over or stopped:
        return Asked.STOP
    if placement is None or k.application.suspended or (k.listing and k.listing.diverged):
        return Asked.HOLD
    return Asked.ASSUME if placement.active == k.site else Asked.YIELD


def _taken_up(case: Case) -> bool:
    """P3: whether people answered a stop of the guard with a newer epoch for this site, once nothing writes here. The
    proven end may never come: the array that would prove it may be gone."""
    journal, newest = case.journal, case.verdict.newest
    if newest is None or journal.promotion is None or journal.step is not Step.DEMOTING:
        return False
    return newest.placement.active == case.k.site and newest.placement.epoch > journal.promotion.epoch


def waits_of(decision: Decision) -> dict[str, float]:
    """Since when each wait of a decision goes on, for the next `Knowledge.waiting`."""
    return {each.key: each.since for each in decision.waits if isinstance(each, Wait)}
