"""What the commands have in common that commit the next epoch of placements without moving anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from reconciler.fleet.model import Application
    from reconciler.fleet.moving import FieldValue

    Restated = Callable[[Application], Mapping[str, FieldValue] | None]


def run(arguments: argparse.Namespace, subject: str, restated: Restated, note: Callable[[Application], str]) -> int:
    """Plan the epochs, show them, ask, commit and push. `subject`: the commit's, with {} for the applications' names;
    `note`: what it means for one of them."""
    from reconciler.cli import committing
    from reconciler.fleet.moving import named

    working, tree, fleet = committing.opened(arguments)
    files, changed = {}, []
    for name in dict.fromkeys(arguments.apps):
        application = named(fleet, name)
        fields = restated(application)
        if fields is None:
            placement = application.placement
            print(f"the placement of {name} says so already (epoch {placement.epoch} in {placement.path})")
            continue
        changed.append(application)
        files[application.placement.path] = fields
    if not changed:
        return 0
    names = [application.name for application in changed]
    epochs = [
        f"{each.name}: epoch {files[each.placement.path]['epoch']} at {each.placement.active}" for each in changed
    ]
    reason = f"\nReason: {arguments.reason}\n" if arguments.reason else ""
    message = f"{subject.format(', '.join(names))}\n\n" + "\n".join(epochs) + f"\n{reason}"
    notes = [note(application) for application in changed]
    return committing.commit(arguments, working, tree, committing.Proposal(files, message, notes))
