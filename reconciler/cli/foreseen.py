"""What a disaster move will meet, judged from what the sites said last, before anybody commits it.

The sites judge again, by their own clocks and with newer words. Here a move that would only stand still is refused,
with what is missing: else people would learn it after the commit, in the middle of a disaster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import FleetError, SourceError

if TYPE_CHECKING:
    from reconciler.cli.said import Said
    from reconciler.failover.protocol.values import Ack, Promotion, Running
    from reconciler.fleet.model import Fleet
    from reconciler.fleet.moving import Disaster, Move


@dataclass(frozen=True, slots=True)
class LastWords:
    """What a site said last of one application. `silent`: seconds since its last heartbeat was made, by its own clock
    and ours (None: it never made one); `unread`: why its ack could not be read ("": it could)."""

    ack: Ack | None = None
    running: Running | None = None
    silent: float | None = None
    unread: str = ""


def last_words(words: Said, application: str, now: float) -> dict[str, LastWords]:
    """What each site of the fleet said last. `now`: seconds since 1970."""
    found = {}
    for site in words.seen.sites:
        ack, unread = None, ""
        try:
            ack = words.ack(site, application)
        except SourceError as error:
            unread = str(error).partition("\n")[0]
        heartbeat = words.seen.listed(site)
        said_at = words.said_at(site)
        found[site] = LastWords(
            ack,
            heartbeat.applications.get(application) if heartbeat else None,
            None if said_at is None or heartbeat is None else max(0.0, now - said_at),
            unread,
        )
    return found


def check(move: Move, disaster: Disaster, fleet: Fleet, words: Mapping[str, LastWords]) -> list[str]:
    """What the move will wait for and what it may lose, as lines. Raises `FleetError` where it would stand still."""
    lines: list[str] = []
    for site in sorted(set(move.application.sites) - {move.taker}):
        lines += _fence(move, disaster, fleet, site, words.get(site, LastWords()))
    lines += _loss(move, fleet, words)
    return lines


def _fence(move: Move, disaster: Disaster, fleet: Fleet, site: str, said: LastWords) -> Iterator[str]:
    """How the taker will know that a site has stopped (P5)."""
    from reconciler.failover.protocol.proof import LIVING_POLLS
    from reconciler.failover.protocol.values import AckState
    from reconciler.fleet.durations import show

    name, taker = move.application.name, move.taker
    if _gave_up(said):
        return
    if site not in disaster.declared_down:
        raise FleetError(
            f"{name} would be held at {taker} (NotDeclaredDown): {site} is not declared down, and {_heard(said)}",
            hint=f"--declare-down {site}, if it is down too",
        )
    if said.ack is not None and said.ack.state in (AckState.STOPPED, AckState.DEMOTED):
        yield f"{site}: {name}: it said {said.ack.state.value}: nothing is waited for"
    elif disaster.override_fence is not None:
        yield f"{site}: {name}: nothing proves that it has stopped. If it runs, two sites write at once."
    elif said.running is not None and said.running.lease is not None:
        fence = said.running.lease.fence_after
        yield (
            f"{taker}: {name}: waits until {site}, which obeys a lease, was silent for {show(fence)} ({_heard(said)})"
        )
    elif said.silent is not None and said.silent <= LIVING_POLLS * fleet.poll:
        yield f"{taker}: {name}: waits until {site} says Stopped or Demoted; {_heard(said)}, and it obeys this commit"
    else:
        raise FleetError(
            f"{name} would be held at {taker} (NotFenced): nothing proves that {site} has stopped. It never said that"
            f" it obeys a lease (onIsolation: fence), and {_heard(said)}",
            hint='if you know that it is dark, say how: --override-fence "its power is cut"',
        )


def _gave_up(said: LastWords) -> bool:
    from reconciler.failover.protocol.values import GIVEN_UP
    from reconciler.replica import ReplicaRole

    running = said.running
    writes = running is not None and (running.running or running.role is ReplicaRole.PRIMARY)
    return said.ack is not None and said.ack.settled in GIVEN_UP and not writes


def _heard(said: LastWords) -> str:
    from reconciler.fleet.durations import show

    if said.unread:
        return f"what it said cannot be read: {said.unread}"
    if said.silent is None:
        return "it has given no sign of life"
    return f"its last sign of life is {show(said.silent)} old"


def _loss(move: Move, fleet: Fleet, words: Mapping[str, LastWords]) -> Iterator[str]:
    """What would be lost by now, if the copy that is promoted is as old as the last word about it."""
    from reconciler.fleet.durations import seconds, show

    name, taker, allowed = move.application.name, move.taker, move.allowed_loss
    last = _last_primary(words)
    if move.application.replication.driver == "none" or last is None:
        return
    if last[0] == taker or _is_complete(words[last[0]].ack, taker):
        yield f"{taker}: {name}: its copy has everything that {last[0]} has written"
        return
    said = words[last[0]]
    if said.running is None or said.running.exposure is None or said.silent is None:
        if allowed != "unknown":
            raise FleetError(
                f"{name} would be held at {taker} (DataLoss): how old the copy at {taker} is cannot be told",
                hint="--allow-data-loss unknown, if any loss is to be accepted",
            )
        yield f"{taker}: {name}: how old its copy is cannot be told"
        return
    lost = said.running.exposure + said.silent
    lease = said.running.lease
    least = lost if lease is None else min(lost, said.running.exposure + lease.time)
    if allowed not in (None, "unknown") and least > seconds(allowed):
        raise FleetError(
            f"{name} would be held at {taker} (DataLoss): the copy at {taker} is {show(lost)} old or more, and"
            f" {allowed} may be lost",
            hint=f"--allow-data-loss {_rounded(lost, fleet)}, if that much is to be accepted; it grows by the minute",
        )
    yield f"{taker}: {name}: its copy is {show(lost)} old by now, or more; what {last[0]} wrote since then is lost"


def _last_primary(words: Mapping[str, LastWords]) -> tuple[str, Promotion] | None:
    found = [(site, said.ack.promotion) for site, said in words.items() if said.ack and said.ack.promotion]
    return max(found, key=lambda each: each[1].epoch, default=None)


def _is_complete(ack: Ack | None, taker: str) -> bool:
    """Whether the last primary has proven, since it was promoted, that the taker's copy is complete."""
    if ack is None or ack.demotion is None or ack.promotion is None:
        return False
    return ack.demotion.ended == ack.promotion and taker in ack.demotion.complete


def _rounded(lost: float, fleet: Fleet) -> str:
    """Enough for what goes on being lost until the move is judged: whole minutes, and one more poll."""
    return f"{int((lost + fleet.poll) // 60) + 1}m"
