"""What a site does that the newest epoch names: prepare, promote, start, stay active; or undo what was overtaken."""

from __future__ import annotations

from typing import Literal

from reconciler.failover.protocol.case import Case
from reconciler.failover.protocol.conditions import (
    Loss,
    Obstacle,
    following,
    fresh,
    gate_is_shut,
    holds_role,
    last_primary,
    loss,
    p4,
    p5,
    ready_of,
    still,
    wait,
)
from reconciler.failover.protocol.decisions import Decision, EnsurePrimary, Hold, State, VoidOlderVersions
from reconciler.failover.protocol.source import demote, permit, shut, stop
from reconciler.failover.protocol.table import Asked
from reconciler.failover.protocol.values import (
    AckState,
    Step,
)
from reconciler.replica import ReplicaRole, Sync


def _unproven(case: Case, own: int, judged: Loss | None) -> tuple[Obstacle, ...]:
    """What a promotion at the newest epoch still needs (I4: the epoch, freshness, proof)."""
    placement = case.placement
    proof = p5(case.k, placement, own, judged) if placement.move == "disaster" else p4(case.k, case.journal, own)
    return (*proof, *fresh(case.k))


def _promise(case: Case, own: int, state: State | None, run: bool = False) -> Decision:
    """With everything proven: journal the promotion, say `Promoting`; the driver is called only after another list."""
    missing = _unproven(case, own, None)
    if missing:
        return case.decide(state=state, obstacles=missing, run=run)
    placement = case.placement
    lost: Loss | None = loss(case.k, own) if placement.move == "disaster" else None
    silent = set(case.journal.down) - _spoken(case)
    down = (
        tuple(sorted(silent | set(placement.declared_down))) if placement.move == "disaster" else tuple(sorted(silent))
    )
    entry = case.marked(
        step=Step.PROMOTING, primary=placement.epoch, before=own, loss=lost, down=down, token=None, stop_orders=()
    )
    return case.decide(entry=entry, ack=case.ack(AckState.PROMOTING, entry, loss=lost))


def _spoken(case: Case) -> set[str]:
    """Sites that have given up by their own word, and so are no longer down."""
    acks = case.k.listing.acks if case.k.listing else {}
    return {site for site, ack in acks.items() if ack.state in (AckState.DEMOTED, AckState.PASSIVE)}


def prepare(case: Case) -> Decision:
    """The taker before its promotion: fit, following, `Ready`; then P4 or P5."""
    k, journal, placement = case.k, case.journal, case.placement
    if case.unmarked:
        return case.decide(state=State.WAITING, entry=case.marked(superseded=()))
    adopting = last_primary(k, journal.primary) is None and not k.gate.installed and not still(k.observation)
    if not adopting and not gate_is_shut(k):
        return case.decide(state=State.WAITING, effects=shut(case))
    if k.unfit:
        hold = Hold("NotFit", "; ".join(k.unfit), f"siteshift diff --site {k.site} --app {k.application.name}")
        failed = case.ack(AckState.FAILED, reason="; ".join(k.unfit))
        return case.decide(ack=None if case.said(AckState.FAILED) or not k.listing else failed, obstacles=[hold])
    if placement.move == "planned":
        missing = following(k, journal.primary)
        if missing:
            return case.decide(state=State.WAITING, obstacles=missing)
        if not case.said(AckState.READY):
            ack = case.ack(AckState.READY) if k.listing else None
            return case.decide(state=State.WAITING, ack=ack, obstacles=() if ack else fresh(k))
    return _promise(case, journal.primary, State.READY if placement.move == "planned" else State.WAITING)


def take_back(case: Case) -> Decision:
    """A newer epoch names this site again before its point of no return (P3); only by P4 or P5. A copy that another
    site has overtaken goes on as a returning site."""
    if case.behind is not None:
        return stop(case) if case.journal.step is Step.STOPPING else demote(case)
    return _promise(case, case.journal.primary, State.WAITING)


def promote(case: Case) -> Decision:
    """`Promoting` is journaled. Once it is said, and a list made after that shows nothing newer: call the driver."""
    k, journal, placement = case.k, case.journal, case.placement
    if case.unmarked:
        return _promise(case, journal.before, None)
    missing = _unproven(case, journal.before, journal.loss)
    if missing or k.listing is None:
        return case.decide(obstacles=missing)
    if not case.said(AckState.PROMOTING):
        return case.decide(ack=case.ack(AckState.PROMOTING, loss=journal.loss))
    if holds_role(k.replica, ReplicaRole.PRIMARY):
        effects, _ = permit(case)
        return case.decide(entry=case.entry(step=Step.STARTING, role="active"), effects=effects)
    mode: Literal["planned", "force"] = "force" if placement.move == "disaster" else "planned"
    effect = EnsurePrimary(mode, journal.epoch, k.listing.at + k.limits.freshness)
    because = "it must become primary"
    obstacles: list[Obstacle] = [wait(k, "the replication", because, k.limits.promotion)]
    if k.now - k.step_since > k.limits.promotion:
        lifted = "repair the replication (kubectl describe), or move the application elsewhere"
        obstacles.append(Hold("PromotionTakesTooLong", "the copy did not become primary in time", lifted))
    return case.decide(effects=[effect], obstacles=obstacles)


def undo(case: Case) -> Decision:
    """A newer epoch names another site while this one was promoting. If nothing was begun, say so; else give up as any
    giver does."""
    k, journal = case.k, case.journal
    was_primary = journal.before > (journal.demotion.primary if journal.demotion else 0)
    replica = k.replica
    if replica is None or k.observation is None:
        return case.decide(obstacles=[wait(k, "the cluster", "what was begun here was not read yet")])
    begun = ReplicaRole.PRIMARY in (replica.role, replica.asked) or ReplicaRole.UNKNOWN in (replica.role, replica.asked)
    runs = not still(k.observation)
    if runs and case.asked is Asked.GIVE:
        waiting = ready_of(k, case.placement)
        if waiting:
            return case.decide(obstacles=waiting)
    if was_primary or begun or runs:
        entry = case.marked(step=Step.STOPPING, stop_orders=case.stop_orders, discard=case.verdict.discard)
        return case.decide(entry=entry, effects=shut(case))
    if not gate_is_shut(k):
        return case.decide(effects=shut(case))
    if not k.voided:
        return case.decide(effects=[VoidOlderVersions()])
    overtaken = tuple(dict.fromkeys((journal.primary, *case.verdict.overtaken)))
    entry = case.marked(step=Step.PASSIVE, primary=journal.before, superseded=overtaken, stop_orders=(), loss=None)
    return case.decide(entry=entry)


def start(case: Case) -> Decision:
    """Promoted: the permit, then everything ready, then `Active`."""
    if case.unmarked:
        return case.decide(entry=case.marked(), run=True)
    k = case.k
    effects, missing = permit(case)
    waiting: list[Obstacle] = [*missing]
    if k.observation is None:
        waiting.append(wait(k, "the cluster", "what runs here was not read yet"))
    else:
        unready = [each for each in k.observation.objects if not each.ready and not each.standby]
        waiting += [wait(k, str(each.ref), "is starting", k.limits.readiness) for each in unready]
    if not waiting and not effects:
        entry = case.entry(step=Step.ACTIVE)
        return case.decide(entry=entry, ack=case.ack(AckState.ACTIVE, entry), run=True)
    if k.now - k.step_since > k.limits.readiness:
        lifted = f"siteshift status {k.application.name}; the starts go on meanwhile"
        waiting.append(Hold("NotReadyInTime", "not everything became ready in time", lifted))
    return case.decide(effects=effects, obstacles=waiting, run=True)


def keep(case: Case) -> Decision:
    """Active: nothing is written, but for a new epoch that names this site again."""
    k = case.k
    if case.unmarked:
        return case.decide(entry=case.marked(), run=True)
    effects, missing = permit(case)
    obstacles = list(missing)
    if (
        k.replica
        and k.replica_before
        and not any(holds_role(each, ReplicaRole.PRIMARY) for each in (k.replica, k.replica_before))
    ):
        message = f"the copy at {k.site} is {k.replica.role.value}, told {k.replica.asked.value}, and should be primary"
        obstacles.append(Hold("NotPrimary", message, "find out who changed the replication; nothing is forced"))
    ack = None if case.said(AckState.ACTIVE) or not k.listing else case.ack(AckState.ACTIVE)
    protected = k.replica is not None and k.replica.sync is Sync.IN_SYNC
    state = None if obstacles else State.PROTECTED if protected else State.ACTIVE
    return case.decide(state=state, effects=effects, ack=ack, obstacles=obstacles, run=True)
