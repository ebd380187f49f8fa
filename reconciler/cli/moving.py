"""What a failover and a failback show and commit; they differ only in where each application goes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.cli.committing import Proposal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.fleet.model import Application, Fleet
    from reconciler.fleet.moving import Disaster, Move
    from reconciler.git.working import WorkingCopy
    from render.site import SiteManifest
    from render.tree import Tree


def register(parser: argparse.ArgumentParser) -> None:
    """What a move may say beside where it goes."""
    parser.add_argument("--reason", metavar="TEXT", help="why; a disaster move must say")
    parser.add_argument("--disaster", action="store_true", help="the old site is down and cannot hand over")
    parser.add_argument(
        "--declare-down", action="append", default=[], metavar="SITE", help="with --disaster: a site that is down"
    )
    parser.add_argument(
        "--allow-data-loss", metavar="TIME", help="with --disaster: newest data that may be lost, as 10m, or unknown"
    )
    parser.add_argument(
        "--allow-discard",
        action="append",
        default=[],
        metavar="SITE",
        help="a site whose copy may be overwritten later",
    )
    parser.add_argument("--override-fence", metavar="TEXT", help="with --disaster: how you know that the site is dark")


def disaster(arguments: argparse.Namespace) -> Disaster | None:
    """What a disaster move asserts; None for a planned one. Raises `UsageError` for half of one."""
    from reconciler.errors import UsageError
    from reconciler.fleet.moving import Disaster

    if not arguments.disaster:
        for flag in ("declare_down", "allow_data_loss", "override_fence", "allow_discard"):
            if getattr(arguments, flag):
                raise UsageError(f"--{flag.replace('_', '-')} means nothing without --disaster")
        return None
    if not (arguments.declare_down and arguments.allow_data_loss and arguments.reason):
        raise UsageError("--disaster needs --declare-down SITE, --allow-data-loss TIME and --reason TEXT")
    return Disaster(
        tuple(arguments.declare_down),
        arguments.allow_data_loss,
        arguments.reason,
        arguments.override_fence,
        tuple(arguments.allow_discard),
    )


def run(arguments: argparse.Namespace, target: str | None) -> int:
    """Plan the moves to a site (None: to each application's home), show them, ask, commit and push."""
    from reconciler.cli import committing, waiting
    from reconciler.fleet.moving import named, plan_move

    asserted = disaster(arguments) if target is not None else None
    waiting.check(arguments)
    working, tree, fleet = committing.opened(arguments)
    moves = []
    for name in dict.fromkeys(arguments.apps):
        application = named(fleet, name)
        move = plan_move(application, target or application.home, asserted, arguments.reason)
        if move is None:
            now = application.placement
            print(f"{name} is placed at {now.active} already (epoch {now.epoch} in {now.path})")
        else:
            moves.append(move)
    if not moves:
        return 0
    planned = proposal(fleet, tree, moves)
    if asserted is not None:
        planned = replace(planned, foreseen=lambda: _foreseen(arguments, working, fleet, moves, asserted))
    code = committing.commit(arguments, working, tree, planned)
    if code != 0 or arguments.dry_run or not arguments.wait:
        return code
    return waiting.follow(arguments, working, fleet, moves)


def _foreseen(
    arguments: argparse.Namespace, working: WorkingCopy, fleet: Fleet, moves: Sequence[Move], asserted: Disaster
) -> list[str]:
    """What disaster moves will meet at the sites. Raises `FleetError` where one would only stand still."""
    import time

    from reconciler.cli import foreseen
    from reconciler.cli.said import said

    if arguments.no_push:
        return ["What the sites said last was not looked at (--no-push): the move may be held."]
    words, now = said(arguments, working, fleet), time.time()
    found = [(move, foreseen.last_words(words, move.application.name, now)) for move in moves]
    return [line for move, last in found for line in foreseen.check(move, asserted, fleet, last)]


def proposal(fleet: Fleet, tree: Tree, moves: Sequence[Move]) -> Proposal:
    """The commit that makes these moves."""
    from reconciler.fleet.moving import loss_in_words, message

    notes = [line for move in moves for line in _steps(fleet, tree, move)]
    notes += [*(loss_in_words(move) for move in moves), "Nothing else moves."]
    return Proposal({move.application.placement.path: move.fields for move in moves}, message(moves), notes)


def _steps(fleet: Fleet, tree: Tree, move: Move) -> Iterator[str]:
    """What each of the two sites will do."""
    stops = _started(tree, move.application, move.giver)
    starts = _started(tree, move.application, move.taker)
    name, synced = move.application.name, move.application.replication.driver != "none"
    if move.kind == "planned":
        handing_over = ", final sync, demote" if synced else ""
        yield f"{move.giver}: {name}: stop {in_words(stops, last_first=True)}{handing_over}"
    else:
        yield f"{move.giver}: {name}: declared down; when it returns it stops and becomes passive"
    promote = "promote, " if synced else ""
    yield f"{move.taker}: {name}: {promote}start {in_words(starts)} (limit {fleet.starts.max_in_flight})"


def _started(tree: Tree, application: Application, site: str) -> tuple[SiteManifest, ...]:
    from reconciler.fleet.units import application_unit
    from reconciler.starts.fields import START_FIELDS, kind_of
    from render.site import render_unit

    found = render_unit(tree, application_unit(tree, application, site, "active"))
    return tuple(item for item in found if kind_of(item.manifest) in START_FIELDS)


def in_words(workloads: Iterable[SiteManifest], *, last_first: bool = False) -> str:
    """How many of which kind at each run level: "1 VirtualMachine at level 10, then 2 Deployments at level 50"."""
    levels: dict[int, dict[str, int]] = {}
    for workload in workloads:
        kinds = levels.setdefault(int(workload.run_level), {})
        kind = workload.manifest["kind"]
        kinds[kind] = kinds.get(kind, 0) + 1
    parts = [
        " and ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in sorted(levels[level].items()))
        + f" at level {level:02d}"
        for level in sorted(levels, reverse=last_first)
    ]
    return ", then ".join(parts) or "nothing"
