"""What `build --explain` and `render --explain` print: the chain of places that gave an object or a field its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from render.kustomization import Options
    from render.kustomization.model import Helm
    from render.site import Unit
    from render.tree import Tree


def explained(tree: Tree, folder: str, subject: str, options: Options, helm: Helm | None) -> str:
    """The chains of a build of a folder on this disk, with the places of this machine."""
    from reconciler.cli.places import place
    from render.explanation import explain, text

    found = explain(tree, folder, subject, options, helm=helm)
    if not found:
        raise _nothing(subject)
    return text(found, place)


def explained_units(tree: Tree, units: Sequence[Unit], subject: str) -> str:
    """The chains of every chosen unit of a site, with paths of the fleet repository."""
    from render.explanation import explain, text
    from render.site import FLEET, joined

    def named(path: str) -> str:
        inside = path.removeprefix(f"{FLEET}/")
        return f"(joined by siteshift) {path}" if path == "kustomization.yaml" else inside

    found = [(unit, explain(joined(tree, unit), "", subject)) for unit in units]
    chosen = [(unit, chains) for unit, chains in found if chains]
    if not chosen:
        raise _nothing(subject)
    parts = [text(chains, named) for _, chains in chosen]
    return "".join(f"# {unit.name}\n{part}" for (unit, _), part in zip(chosen, parts, strict=True))


def _nothing(subject: str) -> UsageError:
    return UsageError(
        f"--explain {subject}: there is no such object\n  hint: write KIND/NAME or KIND/NAME.spec.replicas; "
        "the name is the printed one or the one in the file"
    )
