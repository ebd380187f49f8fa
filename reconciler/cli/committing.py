"""Commit a change of single fields in the fleet's own files: show it, ask, push, and only then change anything here.

What all commands that commit have in common.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.errors import SiteshiftError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reconciler.fleet.model import Fleet
    from reconciler.fleet.moving import FieldValue
    from reconciler.git.working import WorkingCopy
    from render.tree import Tree


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to commit: per file the fields of its `spec` (or of one `item` of a list in it), the message, and what is
    shown below the difference. `foreseen` says what it will meet at the sites, once the fleet is known to be right."""

    files: Mapping[str, Mapping[str, FieldValue]]
    message: str
    notes: Sequence[str] = field(default=())
    item: tuple[str, str] | None = None
    foreseen: Callable[[], Sequence[str]] = tuple


def register(parser: argparse.ArgumentParser) -> None:
    """The arguments of a command that commits something about applications."""
    parser.add_argument("apps", nargs="+", metavar="APP", help="an application's name")
    options(parser)


def options(parser: argparse.ArgumentParser) -> None:
    """The options of a command that commits."""
    from reconciler.cli import asking
    from reconciler.cli.options import add

    add(parser, "fleet", "git-timeout", "color")
    parser.add_argument("--no-push", action="store_true", help="commit, and leave the push to you")
    asking.add(parser)


def opened(arguments: argparse.Namespace) -> tuple[WorkingCopy, Tree, Fleet]:
    """The clone and the fleet as it is committed there. What the upstream has beyond it is an error.

    What the commit will rest on is read, not the working tree: changes that are not committed stay out of it.
    """
    from reconciler.cli import asking
    from reconciler.cli.options import seconds
    from reconciler.cli.where import fleet_folder
    from reconciler.fleet.load import load
    from reconciler.git.working import WorkingCopy

    asking.check(arguments)
    working = WorkingCopy(fleet_folder(arguments), seconds("git-timeout", arguments))
    working.check_can_commit()
    if not arguments.no_push:
        working.fetch()
        _refuse_if_behind(working)
    tree = working.tree(working.head)
    return working, tree, load(tree)


def commit(arguments: argparse.Namespace, working: WorkingCopy, tree: Tree, proposal: Proposal) -> int:
    """Show a proposal and, if it is agreed to, commit and push it. Returns the exit code."""
    from reconciler.cli import asking, colour
    from reconciler.fleet.load import load
    from reconciler.git.edits import set_fields
    from reconciler.git.trees import EditedTree

    before = {path: tree.read(path) for path in proposal.files}
    after = {path: set_fields(before[path], path, fields, proposal.item) for path, fields in proposal.files.items()}
    _refuse_if_changed(working, list(after))
    # The fleet as it will be must load: a commit that no controller would act on is not made.
    load(EditedTree(tree, after))
    foreseen = proposal.foreseen()
    for path in after:
        for line in difference(path, before[path], after[path]):
            print(colour.change(line, arguments.color))
    for note in (*proposal.notes, *foreseen, *_also_pushed(arguments, working)):
        print(note)
    if arguments.dry_run:
        print("Nothing was changed (--dry-run).")
        return 0
    upstream = working.upstream
    target = "" if arguments.no_push or upstream is None else f" and push to {upstream.name}"
    if not asking.agreed(f"Commit{target}?", arguments):
        print("Nothing was changed.")
        return 1
    made = working.write(after, proposal.message)
    if not arguments.no_push:
        working.push(made)
    working.advance(made, list(after))
    subject = proposal.message.partition("\n")[0]
    print(f'{working.branch}@{made[:7]} "{subject}" {"pushed" if target else "committed, not pushed"}')
    return 0


def difference(path: str, before: bytes, after: bytes) -> Iterator[str]:
    """The changed lines of a file, below its name; lines that stay are left out."""
    yield path
    lines = difflib.unified_diff(before.decode().splitlines(), after.decode().splitlines(), lineterm="", n=0)
    for line in lines:
        if not line.startswith(("---", "+++", "@@")):
            yield line


def _refuse_if_changed(working: WorkingCopy, paths: list[str]) -> None:
    changed = working.uncommitted(paths)
    if changed:
        raise SiteshiftError(
            f"{changed[0]} has changes that are not committed\n  hint: commit them, or `git restore {changed[0]}`"
        )


def _refuse_if_behind(working: WorkingCopy) -> None:
    upstream = working.upstream
    if upstream is not None and upstream.commit is not None:
        base = working.merge_base(working.head, upstream.commit)
        if base != upstream.commit:
            raise SiteshiftError(
                f"{upstream.name} has commits that are not here\n  hint: git pull --rebase, then try again"
            )


def _also_pushed(arguments: argparse.Namespace, working: WorkingCopy) -> Iterator[str]:
    """Commits of this clone that would go along."""
    upstream = working.upstream
    if arguments.no_push or upstream is None or upstream.commit is None:
        return
    base = working.merge_base(working.head, upstream.commit)
    waiting = [] if base is None else working.first_parents(base, working.head)
    if waiting:
        yield f"{len(waiting)} earlier commit{'s' if len(waiting) > 1 else ''} would be pushed along:"
    for one in waiting:
        yield f'  {one[:7]} "{working.subject(one)}"'
