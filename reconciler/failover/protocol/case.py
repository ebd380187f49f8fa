"""One application in one pass: what is known, and what the engine has already drawn from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from reconciler.failover.protocol.decisions import Blocker, Decision, Effect, Hold, State, Wait
from reconciler.failover.protocol.history import Verdict
from reconciler.failover.protocol.knowledge import Knowledge
from reconciler.failover.protocol.lease import named
from reconciler.failover.protocol.values import (
    SETTLING,
    Ack,
    AckState,
    Journal,
    Placed,
    SiteSeen,
    Step,
    StopOrder,
)
from reconciler.fleet.model import Placement

STATES = {
    Step.PASSIVE: State.PASSIVE,
    Step.PROMOTING: State.PROMOTING,
    Step.STARTING: State.STARTING,
    Step.ACTIVE: State.ACTIVE,
    Step.STOPPING: State.STOPPING,
    Step.DEMOTING: State.DEMOTING,
    Step.RESYNCING: State.RESYNCING,
    Step.DEMOTED: State.DEMOTED,
}

RUNS = frozenset({Step.STARTING, Step.ACTIVE})
"""Where the site may hold a permit (P7)."""

MAY_BE_WRITING = frozenset({Step.PROMOTING, Step.STARTING, Step.ACTIVE, Step.STOPPING, Step.DEMOTING})
"""Where something may run or be primary: from "promoting" to the proven "demoted" (P6)."""

RESTS = frozenset({Step.PASSIVE, Step.DEMOTED})
"""Where nothing of the application runs here and no replica is primary."""


@dataclass(frozen=True, slots=True)
class Case:
    """`stop_orders`: those that still stand, journaled or not. `overtaken_by`: the ack of a site that was promoted
    after this one. `lease_over`: P6, in a step in which something may run. `may_run`: whether what is asked lets the
    application go on running under its permit."""

    k: Knowledge
    journal: Journal
    verdict: Verdict
    stop_orders: tuple[StopOrder, ...]
    overtaken_by: Ack | None
    lease_over: bool = False
    may_run: bool = True

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

    def seen(self, site: str) -> SiteSeen:
        """What is seen of a site; nothing at all where there is no listing."""
        return self.k.listing.sites.get(site, SiteSeen()) if self.k.listing else SiteSeen()

    @property
    def own(self) -> Ack | None:
        """What this site's ref says about the application, as last listed."""
        return self.seen(self.k.site).ack

    def wait(self, on: str, because: str, at_most: float | None = None) -> Wait:
        """A wait that goes on since it was first seen."""
        fresh = Wait(on, because, self.k.now, at_most)
        return replace(fresh, since=self.k.waiting.get(fresh.key, self.k.now))

    def entry(self, **changes: Any) -> Journal:
        """The next journal entry."""
        step = changes.get("step", self.journal.step)
        since = self.journal.since if step is self.journal.step else self.k.server_time
        return replace(self.journal, sequence=self.journal.sequence + 1, since=since, **changes)

    def marked(self, **changes: Any) -> Journal:
        """The next entry, raising the mark to the newest epoch where there is one that may be acted on; the definition
        of the commit before that epoch's is pinned (P12), at a first placement its own."""
        if not self.unmarked:
            return self.entry(**changes)
        mark = {
            "epoch": self.placement.epoch,
            "commit": self.newest.commit,
            "definition": self.newest.parent if self.journal.commit else self.newest.commit,
            "skipped": self.verdict.skipped,
            "discard": self.verdict.discard,
            "freeze": None,
            "superseded": (),
        }
        return self.entry(**(mark | changes))

    def ack(self, state: AckState, journal: Journal | None = None, **evidence: Any) -> Ack:
        """What to say, from the journal that will hold when it is said."""
        journal = journal or self.journal
        return Ack(
            application=self.k.application.name,
            site=self.k.site,
            epoch=journal.epoch,
            commit=journal.commit,
            cluster=self.k.cluster,
            state=state,
            settled=state if state in SETTLING else journal.settled,
            promotion=journal.promotion,
            demotion=journal.demotion,
            sequence=journal.sequence,
            lease=named(journal.leases),
            superseded=journal.superseded,
            evidence=evidence,
        )

    def acked(self, *states: AckState) -> bool:
        """Whether this site's ref says one of these for the epoch that the journal has, and nothing newer is journaled
        about the promotion."""
        own = self.own
        return (
            own is not None
            and own.state in states
            and own.epoch == self.journal.epoch
            and own.promotion == self.journal.promotion
        )

    def decide(
        self,
        *,
        state: State | None = None,
        entry: Journal | None = None,
        permit: Literal["open", "close"] | None = None,
        effects: Iterable[Effect] = (),
        ack: Ack | None = None,
        blockers: Iterable[Blocker] = (),
    ) -> Decision:
        """A decision in the role that the journal will have. It may run only under a valid permit."""
        journal = entry or self.journal
        blockers = tuple(blockers)
        holds = tuple(each for each in blockers if isinstance(each, Hold))
        held = bool(holds) and state is None
        if self.k.other_driver:
            holds = (*holds, _driver_changed(self.k))
        run = self.may_run and self.permitted and journal.step in RUNS and not journal.stopped_for and permit != "close"
        return Decision(
            effective_role=journal.role,
            state=State.HELD if held else state or STATES[journal.step],
            run=run,
            run_standby=self.k.application.passive == "hot" and journal.step in RESTS,
            entry=entry,
            permit=permit,
            effects=tuple(effects),
            ack=ack if self.k.listing else None,
            expects=self.k.listing.value if self.k.listing else None,
            waits=tuple(each for each in blockers if isinstance(each, Wait)),
            holds=holds,
        )


def _driver_changed(k: Knowledge) -> Hold:
    driver = k.application.replication.driver
    message = f"driver {driver} holds the data, and application.yaml names {k.other_driver}: the change waits"
    lifted = f"a commit with driver: {driver}, or one that places {k.application.name} nowhere (active: none)"
    return Hold("DriverChanged", message, lifted)
