"""What a command is about: the site of `--site`, and its platform and applications, or the one of `--app`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from reconciler.fleet.model import Fleet
    from render.site import Unit
    from render.tree import Tree


def chosen_units(arguments: argparse.Namespace, tree: Tree) -> tuple[Fleet, Sequence[Unit]]:
    """The fleet, and the units of the chosen site in the roles that the placements give. Raises UsageError for a site
    or an application that the fleet does not have, and InputErrors where the fleet is wrong."""
    from reconciler.fleet.load import load
    from reconciler.fleet.units import application_unit, platform_units

    fleet = load(tree)
    sites = [site.name for site in fleet.sites]
    if arguments.site is None:
        raise UsageError(f"say for which site: --site {' or --site '.join(sites)}")
    if arguments.site not in sites:
        raise UsageError(f'--site is "{arguments.site}", which is no site of this fleet ({", ".join(sites)})')
    if arguments.app is None:
        chosen = [application for application in fleet.applications if arguments.site in application.sites]
        before: Sequence[Unit] = platform_units(fleet)
    else:
        one = fleet.application(arguments.app)
        if one is None:
            names = ", ".join(application.name for application in fleet.applications)
            raise UsageError(f'--app is "{arguments.app}", which is no application of this fleet ({names})')
        if arguments.site not in one.sites:
            raise UsageError(f"{one.name} is never at site {arguments.site}: its spec.sites are {', '.join(one.sites)}")
        chosen, before = [one], ()
    return fleet, [
        *before,
        *(
            application_unit(
                tree,
                application,
                arguments.site,
                "active" if application.placement.active == arguments.site else "passive",
            )
            for application in chosen
        ),
    ]
