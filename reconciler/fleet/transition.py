"""May one commit's fleet follow another's? Epochs rise by one, and a move changes nothing else (P1)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from reconciler.errors import FleetError
from reconciler.fleet.model import Application, Fleet, Placement
from reconciler.objects import Ref
from render.tree import Tree
from render.yaml import position


def check_transition(before: Fleet | None, after: Fleet, tree: Tree | None = None) -> list[FleetError]:
    """Everything that forbids `after` to follow `before` (None: there was no fleet); `tree` holds `after`'s files."""
    errors: list[FleetError] = []
    for application in after.applications:
        earlier = None if before is None else before.application(application.name)
        for field, message, hint in _problems(earlier, application):
            line, column = _place(tree, application.placement.path, field)
            errors.append(FleetError(message, path=application.placement.path, line=line, column=column, hint=hint))
    return errors


def check_claims_kept(
    before: Fleet | None, after: Fleet, claims: Mapping[str, Collection[Ref]], tree: Tree
) -> list[FleetError]:
    """Replication that was taken away although the data stays. `claims` are those of each application in `after`."""
    errors: list[FleetError] = []
    for application in after.applications:
        earlier = None if before is None else before.application(application.name)
        if earlier is None or earlier.replication.driver == "none" or application.replication.driver != "none":
            continue
        kept = sorted(claims.get(application.name, ()))
        if kept:
            path = f"{application.folder}/application.yaml"
            line, column = position(tree.read(path), path, 0, ["spec", "replication"])
            errors.append(
                FleetError(
                    f"{application.name} is replicated no longer, and keeps {kept[0]}: its next move would leave the"
                    " data behind",
                    path=path,
                    line=line,
                    column=column,
                    hint="remove the claims as well, or keep spec.replication",
                )
            )
    return errors


def _problems(before: Application | None, after: Application) -> Iterator[tuple[str, str, str]]:
    """Field, message and hint of each problem of one application."""
    now = after.placement
    if before is None:
        if now.epoch != 1:
            yield "epoch", f"spec.epoch is {now.epoch}, expected 1", f"the first placement of {after.name} has epoch 1"
        return
    was = before.placement
    changed = [field for field, is_new in _decisions(was, now) if is_new]
    if now.epoch < was.epoch:
        yield "epoch", f"spec.epoch falls from {was.epoch} to {now.epoch}", _next(was)
    elif now.epoch > was.epoch + 1 and now.accept_rewind in (None, was.accept_rewind):
        yield "epoch", f"spec.epoch jumps from {was.epoch} to {now.epoch}", _next(was)
    elif now.epoch == was.epoch and changed:
        yield "epoch", f"spec.{changed[0]} changed and spec.epoch is still {was.epoch}", _next(was)
    if was.active != now.active:
        for name in _changed_beside(before, after):
            yield (
                "active",
                f"{after.name} moves from {was.active} to {now.active} and changes its {name} in the same step",
                "move it first, and change it once it has arrived; or the other way round",
            )


def _decisions(was: Placement, now: Placement) -> Iterator[tuple[str, bool]]:
    """What only a new epoch may change: everything that a site acts on. A controller that had acted on the epoch would
    not look at it again, and freezes an application whose placement changes under it."""
    yield "active", was.active != now.active
    yield "move", was.move != now.move
    yield "declaredDown", set(was.declared_down) != set(now.declared_down)
    yield "allowDataLoss", was.allow_data_loss != now.allow_data_loss
    yield "allowDiscard", set(was.allow_discard) != set(now.allow_discard)
    yield "overrideFence", was.override_fence != now.override_fence


def _changed_beside(before: Application, after: Application) -> Iterator[str]:
    if set(before.sites) != set(after.sites):
        yield "sites"
    if before.replication.driver != after.replication.driver:
        yield "driver"
    if set(before.replication.groups) != set(after.replication.groups):
        yield "groups"


def _next(was: Placement) -> str:
    return f"every change raises it by one: the next is {was.epoch + 1}"


def _place(tree: Tree | None, path: str, field: str) -> tuple[int | None, int | None]:
    if tree is None:
        return None, None
    return position(tree.read(path), path, 0, ["spec", field])
