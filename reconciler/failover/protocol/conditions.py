"""The conditions of the rules, one function each: nothing returned is satisfied, else the very waits and holds that
status shows. None of them changes anything, and none is needed to stop.
"""

from __future__ import annotations

from typing import Literal

from reconciler.failover.protocol.decisions import Hold, Wait
from reconciler.failover.protocol.values import (
    GIVEN_UP,
    Ack,
    AckState,
    Journal,
    Knowledge,
    Observation,
    StartObject,
)
from reconciler.fleet.model import Placement
from reconciler.replica import Replica, ReplicaRole, Sync

Obstacle = Wait | Hold
Loss = float | Literal["unknown"]


def wait(k: Knowledge, on: str, because: str, at_most: float | None = None) -> Wait:
    """A wait that goes on since it was first seen."""
    fresh = Wait(on, because, k.now, at_most)
    return Wait(on, because, k.waiting.get(fresh.key, k.now), at_most)


def fresh(k: Knowledge) -> tuple[Obstacle, ...]:
    """P8: the branch and refs were listed after an accepted push, not longer ago than the freshness limit."""
    listing = k.listing
    if listing and listing.proven and k.now - listing.at <= k.limits.freshness:
        if k.history and k.history.head == listing.head:
            return ()
        return (wait(k, "the branch", "its newest commit is being read"),)
    return (wait(k, "the Git server", "no push of this site was accepted within the freshness limit"),)


def own_ack(k: Knowledge) -> Ack | None:
    """What this site's ref says about the application, as last listed."""
    return k.listing.acks.get(k.site) if k.listing else None


def givers(k: Knowledge) -> tuple[str, ...]:
    """Every other site that carries the application, or was left as its writer when it was taken out of the list."""
    acks = k.listing.acks if k.listing else {}
    left = {site for site, ack in acks.items() if ack.settled in (AckState.PROMOTING, AckState.ACTIVE)}
    return tuple(sorted((set(k.application.sites) | left) - {k.site}))


def unanswered(k: Knowledge) -> dict[str, str]:
    """P4: the givers that may be writing, with why."""
    listing = k.listing
    if listing is None:
        return dict.fromkeys(givers(k), "nothing is known of it")
    reasons = {}
    for site in givers(k):
        ack = listing.acks.get(site)
        if site in listing.distrusted:
            reasons[site] = "its acks went back or cannot be read"
        elif ack is None:
            reasons[site] = "it has said nothing about this application"
        elif ack.settled not in GIVEN_UP:
            said = ack.settled.value if ack.settled else ack.state.value
            reasons[site] = f"its last word is {said} at epoch {ack.epoch}"
    return reasons


def last_primary(k: Knowledge, own: int) -> tuple[str, int] | None:
    """The site that was last primary, and the epoch of its promotion; None where none ever was."""
    epochs = {site: ack.primary for site, ack in (k.listing.acks if k.listing else {}).items()} | {k.site: own}
    site = max(sorted(epochs), key=lambda each: (epochs[each], each == k.site))
    return (site, epochs[site]) if epochs[site] else None


def superior(k: Knowledge, journal: Journal, newest: Placement | None) -> Ack | None:
    """The ack of a site that was promoted after this one: its copy is the application's, this one's is behind. A site
    that the newest epoch declares down in this one's favour does not count."""
    down: tuple[str, ...] = ()
    if newest and newest.active == k.site and newest.move == "disaster":
        down = newest.declared_down
    later = [
        ack
        for site, ack in (k.listing.acks if k.listing else {}).items()
        if site != k.site and site not in down and ack.primary > journal.primary
    ]
    return max(later, key=lambda ack: ack.primary, default=None)


def data_is_here(k: Knowledge, own: int) -> bool:
    """P4: whether the last primary proved this site's copy complete, or its barrier was reached here."""
    last = last_primary(k, own)
    if last is None or last[0] == k.site or (k.replica and k.replica.role is ReplicaRole.ANY):
        return True
    demotion = k.listing.acks[last[0]].demotion if k.listing else None
    if demotion is None or demotion.primary != last[1]:
        return False
    reached = demotion.token is not None and k.replica is not None and k.replica.token == demotion.token
    return k.site in demotion.complete or reached


def _silent(k: Knowledge, site: str, seconds: float) -> bool:
    """Whether a site moved neither of its refs for so long, counted by this process."""
    sign = k.listing.signs.get(site) if k.listing else None
    return sign is not None and k.now - max(sign.since, sign.ack_since) >= seconds


def p4(k: Knowledge, journal: Journal, own: int) -> tuple[Obstacle, ...]:
    """Planned promotion: every giver has given up, and the data is proven to be here."""
    fence = k.application.lease.fence_after if k.application.lease else k.limits.fence
    found: list[Obstacle] = []
    for site, why in unanswered(k).items():
        if site in journal.down and _silent(k, site, fence):
            continue
        if k.listing and site not in k.listing.acks:
            lifted = f"install Siteshift at {site}, or take {site} out of spec.sites"
            found.append(Hold("SiteSilent", f"{site}: {why}", lifted))
        else:
            found.append(wait(k, f"site {site}", f"{why}; needs Passive, Demoted or Superseded"))
    if not found and not data_is_here(k, own):
        last = last_primary(k, own)
        assert last is not None
        found.append(wait(k, f"site {last[0]}", "no proof yet that its last writes have reached this copy"))
    return tuple(found)


def ready_of(k: Knowledge, newest: Placement) -> tuple[Obstacle, ...]:
    """P2: the taker of a planned move has said `Ready` for this very epoch."""
    ack = k.listing.acks.get(newest.active) if k.listing else None
    if ack and ack.epoch == newest.epoch and ack.state is AckState.READY:
        return ()
    if ack and ack.epoch == newest.epoch and ack.state is AckState.FAILED:
        why = str(ack.evidence.get("reason", "it gave no reason"))
        return (Hold("TakerNotReady", f"{newest.active}: {why}", f"siteshift status {k.application.name}"),)
    return (wait(k, f"site {newest.active}", f"it has not said Ready for epoch {newest.epoch}"),)


def p5(k: Knowledge, newest: Placement, own: int, judged: Loss | None) -> tuple[Obstacle, ...]:
    """Disaster promotion: each site that may be writing is declared down and stopped, fenced by its lease or by people;
    and the loss is allowed. A loss that was judged with the journal's `Promoting` is not judged again."""
    found: list[Obstacle] = []
    for site, why in unanswered(k).items():
        if site not in newest.declared_down:
            lifted = (
                f"siteshift failover {k.application.name} --to {k.site} --disaster --declare-down {site} --reason …"
            )
            found.append(Hold("NotDeclaredDown", f"{site} is not declared down: {why}", lifted))
        else:
            found.extend(_fenced(k, newest, site))
    if judged is None:
        found.extend(_allowed(k, newest, own))
    return tuple(found)


def _fenced(k: Knowledge, newest: Placement, site: str) -> tuple[Obstacle, ...]:
    ack = k.listing.acks.get(site) if k.listing else None
    trusted = k.listing is not None and site not in k.listing.distrusted
    if trusted and ack and ack.state is AckState.STOPPED and ack.epoch >= newest.epoch:
        return ()
    if newest.override_fence and newest.reason:
        return ()
    lease = k.application.lease
    if lease is None:
        lifted = f"{site} says Stopped or Demoted, or overrideFence and reason in {newest.path}"
        return (Hold("NotFenced", f"{site} is declared down and has no lease that could run out", lifted),)
    sign = k.listing.signs.get(site) if k.listing else None
    if sign is None:
        return (wait(k, f"heartbeat of {site}", "it was not looked for yet"),)
    if k.now - sign.since >= lease.fence_after:
        return ()
    return (Wait(f"heartbeat of {site}", "its lease has not run out", sign.since, lease.fence_after),)


def loss(k: Knowledge, own: int) -> Loss:
    """P5: the seconds of writes that would be lost by promoting this copy now."""
    last = last_primary(k, own)
    if last is None or data_is_here(k, own):
        return 0.0
    sign = k.listing.signs.get(last[0]) if k.listing else None
    exposure = sign.exposures.get(k.application.name) if sign else None
    if sign is None or exposure is None:
        return "unknown"
    lease = k.application.lease
    longest = lease.time + k.limits.stop if lease else None
    if not sign.witnessed:
        return exposure + longest if longest is not None else "unknown"
    silent = k.now - sign.since
    return exposure + (silent if longest is None else min(silent, longest))


def _allowed(k: Knowledge, newest: Placement, own: int) -> tuple[Obstacle, ...]:
    lost, allowed = loss(k, own), newest.allow_data_loss
    if lost == 0.0 or allowed == "unknown" or (not isinstance(lost, str) and allowed is not None and lost <= allowed):
        return ()
    shown = lost if isinstance(lost, str) else f"{lost:.0f}s"
    granted = "none" if allowed is None else f"{allowed:.0f}s"
    lifted = f"allowDataLoss: {'unknown' if isinstance(lost, str) else shown} in {newest.path}, with the next epoch"
    return (Hold("DataLoss", f"the data that may be lost is {shown}, allowed is {granted}", lifted),)


def closed_at(k: Knowledge) -> float | None:
    """P7: since when the gate is closed, by this process's clock: all API servers refuse, or the withdrawn time plus
    the clock tolerance is over."""
    found = [k.gate.closed_since] if k.gate.closed_since is not None else []
    permit = k.permit
    if k.gate.installed and permit and permit.withdrawn is not None and permit.until <= permit.withdrawn:
        over = k.server_time - permit.withdrawn - k.limits.tolerance
        if over >= 0:
            found.append(k.now - over)
    return min(found, default=None)


def gate_is_shut(k: Knowledge) -> bool:
    """Whether the permit admits nothing from now on; the gate may not be closed at every API server yet."""
    return k.gate.installed and k.permit is not None and k.permit.withdrawn is not None


def unstopped(observation: Observation) -> tuple[StartObject, ...]:
    """Objects that would start something; those of a hot passive site do not count."""
    return tuple(each for each in observation.objects if not each.stopped and not each.standby)


def still(observation: Observation | None) -> bool:
    """Whether nothing runs, nothing is attached and nothing would start."""
    return observation is not None and not observation.running and not unstopped(observation)


def no_writers(k: Knowledge) -> tuple[Obstacle, ...]:
    """P3: nothing runs, read twice, the first time no sooner than a request's timeout after the gate was closed."""
    closed = closed_at(k)
    if closed is None:
        open_at = ", ".join(sorted(address for address, refused in k.gate.refused.items() if not refused))
        return (wait(k, f"the gate at {open_at or 'the API servers'}", "not every API server refuses starts yet"),)
    proven_from = closed + k.limits.request_timeout
    if k.now < proven_from:
        because = "a create that was admitted before the gate closed may still be stored"
        return (Wait("the API servers' requests", because, closed, k.limits.request_timeout),)
    if not still(k.observation):
        return (wait(k, "the application's pods and volumes", "something runs, is attached or would start"),)
    if k.before is None or k.before.at < proven_from or not still(k.before):
        return (wait(k, "the application's pods and volumes", "the second reading of the proof"),)
    return ()


def holds_role(replica: Replica | None, role: ReplicaRole) -> bool:
    """Whether the copy has that role and was told no other one."""
    return replica is not None and (replica.role is ReplicaRole.ANY or (replica.role is role and replica.asked is role))


def in_sync(k: Knowledge) -> bool:
    """Whether this copy is a secondary in sync, in two readings in a row (drivers flap)."""
    return all(
        replica is not None and holds_role(replica, ReplicaRole.SECONDARY) and replica.sync is Sync.IN_SYNC
        for replica in (k.replica, k.replica_before)
    )


def following(k: Knowledge, own: int) -> tuple[Obstacle, ...]:
    """What `Ready` claims of the data: this copy is a secondary that follows the present primary within the RPO."""
    replica = k.replica
    if replica is None:
        return (wait(k, "the replication", "its state was not read yet"),)
    last = last_primary(k, own)
    if last is None or last[0] == k.site:
        if replica.role is ReplicaRole.UNKNOWN:
            return (wait(k, "the replication", "its role is not known"),)
        return ()
    if data_is_here(k, own) and holds_role(replica, ReplicaRole.SECONDARY):
        return ()
    if not in_sync(k):
        return (wait(k, "the replication", f"this copy is {replica.role.value}, {replica.sync.value}; needs in sync"),)
    sign = k.listing.signs.get(last[0]) if k.listing else None
    exposure = sign.exposures.get(k.application.name) if sign else None
    rpo = k.application.replication.rpo
    if rpo is not None and exposure is not None and exposure > rpo:
        return (wait(k, "the replication", f"the last sync is {exposure:.0f}s old, the RPO is {rpo:.0f}s"),)
    return ()
