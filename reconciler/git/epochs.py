"""Do the epochs of a fleet rise as the controllers will see them, commit by commit, since the upstream branch?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.errors import HistoryRewound, InputError, InputErrors, SourceError
from reconciler.fleet.load import FLEET_FILE, load, load_placement
from reconciler.fleet.model import Fleet
from reconciler.fleet.transition import check_transition
from reconciler.git.working import WorkingCopy
from render.tree import Tree

MOST_BROKEN = 200
"""After so many commits in a row without a fleet that can be loaded nobody looks further back."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found. `before` is the fleet of the step before, `against` names the base, `left_out` says why nothing
    was compared."""

    errors: tuple[InputError, ...] = ()
    before: Fleet | None = None
    against: str | None = None
    left_out: str | None = None


def compare(working: WorkingCopy, fleet: Fleet, tree: Tree, revision: str | None) -> Comparison:
    """Compare a fleet (at `revision`, or in the working tree) with the merge base of the upstream branch.

    Controllers walk commits along first parents, so each commit in between is a step of its own.
    """
    upstream = working.upstream
    if upstream is None or upstream.commit is None:
        return Comparison(left_out="the branch has no upstream")
    last = working.head if revision is None else working.resolve(revision)
    base = working.merge_base(last, upstream.commit)
    if base is None:
        return Comparison(left_out=f"nothing in common with {upstream.name}")
    try:
        between = working.first_parents(base, last)
    except HistoryRewound:
        between = [last]
    before = _last_fleet(working, base)
    if isinstance(before, str):
        return Comparison(left_out=before)
    errors: list[InputError] = []
    for commit in between[:-1] if revision is not None else between:
        step = _fleet(working, commit)
        if step is not None:
            for error in check_transition(before, step):
                message = f"{error.message} (commit {commit[:7]})"
                errors.append(InputError(message, path=error.path, hint=error.hint))
            before = step
        elif before is not None:
            before = _with_placements(before, working.tree(commit))
    errors += check_transition(before, fleet, tree)
    return Comparison(tuple(errors), before, f"{upstream.name}@{base[:7]}")


def _last_fleet(working: WorkingCopy, commit: str) -> Fleet | str | None:
    """The fleet at a commit as controllers know it: of a commit whose fleet cannot be loaded they take the placements
    alone, and keep the rest of the last one that could. None where there was no fleet yet; why, if it cannot be told.
    """
    broken: list[str] = []
    for one in working.ancestors(commit):
        if working.tree(one).kind(FLEET_FILE) is None:
            return None
        fleet = _fleet(working, one)
        if fleet is not None:
            for later in reversed(broken):
                fleet = _with_placements(fleet, working.tree(later))
            return fleet
        broken.append(one)
        if len(broken) >= MOST_BROKEN:
            break
    return f"no fleet can be loaded in the last {len(broken)} commits of the branch"


def _with_placements(fleet: Fleet, tree: Tree) -> Fleet:
    """The fleet with the placements of a tree, where they can be read."""
    placed = ((one, load_placement(tree, one.folder)) for one in fleet.applications)
    return replace(
        fleet, applications=tuple(one if now is None else replace(one, placement=now) for one, now in placed)
    )


def _fleet(working: WorkingCopy, commit: str) -> Fleet | None:
    """The fleet at a commit; None if it cannot be loaded."""
    try:
        return load(working.tree(commit))
    except (InputError, InputErrors):
        return None
    except SourceError as error:
        raise SourceError(f"commit {commit[:7]} cannot be read: {error}") from error
