"""Everything that can be said about a fleet without Git and without a cluster: it loads, renders, and fits together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.errors import FleetError, InputError, InputErrors
from reconciler.fleet import times
from reconciler.fleet.contents import Rendered, check_contents
from reconciler.fleet.durations import show
from reconciler.fleet.load import load
from reconciler.fleet.model import Application, Fleet, Role
from reconciler.fleet.units import application_unit, platform_units
from render.site import Unit, render_unit
from render.tree import Tree
from render.yaml import position


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `fleet` is None where it could not even be loaded; `objects` counts those of all sites."""

    fleet: Fleet | None
    errors: tuple[InputError, ...]
    warnings: tuple[InputError, ...] = ()
    objects: int = 0


def validate(tree: Tree) -> Report:
    """Load the fleet, render every site, and check what they hold."""
    try:
        fleet = load(tree)
    except InputErrors as found:
        return Report(None, found.errors)
    errors: dict[str, InputError] = {}
    objects = 0
    for site in fleet.sites:
        try:
            units = list(_rendered(fleet, tree, site.name, errors))
        except InputError as error:
            errors[str(error)] = error
            continue
        objects += sum(len(unit.objects) for unit in units)
        errors |= {str(error): error for error in check_contents(fleet, site.name, units)}
    losses = [_loss(fleet, application, tree) for application in fleet.applications]
    errors |= {str(error): error for error, is_error in filter(None, losses) if is_error}
    warnings = tuple(error for error, is_error in filter(None, losses) if not is_error)
    return Report(fleet, InputErrors(errors.values()).errors, warnings, objects)


def role_at(application: Application, site: str) -> Role:
    """The role that the placement gives an application at a site."""
    return "active" if application.placement.active == site else "passive"


def _rendered(fleet: Fleet, tree: Tree, site: str, errors: dict[str, InputError]) -> Iterator[Rendered]:
    for unit in platform_units(fleet):
        yield from _unit(tree, unit, None, "active", errors)
    for application in fleet.applications:
        if site in application.sites:
            role = role_at(application, site)
            yield from _unit(tree, application_unit(tree, application, site, role), application, role, errors)


def _unit(
    tree: Tree, unit: Unit, application: Application | None, role: Role, errors: dict[str, InputError]
) -> Iterator[Rendered]:
    """One unit's objects; an error of its own keeps nobody from reading about the others."""
    try:
        objects = render_unit(tree, unit)
    except InputErrors as found:
        errors |= {str(error): error for error in found.errors}
    except InputError as error:
        errors[str(error)] = error
    else:
        yield Rendered(application, role, [(found.manifest, found.origin.path) for found in objects])


def _loss(fleet: Fleet, application: Application, tree: Tree) -> tuple[FleetError, bool] | None:
    """Inequality 6, and whether it is an error: without a lease people's time to decide comes on top, unknown."""
    allowed = application.placement.allow_data_loss
    least = times.least_data_loss(fleet, application)
    if not isinstance(allowed, float) or least is None or allowed >= least:
        return None
    leased = application.lease is not None
    because = "its RPO, a poll and the lease" if leased else "its RPO, and what people need to decide comes on top"
    path = application.placement.path
    line, column = position(tree.read(path), path, 0, ["spec", "allowDataLoss"])
    error = FleetError(
        f"spec.allowDataLoss is {show(allowed)}, expected at least {show(least)}: that is {because}",
        path=path,
        line=line,
        column=column,
        hint="the move would be held: less than that can hardly be promised",
    )
    return error, leased
