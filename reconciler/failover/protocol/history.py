"""P1: what the commits since the last epoch acted on ask for, and whether they follow each other as they must."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reconciler.failover.protocol.values import Freeze, History, Journal, Placed, StopOrder
from reconciler.fleet.model import Placement

SHORTEST_COMMIT = 7
"""How much of a commit's id people must write at least, as Git abbreviates it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`newest`: the placement to act on (None: Git was not read yet, or `freeze` forbids to act). `skipped`: epochs
    passed over; `overtaken`: those of them, and of the mark, that named this site; `orders`: the stop orders that the
    commits give (P3); `discard`: the newest epoch lets this site's replica be overwritten; `accepted`: people took a
    rewound branch as it is, and the mark must follow."""

    newest: Placed | None
    skipped: tuple[int, ...] = ()
    overtaken: tuple[int, ...] = ()
    orders: tuple[StopOrder, ...] = ()
    discard: bool = False
    freeze: Freeze | None = None
    accepted: bool = False


def judge(journal: Journal, history: History | None, site: str, marks: Iterable[str], highest: int) -> Verdict:
    """Walk the placements since the mark. Stop orders count in a frozen application too (I4).

    marks: the commits that other sites last acted on and that are not on the branch, as their acks say.
    highest: the highest epoch ever said by anyone.
    """
    if history is None or not history.placements:
        return Verdict(None, freeze=journal.freeze)
    newest = history.placements[-1]
    fresh = tuple(placed for placed in history.placements if _is_new(placed, journal, history))
    later = [placed.placement for placed in fresh]
    named = [history.base] if history.base else []
    verdict = Verdict(
        newest,
        skipped=tuple(dict.fromkeys(each.epoch for each in later if each.epoch != newest.placement.epoch)),
        overtaken=tuple(
            dict.fromkeys(
                placement.epoch
                for placement in (*named, *later)
                if placement.active == site and placement.epoch < newest.placement.epoch
            )
        ),
        orders=tuple(
            StopOrder(placed.commit, placed.placement.epoch, placed.placement.active)
            for placed in fresh
            if placed.placement.move == "disaster" and placed.placement.active != site
        ),
        discard=site in newest.placement.allow_discard,
    )
    freeze = _freeze(journal, history)
    if freeze is None:
        return verdict
    if accepts(freeze, newest.placement, history, marks, highest):
        return replace(verdict, accepted=True)
    return replace(verdict, newest=None, freeze=freeze, discard=False)


def _is_new(placed: Placed, journal: Journal, history: History) -> bool:
    """Whether a placement came after the mark. Known by its commit: a rewound branch may use a number twice."""
    if placed.commit == journal.commit:
        return False
    return history.base is None or placed.placement != history.base


def _freeze(journal: Journal, history: History) -> Freeze | None:
    """The freeze in force: the one journaled, or the first offence found now."""
    if journal.freeze:
        return journal.freeze
    if not journal.commit:
        return None
    if history.rewound:
        return Freeze(journal.commit, history.head, "the branch does not descend from the commit last acted on")
    return next(_offences(journal, history), None)


def _offences(journal: Journal, history: History) -> Iterator[Freeze]:
    epoch, before = journal.epoch, history.base
    for placed in history.placements:
        placement = placed.placement
        if placement.epoch == epoch:
            if before is not None and _asks(placement) != _asks(before):
                yield Freeze(journal.commit, placed.commit, f"the placement changed and its epoch stayed {epoch}")
        elif placement.epoch != epoch + 1 and not (placement.accept_rewind and placement.epoch > epoch):
            yield Freeze(journal.commit, placed.commit, f"the epoch went from {epoch} to {placement.epoch}")
        epoch, before = placement.epoch, placement


def _asks(placement: Placement) -> Placement:
    """The placement without what asks for nothing."""
    return replace(placement, path="", reason=None, accept_rewind=None)


def accepts(freeze: Freeze, newest: Placement, history: History, marks: Iterable[str], highest: int) -> bool:
    """P1: whether the head's placement accepts the branch for all sites at once: `to` is a commit between the freeze's
    and the head, `from` names every site's mark, and the epoch is above everything ever said."""
    rewind = newest.accept_rewind
    if rewind is None or newest.epoch <= highest:
        return False
    names = (rewind.to, *rewind.marks)
    if min(map(len, names)) < SHORTEST_COMMIT:
        return False
    line = {freeze.to, *history.line}
    lost = {freeze.last, *marks} if history.rewound else set(marks)
    reached = any(commit.startswith(rewind.to) for commit in line)
    return reached and all(any(mark.startswith(name) for name in rewind.marks) for mark in lost)
