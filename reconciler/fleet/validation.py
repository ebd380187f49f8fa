"""Everything that can be said about a fleet without Git and without a cluster: it loads, renders, and fits together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.errors import FleetError, InputError, InputErrors
from reconciler.fleet import times
from reconciler.fleet.contents import check_contents, check_moves, warn_contents
from reconciler.fleet.durations import show
from reconciler.fleet.load import FLEET_FILE, load
from reconciler.fleet.model import Application, Fleet, Role
from reconciler.fleet.rendered import Found, Rendered
from reconciler.fleet.storage import claims_of
from reconciler.fleet.units import application_unit, platform_units
from reconciler.objects import Ref
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
    claims: Mapping[str, Collection[Ref]] = field(default_factory=dict)
    """The PersistentVolumeClaims of each application, by its name."""


def validate(tree: Tree) -> Report:
    """Load the fleet, render every site, and check what they hold."""
    try:
        fleet = load(tree)
    except InputErrors as found:
        return Report(None, found.errors)
    errors: dict[str, InputError] = {}
    warnings: dict[str, InputError] = {}
    objects = 0
    claims: dict[str, set[Ref]] = {}
    for site in fleet.sites:
        try:
            units = list(_rendered(fleet, tree, site.name, errors))
            moved = list(_in_other_roles(fleet, tree, site.name, errors))
        except InputError as error:
            errors[str(error)] = error
            continue
        objects += sum(len(unit.objects) for unit in units)
        wrong = [*check_contents(fleet, site.name, units), *check_moves(site.name, moved, _others(units))]
        for known, of_site in ((errors, wrong), (warnings, warn_contents(units))):
            known |= {str(error): error for error in (_located(tree, one) for one in of_site)}
        for unit in units:
            if unit.application is not None:
                claims.setdefault(unit.application.name, set()).update(claims_of(unit))
    errors |= {str(error): error for error in _sides(fleet, tree)}
    losses = [_loss(fleet, application, tree) for application in fleet.applications]
    errors |= {str(error): error for error, is_error in filter(None, losses) if is_error}
    warnings |= {str(error): error for error, is_error in filter(None, losses) if not is_error}
    return Report(fleet, InputErrors(errors.values()).errors, InputErrors(warnings.values()).errors, objects, claims)


def _located(tree: Tree, error: FleetError) -> FleetError:
    """The same error with line and column of the field that it is about."""
    if error.path is None or error.line is not None or not error.within:
        return error
    try:
        error.line, error.column = position(tree.read(error.path), error.path, error.document, error.within)
    except InputError:  # the object is not written in this file but made by it, as a Secret is
        return error
    return error


def _others(units: Iterable[Rendered]) -> list[Rendered]:
    """The platform: what is at a site whatever roles the applications have."""
    return [unit for unit in units if unit.application is None]


def _sides(fleet: Fleet, tree: Tree) -> Iterator[FleetError]:
    """With the topology active-passive all applications are active at one site."""
    sides: dict[str, list[str]] = {}
    for application in fleet.applications:
        sides.setdefault(application.placement.active, []).append(application.name)
    if fleet.topology == "active-passive" and len(sides) > 1:
        shown = ", ".join(f"{' and '.join(names)} at {site}" for site, names in sorted(sides.items()))
        line, column = position(tree.read(FLEET_FILE), FLEET_FILE, 0, ["spec", "topology"])
        yield FleetError(
            f"spec.topology is active-passive, and applications are active at several sites: {shown}",
            path=FLEET_FILE,
            line=line,
            column=column,
            hint="move all of them to one site in one commit, or say topology: symmetric",
        )


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


def _in_other_roles(fleet: Fleet, tree: Tree, site: str, errors: dict[str, InputError]) -> Iterator[Rendered]:
    """Each application that moves, in the role that it will have at the site after a move."""
    for application in fleet.applications:
        if site in application.sites and len(application.sites) > 1:
            role: Role = "passive" if role_at(application, site) == "active" else "active"
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
        yield Rendered(
            application, role, [Found(one.manifest, one.origin.path, one.origin.document) for one in objects]
        )


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
