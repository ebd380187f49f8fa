"""Do the epochs of a fleet rise as the controllers will see them, commit by commit, since the upstream branch?"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import HistoryRewound, InputError, InputErrors, SourceError
from reconciler.fleet.load import load
from reconciler.fleet.model import Fleet
from reconciler.fleet.transition import check_transition
from reconciler.git.working import WorkingCopy
from render.tree import Tree


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found; `against` says with what it was compared, `left_out` why it was not."""

    errors: tuple[InputError, ...] = ()
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
    errors: list[InputError] = []
    before = _fleet(working, base)
    for commit in between[:-1] if revision is not None else between:
        step = _fleet(working, commit)
        if step is not None:
            for error in check_transition(before, step):
                message = f"{error.message} (commit {commit[:7]})"
                errors.append(InputError(message, path=error.path, hint=error.hint))
            before = step
    errors += check_transition(before, fleet, tree)
    return Comparison(tuple(errors), against=f"{upstream.name}@{base[:7]}")


def _fleet(working: WorkingCopy, commit: str) -> Fleet | None:
    """The fleet at a commit; None where there was none that could be loaded, as controllers keep the one before."""
    try:
        return load(working.tree(commit))
    except (InputError, InputErrors):
        return None
    except SourceError as error:
        raise SourceError(f"commit {commit[:7]} cannot be read: {error}") from error
