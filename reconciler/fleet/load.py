"""Load a fleet repository: every file read, every error found, or one fleet in which names and paths hold.

`load` is for people: a fleet with any error is no fleet. `load_parts` is for the controller: an application whose files
are wrong is left out, and keeps nobody else from being looked after (P21).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from reconciler.errors import InputError, InputErrors
from reconciler.fleet import checks, parse
from reconciler.fleet.documents import Document, read
from reconciler.fleet.model import Application, Fleet, Placement, Role
from render.errors import NotInTree, TreeError
from render.tree import Tree
from render.tree.seam import leaves, normalise

FLEET_FILE = "siteshift.yaml"
APPLICATION_FILE = "application.yaml"
PLACEMENT_FILE = "placement.yaml"

_NO_FLEET = (
    f"there is no {FLEET_FILE}: this is no fleet repository",
    "`siteshift init` makes one; --fleet says where it is",
)
_NO_APPLICATION = (
    "this file is missing: spec.applications matches its folder",
    "add it, or make the pattern in siteshift.yaml narrower",
)
_NO_PLACEMENT = (
    "this file is missing: every application has a placement",
    "it says which site is active: spec: {active: <site>, epoch: 1}",
)


@dataclass(frozen=True, slots=True)
class Broken:
    """An application that cannot be acted on as the tree has it. `errors`: everything that is wrong with its files;
    `placement`: its own placement, a unit of its own, where that is right."""

    folder: str
    errors: tuple[InputError, ...]
    placement: Placement | None


@dataclass(frozen=True, slots=True)
class Parts:
    """A fleet of the applications that are right, and those that are not, by name (that of the folder where the file
    does not say one)."""

    fleet: Fleet
    broken: Mapping[str, Broken] = field(default_factory=dict)


def load(tree: Tree) -> Fleet:
    """The fleet in a tree. Raises `InputErrors` with everything that is wrong with it, sorted by place."""
    fleet, errors, _ = _load(tree)
    if errors:
        raise InputErrors({str(error): error for error in errors}.values())
    return fleet


def load_parts(tree: Tree) -> Parts:
    """What of a tree's fleet can be acted on. Raises `InputErrors` where what all share is wrong: the sites, the times,
    the platform."""
    fleet, errors, folders = _load(tree)
    by_folder: dict[str, list[InputError]] = {}
    shared: list[InputError] = []
    for error in {str(error): error for error in errors}.values():
        folder = next((each for each in folders if (error.path or "").startswith(f"{each}/")), None)
        (shared if folder is None else by_folder.setdefault(folder, [])).append(error)
    if shared:
        raise InputErrors(shared)
    names = {application.folder: application.name for application in fleet.applications}
    broken = {
        names.get(folder, folder.rpartition("/")[2]): Broken(folder, tuple(found), load_placement(tree, folder))
        for folder, found in by_folder.items()
    }
    right = tuple(each for each in fleet.applications if each.folder not in by_folder)
    return Parts(replace(fleet, applications=right), broken)


def _load(tree: Tree) -> tuple[Fleet, list[InputError], list[str]]:
    """The fleet as far as it can be read, everything that is wrong with it, and the applications' folders."""
    errors: list[InputError] = []
    document = read(tree, FLEET_FILE, "Fleet", errors, absent=_NO_FLEET)
    if document is None:
        raise InputErrors(errors)
    checks.sites(document)
    platform = tuple(_folders(tree, document, "platform"))
    for folder in platform:
        checks.holds_kustomization(tree, document, folder)
    folders = _folders(tree, document, "applications")
    for folder in sorted({*platform} & {*folders}):
        document.report(f"{folder} is both platform and application", "spec", "platform")
    applications = _applications(tree, document, folders)
    fleet = parse.fleet(document, platform, tuple(found for _, found in applications))
    checks.times(document, fleet, applications)
    checks.dependencies(applications, complete=len(applications) == len(folders))
    checks.groups(applications)
    return fleet, errors, folders


def load_placement(tree: Tree, folder: str) -> Placement | None:
    """The placement in an application's folder; None if there is none or it is no placement. For walking the history
    of a branch, in which a commit may hold anything."""
    errors: list[InputError] = []
    document = read(tree, f"{folder}/{PLACEMENT_FILE}", "Placement", errors, absent=_NO_PLACEMENT)
    return None if document is None or errors else parse.placement(document)


def _applications(tree: Tree, document: Document, folders: list[str]) -> list[tuple[Document, Application]]:
    loaded = [found for folder in folders if (found := _application(tree, document, folder)) is not None]
    checks.distinct_names([written for written, _ in loaded])
    return sorted(loaded, key=lambda pair: pair[1].name)


def _application(tree: Tree, fleet: Document, folder: str) -> tuple[Document, Application] | None:
    errors, known = fleet.errors, checks.site_names(fleet)
    document = read(tree, f"{folder}/{APPLICATION_FILE}", "Application", errors, absent=_NO_APPLICATION)
    placement = read(tree, f"{folder}/{PLACEMENT_FILE}", "Placement", errors, absent=_NO_PLACEMENT)
    if placement is not None:
        checks.placement(placement, fleet)
    if document is None:
        return None
    checks.application(document, fleet)
    overlay = _overlay(tree, document, folder, known)
    roles = _roles(tree, document, folder)
    if placement is None:
        return None
    checks.placement_of(document, placement, fleet)
    return document, parse.application(document, parse.placement(placement), known, overlay, roles)


def _folders(tree: Tree, document: Document, field: str) -> list[str]:
    """The folders that the patterns of a field match, each once, sorted."""
    found: set[str] = set()
    for index, pattern in enumerate(document.spec.get(field, ())):
        at = ("spec", field, index)
        wanted = _inside(document, pattern, "", at)
        if wanted is None:
            continue
        before = len(document.errors)
        matched = _matching(tree, document, wanted.split("/"))
        if not matched and len(document.errors) == before:
            document.report(f'spec.{field}: no folder matches "{pattern}"', *at, hint="folders, not files, are matched")
        found.update(matched)
    return sorted(found)


def _matching(tree: Tree, document: Document, segments: list[str]) -> list[str]:
    """Folders whose path matches segment by segment; like a shell's, `*` leaves out names that begin with a dot.
    What cannot be read is reported and left out."""
    folders = [""]
    for segment in segments:
        folders = [
            path
            for folder in folders
            for name in (_names(tree, document, folder) if set(segment) & set("*?[") else [segment])
            if fnmatchcase(name, segment) and (segment.startswith(".") or not name.startswith("."))
            for path in [f"{folder}/{name}" if folder else name]
            if _is_folder(tree, document, path, unknown=False)
        ]
    return folders


def _names(tree: Tree, document: Document, folder: str) -> list[str]:
    try:
        return tree.list(folder)
    except NotInTree:
        return []
    except TreeError as error:
        document.errors.append(error)
        return []


def _inside(document: Document, path: str, start: str, at: tuple[str | int, ...]) -> str | None:
    """The path from the root, or None after reporting that it leaves the repository."""
    try:
        normal = normalise(path, start)
    except TreeError as error:
        document.report(f"{path}: {error.message}", *at)
        return None
    if leaves(normal):
        document.report(
            f'"{path}" leaves the repository', *at, hint="everything that a fleet uses lies in its repository"
        )
        return None
    return normal


def _overlay(tree: Tree, document: Document, folder: str, known: tuple[str, ...]) -> str | None:
    """The overlay as a path from the root, still with {site} in it; None where the default is meant."""
    wanted = document.spec.get("overlay")
    own = [site for site in document.spec.get("sites", known) if site in known]
    if wanted is None:
        for site in own:
            candidates = (f"{folder}/sites/{site}", f"{folder}/base")
            if not any(_is_folder(tree, document, candidate) for candidate in candidates):
                document.report(
                    f"nothing to build for site {site}: there is neither sites/{site} nor base in {folder}",
                    hint="make a kustomization there, or say with spec.overlay where it is",
                )
        return None
    at = ("spec", "overlay")
    path = _inside(document, wanted, folder, at)
    if path is None:
        return None
    for site in own:
        if not _is_folder(tree, document, path.replace("{site}", site)):
            document.report(f"spec.overlay: there is no folder {path.replace('{site}', site)}", *at)
    return path


def _roles(tree: Tree, document: Document, folder: str) -> dict[Role, str]:
    roles: dict[Role, str] = {}
    for role in parse.ROLES:
        wanted = document.spec.get("roles", {}).get(role)
        if wanted is None:
            continue
        path = _inside(document, wanted, folder, ("spec", "roles", role))
        if path is None:
            continue
        if not _is_folder(tree, document, path):
            document.report(f"spec.roles.{role}: there is no folder {path}", "spec", "roles", role)
        roles[role] = path
    return roles


def _is_folder(tree: Tree, document: Document, path: str, *, unknown: bool = True) -> bool:
    """Whether there is a folder; `unknown` after reporting that it cannot be told."""
    try:
        return tree.kind(path) == "folder"
    except TreeError as error:
        document.errors.append(error)
        return unknown
