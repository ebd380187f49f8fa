"""What a command is about: the site of `--site`, and its platform and applications, or the one of `--app`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from reconciler.fleet.model import Application, Fleet, Role
    from render.site import Unit
    from render.tree import Tree


def chosen_units(arguments: argparse.Namespace, tree: Tree) -> tuple[Fleet, Sequence[Unit]]:
    """The fleet, and the units of the chosen site in the roles that the placements give. Raises UsageError for a site
    or an application that the fleet does not have, and InputErrors where the fleet is wrong."""
    fleet, platform, applications = chosen(arguments, tree)
    return fleet, units_of(arguments, tree, platform, [(one, placed_role(one, arguments.site)) for one in applications])


def placed_role(application: Application, site: str) -> Role:
    """The role that the placement gives."""
    return "active" if application.placement.active == site else "passive"


def units_of(
    arguments: argparse.Namespace, tree: Tree, platform: Sequence[Unit], roles: Sequence[tuple[Application, Role]]
) -> Sequence[Unit]:
    """The platform's units and the applications' in these roles."""
    from reconciler.fleet.units import application_unit

    return [*platform, *(application_unit(tree, one, arguments.site, role) for one, role in roles)]


def chosen(arguments: argparse.Namespace, tree: Tree) -> tuple[Fleet, Sequence[Unit], Sequence[Application]]:
    """The fleet, its platform (nothing where `--app` is given) and the chosen applications."""
    from reconciler.fleet.load import load
    from reconciler.fleet.units import platform_units

    fleet = load(tree)
    sites = [site.name for site in fleet.sites]
    if arguments.site is None:
        raise UsageError(f"say for which site: --site {' or --site '.join(sites)}")
    if arguments.site not in sites:
        raise UsageError(f'--site is "{arguments.site}", which is no site of this fleet ({", ".join(sites)})')
    if arguments.app is None:
        everything = [application for application in fleet.applications if arguments.site in application.sites]
        return fleet, platform_units(fleet), everything
    one = fleet.application(arguments.app)
    if one is None:
        names = ", ".join(application.name for application in fleet.applications)
        raise UsageError(f'--app is "{arguments.app}", which is no application of this fleet ({names})')
    if arguments.site not in one.sites:
        raise UsageError(f"{one.name} is never at site {arguments.site}: its spec.sites are {', '.join(one.sites)}")
    return fleet, (), [one]
