"""The states of the protocol as data: what this site does (rows), for what is asked of it (columns).

A row is the journal's step; the cell is what to do and under which rules. What affects a transition lies here and in
the function of that name (`giving`, `taking`); there is no other place. `protocol.decide` fails on a missing cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from reconciler.failover.protocol.values import Step


class Asked(Enum):
    """What the newest epoch, the lease and the stop_orders ask of this site; the first that holds, in this order."""

    STOP = "stop"
    """A disaster epoch names another site (P3), the lease ran out (P6), or another site was promoted meanwhile."""

    NOTHING = "nothing"
    """Frozen (P1), suspended, or Git was not read yet: what is, stays."""

    TAKE = "take"
    """The newest epoch names this site."""

    GIVE = "give"
    """The newest epoch names another site, planned."""


class Action(Enum):
    """The functions of `giving` and `taking`, by name."""

    REST = "rest"
    PREPARE = "prepare"
    PROMOTE = "promote"
    UNDO = "undo"
    START = "start"
    KEEP = "keep"
    GIVE = "give"
    BEGIN_STOP = "begin_stop"
    STOP = "stop"
    TAKE_BACK = "take_back"
    DEMOTE = "demote"
    RESYNC = "resync"
    HOLD_STILL = "hold_still"


@dataclass(frozen=True, slots=True)
class Cell:
    """What to do, where the journal may go from here, and the rules that say so."""

    action: Action
    then: frozenset[Step]
    rules: str


def _cell(action: Action, rules: str, *then: Step) -> Cell:
    return Cell(action, frozenset(then), rules)


S = Step
TRANSITIONS: Mapping[tuple[Step, Asked], Cell] = {
    (S.PASSIVE, Asked.TAKE): _cell(Action.PREPARE, "P4 P5 P8", S.PROMOTING),
    (S.PASSIVE, Asked.GIVE): _cell(Action.REST, "P7 P10", S.STOPPING),
    (S.PASSIVE, Asked.STOP): _cell(Action.REST, "P7 P10", S.STOPPING),
    (S.PASSIVE, Asked.NOTHING): _cell(Action.HOLD_STILL, "P1"),
    (S.DEMOTED, Asked.TAKE): _cell(Action.PREPARE, "P3 P4 P5 P8", S.PROMOTING),
    (S.DEMOTED, Asked.GIVE): _cell(Action.REST, "P3 P7 P10", S.PASSIVE, S.STOPPING),
    (S.DEMOTED, Asked.STOP): _cell(Action.REST, "P3 P7 P10", S.PASSIVE, S.STOPPING),
    (S.DEMOTED, Asked.NOTHING): _cell(Action.HOLD_STILL, "P1"),
    (S.PROMOTING, Asked.TAKE): _cell(Action.PROMOTE, "P4 P5 P8 P18", S.STARTING),
    (S.PROMOTING, Asked.GIVE): _cell(Action.UNDO, "P9 P10", S.PASSIVE, S.STOPPING),
    (S.PROMOTING, Asked.STOP): _cell(Action.UNDO, "P9 P10", S.PASSIVE, S.STOPPING),
    (S.PROMOTING, Asked.NOTHING): _cell(Action.HOLD_STILL, "P1"),
    (S.STARTING, Asked.TAKE): _cell(Action.START, "P7 P8", S.ACTIVE),
    (S.STARTING, Asked.GIVE): _cell(Action.GIVE, "P2 P7", S.STOPPING),
    (S.STARTING, Asked.STOP): _cell(Action.BEGIN_STOP, "P3 P6", S.STOPPING),
    (S.STARTING, Asked.NOTHING): _cell(Action.HOLD_STILL, "P1 P7"),
    (S.ACTIVE, Asked.TAKE): _cell(Action.KEEP, "P7 P16"),
    (S.ACTIVE, Asked.GIVE): _cell(Action.GIVE, "P2 P7", S.STOPPING),
    (S.ACTIVE, Asked.STOP): _cell(Action.BEGIN_STOP, "P3 P6", S.STOPPING),
    (S.ACTIVE, Asked.NOTHING): _cell(Action.HOLD_STILL, "P1 P7"),
    (S.STOPPING, Asked.TAKE): _cell(Action.TAKE_BACK, "P3 P4 P5 P8", S.PROMOTING, S.DEMOTING),
    (S.STOPPING, Asked.GIVE): _cell(Action.STOP, "P3 P7 P9", S.DEMOTING),
    (S.STOPPING, Asked.STOP): _cell(Action.STOP, "P3 P7 P9", S.DEMOTING),
    (S.STOPPING, Asked.NOTHING): _cell(Action.HOLD_STILL, "P1"),
    (S.DEMOTING, Asked.TAKE): _cell(Action.TAKE_BACK, "P3 P4 P5 P8", S.PROMOTING, S.DEMOTED, S.RESYNCING, S.STOPPING),
    (S.DEMOTING, Asked.GIVE): _cell(Action.DEMOTE, "P3 P10 P13", S.DEMOTED, S.RESYNCING, S.STOPPING),
    (S.DEMOTING, Asked.STOP): _cell(Action.DEMOTE, "P3 P10 P13", S.DEMOTED, S.RESYNCING, S.STOPPING),
    (S.DEMOTING, Asked.NOTHING): _cell(Action.HOLD_STILL, "P1"),
    (S.RESYNCING, Asked.TAKE): _cell(Action.RESYNC, "P10 P13", S.DEMOTED),
    (S.RESYNCING, Asked.GIVE): _cell(Action.RESYNC, "P10 P13", S.DEMOTED),
    (S.RESYNCING, Asked.STOP): _cell(Action.RESYNC, "P10 P13", S.DEMOTED),
    (S.RESYNCING, Asked.NOTHING): _cell(Action.HOLD_STILL, "P1"),
}
"""(what the journal says, what is asked) → what to do. A cell may also write the journal without changing its step."""

RUNS = frozenset({Step.STARTING, Step.ACTIVE})
"""Where the site may hold a permit (P7)."""

MAY_BE_WRITING = frozenset({Step.STARTING, Step.ACTIVE, Step.STOPPING, Step.DEMOTING})
"""Where the lease matters: elsewhere it has nothing left to take away."""
