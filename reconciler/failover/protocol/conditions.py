"""What a row of the table needs of this site's own cluster before anything is done. See `proof` for the other sites."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.failover.protocol.case import Case
from reconciler.failover.protocol.decisions import Blocker, Hold, Wait
from reconciler.failover.protocol.facts import has_role, is_primary_somehow, is_still, unstopped
from reconciler.failover.protocol.promotions import last_primary
from reconciler.failover.protocol.registry import condition
from reconciler.failover.protocol.values import Reading
from reconciler.fleet.model import NOWHERE
from reconciler.replica import ReplicaRole, Sync

SPACING = 0.25
"""Two readings of one proof lie at least so many polls apart."""

MOVING_POLL = 2.0
"""Seconds that a poll counts for at most: during a move a site lists Git so often at least, however long a poll is."""


def spacing(poll: float) -> float:
    """Seconds between two readings of one proof."""
    return SPACING * min(poll, MOVING_POLL)


def twice(case: Case, holds: Callable[[Reading], bool], not_before: float = float("-inf")) -> bool:
    """Whether two readings under this entry show it, far enough apart, the newest one included, and nothing between
    them shows anything else. Both began at or after `not_before`."""
    last = case.k.last
    if last is None:
        return False
    for reading in reversed(case.k.readings):
        if reading.at < not_before or not holds(reading):
            return False
        if last.at - reading.at >= spacing(case.k.limits.poll):
            return True
    return False


@condition("I4")
def cluster_read(case: Case) -> tuple[Blocker, ...]:
    """The cluster was read in this pass."""
    return () if case.k.last else (case.wait("the cluster", "what runs here was not read yet"),)


@condition("P8")
def fresh(case: Case) -> tuple[Blocker, ...]:
    """A push of this site was accepted, and the branch, with this epoch, and the refs were listed from the same server
    afterwards, within the freshness limit."""
    listing, history = case.k.listing, case.k.history
    if listing and listing.proven and case.k.now - listing.at <= case.k.limits.freshness:
        if history and history.head == listing.head:
            return ()
        return (case.wait("the branch", "its newest commit is being read"),)
    return (case.wait("the Git server", "no push of this site was accepted within the freshness limit"),)


@condition("P7")
def gate_refuses(case: Case) -> tuple[Blocker, ...]:
    """The gate is closed: every API server ever seen refuses a dry-run create."""
    gate = case.k.gate
    if gate.installed and case.k.permit and case.k.permit.closed and gate.closed_since is not None:
        return ()
    silent = sorted(address for address, refused in gate.answers.items() if refused is None)
    admitting = sorted(address for address, refused in gate.answers.items() if refused is False)
    if silent and not admitting and case.k.now - case.k.step_since > case.k.limits.request_timeout:
        message = f"{', '.join(silent)} does not answer, and may admit starts when it is back"
        lifted = f"repair it, or: siteshift forget-api-server {silent[0]} --site {case.k.site}"
        return (Hold("ApiServerSilent", message, lifted),)
    where = ", ".join(admitting or silent) or "the API servers"
    return (case.wait(f"the gate at {where}", "not every API server refuses starts yet"),)


def proven_from(case: Case) -> float:
    """The first moment at which a reading proves something: whatever was admitted before the gate closed is stored."""
    closed = case.k.gate.closed_since
    return float("inf") if closed is None else closed + case.k.limits.request_timeout


@condition("P3 P7")
def no_writers(case: Case) -> tuple[Blocker, ...]:
    """Nothing runs, is attached or would start: read twice, the first time no sooner than the API servers' request
    timeout after the gate was closed."""
    missing = gate_refuses(case) or cluster_read(case)
    if missing:
        return missing
    first = proven_from(case)
    if case.k.now < first:
        timeout = case.k.limits.request_timeout
        because = "a create that was admitted before the gate closed may still be stored"
        return (Wait("the API servers' requests", because, first - timeout, timeout),)
    if not is_still(case.k.observation):
        return (case.wait("the application's pods and volumes", "something runs, is attached or would start"),)
    if not twice(case, lambda reading: is_still(reading.observation), first):
        return (case.wait("the application's pods and volumes", "the second reading of the proof"),)
    return ()


@condition("P3")
def nothing_here(case: Case) -> tuple[Blocker, ...]:
    """Nothing runs here, and no replica is primary or of an unknown role: read twice, behind a closed gate. At a first
    placement the target's may be primary already."""
    missing = gate_refuses(case) or cluster_read(case)
    if missing:
        return missing
    if not is_still(case.k.observation):
        return (case.wait("the application's pods and volumes", "something runs, is attached or would start"),)
    replica = case.k.replica
    if replica and ReplicaRole.UNKNOWN in (replica.role, replica.asked):
        return (case.wait("the replication", "its role is not known"),)
    first = last_primary(case) is None and case.newest.placement.active == case.k.site
    if not twice(case, lambda each: is_still(each.observation) and (first or not is_primary_somehow(each))):
        return (case.wait("the application's pods and volumes", "the second reading of the proof"),)
    return ()


@condition("P3")
def replica_primary_twice(case: Case) -> tuple[Blocker, ...]:
    """Two readings say that this replica is primary: drivers flap."""
    if twice(case, is_primary_somehow):
        return ()
    return (case.wait("the replication", "it says primary; read again"),)


def follows(case: Case) -> bool:
    """Whether two readings say that this replica is a secondary in sync."""
    return twice(case, lambda each: has_role(each.replica, ReplicaRole.SECONDARY) and each.replica.sync is Sync.IN_SYNC)


@condition("P3")
def in_sync(case: Case) -> tuple[Blocker, ...]:
    """Two readings say that this replica is a secondary in sync."""
    if follows(case):
        return ()
    because = "this replica is a secondary and not yet in sync with the other"
    return in_time(case, "NotInSync", because, unproven(case))


def unproven(case: Case) -> str:
    """What leads out where the arrays cannot prove that this site's last writes are at the other: three decisions."""
    name, site = case.k.application.name, case.k.site
    others = " ".join(each for each in case.k.application.sites if each != site) or "the other site"
    return (
        "repair the link between the arrays, or declare this site down, or go on here: "
        f"siteshift failover {name} --to {site} --disaster --declare-down {others} --reason …"
    )


def in_time(case: Case, reason: str, because: str, lifted: str) -> tuple[Blocker, ...]:
    """A wait for the storage, and a hold beside it once it takes longer than it may."""
    waits = case.wait("the replication", because, case.k.limits.promotion)
    if case.k.now - waits.since <= case.k.limits.promotion:
        return (waits,)
    return (waits, Hold(reason, because, lifted))


@condition("P3")
def reaches_target(case: Case) -> tuple[Blocker, ...]:
    """Where the newest epoch names another site: the proof is about its replica, or there is a barrier token."""
    replica = case.k.replica
    newest = case.verdict.newest.placement if case.verdict.newest else None
    if replica is None or newest is None or newest.active in (case.k.site, NOWHERE) or case.overtaken_by:
        return ()
    if newest.active in replica.peers or replica.token is not None:
        return ()
    message = (
        f"in sync with {', '.join(replica.peers) or 'an unnamed replica'}, not proven with that of {newest.active}"
    )
    return (
        Hold("NotTheTargetsReplica", message, f"siteshift failover {case.k.application.name} --to SITE, one of those"),
    )


@condition("P10")
def everything_ready(case: Case) -> tuple[Blocker, ...]:
    """Every workload of the application is ready."""
    if case.k.observation is None:
        return cluster_read(case)
    unready = [each for each in case.k.observation.objects if not each.ready and not each.standby]
    found: list[Blocker] = [case.wait(str(each.ref), "is starting", case.k.limits.readiness) for each in unready]
    if found and case.k.now - case.k.step_since > case.k.limits.readiness:
        lifted = "siteshift status; the starts go on meanwhile"
        found.append(Hold("NotReadyInTime", "not everything became ready in time", lifted))
    return tuple(found)


@condition("P9")
def stopped_in_time(case: Case) -> tuple[Blocker, ...]:
    """What is to stop has stopped."""
    observation = case.k.observation
    if observation is None:
        return cluster_read(case)
    busy = [each.ref for each in unstopped(observation)] + [each.ref for each in observation.objects if each.runs]
    names = list(dict.fromkeys(map(str, (*busy, *observation.running))))
    found: list[Blocker] = [case.wait(each, "is stopping", case.k.limits.stop) for each in names]
    if found and case.k.now - case.k.step_since > case.k.limits.stop + case.k.limits.request_timeout:
        shown = ", ".join(names[:3])
        found.append(Hold("StopTakesTooLong", f"{shown} did not stop in time", f"kubectl delete {shown}"))
    return tuple(found)
