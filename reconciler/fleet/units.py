"""What each site builds: the fleet's applications and platform folders as `render.site` units."""

from __future__ import annotations

from reconciler.fleet.model import Application, Fleet, Role
from reconciler.objects import APPLICATION_LABEL, PLATFORM_LABEL
from render.site import Unit, own, shipped
from render.tree import Tree


def platform_units(fleet: Fleet) -> tuple[Unit, ...]:
    """The platform's folders, in the order of their names; the same at every site."""
    return tuple(Unit(folder.rpartition("/")[2], folder, PLATFORM_LABEL) for folder in sorted(fleet.platform))


def application_unit(tree: Tree, application: Application, site: str, role: Role) -> Unit:
    """An application at a site in a role."""
    return Unit(
        application.name, overlay_folder(tree, application, site), APPLICATION_LABEL, components(application, role)
    )


def overlay_folder(tree: Tree, application: Application, site: str) -> str:
    """`spec.overlay` where it is given, else `sites/<site>` where that exists, else `base`."""
    if application.overlay is not None:
        return application.overlay.replace("{site}", site)
    at_site = f"{application.folder}/sites/{site}"
    return at_site if tree.kind(at_site) == "folder" else f"{application.folder}/base"


def components(application: Application, role: Role) -> tuple[str, ...]:
    """The role's Component, the application's own or the shipped one, then that of its storage."""
    mode = role if role == "active" else f"passive-{application.passive}"
    overlay = own(application.roles[role]) if role in application.roles else shipped(mode)
    driver = application.replication.driver
    return (overlay,) if driver == "none" else (overlay, shipped(f"{driver}-{role}"))


def every_unit(tree: Tree, fleet: Fleet) -> tuple[Unit, ...]:
    """Every unit that some site may build: the platform's, and each application at each of its sites in both roles."""
    roles: tuple[Role, ...] = ("active", "passive")
    units = [
        application_unit(tree, application, site, role)
        for application in fleet.applications
        for site in application.sites
        for role in roles
    ]
    return tuple(dict.fromkeys((*platform_units(fleet), *units)))
