"""What suspend and resume have in common: one field of application.yaml, and the commit that sets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

APPLICATION_FILE = "application.yaml"


def run(arguments: argparse.Namespace, *, suspend: bool) -> int:
    """Set `spec.suspend` of the applications named, show it, ask, commit and push."""
    from reconciler.cli import committing
    from reconciler.fleet.moving import named

    working, tree, fleet = committing.opened(arguments)
    verb = "Suspend" if suspend else "Resume"
    files, changed = {}, []
    for name in dict.fromkeys(arguments.apps):
        application = named(fleet, name)
        if application.suspended is suspend:
            print(f"{name} is {'suspended already' if suspend else 'not suspended'}")
            continue
        changed.append(name)
        files[f"{application.folder}/{APPLICATION_FILE}"] = {"suspend": suspend}
    reason = f"\nReason: {arguments.reason}\n" if arguments.reason else ""
    if not changed:
        return 0
    message = f"{verb} {', '.join(changed)}\n{reason}"
    note = (
        "Each site leaves them as they are: nothing is started, moved, changed or deleted. Stopping for safety goes on."
        if suspend
        else "Each site brings them to what Git says."
    )
    return committing.commit(arguments, working, tree, committing.Proposal(files, message, [note]))
