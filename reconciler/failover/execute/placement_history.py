"""The placements of one application along the branch, as P1 wants them walked; only what is new is read again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from reconciler.errors import HistoryRewound, SourceError
from reconciler.failover.protocol.values import History, Placed
from reconciler.fleet.load import PLACEMENT_FILE
from reconciler.fleet.model import Application, Placement
from reconciler.git.seam import Repository

PlacementAt = Callable[[str, Application], Placement | None]
FULL_ID = 40


@dataclass(slots=True)
class PlacementHistory:
    """Keeps the history since one mark, and makes it longer when the head moves."""

    repository: Repository
    placement_at: PlacementAt
    _mark: str | None = None
    _history: History | None = None
    _line: frozenset[str] = field(default_factory=frozenset)

    def walk(self, application: Application, mark: str, head: str) -> History | None:
        """The history from the mark's commit to the head; None if the head's placement cannot be read."""
        newest = self.placement_at(head, application)
        if newest is None:
            return None
        if not mark:
            return History(head, (Placed(head, newest),))
        known = self._history
        if known and self._mark == mark and known.head == head:
            return known
        try:
            known = self._longer(application, mark, head)
        except HistoryRewound:
            line = self._named(newest, head)
            known = History(head, (Placed(head, newest),), self._lost(mark, application), True, line)
        self._mark, self._history = mark, known
        return known

    def _lost(self, mark: str, application: Application) -> Placement | None:
        """What a commit said that the branch has lost; None where it is not in this mirror any more either."""
        try:
            return self.placement_at(mark, application)
        except SourceError:
            return None

    def _longer(self, application: Application, mark: str, head: str) -> History:
        known = self._history if self._mark == mark else None
        start = mark if known is None or known.rewound else known.head
        try:
            line = self.repository.first_parents(start, head)
        except HistoryRewound:
            if start == mark:
                raise
            start, line = mark, self.repository.first_parents(mark, head)
        base = self.placement_at(mark, application)
        placements = [Placed(mark, base)] if base else []
        if known is not None and start != mark:
            placements = list(known.placements)
        changed = set(self.repository.changes(f"{application.folder}/{PLACEMENT_FILE}", start, head))
        before = start
        for commit in line:
            placement = self.placement_at(commit, application) if commit in changed else None
            if placement is not None and (not placements or placement != placements[-1].placement):
                placements.append(Placed(commit, placement, before))
            before = commit
        return replace(History(head, tuple(placements), base), line=self._named(placements[-1].placement, head))

    def _named(self, newest: Placement, head: str) -> frozenset[str]:
        """The commits that `acceptRewind` may name: the head, and the one that it does name, if it is on the branch."""
        rewind = newest.accept_rewind
        if rewind is None or len(rewind.to) != FULL_ID:
            return frozenset({head})
        try:
            self.repository.first_parents(rewind.to, head)
        except HistoryRewound:
            return frozenset({head})
        return frozenset({head, rewind.to})
