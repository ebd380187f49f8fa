"""What a promotion, and a stop for a planned move, need of the other sites: P2, P4, P5 and the echo of P7.

What an ack permits is taken only from a trusted and plausible one; what it forbids from any that could be read.
"""

from __future__ import annotations

from reconciler.failover.protocol.case import Case
from reconciler.failover.protocol.conditions import follows
from reconciler.failover.protocol.decisions import Blocker, Hold
from reconciler.failover.protocol.facts import has_role
from reconciler.failover.protocol.loss import loss_of
from reconciler.failover.protocol.promotions import data_is_here, last_primary, proof_is_over
from reconciler.failover.protocol.registry import condition
from reconciler.failover.protocol.trust import implausible, permitting
from reconciler.failover.protocol.values import GIVEN_UP, PROMOTION_STATES, Ack, AckState
from reconciler.fleet.model import NOWHERE, Lease
from reconciler.replica import ReplicaRole

LIVING_POLLS = 3
"""A heartbeat that moved within so many polls is a sign of life (P2)."""

UNTOLD = "its heartbeat does not say yet whether the application runs there"


def sources(case: Case) -> tuple[str, ...]:
    """Every other site that carries the application, or carried it and has not proven since that it gave it up."""
    seen = case.k.listing.sites if case.k.listing else {}
    left = {site for site, each in seen.items() if each.ack and each.ack.settled not in GIVEN_UP}
    return tuple(sorted((set(case.k.application.sites) | left) - {case.k.site}))


def permitted_ack(case: Case, site: str) -> Ack | None:
    """A site's ack, where it may permit something."""
    return permitting(case.seen(site), site)


def undone(case: Case) -> dict[str, str]:
    """P4: the sources that may be writing, with why. A site that an earlier epoch declared down is left out while it
    stays silent on both of its refs."""
    found = {}
    for site in sources(case):
        seen = case.seen(site)
        if site in case.journal.down and not has_spoken(case, site) and _stays_silent(case, site):
            continue
        if seen.ack is None and not seen.distrust:
            found[site] = "it has said nothing about this application"
        elif (why := seen.distrust or implausible(seen, site)) or seen.ack is None:
            found[site] = f"it is not trusted: {why}"
        elif seen.ack.settled not in GIVEN_UP:
            word = seen.ack.settled or seen.ack.state
            found[site] = f"its last word is {word.value} at epoch {seen.ack.epoch}"
        elif (beats := _heartbeat_says(case, site)) is not None:
            found[site] = beats
    return found


def _heartbeat_says(case: Case, site: str) -> str | None:
    """What a source's heartbeat says against its having given up; a process that speaks and has not looked yet may
    run it."""
    heartbeat = case.seen(site).heartbeat
    if heartbeat is None:
        return None
    running = heartbeat.applications.get(case.k.application.name)
    if running is None:
        return UNTOLD
    if running.running:
        return "its heartbeat says that the application runs there"
    return "its heartbeat says that its replica is primary" if running.role is ReplicaRole.PRIMARY else None


def has_spoken(case: Case, site: str) -> bool:
    """Whether a site that was declared down moved one of its refs since this process saw that epoch."""
    declared = case.k.declared_since.get(site)
    seen = case.seen(site)
    return declared is not None and max(seen.heartbeat_since, seen.ack_since) > declared


def _stays_silent(case: Case, site: str) -> bool:
    """Whether a site that was declared down moved neither ref for T_fence since this process saw that epoch."""
    seen, listing = case.seen(site), case.k.listing
    declared = case.k.declared_since.get(site)
    if listing is None or declared is None:
        return False
    lease = _acknowledged_lease(case, site)
    fence = lease.fence_after if lease else case.k.limits.silence
    return listing.at - max(seen.heartbeat_since, seen.ack_since, declared) >= fence


@condition("P4")
def sources_done(case: Case) -> tuple[Blocker, ...]:
    """The last settling ack of every source is Passive, Demoted or Superseded, on a trusted ref, and no heartbeat of a
    source says running or primary."""
    return tuple(each for site, why in undone(case).items() for each in _unanswered(case, site, why))


@condition("P2 P4")
def others_done(case: Case) -> tuple[Blocker, ...]:
    """The same of every source but the one that was last primary, which stops as soon as this site says Ready."""
    last = last_primary(case)
    if last is None:
        return ()
    left = {site: why for site, why in undone(case).items() if site != last[0]}
    return tuple(each for site, why in left.items() for each in _unanswered(case, site, why))


def _unanswered(case: Case, site: str, why: str) -> tuple[Blocker, ...]:
    seen, name = case.seen(site), case.k.application.name
    if seen.ack is None:
        lifted = f"install Siteshift at {site}, or: siteshift retire {name} --site {site}"
        return (Hold("SiteSilent", f"{site}: {why}", lifted),)
    wait = case.wait(f"site {site}", f"{why}; needs Passive, Demoted or Superseded")
    listing = case.k.listing
    if listing is not None and listing.at - seen.heartbeat_since <= LIVING_POLLS * case.k.limits.poll:
        return (wait,)
    lifted = (
        f"repair {site}, or: siteshift failover {name} --to {case.k.site} --disaster --declare-down {site} --reason …"
    )
    return (wait, Hold("SiteSilent", f"{site}: {why}, and it gives no sign of life", lifted))


@condition("P4")
def data_proven(case: Case) -> tuple[Blocker, ...]:
    """This site was last primary itself, or nobody ever was, or the last primary's Demoted, made after that promotion,
    names this replica as complete or carries a token that it has reached."""
    if data_is_here(case):
        return ()
    last = last_primary(case)
    site = last[0] if last else "nobody"
    wait = case.wait(f"site {site}", "no proof yet that its last writes have reached this replica")
    if not proof_is_over(case):
        return (wait,)
    message = f"{site} gave up without a proof that its last writes have reached this replica"
    lifted = f"siteshift failover {case.k.application.name} --to {site}, which has them"
    return (wait, Hold("NotProven", message, lifted))


@condition("P2")
def target_ready(case: Case) -> tuple[Blocker, ...]:
    """The target said Ready for this very epoch, and its heartbeat moved within three polls."""
    site, epoch = case.placement.active, case.placement.epoch
    seen, listing = case.seen(site), case.k.listing
    ack = permitted_ack(case, site)
    if listing is None or ack is None or ack.epoch != epoch or ack.state not in (AckState.READY, AckState.FAILED):
        return (case.wait(f"site {site}", f"it has not said Ready for epoch {epoch}"),)
    if ack.state is AckState.FAILED:
        why = str(ack.evidence.get("reason", "it gave no reason"))
        return (Hold("TargetNotReady", f"{site}: {why}", "siteshift status"),)
    if seen.witnessed and listing.at - seen.heartbeat_since <= LIVING_POLLS * case.k.limits.poll:
        return ()
    return (case.wait(f"heartbeat of {site}", "it said Ready, and its heartbeat does not move"),)


@condition("P2")
def following(case: Case) -> tuple[Blocker, ...]:
    """This replica follows the present primary within the RPO, or holds the data already; absent only at a first
    placement."""
    replica = case.k.replica
    if replica is None:
        return (case.wait("the replication", "its state was not read yet"),)
    last = last_primary(case)
    if last is None or last[0] == case.k.site:
        if ReplicaRole.UNKNOWN in (replica.role, replica.asked):
            return (case.wait("the replication", "its role is not known"),)
        return ()
    if data_is_here(case) and has_role(replica, ReplicaRole.SECONDARY):
        return ()
    if not follows(case):
        because = f"this replica is {replica.role.value}, {replica.sync.value}; needs in sync"
        return (case.wait("the replication", because),)
    heartbeat = case.seen(last[0]).heartbeat
    running = heartbeat.applications.get(case.k.application.name) if heartbeat else None
    rpo = case.k.application.replication.rpo
    if rpo is not None and running is not None and running.exposure is not None and running.exposure > rpo:
        because = f"the last sync is {running.exposure:.0f}s old, the RPO is {rpo:.0f}s"
        return (case.wait("the replication", because),)
    return ()


@condition("P5")
def declared_and_fenced(case: Case) -> tuple[Blocker, ...]:
    """Each source that may be writing is declared down and has stopped by its own word, or its acknowledged lease ran
    out, or people override the fence with a reason."""
    found: list[Blocker] = []
    name = case.k.application.name
    for site, why in undone(case).items():
        if site not in case.placement.declared_down:
            down = f"--declare-down {site} --allow-data-loss 10m --reason WHY"
            lifted = f"siteshift failover {name} --to {case.k.site} --disaster {down}"
            found.append(Hold("NotDeclaredDown", f"{site} is not declared down: {why}", lifted))
        else:
            found.extend(_fenced(case, site))
    return tuple(found)


def _acknowledged_lease(case: Case, site: str) -> Lease | None:
    """The lease that the site's guard last said it obeys; None where it never did."""
    heartbeat = case.seen(site).heartbeat
    running = heartbeat.applications.get(case.k.application.name) if heartbeat else None
    return running.lease if running else None


def _fenced(case: Case, site: str) -> tuple[Blocker, ...]:
    seen, listing, placement = case.seen(site), case.k.listing, case.placement
    ack = permitted_ack(case, site)
    if ack and ack.state in (AckState.STOPPED, AckState.DEMOTED):
        return ()
    if placement.override_fence and placement.reason:
        return ()
    lease = _acknowledged_lease(case, site)
    if lease is None or seen.distrust:
        why = seen.distrust or "its guard never said that it obeys a lease"
        lifted = f"siteshift override-fence {case.k.application.name} --reason WHY, or {site} says Stopped or Demoted"
        return (Hold("NotFenced", f"{site} is declared down and may still run: {why}", lifted),)
    if listing is not None and listing.at - seen.heartbeat_since >= lease.fence_after:
        return ()
    because = f"its lease has not run out: {lease.fence_after:.0f}s without a heartbeat are needed"
    wait = case.wait(f"heartbeat of {site}", because, lease.fence_after)
    if case.k.now - wait.since <= lease.fence_after:
        return (wait,)
    lifted = f"siteshift override-fence {case.k.application.name} --reason WHY, or {site} says Stopped or Demoted"
    return (wait, Hold("NotFenced", f"{site} is declared down and still speaks: {because}", lifted))


@condition("P5 I2")
def loss_allowed(case: Case) -> tuple[Blocker, ...]:
    """The data that may be lost, judged now, is within allowDataLoss; an unknown loss passes only `unknown`."""
    lost, allowed = loss_of(case), case.placement.allow_data_loss
    if lost == 0.0 or allowed == "unknown" or (not isinstance(lost, str) and allowed is not None and lost <= allowed):
        return ()
    shown = lost if isinstance(lost, str) else f"{lost:.0f}s"
    granted = NOWHERE if allowed is None else f"{allowed:.0f}s"
    name = case.k.application.name
    down = " ".join(f"--declare-down {site}" for site in case.placement.declared_down)
    lifted = f"siteshift failover {name} --to {case.k.site} --disaster {down} --allow-data-loss {shown} --reason WHY"
    return (Hold("DataLoss", f"the data that may be lost is {shown}, allowed is {granted}", lifted),)


@condition("P7 P14")
def echoed(case: Case) -> tuple[Blocker, ...]:
    """Each other site echoed a counter that this site pushed after its permit lapsed, and says that nothing runs and no
    replica is primary there; or a later epoch names this site and declares the silent ones down."""
    lapse = case.journal.lapse
    if lapse is None:
        return ()
    newest = case.placement
    found: list[Blocker] = []
    for site in sources(case):
        seen = case.seen(site)
        if newest.epoch > lapse.epoch and newest.active == case.k.site and site in newest.declared_down:
            continue
        heartbeat = None if seen.distrust else seen.heartbeat
        if heartbeat is None or heartbeat.echo.get(case.k.site, -1) <= lapse.counter:
            found.extend(_no_echo(case, site))
        elif (why := _heartbeat_says(case, site)) == UNTOLD:
            found.append(case.wait(f"heartbeat of {site}", why))
        elif why is not None:
            found.append(Hold("RunsElsewhere", f"{site}: {why}", "siteshift status"))
        elif seen.ack and seen.ack.settled in PROMOTION_STATES and case.journal.promotion is not None:
            theirs = seen.ack.promotion
            if theirs is not None and theirs.epoch > case.journal.promotion.epoch:
                found.append(case.wait(f"site {site}", "it was promoted after this site"))
    return tuple(found)


def _no_echo(case: Case, site: str) -> tuple[Blocker, ...]:
    """A wait for the echo, and the way out beside it where the site is silent."""
    because = "it has not seen this site's heartbeat since the application's right to run here ended"
    wait = case.wait(f"heartbeat of {site}", because)
    if case.k.now - wait.since <= LIVING_POLLS * case.k.limits.poll:
        return (wait,)
    lifted = (
        f"repair {site}, or: siteshift failover {case.k.application.name} --to {case.k.site} --disaster "
        f"--declare-down {site} --reason …, another reason than before"
    )
    return (wait, Hold("NotEchoed", f"{site} may have been told to run it meanwhile: {because}", lifted))
