"""P1: what the commits since the last epoch acted on ask for, and whether they follow each other as they must."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.failover.protocol.values import Freeze, History, Journal, Placed, StopOrder
from reconciler.fleet.model import Placement

SHORTEST_COMMIT = 7
"""How much of a commit's id people must write at least, as Git abbreviates it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`newest`: the placement to act on (None: Git was not read yet, or `freeze` forbids to act). `skipped`: epochs
    passed over; `overtaken`: those of them, and of the mark, that named this site; `stop_orders`: P3; `discard`: this
    site's copy may be overwritten; `accepted`: people took a rewound branch as it is, and the mark must follow."""

    newest: Placed | None
    skipped: tuple[int, ...] = ()
    overtaken: tuple[int, ...] = ()
    stop_orders: tuple[StopOrder, ...] = ()
    discard: bool = False
    freeze: Freeze | None = None
    accepted: bool = False


def judge(journal: Journal, history: History | None, site: str) -> Verdict:
    """Walk the placements since the mark. Obligations to stop hold in a frozen application too (I4)."""
    if history is None or not history.placements:
        return Verdict(None, freeze=journal.freeze)
    newest = history.placements[-1]
    later = [placed.placement for placed in history.placements if placed.placement.epoch > journal.epoch]
    named = [history.base] if history.base else []
    overtaken = tuple(
        dict.fromkeys(
            placement.epoch
            for placement in (*named, *later)
            if placement.active == site and placement.epoch < newest.placement.epoch
        )
    )
    verdict = Verdict(
        newest,
        skipped=tuple(dict.fromkeys(each.epoch for each in later if each.epoch < newest.placement.epoch)),
        overtaken=overtaken,
        stop_orders=tuple(
            StopOrder(each.epoch, each.active) for each in later if each.move == "disaster" and each.active != site
        ),
        discard=journal.discard or any(site in each.allow_discard for each in (*later, newest.placement)),
    )
    freeze = _freeze(journal, history)
    if freeze is None:
        return verdict
    if _accepted(freeze, newest.placement, history):
        return replace(verdict, accepted=True)
    return replace(verdict, newest=None, freeze=freeze)


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
    epoch, said = journal.epoch, history.base
    for placed in history.placements:
        placement = placed.placement
        if placement.epoch == epoch:
            if said is not None and _asks(placement) != _asks(said):
                yield Freeze(journal.commit, placed.commit, f"the placement changed and its epoch stayed {epoch}")
        elif placement.epoch != epoch + 1:
            yield Freeze(journal.commit, placed.commit, f"the epoch went from {epoch} to {placement.epoch}")
        epoch, said = placement.epoch, placement


def _asks(placement: Placement) -> Placement:
    """The placement without what asks for nothing."""
    return replace(placement, path="", reason=None, accept_rewind=None)


def _accepted(freeze: Freeze, newest: Placement, history: History) -> bool:
    """Whether the head's placement names both commits of the freeze, as people write ids."""
    rewind = newest.accept_rewind
    if rewind is None or min(len(rewind.rewound_from), len(rewind.rewound_to)) < SHORTEST_COMMIT:
        return False
    seen = {freeze.rewound_to, *history.line}
    return freeze.rewound_from.startswith(rewind.rewound_from) and any(
        commit.startswith(rewind.rewound_to) for commit in seen
    )
