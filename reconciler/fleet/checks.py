"""What must hold between the files of a fleet: names that exist, moves that say what they assert, no cycles.

Each check reports into the document that has to change, at the field that has to change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.fleet import times as inequalities
from reconciler.fleet.documents import Document
from reconciler.fleet.model import NOWHERE, Application, Fleet
from render.errors import TreeError
from render.tree import Tree

KUSTOMIZATION_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
Loaded = Sequence[tuple[Document, Application]]

DISASTER_FIELDS = ("declaredDown", "allowDataLoss", "reason")
"""What a disaster move must say; the first two, like `overrideFence`, mean nothing in a planned one."""


def sites(document: Document) -> None:
    """No two sites of one name."""
    seen: set[str] = set()
    for index, site in enumerate(document.spec["sites"]):
        name = site["name"]
        if name == NOWHERE:
            document.report(
                f'a site cannot be called "{NOWHERE}": a placement says so of no site', "spec", "sites", index
            )
        if name in seen:
            document.report(f"site {name} is listed twice", "spec", "sites", index, "name")
        seen.add(name)
        rebind = site.get("rebind", {})
        if rebind and rebind["from"] == rebind["to"] and "counter" not in rebind:
            document.report(
                f"the rebind of site {name} from a cluster to itself does not say which heartbeats it covers",
                *("spec", "sites", index, "rebind"),
                hint="counter: the highest that its heartbeats had reached; `siteshift rebind` writes it",
            )


def holds_kustomization(tree: Tree, document: Document, folder: str) -> None:
    """A platform folder is one that Kustomize can build."""
    if not folder:
        return
    try:
        found = any(tree.kind(f"{folder}/{name}") == "file" for name in KUSTOMIZATION_FILES)
    except TreeError as error:
        document.errors.append(error)
        return
    if not found:
        document.report(
            f"spec.platform matches {folder}, which has no {KUSTOMIZATION_FILES[0]}",
            "spec",
            "platform",
            hint="add one, or make the pattern narrower",
        )


def site_names(fleet: Document) -> tuple[str, ...]:
    """The names of a siteshift.yaml's sites, in its order."""
    return tuple(site["name"] for site in fleet.spec["sites"])


def application(document: Document, fleet: Document) -> None:
    """Sites that exist, a home among them, a replication and an isolation that say all they must."""
    spec, known = document.spec, site_names(fleet)
    for index, name in enumerate(spec.get("sites", ())):
        if name not in known:
            _no_site(document, name, fleet, "spec", "sites", index)
    own = spec.get("sites", known)
    home = spec.get("home")
    if home is not None and home not in own:
        document.report(f'spec.home is "{home}", which is none of its sites ({", ".join(own)})', "spec", "home")
    _replication(document)
    fences = spec.get("onIsolation") == "fence"
    if fences and "lease" not in spec:
        document.report(
            "spec.onIsolation: fence needs spec.lease",
            "spec",
            "onIsolation",
            hint="for example lease: {time: 5m, fenceAfter: 20m}",
        )
    if "lease" in spec and not fences:
        document.report("spec.lease has no effect without onIsolation: fence", "spec", "lease")


def _replication(document: Document) -> None:
    replication = document.spec.get("replication")
    if replication is None:
        return
    driver, at = replication["driver"], ("spec", "replication")
    if driver == "none":
        for field in ("groups", "rpo"):
            if field in replication:
                document.report(f"spec.replication.{field} means nothing with driver: none", *at, field)
        return
    for field, example in (
        ("groups", "groups: [{kind: VolumeGroupReplication, name: …, namespace: …}]"),
        ("rpo", "rpo: 5m"),
    ):
        if field not in replication:
            document.report(f"spec.replication.{field} is missing: driver {driver} needs it", *at, hint=example)


def placement(document: Document, fleet: Document) -> None:
    """Sites that exist, and what a disaster move must assert."""
    spec, known = document.spec, site_names(fleet)
    if spec["active"] not in {*known, NOWHERE}:
        _no_site(document, spec["active"], fleet, "spec", "active")
    for field in ("declaredDown", "allowDiscard"):
        for index, name in enumerate(spec.get(field, ())):
            if name not in known:
                _no_site(document, name, fleet, "spec", field, index)
            elif name == spec["active"]:
                document.report(f"spec.{field} names {name}, which is the active site", "spec", field, index)
    disaster = spec.get("move", "planned") == "disaster"
    for field in DISASTER_FIELDS:
        if disaster and field not in spec:
            document.report(f"a disaster move needs spec.{field}", "spec", "move", hint=_DISASTER_HINTS[field])
    for field in ("declaredDown", "allowDataLoss", "overrideFence"):
        if not disaster and field in spec:
            document.report(
                f"spec.{field} means nothing in a planned move", "spec", field, hint="remove it, or say move: disaster"
            )


_DISASTER_HINTS = {
    "declaredDown": "name the sites that are down: declaredDown: [a]",
    "allowDataLoss": "a duration such as 10m, or unknown for any amount",
    "reason": "say why; it stays in the history",
}


def placement_of(document: Document, placed: Document, fleet: Document) -> None:
    """The placement is this application's, and at a site that may carry it."""
    if placed.name != document.name:
        placed.report(
            f'metadata.name is "{placed.name}", expected "{document.name}" as in {document.path}', "metadata", "name"
        )
    known = site_names(fleet)
    own = document.spec.get("sites", known)
    active = placed.spec["active"]
    if active in known and active not in own:
        line = document.place("spec", "sites")[0]
        placed.report(
            f'spec.active is "{active}", which is no site of {document.name} ({", ".join(own)})',
            "spec",
            "active",
            hint=f"its sites are listed in {document.path}:{line}",
        )


def distinct_names(documents: Iterable[Document]) -> None:
    """No two applications of one name."""
    seen: dict[str, str] = {}
    for document in documents:
        if document.name in seen:
            document.report(
                f"application {document.name} is also in {seen[document.name]}",
                "metadata",
                "name",
                hint="names are unique in a fleet; rename one",
            )
        seen.setdefault(document.name, document.path)


def dependencies(applications: Loaded, *, complete: bool) -> None:
    """`dependsOn` names applications that exist, and no circle of them.

    Unless all applications are there (`complete`), a name that is not among them is no error yet.
    """
    needs = {document.name: document.spec.get("dependsOn", []) for document, _ in applications}
    for document, _ in applications:
        for index, name in enumerate(needs[document.name]):
            if complete and name not in needs:
                names = ", ".join(sorted(needs))
                document.report(
                    f'spec.dependsOn names "{name}", which is no application of this fleet ({names})',
                    "spec",
                    "dependsOn",
                    index,
                )
    reported: set[frozenset[str]] = set()
    for document, _ in applications:
        cycle = _cycle(document.name, needs)
        if cycle and frozenset(cycle) not in reported:
            reported.add(frozenset(cycle))
            document.report(
                f"spec.dependsOn goes in a circle: {' > '.join(cycle)}",
                "spec",
                "dependsOn",
                hint="none of them could ever start; remove one of these",
            )


def _cycle(start: str, needs: dict[str, list[str]]) -> list[str]:
    """The shortest way from an application back to itself; empty if there is none."""
    ways, seen = [[start]], set[str]()
    while ways:
        way = ways.pop(0)
        for name in needs.get(way[-1], ()):
            if name == start:
                return [*way, name]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def groups(applications: Loaded) -> None:
    """A consistency group belongs to one application (P12)."""
    owners: dict[object, str] = {}
    for document, found in applications:
        for index, group in enumerate(found.replication.groups):
            owner = owners.setdefault(group, found.name)
            if owner != found.name or found.replication.groups.index(group) != index:
                document.report(
                    f"{group.kind} {group.namespace}/{group.name} is also a group of {owner}",
                    "spec",
                    "replication",
                    "groups",
                    index,
                    hint="an application is one closed set of volumes and groups",
                )


def times(document: Document, fleet: Fleet, applications: Loaded) -> None:
    """The inequalities between the fleet's times, and those of every lease."""
    for problem in inequalities.of_fleet(fleet):
        document.report(problem.message, "spec", *problem.field, hint=problem.hint)
    for written, found in applications:
        if found.lease is not None:
            for problem in inequalities.of_lease(fleet, found.lease):
                written.report(problem.message, "spec", *problem.field, hint=problem.hint)


def _no_site(document: Document, name: str, fleet: Document, *at: str | int) -> None:
    field = ".".join(str(part) for part in at if isinstance(part, str))
    verb = "names" if isinstance(at[-1], int) else "is"
    document.report(
        f'{field} {verb} "{name}", which is no site of this fleet ({", ".join(site_names(fleet))})',
        *at,
        hint=f"sites are listed in {fleet.path}:{fleet.place('spec', 'sites')[0]}",
    )
