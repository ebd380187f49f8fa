"""What a site does that shall not, or shall no longer, be active: the giver and the returning site."""

from __future__ import annotations

from reconciler.failover.protocol.case import Case
from reconciler.failover.protocol.conditions import (
    Obstacle,
    closed_at,
    fresh,
    gate_is_shut,
    holds_role,
    in_sync,
    no_writers,
    own_ack,
    ready_of,
    still,
    unstopped,
    wait,
)
from reconciler.failover.protocol.decisions import (
    CloseGate,
    Decision,
    Effect,
    EnsureSecondary,
    FinalSync,
    Hold,
    InstallGate,
    OpenPermit,
    State,
    Stop,
    VoidOlderVersions,
)
from reconciler.failover.protocol.table import Asked
from reconciler.failover.protocol.values import (
    AckState,
    Demotion,
    Observation,
    StartObject,
    Step,
)
from reconciler.replica import ReplicaRole


def shut(case: Case) -> tuple[Effect, ...]:
    """What closes the gate, if it is not shut."""
    if gate_is_shut(case.k):
        return ()
    return (CloseGate(),) if case.k.gate.installed else (InstallGate(), CloseGate())


def permit(case: Case) -> tuple[tuple[Effect, ...], tuple[Obstacle, ...]]:
    """What keeps this site's right to start the application: renewing a valid permit is the business of a task of its
    own; a new one needs freshness (P7)."""
    if case.permitted and case.k.gate.installed:
        return (), ()
    missing = fresh(case.k)
    if missing:
        return (), missing
    return (OpenPermit(), InstallGate()), ()


def rest(case: Case) -> Decision:
    """Passive: the gate shut, nothing running, the copy no primary; say so once for each epoch (P10)."""
    k, journal = case.k, case.journal
    if case.unmarked:
        overtaken = tuple(epoch for epoch in case.verdict.overtaken if epoch > journal.primary)
        return case.decide(entry=case.marked(step=Step.PASSIVE, superseded=overtaken))
    if not gate_is_shut(k):
        return case.decide(effects=shut(case))
    obstacles = _disturbed(case)
    if obstacles:
        return obstacles
    word = _resting_word(case)
    if case.said(word):
        return case.decide()
    if closed_at(k) is None:
        return case.decide(obstacles=[wait(k, "the gate", "not every API server refuses starts yet")])
    if not k.voided:
        return case.decide(effects=[VoidOlderVersions()])
    return case.decide(ack=case.ack(word, superseded=list(journal.superseded)))


def _resting_word(case: Case) -> AckState:
    journal = case.journal
    if journal.step is Step.DEMOTED or (journal.demotion and journal.demotion.epoch == journal.epoch):
        return AckState.DEMOTED
    return AckState.SUPERSEDED if journal.superseded else AckState.PASSIVE


def _disturbed(case: Case) -> Decision | None:
    """What a passive site must not have: a writer, or a primary copy."""
    k, journal = case.k, case.journal
    if k.observation is None or k.replica is None:
        return case.decide(obstacles=[wait(k, "the cluster", "what runs here was not read yet")])
    names = ", ".join(
        str(ref) for ref in (k.observation.running or [each.ref for each in unstopped(k.observation)])[:3]
    )
    if not still(k.observation) and journal.primary == 0 and own_ack(k) is None:
        # Not a word of this site lets anybody else start yet: it may be what people wish to keep.
        message = f"{names} runs here, and the placement names {case.placement.active}"
        return case.decide(
            obstacles=[Hold("RunsHere", message, f"siteshift failover {k.application.name} --to {k.site}, or stop it")]
        )
    if not still(k.observation):
        refs = tuple(each.ref for each in unstopped(k.observation))
        effects = [Stop(refs)] if refs else []
        return case.decide(effects=effects, obstacles=[wait(k, names, "runs at a passive site; being stopped")])
    primary = [each and ReplicaRole.PRIMARY in (each.role, each.asked) for each in (k.replica, k.replica_before)]
    if not primary[0]:
        if k.replica.role is ReplicaRole.UNKNOWN or k.replica.asked is ReplicaRole.UNKNOWN:
            return case.decide(obstacles=[wait(k, "the replication", "its role is not known")])
        return None
    if journal.primary == 0:
        message = f"the copy at {k.site} is primary, and the placement names {case.placement.active}"
        return case.decide(
            obstacles=[Hold("PrimaryHere", message, f"siteshift failover … --to {k.site}, or demote it")]
        )
    if not all(primary):
        return case.decide(obstacles=[wait(k, "the replication", "it says primary; read again")])
    return case.decide(entry=case.entry(step=Step.STOPPING, demotion=None, role="active"))


def give(case: Case) -> Decision:
    """A planned move to another site: go on until that site has said `Ready` (P2), then begin to stop."""
    waiting = ready_of(case.k, case.placement)
    if not waiting:
        entry = case.marked(step=Step.STOPPING)
        return case.decide(entry=entry, effects=shut(case), ack=case.ack(AckState.STOPPING, entry))
    effects, missing = permit(case)
    return case.decide(state=State.MOVING, effects=effects, obstacles=(*waiting, *missing), run=True)


def begin_stop(case: Case) -> Decision:
    """An stop_order or the lease: stop now; no push may hold it up (I4)."""
    entry = case.marked(step=Step.STOPPING, stop_orders=case.stop_orders, discard=case.verdict.discard)
    return case.decide(entry=entry, effects=shut(case))


def _level(each: StartObject) -> tuple[int, str]:
    digits = "".join(filter(str.isdigit, each.run_level))
    return int(digits) if digits else -1, each.run_level


def to_stop(observation: Observation) -> tuple[StartObject, ...]:
    """The objects of the highest run level at which something runs or would start."""
    busy = [each for each in observation.objects if not each.standby and (each.runs or not each.stopped)]
    highest = max(map(_level, busy), default=None)
    return tuple(each for each in busy if _level(each) == highest)


def stop(case: Case) -> Decision:
    """Gate shut, then reverse run-level order, then the proof that nothing writes."""
    k = case.k
    effects = list(shut(case))
    if k.observation is None:
        return case.decide(effects=effects, obstacles=[wait(k, "the cluster", "what runs here was not read yet")])
    level = to_stop(k.observation)
    refs = tuple(each.ref for each in level if not each.stopped)
    if refs:
        effects.append(Stop(refs))
    if not level and not effects and not no_writers(k):
        return case.decide(entry=case.marked(step=Step.DEMOTING))
    obstacles: list[Obstacle] = [wait(k, str(each.ref), "is stopping", k.limits.stop) for each in level]
    if k.now - k.step_since > k.limits.stop + k.limits.request_timeout:
        names = ", ".join(map(str, k.observation.running[:3])) or "the gate"
        obstacles.append(Hold("StopTakesTooLong", f"{names} did not stop in time", f"kubectl delete … {names}"))
    return case.decide(effects=effects, obstacles=obstacles or no_writers(k))


def demote(case: Case) -> Decision:
    """Nothing writes any more: ship what was written last, become a secondary, prove it, say it (P3)."""
    k = case.k
    if k.observation is None:
        return case.decide(obstacles=[wait(k, "the cluster", "what runs here was not read yet")])
    if not still(k.observation) or not gate_is_shut(k):
        return case.decide(entry=case.entry(step=Step.STOPPING), effects=shut(case))
    if case.unmarked:
        return case.decide(entry=case.marked())
    missing = no_writers(k)
    if missing:
        return case.decide(obstacles=missing)
    urgent = case.asked is Asked.STOP or case.behind is not None
    if not holds_role(k.replica, ReplicaRole.SECONDARY):
        effects: tuple[Effect, ...] = (EnsureSecondary(),) if urgent else (FinalSync(), EnsureSecondary())
        obstacles: tuple[Obstacle, ...] = _in_time(case, "NotSecondary", "this copy must become a secondary")
        return _saying_stopped(case, urgent, effects, obstacles)
    if in_sync(k):
        return _demoted(case, () if case.behind else k.replica.peers if k.replica else ())
    if case.behind is None or case.behind.settled is AckState.PROMOTING:
        because = "this copy is a secondary and not yet in sync with the other"
        return _saying_stopped(case, urgent, (), _in_time(case, "NotInSync", because))
    if not case.verdict.discard:
        message = f"{case.behind.site} was promoted meanwhile; this copy's last writes must be given up to follow it"
        hold = Hold("NeedsDiscard", message, f"allowDiscard: [{k.site}] in the placement, with the next epoch")
        return _saying_stopped(case, urgent, (), (hold,))
    return case.decide(entry=case.marked(step=Step.RESYNCING), effects=[EnsureSecondary(discard_local=True)])


def _saying_stopped(case: Case, urgent: bool, effects: tuple[Effect, ...], obstacles: tuple[Obstacle, ...]) -> Decision:
    """Go on, and where a disaster may wait for it, say `Stopped` beside: a Git server that is gone holds up nothing."""
    if not urgent or case.said(AckState.STOPPED) or fresh(case.k):
        return case.decide(effects=effects, obstacles=obstacles)
    if not case.k.voided:
        effects = (*effects, VoidOlderVersions())
    return case.decide(effects=effects, ack=case.ack(AckState.STOPPED), obstacles=obstacles)


def _in_time(case: Case, reason: str, because: str) -> tuple[Obstacle, ...]:
    waits = wait(case.k, "the replication", because, case.k.limits.promotion)
    if case.k.now - waits.since <= case.k.limits.promotion:
        return (waits,)
    return (waits, Hold(reason, because, "repair the link between the arrays, or declare this site down"))


def _demoted(case: Case, complete: tuple[str, ...]) -> Decision:
    """The point of no return: void older versions, journal, then say it, whatever the push answers."""
    k = case.k
    reaches = case.asked is not Asked.GIVE or case.behind is not None or case.placement.active in complete
    token = k.replica.token if k.replica else None
    if not reaches and token is None:
        message = f"in sync with {', '.join(complete) or 'an unnamed copy'}, not proven with that of the taker"
        return case.decide(obstacles=[Hold("NotTheTakersCopy", message, "a driver that says which copy is in sync")])
    if not k.voided:
        return case.decide(effects=[VoidOlderVersions()])
    demotion = Demotion(case.journal.primary, case.journal.epoch, complete, token)
    entry = case.entry(step=Step.DEMOTED, role="passive", stop_orders=(), discard=False, demotion=demotion)
    return case.decide(entry=entry, ack=case.ack(AckState.DEMOTED, entry) if k.listing else None)


def resync(case: Case) -> Decision:
    """The returning site's copy is overwritten by the primary's; it was consented to (P13)."""
    k = case.k
    if k.observation is None:
        return case.decide(obstacles=[wait(k, "the cluster", "what runs here was not read yet")])
    effects: list[Effect] = list(shut(case))
    if not still(k.observation):
        refs = tuple(each.ref for each in unstopped(k.observation))
        effects += [Stop(refs)] if refs else []
        return case.decide(effects=effects, obstacles=[wait(k, "the application", "runs while its copy is renewed")])
    if case.unmarked:
        return case.decide(entry=case.marked(), effects=effects)
    if in_sync(k) and not no_writers(k):
        return _demoted(case, ())
    if not k.voided:
        effects.append(EnsureSecondary(discard_local=True))
    obstacles: list[Obstacle] = [wait(k, "the replication", "this copy is being overwritten by the primary's")]
    if case.asked is Asked.TAKE:
        lifted = "the resynchronisation ends"
        obstacles.append(Hold("CopyIncomplete", "this copy is incomplete until then", lifted))
    return case.decide(effects=effects, obstacles=obstacles)
