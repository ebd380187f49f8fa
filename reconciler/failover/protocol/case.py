"""One application in one pass: what is known, and what the engine has already drawn from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from reconciler.failover.protocol.conditions import Obstacle, own_ack
from reconciler.failover.protocol.decisions import Decision, Effect, Hold, State, Wait
from reconciler.failover.protocol.history import Verdict
from reconciler.failover.protocol.table import RUNS, Asked
from reconciler.failover.protocol.values import SETTLING, Ack, AckState, Journal, Knowledge, Placed, Step, StopOrder
from reconciler.fleet.model import Placement

WORDS = {
    Step.PASSIVE: State.PASSIVE,
    Step.PROMOTING: State.PROMOTING,
    Step.STARTING: State.STARTING,
    Step.ACTIVE: State.ACTIVE,
    Step.STOPPING: State.STOPPING,
    Step.DEMOTING: State.DEMOTING,
    Step.RESYNCING: State.RESYNCING,
    Step.DEMOTED: State.DEMOTED,
}


@dataclass(frozen=True, slots=True)
class Case:
    """`stop_orders` are those that still stand, journaled or not; `behind`: the ack of a site promoted after this."""

    k: Knowledge
    journal: Journal
    verdict: Verdict
    stop_orders: tuple[StopOrder, ...]
    asked: Asked
    behind: Ack | None

    @property
    def newest(self) -> Placed:
        """The placement to act on. Only where something is asked that needs one."""
        assert self.verdict.newest is not None
        return self.verdict.newest

    @property
    def placement(self) -> Placement:
        """What the newest epoch says."""
        return self.newest.placement

    @property
    def unmarked(self) -> bool:
        """Whether there is an epoch to act on that the high-water mark has not reached."""
        newest = self.verdict.newest
        return newest is not None and (newest.placement.epoch != self.journal.epoch or self.verdict.accepted)

    @property
    def permitted(self) -> bool:
        """Whether the permit covers this moment, by the API server's clock."""
        permit = self.k.permit
        return permit is not None and permit.since <= self.k.server_time < permit.until

    def entry(self, **changes: Any) -> Journal:
        """The next journal entry."""
        step = changes.get("step", self.journal.step)
        since = self.journal.since if step is self.journal.step else self.k.server_time
        return replace(self.journal, sequence=self.journal.sequence + 1, since=since, **changes)

    def marked(self, **changes: Any) -> Journal:
        """The next entry, raising the mark to the newest epoch where there is one that may be acted on."""
        if not self.unmarked:
            return self.entry(**changes)
        mark = {
            "epoch": self.placement.epoch,
            "commit": self.newest.commit,
            "skipped": self.verdict.skipped,
            "discard": self.verdict.discard,
            "freeze": None,
            "superseded": (),
        }
        return self.entry(**(mark | changes))

    def ack(self, state: AckState, journal: Journal | None = None, **evidence: Any) -> Ack:
        """What to say, from the journal that will hold when it is said."""
        journal = journal or self.journal
        own = own_ack(self.k)
        return Ack(
            application=self.k.application.name,
            site=self.k.site,
            epoch=journal.epoch,
            commit=journal.commit,
            cluster=self.k.cluster,
            state=state,
            settled=state if state in SETTLING else (own.settled if own else None),
            primary=journal.primary,
            demotion=journal.demotion,
            sequence=journal.sequence,
            token=journal.demotion.token if journal.demotion else None,
            evidence=evidence,
        )

    def said(self, state: AckState) -> bool:
        """Whether this site's ref says so for the epoch that the journal has."""
        own = own_ack(self.k)
        return own is not None and own.state is state and own.epoch == self.journal.epoch

    def decide(
        self,
        *,
        state: State | None = None,
        entry: Journal | None = None,
        effects: Iterable[Effect] = (),
        ack: Ack | None = None,
        obstacles: Iterable[Obstacle] = (),
        run: bool = False,
    ) -> Decision:
        """A decision in the role that the journal will have; `run` counts only under a valid permit."""
        journal = entry or self.journal
        obstacles = tuple(obstacles)
        holds = tuple(each for each in obstacles if isinstance(each, Hold))
        standby = self.k.application.passive == "hot" and journal.step in (Step.PASSIVE, Step.DEMOTED)
        return Decision(
            effective_role=journal.role,
            state=State.HELD if holds and state is None else state or WORDS[journal.step],
            run=run and self.permitted and journal.step in RUNS,
            run_standby=standby,
            entry=entry,
            effects=tuple(effects),
            ack=ack,
            waits=tuple(each for each in obstacles if isinstance(each, Wait)),
            holds=holds,
        )
