"""What people commit in the model: moves and disasters of their own accord, and the command that a hold names.

A named command is carried out by the code of the real command: a hold whose command does not exist, or is refused,
leads nowhere here too.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from model.tables import Tables
from model.values import NOTHING, OPEN, Backup, Commit, State
from reconciler.errors import FleetError
from reconciler.failover.protocol.case import MAY_BE_WRITING
from reconciler.fleet import parse
from reconciler.fleet.model import NOWHERE, Application, Placement
from reconciler.fleet.moving import Disaster, plan_move
from reconciler.fleet.restating import accept_rewind, allow_discard, override_fence

Fields = Mapping[str, Any]
COMMAND = re.compile(r"siteshift ([a-z-]+ [^,`:;]*)")
"""A command inside of the sentence that names it."""


def commits_of_people(tables: Tables, state: State) -> Iterator[tuple[str, State]]:
    """What people may commit next: every site planned or by disaster, and `active: none` where the bounds have it."""
    last = tables.placements(tables.world(state).branch)[-1].placement
    for name in tables.bounds.targets or tables.names:
        others = tuple(each for each in tables.names if each != name)
        epoch = last.epoch + 1
        yield f"commit: planned to {name}", committed(tables, state, Placement(name, epoch, "planned", "p", (), None))
        fence = None if tables.bounds.lease else "dark"
        fire = Placement(name, epoch, "disaster", "p", others, "unknown", "fire", fence, allow_discard=others)
        yield f"commit: disaster to {name}", committed(tables, state, fire)
    if tables.bounds.nowhere:
        yield "commit: nowhere", committed(tables, state, Placement(NOWHERE, last.epoch + 1, "planned", "p"))


def committed(tables: Tables, state: State, placement: Placement) -> State:
    """The branch with one commit more; a backup of the server is what it held before it."""
    world = tables.world(state)
    number = tables.commits.number(Commit(world.commits + 1, placement))
    branch = tables.branches.number((*tables.branches[world.branch], number))
    lost = world.excepted
    if placement.move == "disaster" and placement.override_fence:
        lost |= {each for each in tables.everybody if tables.names[each] in placement.declared_down} & _may_run(
            tables, state
        )
    backup = None
    if world.restores < tables.bounds.restores:
        spots = [tables.spot(state, each) for each in tables.everybody]
        backup = Backup(world.branch, tuple(each.ack for each in spots), tuple(each.beat for each in spots))
    then = replace(world, branch=branch, commits=world.commits + 1, excepted=lost, backup=backup)
    return (tables.worlds.number(then), *state[1:])


def _may_run(tables: Tables, state: State) -> set[int]:
    """The sites that are alive and may be writing, or are about to."""
    sites = [(index, tables.local(state, index)) for index in tables.everybody]
    return {
        index
        for index, site in sites
        if site.alive and (site.runs or site.permit == OPEN or site.journal.step in MAY_BE_WRITING)
    }


def commands(lifted_by: str) -> tuple[str, ...]:
    """The commands that a hold names."""
    return tuple(found.strip() for found in COMMAND.findall(lifted_by))


def obeyed(tables: Tables, state: State, command: str) -> State | None:
    """What the branch is after a command; None where it is refused, or no commit at all."""
    words = shlex.split(command.replace("…", "…"))
    make = COMMANDS.get(words[0])
    if make is None:
        return None
    arguments = _PARSER.parse_known_args(words[1:])[0]
    placement = tables.placements(tables.world(state).branch)[-1].placement
    try:
        fields = make(tables, state, tables.application(placement), arguments)
    except FleetError:
        return None
    if fields is None:
        return None
    spec = {name: value for name, value in (_spec(placement) | dict(fields)).items() if value is not None}
    document: Any = SimpleNamespace(spec=spec, path="p")
    return committed(tables, state, parse.placement(document))


def _spec(placement: Placement) -> dict[str, Any]:
    loss = placement.allow_data_loss
    return {
        "active": placement.active,
        "epoch": placement.epoch,
        "move": placement.move,
        "declaredDown": placement.declared_down or None,
        "allowDataLoss": f"{loss:.0f}s" if isinstance(loss, float) else loss,
        "reason": placement.reason,
        "overrideFence": placement.override_fence,
        "allowDiscard": placement.allow_discard or None,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("application", nargs="*")
    parser.add_argument("--to")
    parser.add_argument("--site", action="append", default=[])
    parser.add_argument("--from", dest="marks", action="append", default=[])
    parser.add_argument("--disaster", action="store_true")
    parser.add_argument("--declare-down", action="extend", nargs="+", default=[])
    parser.add_argument("--allow-data-loss", default="unknown")
    parser.add_argument("--reason", default="WHY")
    return parser


_PARSER = _parser()


def _failover(tables: Tables, state: State, application: Application, arguments: argparse.Namespace) -> Fields | None:
    """People give another reason than before."""
    disaster = None
    if arguments.disaster:
        reason = f"{arguments.reason} {tables.world(state).commits}"
        disaster = Disaster(tuple(arguments.declare_down), arguments.allow_data_loss, reason)
    move = plan_move(application, arguments.to, disaster)
    return move and move.fields


def _discard(tables: Tables, state: State, application: Application, arguments: argparse.Namespace) -> Fields | None:
    return allow_discard(application, arguments.site)


def _override(tables: Tables, state: State, application: Application, arguments: argparse.Namespace) -> Fields | None:
    return override_fence(application, f"{arguments.reason} {tables.world(state).commits}")


def _rewind(tables: Tables, state: State, application: Application, arguments: argparse.Namespace) -> Fields | None:
    """As the command reads the refs: the marks of all sites, and the highest epoch that any of them said."""
    numbers = [tables.spot(state, index).ack for index in tables.everybody]
    acks = [tables.acks[number] for number in numbers if number != NOTHING]
    marks = [*(ack.commit for ack in acks if ack.commit), *arguments.marks]
    epochs = [ack.epoch for ack in acks] + [ack.promotion.epoch for ack in acks if ack.promotion]
    head = tables.placements(tables.world(state).branch)[-1].name
    return accept_rewind(application, head, marks, max(epochs, default=0), "restored")


COMMANDS: Mapping[str, Callable[[Tables, State, Application, argparse.Namespace], Fields | None]] = {
    "failover": _failover,
    "allow-discard": _discard,
    "override-fence": _override,
    "accept-rewind": _rewind,
}
"""The commands that commit something."""
