"""What a decision leaves behind at its site: first journal and permit, then the effects, then the ack."""

from __future__ import annotations

from dataclasses import replace

from model.values import CLOSED, NO_EVIDENCE, NOTHING, OPEN, Local
from reconciler.failover.protocol.decisions import (
    Decision,
    EnsurePrimary,
    EnsureSecondary,
    Stop,
    VoidOlderVersions,
)
from reconciler.failover.protocol.values import Ack, Journal
from reconciler.replica import ReplicaRole


def entered(site: Local, decision: Decision) -> Local:
    """Journal and permit, in one write."""
    if decision.entry is not None:
        site = replace(site, journal=_plain(site.journal, decision.entry), reads=0, voided=False)
    else:
        site = replace(site, reads=1)
    permit = {"close": CLOSED, "open": OPEN, None: site.permit}[decision.permit]
    return replace(site, permit=permit)


def _plain(before: Journal, entry: Journal) -> Journal:
    """The entry without what decides nothing. Sequences only order promotions and demotions: one that is no new one of
    either keeps the number, so that a site which goes round in a circle comes back to the same state."""
    same = (entry.promotion, entry.demotion, entry.before) == (before.promotion, before.demotion, before.before)
    sequence = before.sequence if same else entry.sequence
    return replace(entry, sequence=sequence, since=0.0, definition="", skipped=(), loss=None)


def said(ack: Ack, journal: Journal) -> Ack:
    """What is pushed, without what decides nothing."""
    return replace(ack, evidence=NO_EVIDENCE, sequence=journal.sequence)


def affected(site: Local, decision: Decision) -> Local:
    """What the accepted effects leave behind."""
    for effect in decision.effects:
        if isinstance(effect, Stop):
            site = replace(site, runs=False)
        elif isinstance(effect, EnsurePrimary):
            site = replace(site, asked=ReplicaRole.PRIMARY)
        elif isinstance(effect, EnsureSecondary):
            site = replace(site, asked=ReplicaRole.SECONDARY)
        elif isinstance(effect, VoidOlderVersions):
            site = replace(site, voided=True)
    return replace(site, runs=site.runs or (decision.run and site.permit == OPEN))


def forgetful(site: Local) -> Local:
    """What a new process knows: what lies in the cluster."""
    return replace(site, reads=0, voided=False, said=NOTHING)


def words(decision: Decision) -> str:
    """A step as the way to a state shows it."""
    effects = " ".join(type(each).__name__ for each in decision.effects)
    parts = [decision.entry.step.value if decision.entry else "", decision.permit or "", effects]
    parts += [f"says {decision.ack.state.value}" if decision.ack else ""]
    parts += [each.reason for each in decision.holds] + [each.because for each in decision.waits]
    return " ".join(filter(None, parts)) or "keeps"
