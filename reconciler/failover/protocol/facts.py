"""The facts that choose a row of the table. Each is one question about one case; none of them permits anything."""

from __future__ import annotations

from reconciler.failover.protocol.case import Case
from reconciler.failover.protocol.registry import fact
from reconciler.failover.protocol.values import AckState, Observation, Reading, StartObject
from reconciler.fleet.model import NOWHERE
from reconciler.replica import Replica, ReplicaRole, Sync


def unstopped(observation: Observation) -> tuple[StartObject, ...]:
    """Objects that would start something; those of a hot passive site do not count."""
    return tuple(each for each in observation.objects if not each.stopped and not each.standby)


def is_still(observation: Observation | None) -> bool:
    """Whether nothing runs, nothing is attached and nothing would start."""
    return observation is not None and not observation.running and not unstopped(observation)


def has_role(replica: Replica | None, role: ReplicaRole) -> bool:
    """Whether the replica has that role and was told no other one."""
    return replica is not None and (replica.role is ReplicaRole.ANY or (replica.role is role and replica.asked is role))


def is_primary_somehow(reading: Reading) -> bool:
    """Whether the replica is primary, or was told to be."""
    return ReplicaRole.PRIMARY in (reading.replica.role, reading.replica.asked)


@fact
def unmarked(case: Case) -> bool:
    """A newer epoch than the high-water mark may be acted on."""
    return case.unmarked


@fact
def accepted(case: Case) -> bool:
    """People accepted a rewound branch by the newest epoch, and the journal is still frozen."""
    return case.verdict.accepted


@fact
def gate_open(case: Case) -> bool:
    """The permit is missing, or some time satisfies its window; or the policies are not as they should be."""
    return case.k.permit is None or not case.k.permit.closed or not case.k.gate.installed


@fact
def something_runs(case: Case) -> bool:
    """Something of the application runs, is attached or would start."""
    return case.k.observation is not None and not is_still(case.k.observation)


@fact
def never_spoke(case: Case) -> bool:
    """This site never promoted the application and said nothing about it: what runs here is what people may keep."""
    return case.journal.promotion is None and case.journal.settled is None and case.own is None


@fact
def never_promoted(case: Case) -> bool:
    """This site never began to promote the application."""
    return case.journal.promotion is None


@fact
def adopting(case: Case) -> bool:
    """Nobody ever was primary, this site never proved that nothing is here, and it runs: it is taken over as it is."""
    sites = case.k.listing.sites.values() if case.k.listing else ()
    nobody = never_promoted(case) and not any(seen.ack and seen.ack.promotion for seen in sites)
    return nobody and case.journal.settled is None and something_runs(case)


@fact
def replica_primary(case: Case) -> bool:
    """This site's replica is primary, or was told to be."""
    return case.k.last is not None and is_primary_somehow(case.k.last)


@fact
def replica_is_primary(case: Case) -> bool:
    """This site's replica has become the primary."""
    return has_role(case.k.replica, ReplicaRole.PRIMARY)


@fact
def replica_secondary(case: Case) -> bool:
    """This site's replica is a secondary and was told nothing else."""
    return has_role(case.k.replica, ReplicaRole.SECONDARY)


@fact
def rest_acked(case: Case) -> bool:
    """This site's ref says for this epoch that it is at rest."""
    return case.journal.settled is not None and case.acked(case.journal.settled)


@fact
def unfit(case: Case) -> bool:
    """The target lacks something that the application needs."""
    return bool(case.k.unfit)


@fact
def failed_acked(case: Case) -> bool:
    """This site's ref says Failed for this epoch."""
    return case.acked(AckState.FAILED)


@fact
def planned(case: Case) -> bool:
    """The newest epoch is a planned move."""
    return case.placement.move == "planned"


@fact
def nowhere(case: Case) -> bool:
    """The newest epoch stops the application everywhere (`active: none`)."""
    return case.placement.active == NOWHERE


@fact
def ready_acked(case: Case) -> bool:
    """This site's ref says Ready for this epoch."""
    return case.acked(AckState.READY)


@fact
def promoting_acked(case: Case) -> bool:
    """This site's ref says Promoting for this very promotion."""
    return case.acked(AckState.PROMOTING)


@fact
def promoted_acked(case: Case) -> bool:
    """This site's ref says Promoted, or Active, for this very promotion."""
    return case.acked(AckState.PROMOTED, AckState.ACTIVE)


@fact
def active_acked(case: Case) -> bool:
    """This site's ref says Active for this epoch."""
    return case.acked(AckState.ACTIVE)


@fact
def driver_called(case: Case) -> bool:
    """The driver accepted the call of this promotion."""
    return case.journal.called


@fact
def permit_lapsed(case: Case) -> bool:
    """The permit ran out, or was closed, while the application is to run."""
    return not case.permitted


@fact
def lapse_noted(case: Case) -> bool:
    """The journal says when the permit ran out."""
    return case.journal.lapse is not None


@fact
def stopped_itself(case: Case) -> bool:
    """This site was promoted at the newest epoch already, and has stopped since: its lease ran out, or the guard
    stopped it. Meanwhile others may have been told to run it by an epoch that the server has lost (P14)."""
    return case.journal.promotion is not None and case.journal.promotion.epoch == case.placement.epoch


@fact
def gate_missing(case: Case) -> bool:
    """The gate's policies or bindings are not as they should be."""
    return not case.k.gate.installed


@fact
def promotion_begun(case: Case) -> bool:
    """Something of the promotion was done, may have been done, or was there before it: the driver was called, the role
    is not plainly secondary, something runs, or this site was primary already."""
    journal, replica = case.journal, case.k.replica
    was_primary = journal.before is not None and (
        journal.demotion is None or journal.demotion.sequence < journal.before.sequence
    )
    roles = (replica.role, replica.asked) if replica else ()
    unclear = ReplicaRole.PRIMARY in roles or ReplicaRole.UNKNOWN in roles
    return was_primary or journal.called or unclear or something_runs(case)


@fact
def overtaken(case: Case) -> bool:
    """Another site was promoted after this one: its replica is the application's."""
    return case.overtaken_by is not None


@fact
def discard_allowed(case: Case) -> bool:
    """The other site is primary, and this epoch lets this site's replica be overwritten (P13)."""
    other = case.overtaken_by
    return other is not None and other.settled in (AckState.PROMOTED, AckState.ACTIVE) and case.verdict.discard


@fact
def half_overwritten(case: Case) -> bool:
    """This replica was being overwritten, and does not say that it is whole again."""
    return case.k.replica is not None and case.k.replica.sync is not Sync.IN_SYNC


@fact
def cluster_unread(case: Case) -> bool:
    """The cluster could not be read in this pass."""
    return case.k.last is None
