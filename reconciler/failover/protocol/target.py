"""The actions of a site that the newest epoch names: prepare, promote, start, keep; or pass by what was overtaken."""

from __future__ import annotations

from reconciler.failover.protocol.case import Case
from reconciler.failover.protocol.decisions import (
    Decision,
    EnsurePrimary,
    Hold,
    InstallGate,
    State,
    VoidOlderVersions,
)
from reconciler.failover.protocol.facts import has_role
from reconciler.failover.protocol.loss import Loss, loss_of
from reconciler.failover.protocol.promotions import last_primary, own_promotion
from reconciler.failover.protocol.proof import has_spoken
from reconciler.failover.protocol.registry import blockers as missing
from reconciler.failover.protocol.source import Blockers, resting_state
from reconciler.failover.protocol.values import AckState, Lapse, Promotion, Step
from reconciler.replica import ReplicaRole, Sync


def _proposal(case: Case) -> State:
    return State.READY if case.placement.move == "planned" else State.WAITING


def say_failed(case: Case, blockers: Blockers) -> Decision:
    """The target does not fit; a planned move stops nobody for it."""
    reason = "; ".join(case.k.unfit)
    return case.decide(
        state=State.HELD, ack=case.ack(AckState.FAILED, reason=reason), blockers=(*blockers, _unfit(case))
    )


def hold_unfit(case: Case, blockers: Blockers) -> Decision:
    """The target does not fit, and has said so."""
    return case.decide(blockers=(*blockers, _unfit(case)))


def _unfit(case: Case) -> Hold:
    k = case.k
    return Hold("NotFit", "; ".join(k.unfit), f"siteshift diff --site {k.site} --app {k.application.name}")


def say_ready(case: Case, blockers: Blockers) -> Decision:
    """The target can take the application: the source may stop. The rest that it proves is journaled with it."""
    settled = resting_state(case.journal)
    entry = case.journal if case.journal.settled is settled else case.entry(settled=settled)
    if entry is not case.journal and not case.k.voided:
        return case.decide(state=State.WAITING, effects=[VoidOlderVersions()], blockers=blockers)
    changed = None if entry is case.journal else entry
    if case.k.listing is None:
        blockers = (*blockers, *missing(("fresh",), case))
    return case.decide(state=State.WAITING, entry=changed, ack=case.ack(AckState.READY, entry), blockers=blockers)


def unready(case: Case, blockers: Blockers) -> Decision:
    """`Ready` is said anew when it stops being true."""
    unfollowed = missing(("following",), case)
    if not unfollowed:
        return case.decide(state=_proposal(case), blockers=blockers)
    reason = "; ".join(each.because if hasattr(each, "because") else each.message for each in unfollowed)
    return case.decide(state=State.WAITING, ack=case.ack(AckState.FAILED, reason=reason), blockers=blockers)


def promise(case: Case, blockers: Blockers) -> Decision:
    """With everything proven: journal the promotion, say `Promoting`; the driver is called only after another list."""
    journal, placement = case.journal, case.placement
    before = own_promotion(journal)
    lost: Loss | None = loss_of(case) if placement.move == "disaster" else None
    down = {site for site in journal.down if not has_spoken(case, site)}
    if placement.move == "disaster":
        down |= set(placement.declared_down)
    entry = case.marked(
        step=Step.PROMOTING,
        promotion=Promotion(placement.epoch, journal.sequence + 1),
        before=before,
        loss=lost,
        called=False,
        down=tuple(sorted(down)),
        stop_orders=(),
        stopped_for="",
        settled=AckState.PROMOTING,
        superseded=(),
        lapse=None,
    )
    return case.decide(entry=entry, ack=case.ack(AckState.PROMOTING, entry, loss=lost), blockers=blockers)


def say_promoting(case: Case, blockers: Blockers) -> Decision:
    """Pushed before the first call of the driver; what is listed after it shows whether anything newer is there."""
    return case.decide(ack=case.ack(AckState.PROMOTING, loss=case.journal.loss), blockers=blockers)


def hold_begun(case: Case, blockers: Blockers) -> Decision:
    """A planned epoch overtook a disaster's whose driver may have been called: its sources wait for a `Ready` that this
    site cannot say any more."""
    k, last = case.k, last_primary(case)
    if last is None or k.now - k.step_since <= k.limits.promotion:
        return case.decide(blockers=blockers)
    message = (
        f"{k.site} began to promote in a disaster, and the newest epoch is planned: {last[0]} does not stop for it"
    )
    lifted = f"siteshift failover {k.application.name} --to {last[0]}, or the same disaster move once more"
    return case.decide(blockers=(*blockers, Hold("PromotionBegun", message, lifted)))


def mark_promoting(case: Case, blockers: Blockers) -> Decision:
    """P9: a newer epoch for this site after the driver was called: taken over, nothing is repeated."""
    promotion = Promotion(case.placement.epoch, case.journal.sequence + 1)
    entry = case.marked(promotion=promotion, definition=case.journal.definition)
    return case.decide(entry=entry, blockers=blockers)


def call_driver(case: Case, blockers: Blockers) -> Decision:
    """Make the replica primary, inside a window that ends with the freshness of the list that permits it."""
    k, placement = case.k, case.placement
    assert k.listing is not None
    left = k.listing.at + k.limits.freshness - k.now
    force = placement.move == "disaster"
    effect = EnsurePrimary(force, case.journal.epoch, k.server_time + left, k.listing.at + k.limits.freshness)
    found = [*blockers, case.wait("the replication", "it must become primary", k.limits.promotion)]
    if k.now - k.step_since > k.limits.promotion:
        lifted = f"repair the replication (kubectl describe), or: siteshift failover {k.application.name} --to SITE"
        found.append(Hold("PromotionTakesTooLong", "the replica did not become primary in time", lifted))
    asked = k.replica is not None and k.replica.asked in (ReplicaRole.PRIMARY, ReplicaRole.ANY)
    if asked and not case.journal.called:
        loss = loss_of(case) if force else None
        return case.decide(entry=case.entry(called=True, loss=loss), blockers=found)
    return case.decide(effects=[effect], blockers=found)


def note_call(case: Case, blockers: Blockers) -> Decision:
    """The driver accepted the call of this promotion: from here on it is not judged again (P9)."""
    return case.decide(entry=case.entry(called=True), blockers=blockers)


def open_and_start(case: Case, blockers: Blockers) -> Decision:
    """The replica is primary here: the permit opens in the same write, and `Promoted` is said."""
    entry = case.entry(step=Step.STARTING, role="active", settled=AckState.PROMOTED, definition="", lapse=None)
    effects = () if case.k.gate.installed else (InstallGate(),)
    return case.decide(
        entry=entry, permit="open", effects=effects, ack=case.ack(AckState.PROMOTED, entry), blockers=blockers
    )


def supersede(case: Case, blockers: Blockers) -> Decision:
    """A newer epoch names another site, or asks for a planned move whose source waits for `Ready`, before anything was
    begun here: the promotion never was."""
    if not case.k.voided:
        return case.decide(effects=[VoidOlderVersions()], blockers=blockers)
    journal = case.journal
    own = journal.promotion.epoch if journal.promotion else 0
    overtaken = tuple(dict.fromkeys((own, *case.verdict.overtaken)))
    entry = case.marked(
        step=Step.PASSIVE,
        promotion=journal.before,
        before=None,
        superseded=overtaken,
        stop_orders=(),
        loss=None,
        settled=None,
        definition="",
    )
    return case.decide(entry=entry, blockers=blockers)


def mark_running(case: Case, blockers: Blockers) -> Decision:
    """A newer epoch names this site again while it runs here: nothing is started anew (P9)."""
    promotion = Promotion(case.placement.epoch, case.journal.sequence + 1)
    entry = case.marked(promotion=promotion, definition="", stop_orders=())
    return case.decide(entry=entry, blockers=blockers)


def note_lapse(case: Case, blockers: Blockers) -> Decision:
    """The permit ran out: which counter an echo must exceed is journaled (P7)."""
    counter = case.k.listing.counter if case.k.listing else 0
    return case.decide(entry=case.entry(lapse=Lapse(counter, case.journal.epoch)), blockers=blockers)


def reopen(case: Case, blockers: Blockers) -> Decision:
    """Nobody else runs it: the permit opens again."""
    effects = () if case.k.gate.installed else (InstallGate(),)
    return case.decide(entry=case.entry(lapse=None), permit="open", effects=effects, blockers=blockers)


def install_gate(case: Case, blockers: Blockers) -> Decision:
    """The policies and bindings as they should be."""
    return case.decide(effects=[InstallGate()], blockers=blockers)


def say_promoted(case: Case, blockers: Blockers) -> Decision:
    """From here on other replicas follow this one, whether or not everything has started."""
    return case.decide(ack=case.ack(AckState.PROMOTED), blockers=blockers)


def become_active(case: Case, blockers: Blockers) -> Decision:
    """Everything is ready."""
    entry = case.entry(step=Step.ACTIVE, settled=AckState.ACTIVE)
    return case.decide(entry=entry, ack=case.ack(AckState.ACTIVE, entry), blockers=blockers)


def say_active(case: Case, blockers: Blockers) -> Decision:
    """Active at this epoch too."""
    if case.journal.step is not Step.ACTIVE:
        return case.decide(ack=case.ack(AckState.PROMOTED), blockers=blockers)
    return case.decide(ack=case.ack(AckState.ACTIVE), blockers=blockers)


def keep(case: Case, blockers: Blockers) -> Decision:
    """Nothing is written; a replica that is no primary any more is shown and never forced."""
    k = case.k
    found = list(blockers)
    readings = k.readings[-2:]
    if len(readings) > 1 and not any(has_role(each.replica, ReplicaRole.PRIMARY) for each in readings):
        replica = readings[-1].replica
        message = f"the replica at {k.site} is {replica.role.value}, told {replica.asked.value}, and should be primary"
        command = f"siteshift promote-by-hand {k.application.name} --site {k.site} --reason WHY"
        lifted = f"find out who changed it, then: {command}"
        found.append(Hold("NotPrimary", message, lifted))
    protected = bool(readings) and all(each.replica.sync is Sync.IN_SYNC for each in readings)
    state = None if found else State.PROTECTED if protected else State.ACTIVE
    return case.decide(state=state, blockers=found)
