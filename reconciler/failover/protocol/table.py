"""The protocol as data. For each step of the journal (rows) and what is asked of the site (columns), the rules in their
order: the first whose facts hold is taken; it is carried out once its conditions hold, else its blockers are shown.

What affects a transition lies here, in `facts`, `conditions` and `proof`, and in the action of that name (`source`,
`target`); there is no other place. `decide` fails on a missing cell and on a step that a rule does not name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from reconciler.failover.protocol.case import RESTS, RUNS
from reconciler.failover.protocol.values import Step


class Asked(Enum):
    """What is asked of this site; the first that holds, in this order."""

    NOTHING = "nothing"
    """This cluster is not this site's, or the site has not been bound (P19): nothing at all is done."""

    CLOSE = "close"
    """This cluster was restored or cloned (P19): close, stop, and say only that."""

    STOP = "stop"
    """A stop order stands (P3), the lease ran out or the guard stopped it (P6), or another site was promoted."""

    HOLD = "hold"
    """Frozen (P1), suspended, or Git was not read yet: nothing is started, promoted, demoted; stops go on."""

    ASSUME = "assume"
    """The newest epoch names this site."""

    YIELD = "yield"
    """The newest epoch names another site, planned, or none."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the table. `when`: facts that choose it; `needs`: conditions without which nothing is done; `do`: the
    action; `blocked`: the action while a condition is missing ("": only the blockers are shown); `then`: the steps to
    which the journal may go; `rules`: those of the protocol that ask for it."""

    name: str
    do: str
    rules: str
    when: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    then: frozenset[Step] = field(default_factory=frozenset)
    blocked: str = ""


S = Step
A = Asked
Cell = tuple[Step, Asked]


def _rule(
    name: str, do: str, rules: str, when: str = "", needs: str = "", then: Iterable[Step] = (), blocked: str = ""
) -> Rule:
    split = tuple(part.strip() for part in when.split(",") if part.strip())
    return Rule(name, do, rules, split, tuple(needs.split()), frozenset(then), blocked)


PLANNED_PROOF = "sources_done data_proven echoed fresh"
DISASTER_PROOF = "declared_and_fenced loss_allowed echoed fresh"

REST = (
    _rule("mark the epoch", "mark_passive", "P1", "unmarked", then=[S.PASSIVE]),
    _rule("close the gate", "close", "P7", "gate_open"),
    _rule("leave what people run", "hold_runs_here", "P3 I3", "something_runs, never_spoke"),
    _rule("stop what runs", "stop_what_runs", "P3 P7", "something_runs"),
    _rule("leave what people promoted", "hold_primary_here", "P3 I3", "replica_primary, never_promoted"),
    _rule("give up again", "stop_again", "P3", "replica_primary", "replica_primary_twice", [S.STOPPING]),
    _rule("stay at rest", "nothing", "I5", "rest_acked"),
    _rule("say that nothing is here", "say_rest", "P4 P10", "never_promoted", "nothing_here"),
    _rule("say that nothing is here", "say_rest", "P4 P10", "", "no_writers nothing_here"),
)

TAKE_UP_AGAIN = _rule("note that it stopped itself", "note_lapse", "P7 P14", "stopped_itself, not lapse_noted")

PREPARE = (
    _rule("mark the epoch", "mark", "P1 P12", "unmarked"),
    TAKE_UP_AGAIN,
    _rule("promote what runs here already", "promise", "A", "adopting, planned", PLANNED_PROOF, [S.PROMOTING]),
    _rule("close the gate", "close", "P7", "gate_open, not adopting"),
    _rule("stop what runs", "stop_what_runs", "P7", "something_runs, not adopting, not never_spoke"),
    _rule("leave what people run", "hold_runs_here", "P3 I3", "something_runs, not adopting"),
    _rule("say that it does not fit", "say_failed", "P2", "unfit, not failed_acked"),
    _rule("hold: it does not fit", "hold_unfit", "P2", "unfit"),
    _rule("promote in a disaster", "promise", "P5 P8", "not planned", f"{DISASTER_PROOF} nothing_here", [S.PROMOTING]),
    _rule("say Ready", "say_ready", "P2", "not ready_acked", "others_done following nothing_here"),
    _rule("promote as planned", "promise", "P4 P8", "", f"following {PLANNED_PROOF}", [S.PROMOTING], blocked="unready"),
)

PROMOTE = (
    _rule("take over a newer epoch", "mark_promoting", "P9", "unmarked, driver_called"),
    _rule("read the cluster", "nothing", "I1", "unmarked, planned, cluster_unread", "cluster_read"),
    _rule(
        "judge a newer epoch anew",
        "promise",
        "P9 P4",
        "unmarked, planned, promotion_begun",
        PLANNED_PROOF,
        [S.PROMOTING],
        blocked="hold_begun",
    ),
    _rule(
        "judge a newer epoch anew, or prepare for it",
        "promise",
        "P9 P4 P2",
        "unmarked, planned",
        PLANNED_PROOF,
        [S.PROMOTING, S.PASSIVE],
        blocked="supersede",
    ),
    _rule("judge a newer epoch anew", "promise", "P9 P5", "unmarked", DISASTER_PROOF, [S.PROMOTING]),
    _rule("say Promoting", "say_promoting", "P4", "not promoting_acked"),
    _rule("open the permit", "open_and_start", "P4 P7", "replica_is_primary, driver_called", "fresh", [S.STARTING]),
    _rule("note that it is primary", "note_call", "P4 P9", "replica_is_primary, planned", PLANNED_PROOF),
    _rule("note that it is primary", "note_call", "P5 P9", "replica_is_primary", DISASTER_PROOF),
    _rule("ask the driver again", "call_driver", "P9 P18", "driver_called", "fresh"),
    _rule("call the driver", "call_driver", "P4 P8 P18", "planned", PLANNED_PROOF),
    _rule("call the driver by force", "call_driver", "P5 P8 P18 I2", "", DISASTER_PROOF),
)

UNDO = (
    _rule("read the cluster", "nothing", "I1", "cluster_unread", "cluster_read"),
    _rule("give up what was begun", "begin_stop", "P9", "promotion_begun", then=[S.STOPPING]),
    _rule("close the gate", "close", "P7", "gate_open"),
    _rule("say that it was passed by", "supersede", "P3 P9 P10", "", "", [S.PASSIVE]),
)

UNDO_PLANNED = (
    _rule("read the cluster", "nothing", "I1", "cluster_unread", "cluster_read"),
    _rule("wait for the target", "begin_stop", "P2 P9", "something_runs, not nowhere", "target_ready", [S.STOPPING]),
    *UNDO[1:],
)

RUN = (
    _rule("take over a newer epoch", "mark_running", "P9", "unmarked", then=[S.STARTING]),
    _rule("note that the permit ran out", "note_lapse", "P7", "permit_lapsed, not lapse_noted"),
    _rule("open the permit again", "reopen", "P7", "permit_lapsed", "echoed fresh"),
    _rule("put the gate in place", "install_gate", "P7", "gate_missing"),
)

START = (
    *RUN,
    _rule("say Promoted", "say_promoted", "P13", "not promoted_acked"),
    _rule("start", "become_active", "P10", "", "everything_ready", [S.ACTIVE]),
)

KEEP = (*RUN, _rule("say Active", "say_active", "P10", "not active_acked"), _rule("keep", "keep", "I5"))

YIELD_RUNNING = (
    _rule("follow the accepted branch", "mark_accepted", "P1", "accepted"),
    _rule("stop: it is to run nowhere", "begin_stop", "P12", "nowhere", then=[S.STOPPING]),
    _rule("note that the permit ran out", "note_lapse", "P7", "permit_lapsed, not lapse_noted"),
    _rule("stop for the target", "begin_stop", "P2 P7", "", "target_ready", [S.STOPPING], blocked="await_target"),
)

STOP_RUNNING = (_rule("stop at once", "begin_stop", "P3 P6 I4", then=[S.STOPPING]),)

STOPPING = (
    _rule("close the gate", "close", "P7", "gate_open"),
    _rule("stop", "stop_level", "P3 P10", "something_runs", "stopped_in_time", blocked="stop_level"),
    _rule("prove that nothing writes", "begin_demotion", "P3 P7", "", "no_writers", [S.DEMOTING]),
)

DEMOTE = (
    _rule("stop again", "stop_again", "P3", "something_runs", then=[S.STOPPING]),
    _rule("close the gate again", "stop_again", "P7", "gate_open", then=[S.STOPPING]),
    _rule("mark the epoch", "mark", "P1", "unmarked"),
    _rule("become a secondary", "become_secondary", "P3", "not replica_secondary", "no_writers", blocked="say_stopped"),
    _rule(
        "give up the writes that were overtaken",
        "begin_resync",
        "P13 I2",
        "overtaken, discard_allowed",
        "no_writers",
        [S.RESYNCING],
    ),
    _rule(
        "prove the end", "demoted", "P3 P10", "", "no_writers in_sync reaches_target", [S.DEMOTED], blocked="unsynced"
    ),
)

TAKE_BACK = (
    TAKE_UP_AGAIN,
    _rule("take it back as planned", "promise", "P3 P4 P8", "planned", PLANNED_PROOF, [S.PROMOTING]),
    _rule("take it back in a disaster", "promise", "P3 P5 P8", "", DISASTER_PROOF, [S.PROMOTING]),
)

RESYNC = (
    _rule("read the cluster", "nothing", "I1", "cluster_unread", "cluster_read"),
    _rule("close the gate", "close", "P7", "gate_open"),
    _rule("stop what runs", "stop_what_runs", "P3", "something_runs"),
    _rule("mark the epoch", "mark", "P1", "unmarked"),
    _rule("prove the end", "demoted", "P3 P10", "", "no_writers in_sync", [S.DEMOTED], blocked="resync"),
)

RESYNC_NAMED = (
    *RESYNC[:-1],
    _rule(
        "go on with half a copy",
        "promise",
        "P5 P8 I3",
        "half_overwritten, not planned",
        f"no_writers {DISASTER_PROOF}",
        [S.PROMOTING],
        blocked="resync",
    ),
    RESYNC[-1],
)

HOLD = (_rule("hold still", "hold_still", "P1"),)
CLOSE = (
    _rule("close the gate", "close", "P19", "gate_open"),
    _rule("stop what runs", "stop_what_runs", "P19", "something_runs"),
    _rule("say that it was restored", "say_restored", "P19", "not failed_acked"),
    _rule("hold: it was restored", "hold_restored", "P19"),
)
NOTHING = (_rule("hold: this is another cluster", "hold_unbound", "P19"),)

TABLE: Mapping[Cell, tuple[Rule, ...]] = {
    **{(step, A.NOTHING): NOTHING for step in S},
    **{(step, A.CLOSE): CLOSE for step in S},
    **{(step, A.HOLD): HOLD for step in S},
    (S.STOPPING, A.HOLD): (STOPPING[0], STOPPING[1], *HOLD),
    **{(step, asked): REST for step in RESTS for asked in (A.STOP, A.YIELD)},
    **{(step, A.ASSUME): PREPARE for step in RESTS},
    (S.PROMOTING, A.ASSUME): PROMOTE,
    (S.PROMOTING, A.YIELD): UNDO_PLANNED,
    (S.PROMOTING, A.STOP): UNDO,
    (S.STARTING, A.ASSUME): START,
    (S.ACTIVE, A.ASSUME): KEEP,
    **{(step, A.YIELD): YIELD_RUNNING for step in RUNS},
    **{(step, A.STOP): STOP_RUNNING for step in RUNS},
    **{(S.STOPPING, asked): STOPPING for asked in (A.STOP, A.YIELD)},
    (S.STOPPING, A.ASSUME): TAKE_BACK,
    **{(S.DEMOTING, asked): DEMOTE for asked in (A.STOP, A.YIELD)},
    (S.DEMOTING, A.ASSUME): TAKE_BACK,
    **{(S.RESYNCING, asked): RESYNC for asked in (A.STOP, A.YIELD)},
    (S.RESYNCING, A.ASSUME): RESYNC_NAMED,
}
"""(what the journal says, what is asked) → the rules, in their order."""
