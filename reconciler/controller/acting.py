"""Which definition of each application this site acts on: the newest one, the one that a move has pinned (P12), or the
last good one while the newest is wrong (P21). The placement is always the newest that can be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from reconciler.controller.desired import Desired, Revision
from reconciler.errors import SiteshiftError
from reconciler.failover.execute.mover import Mover
from reconciler.fleet.load import Broken
from reconciler.fleet.model import NOWHERE, Application, Placement

NO_PLACEMENT = Placement(NOWHERE, 0, "planned", "")
"""Of an application that was never right: it is not acted on."""


@dataclass(frozen=True, slots=True)
class Acting:
    """An application as it is acted on, and the revision that defines it so. `newer`: the newest commit defines it
    differently; `error`: why it cannot be acted on as it should be ("": it can); `usable`: whether it can be acted on
    at all. The guard does not need it to stop."""

    application: Application
    revision: Revision
    newer: bool = False
    error: str = ""
    usable: bool = True


@dataclass(slots=True)
class Definitions:
    """Remembers at which commit each application was last right."""

    site: str
    desired: Desired
    mover: Mover
    _good: dict[str, str] = field(default_factory=dict)

    def here(self, revision: Revision) -> Iterator[Acting]:
        """Every application that this site carries, or has carried and not yet proven that it gave up."""
        for application in revision.fleet.applications:
            if self._concerns(application):
                yield self._pinned(Acting(application, revision))
        for name in sorted(revision.broken):
            acting = self._last_good(revision, name)
            if self._concerns(acting.application):
                yield self._pinned(acting) if acting.usable else acting

    def works(self, acting: Acting) -> None:
        """It could be rendered, and holds nothing that it may not: the one to go back to."""
        if not acting.error:
            self._good[acting.application.name] = acting.revision.commit

    def knows(self, acting: Acting) -> bool:
        """Whether this very commit was acted on before: what it holds was taken over or let in then."""
        name = acting.application.name
        return acting.revision.commit in (self._good.get(name), self.mover.marked(name))

    def before(self, acting: Acting, error: str) -> Acting:
        """The last good definition in place of one that cannot be rendered, under the newest placement."""
        broken = Broken(acting.application.folder, (), acting.application.placement)
        return replace(self._good_one(acting.revision, acting.application.name, broken), error=error)

    def _concerns(self, application: Application) -> bool:
        return self.site in application.sites or self.mover.unfinished(application.name)

    def _pinned(self, acting: Acting) -> Acting:
        """The definition of the commit before the epoch's, while a move acts on it.

        Where that cannot be read the newest one serves: a stop must reach its end, and no later commit could make the
        pinned one right. What holds the data and what there is to stop are on the stop card.
        """
        application, commit = acting.application, self.mover.pinned(acting.application.name)
        if not commit or commit == acting.revision.commit:
            return acting
        try:
            revision = self.desired.at(commit)
        except SiteshiftError as error:
            why = f"the definition of commit {commit[:12]}, on which the move acts, cannot be read: {error}"
            return replace(acting, error=why, newer=True)
        before = revision.fleet.application(application.name)
        if before is None:
            return acting
        pinned = replace(before, placement=application.placement, suspended=application.suspended)
        return replace(acting, application=pinned, revision=revision, newer=acting.newer or pinned != application)

    def _last_good(self, revision: Revision, name: str) -> Acting:
        broken = revision.broken[name]
        error = "; ".join(str(each) for each in broken.errors)
        return replace(self._good_one(revision, name, broken), error=error)

    def _good_one(self, revision: Revision, name: str, broken: Broken) -> Acting:
        """Where there never was a good one it cannot be acted on; it is named all the same."""
        unknown = Application(name, broken.folder, (self.site,), self.site, broken.placement or NO_PLACEMENT)
        nothing = Acting(unknown, revision, usable=False)
        commit = self._good.get(name) or self.mover.marked(name)
        if not commit:
            return nothing
        try:
            last = self.desired.at(commit)
        except SiteshiftError:
            return nothing
        application = last.fleet.application(name)
        if application is None:
            return nothing
        placed = application if broken.placement is None else replace(application, placement=broken.placement)
        return Acting(placed, last, newer=True)
