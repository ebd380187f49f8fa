"""The actions of a site that is not to be active, or no longer: rest, stop, demote, resynchronise. See `table`."""

from __future__ import annotations

from reconciler.failover.protocol.case import RUNS, Case
from reconciler.failover.protocol.conditions import in_time, unproven
from reconciler.failover.protocol.decisions import (
    Blocker,
    Decision,
    Effect,
    EnsureSecondary,
    FinalSync,
    Hold,
    InstallGate,
    State,
    Stop,
    VoidOlderVersions,
)
from reconciler.failover.protocol.facts import unstopped
from reconciler.failover.protocol.proof import undone
from reconciler.failover.protocol.registry import blockers as missing
from reconciler.failover.protocol.values import Ack, AckState, Demotion, Journal, Observation, StartObject, Step

Blockers = tuple[Blocker, ...]


def nothing(case: Case, blockers: Blockers) -> Decision:
    """What is, stays."""
    return case.decide(blockers=blockers)


def close(case: Case, blockers: Blockers) -> Decision:
    """A window that no time satisfies, and the policies that read it."""
    return case.decide(permit="close", effects=_install(case), blockers=blockers)


def _install(case: Case) -> tuple[Effect, ...]:
    return () if case.k.gate.installed else (InstallGate(),)


def mark(case: Case, blockers: Blockers) -> Decision:
    """The high-water mark reaches the newest epoch; the step stays."""
    return case.decide(state=State.WAITING, entry=case.marked(lapse=None), blockers=blockers)


def mark_accepted(case: Case, blockers: Blockers) -> Decision:
    """The freeze ends at once, whatever is waited for: a later epoch does not accept the branch once more."""
    return case.decide(state=State.MOVING, entry=case.marked(), blockers=blockers)


def mark_passive(case: Case, blockers: Blockers) -> Decision:
    """At rest at the newest epoch, which names another site; it may have passed this one by."""
    promoted = case.journal.promotion.epoch if case.journal.promotion else 0
    overtaken = tuple(epoch for epoch in case.verdict.overtaken if epoch > promoted)
    return case.decide(entry=case.marked(step=Step.PASSIVE, superseded=overtaken, definition=""), blockers=blockers)


def hold_runs_here(case: Case, blockers: Blockers) -> Decision:
    """Not a word of this site lets anybody else start yet: what runs here may be what people wish to keep."""
    name, site = case.k.application.name, case.k.site
    running = _running(case)
    if case.placement.active == site:
        waiting = ", ".join(undone(case)) or "the other sites"
        message, lifted = f"{running} runs here already, and {waiting} must answer first", "wait, or stop it"
    else:
        message = f"{running} runs here, and the placement names {case.placement.active}"
        lifted = f"siteshift failover {name} --to {site}, or stop it"
    return case.decide(blockers=(*blockers, Hold("RunsHere", message, lifted)))


def hold_primary_here(case: Case, blockers: Blockers) -> Decision:
    """People made this replica primary before Siteshift was here."""
    name, site = case.k.application.name, case.k.site
    message = f"the replica at {site} is primary, and the placement names {case.placement.active}"
    hold = Hold("PrimaryHere", message, f"siteshift failover {name} --to {site}, or demote it")
    return case.decide(blockers=(*blockers, hold))


def _running(case: Case) -> str:
    observation = case.k.observation
    if observation is None:
        return "something"
    refs = observation.running or tuple(each.ref for each in unstopped(observation))
    return ", ".join(map(str, refs[:3]))


def stop_what_runs(case: Case, blockers: Blockers) -> Decision:
    """Something runs where nothing should."""
    observation = case.k.observation
    refs = tuple(each.ref for each in unstopped(observation)) if observation else ()
    wait = case.wait(_running(case), "runs where it should not; being stopped")
    return case.decide(effects=[Stop(refs)] if refs else (), blockers=(*blockers, wait))


def resting_state(journal: Journal) -> AckState:
    """The word of a site at rest: `Demoted` while the demotion is of this epoch."""
    if journal.step is Step.DEMOTED or (journal.demotion and journal.demotion.epoch == journal.epoch):
        return AckState.DEMOTED
    return AckState.SUPERSEDED if journal.superseded else AckState.PASSIVE


def say_rest(case: Case, blockers: Blockers) -> Decision:
    """Every older version void, then journaled, then said."""
    state = resting_state(case.journal)
    if not case.k.voided:
        return case.decide(effects=[VoidOlderVersions()], blockers=blockers)
    entry = case.journal if case.journal.settled is state else case.entry(settled=state)
    changed = None if entry is case.journal else entry
    return case.decide(entry=changed, ack=case.ack(state, entry), blockers=blockers)


def await_target(case: Case, blockers: Blockers) -> Decision:
    """The application runs on until the target is ready; a permit that lapsed may open again meanwhile."""
    if not case.permitted and not missing(("echoed", "fresh"), case):
        return case.decide(state=State.MOVING, entry=case.entry(lapse=None), permit="open", blockers=blockers)
    return case.decide(state=State.MOVING, blockers=blockers)


def begin_stop(case: Case, blockers: Blockers) -> Decision:
    """Journal the stop and close the gate in one write. The ack is said beside; no push holds a stop up (I4)."""
    reason = case.journal.stopped_for or ("Lease" if case.lease_over else "")
    entry = case.marked(step=Step.STOPPING, stop_orders=case.stop_orders, stopped_for=reason, lapse=None)
    return case.decide(
        entry=entry, permit="close", effects=_install(case), ack=case.ack(AckState.STOPPING, entry), blockers=blockers
    )


def stop_again(case: Case, blockers: Blockers) -> Decision:
    """Something came back, or the replica is primary again: from the beginning, and nothing said before counts."""
    settled = case.journal.settled if case.journal.primary_since else None
    entry = case.entry(step=Step.STOPPING, role="active", settled=settled)
    return case.decide(entry=entry, permit="close", effects=_install(case), blockers=blockers)


def _level(each: StartObject) -> tuple[int, str]:
    digits = "".join(filter(str.isdigit, each.run_level))
    return int(digits) if digits else -1, each.run_level


def to_stop(observation: Observation) -> tuple[StartObject, ...]:
    """The objects of the highest run level at which something runs or would start."""
    busy = [each for each in observation.objects if not each.standby and (each.runs or not each.stopped)]
    highest = max(map(_level, busy), default=None)
    return tuple(each for each in busy if _level(each) == highest)


def stop_level(case: Case, blockers: Blockers) -> Decision:
    """Reverse run-level order: the highest level that runs, and no lower one before it has stopped."""
    level = to_stop(case.k.observation) if case.k.observation else ()
    refs = tuple(each.ref for each in level if not each.stopped)
    return case.decide(state=State.STOPPING, effects=[Stop(refs)] if refs else (), blockers=blockers)


def begin_demotion(case: Case, blockers: Blockers) -> Decision:
    """Nothing writes any more."""
    return case.decide(entry=case.marked(step=Step.DEMOTING), blockers=blockers)


def _urgent(case: Case) -> bool:
    """Whether a disaster may wait for this site: then it does not ship what was written last, and says `Stopped`."""
    forced = case.lease_over or bool(case.journal.stopped_for)
    return forced or bool(case.stop_orders) or case.overtaken_by is not None


def become_secondary(case: Case, blockers: Blockers) -> Decision:
    """Ship what was written last, then the role; a disaster does not wait for the array."""
    urgent = _urgent(case)
    effects: tuple[Effect, ...] = (EnsureSecondary(),) if urgent else (FinalSync(), EnsureSecondary())
    waiting = in_time(case, "NotSecondary", "this replica must become a secondary", unproven(case))
    said = _stopped_ack(case)
    return case.decide(effects=(*effects, *said[0]), ack=said[1], blockers=(*blockers, *waiting))


def say_stopped(case: Case, blockers: Blockers) -> Decision:
    """Something is still missing; what is proven is said already where somebody may wait for it."""
    effects, ack = _stopped_ack(case)
    return case.decide(effects=effects, ack=ack, blockers=blockers)


def _stopped_ack(case: Case) -> tuple[tuple[Effect, ...], Ack | None]:
    """`Stopped`, once nothing writes here: without the proof of synchronisation it serves a disaster alone."""
    if not _urgent(case) or case.acked(AckState.STOPPED) or missing(("no_writers",), case):
        return (), None
    if not case.k.voided:
        return (VoidOlderVersions(),), None
    return (), case.ack(AckState.STOPPED)


def unsynced(case: Case, blockers: Blockers) -> Decision:
    """A secondary that cannot be proven complete; after a promotion elsewhere it never will be by itself."""
    other = case.overtaken_by
    if other is not None and not case.verdict.discard:
        message = f"{other.site} was promoted meanwhile; this replica's last writes must be given up to follow it"
        name, site, newest = case.k.application.name, case.k.site, case.verdict.newest
        lifted = f"siteshift allow-discard {name} --site {site}"
        if newest is not None and newest.placement.active == site:
            # Nobody may discard the replica of the site that the epoch names: first the other one is named again.
            lifted = f"siteshift failover {name} --to {other.site}, then siteshift allow-discard {name} --site {site}"
        blockers = (*blockers, Hold("NeedsDiscard", message, lifted))
    effects, ack = _stopped_ack(case)
    return case.decide(effects=effects, ack=ack, blockers=blockers)


def begin_resync(case: Case, blockers: Blockers) -> Decision:
    """This replica is overwritten by the primary's: people consented in this very epoch (P13)."""
    entry = case.marked(step=Step.RESYNCING, discard=True)
    return case.decide(entry=entry, effects=[EnsureSecondary(discard_local=True)], blockers=blockers)


def resync(case: Case, blockers: Blockers) -> Decision:
    """The resynchronisation goes on."""
    wait = case.wait("the replication", "this replica is being overwritten by the primary's")
    # Voiding sets the plain role again; after it, nothing of this replica is asked to be overwritten any more.
    effects = () if case.k.voided else (EnsureSecondary(discard_local=True),)
    return case.decide(effects=effects, blockers=(*blockers, wait))


def demoted(case: Case, blockers: Blockers) -> Decision:
    """The point of no return: void older versions, journal, then say it, whatever the push answers."""
    if not case.k.voided:
        return case.decide(effects=[VoidOlderVersions()], blockers=blockers)
    journal, replica = case.journal, case.k.replica
    complete = replica.peers if replica and not case.overtaken_by and journal.step is Step.DEMOTING else ()
    sequence = journal.sequence + 1
    demotion = Demotion(journal.promotion, journal.epoch, sequence, complete, replica.token if replica else None)
    entry = case.entry(
        step=Step.DEMOTED,
        role="passive",
        stop_orders=(),
        stopped_for="",
        discard=False,
        demotion=demotion,
        settled=AckState.DEMOTED,
        definition="",
        lapse=None,
    )
    return case.decide(entry=entry, ack=case.ack(AckState.DEMOTED, entry), blockers=blockers)


def hold_still(case: Case, blockers: Blockers) -> Decision:
    """Frozen, suspended or blind: nothing is started, promoted, demoted or moved; what a permit covers goes on."""
    k, freeze = case.k, case.verdict.freeze
    name = k.application.name
    if freeze:
        hold = Hold("Frozen", freeze.because, f"siteshift accept-rewind {name} --from {freeze.last[:12]}")
        entry = None if case.journal.freeze == freeze else case.entry(freeze=freeze)
        ack = _said_again(case) if entry is None else None
        return case.decide(state=State.FROZEN, entry=entry, ack=ack, blockers=(*blockers, hold))
    if k.application.suspended:
        hold = Hold("Suspended", "the application is suspended", f"siteshift resume {name}")
        return case.decide(state=State.SUSPENDED, ack=_said_again(case), blockers=(*blockers, hold))
    if k.listing and k.listing.diverged:
        hold = Hold("RefDiverged", k.listing.diverged, "repair the ref, and find out who wrote it")
        return case.decide(state=State.FROZEN, blockers=(*blockers, hold))
    return case.decide(blockers=(*blockers, case.wait("the Git server", "the branch was not read yet")))


def _said_again(case: Case) -> Ack | None:
    """P14: what this site runs by, where its ref has forgotten it. A process that remembers its pushes gives the server
    their commits back; this is for one that does not."""
    journal, own = case.journal, case.own
    if journal.step not in RUNS or journal.settled is None or case.k.listing is None or case.k.listing.diverged:
        return None
    forgotten = own is None or own.promotion != journal.promotion
    return case.ack(journal.settled) if forgotten else None


def say_restored(case: Case, blockers: Blockers) -> Decision:
    """P19: all that a restored cluster says."""
    return case.decide(ack=case.ack(AckState.FAILED, reason=f"Restored: {case.k.restored}"), blockers=blockers)


def hold_restored(case: Case, blockers: Blockers) -> Decision:
    """P19: until people say what became of the older cluster."""
    hold = Hold("Restored", case.k.restored, f"siteshift rebind {case.k.site} --old destroyed --reason WHY")
    return case.decide(blockers=(*blockers, hold))


def hold_unbound(case: Case, blockers: Blockers) -> Decision:
    """P19: a cluster of another site or fleet: nothing is done."""
    lifted = f"use the right --context, or: siteshift rebind {case.k.site} --old destroyed --reason WHY"
    hold = Hold("WrongCluster", case.k.unbound, lifted)
    return case.decide(blockers=(*blockers, hold))
