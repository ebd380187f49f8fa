"""The engine of the failover protocol: draw the conclusions that every step needs, look up the cell, ask it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.errors import SiteshiftError
from reconciler.failover.protocol import source, target
from reconciler.failover.protocol.case import Case
from reconciler.failover.protocol.conditions import Obstacle, own_ack, superior, wait
from reconciler.failover.protocol.decisions import Decision, Hold, State
from reconciler.failover.protocol.history import Verdict, judge
from reconciler.failover.protocol.table import MAY_BE_WRITING, RUNS, TRANSITIONS, Action, Asked
from reconciler.failover.protocol.values import Ack, AckState, Journal, Knowledge, Step, StopOrder


class ImpossibleMoveError(SiteshiftError):
    """The table has no such cell, or a cell went where it says that it never goes: a bug, and nothing is done."""


def decide(k: Knowledge) -> Decision:
    """What this site does now about one application. Pure: equal knowledge, equal decision."""
    case = draw(k)
    if case.journal.sequence > k.journal.sequence:
        return case.decide(state=State.WAITING, entry=case.journal, effects=source.shut(case))
    if _obligations_changed(case):
        return case.decide(entry=case.marked(stop_orders=case.stop_orders, discard=case.verdict.discard))
    step = case.journal.step
    who = f"{k.application.name} at {k.site}"
    cell = TRANSITIONS.get((step, case.asked))
    if cell is None:
        raise ImpossibleMoveError(f"{who}: nothing is said for {step.value} asked {case.asked.value}")
    decision = ACTIONS[cell.action](case)
    if decision.entry and decision.entry.step not in cell.then | {step}:
        raise ImpossibleMoveError(f"{who}: {cell.action.value} went from {step.value} to {decision.entry.step.value}")
    return decision


def draw(k: Knowledge) -> Case:
    """Everything that is concluded from what is known, before any step."""
    journal = _remembered(k.journal, own_ack(k), k.server_time)
    verdict = judge(journal, k.history, k.site)
    newest = verdict.newest.placement if verdict.newest else None
    behind = superior(k, journal, newest) if journal.primary_since else None
    known = dict.fromkeys((*journal.stop_orders, *verdict.stop_orders))
    standing = tuple(each for each in known if journal.primary_since and not _lifted(k, journal, each, verdict))
    return Case(k, journal, verdict, standing, _asked(k, journal, verdict, standing, behind), behind)


def _remembered(journal: Journal, ack: Ack | None, server_time: float) -> Journal:
    """The higher of the cluster's record and the site's own ack: a cluster that was rebuilt or restored does not go
    back. What it runs by its old state is not known, so a former primary begins with stopping."""
    if ack is None or ack.sequence <= journal.sequence:
        return journal
    restored = Journal(
        sequence=ack.sequence + 1,
        epoch=ack.epoch,
        commit=ack.commit,
        primary=ack.primary,
        before=ack.primary,
        demotion=ack.demotion,
        since=server_time,
    )
    if not restored.primary_since:
        return restored
    return Journal(
        sequence=restored.sequence,
        epoch=restored.epoch,
        commit=restored.commit,
        step=Step.STOPPING,
        role="active",
        primary=restored.primary,
        before=restored.before,
        demotion=restored.demotion,
        since=server_time,
    )


def _lifted(k: Knowledge, journal: Journal, stop_order: StopOrder, verdict: Verdict) -> bool:
    """P3: the site that the disaster epoch named has passed it by without having begun it; or people declare that very
    site down in favour of this one, and nothing writes here any more."""
    ack = k.listing.acks.get(stop_order.site) if k.listing else None
    if ack and ack.settled in (AckState.SUPERSEDED, AckState.PASSIVE):
        trusted = k.listing is not None and stop_order.site not in k.listing.distrusted
        if trusted and ack.epoch > stop_order.epoch and ack.primary < stop_order.epoch:
            return True
    newest = verdict.newest.placement if verdict.newest else None
    return (
        newest is not None
        and newest.move == "disaster"
        and newest.active == k.site
        and newest.epoch > stop_order.epoch
        and stop_order.site in newest.declared_down
        and journal.step is Step.DEMOTING
    )


def _asked(
    k: Knowledge, journal: Journal, verdict: Verdict, stop_orders: tuple[StopOrder, ...], behind: Ack | None
) -> Asked:
    newest = verdict.newest.placement if verdict.newest else None
    overtaken = behind is not None and behind.settled in (AckState.PROMOTING, AckState.ACTIVE)
    ordered = newest is not None and newest.move == "disaster" and newest.active != k.site
    expired = k.application.lease is not None and k.lease_over and journal.step in MAY_BE_WRITING
    if stop_orders or overtaken or ordered or expired:
        return Asked.STOP
    if newest is None or k.application.suspended:
        return Asked.NOTHING
    return Asked.TAKE if newest.active == k.site else Asked.GIVE


def _obligations_changed(case: Case) -> bool:
    """Whether the journal must learn of stop_orders, new or lifted, where the step's own entry does not say so."""
    begins = case.journal.step in RUNS or case.journal.step is Step.PROMOTING
    return not begins and set(case.stop_orders) != set(case.journal.stop_orders)


def hold_still(case: Case) -> Decision:
    """Frozen, suspended or blind: nothing is started, promoted, demoted or moved; what a permit covers goes on."""
    k, freeze = case.k, case.verdict.freeze
    obstacle: Obstacle
    if freeze:
        lifted = f"acceptRewind: {{from: {freeze.rewound_from[:12]}, to: {freeze.rewound_to[:12]}}} in the placement"
        obstacle = Hold("Frozen", freeze.because, lifted)
        entry = None if case.journal.freeze == freeze else case.entry(freeze=freeze)
        return case.decide(state=State.FROZEN, entry=entry, obstacles=[obstacle])
    if k.application.suspended:
        obstacle = Hold("Suspended", "the application is suspended", f"siteshift resume {k.application.name}")
        newest = case.verdict.newest
        unmoved = newest is not None and newest.placement.active == k.site and not case.unmarked
        effects, _ = source.permit(case) if unmoved and case.journal.step in RUNS else ((), ())
        return case.decide(state=State.SUSPENDED, effects=effects, obstacles=[obstacle])
    return case.decide(obstacles=[wait(k, "the Git server", "the branch was not read yet")], run=True)


ACTIONS: Mapping[Action, Callable[[Case], Decision]] = {
    Action.REST: source.rest,
    Action.PREPARE: target.prepare,
    Action.PROMOTE: target.promote,
    Action.UNDO: target.undo,
    Action.START: target.start,
    Action.KEEP: target.keep,
    Action.GIVE: source.give,
    Action.BEGIN_STOP: source.begin_stop,
    Action.STOP: source.stop,
    Action.TAKE_BACK: target.take_back,
    Action.DEMOTE: source.demote,
    Action.RESYNC: source.resync,
    Action.HOLD_STILL: hold_still,
}
