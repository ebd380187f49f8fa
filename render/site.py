"""One application, or one part of the platform, as a site has it: manifests with run level, component and origin.

What is built is always a plain kustomization: the user's overlay as its resources, the role's Components, and the
label that the gate and the inventory rely on. `joined` is that kustomization as a tree, which is why
`render -o kustomization` can write it out for stock Kustomize to print the very same objects.

Run levels follow CVO's file names, `0000_<run level>_<component>_<name>.yaml`; the annotations
`siteshift.io/run-level` and `siteshift.io/component` win over the file name. Without either, what is cluster-wide
comes first and everything else at level 50.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from render.errors import InputError
from render.kustomization import Options, Origin, build
from render.tree import FolderTree, MemoryTree, OverlayTree, RecordingTree, Tree
from render.tree.remote import RemoteTree

if TYPE_CHECKING:
    from render.kustomization.parsed import Parsed

SHIPPED = Path(__file__).resolve().parent.parent / "overlays"
"""The role overlays of this installation."""

FLEET = "fleet"
OVERLAYS = "overlays"
"""Where the joined tree has the user's files and the shipped overlays."""

RUN_LEVEL_ANNOTATION = "siteshift.io/run-level"
COMPONENT_ANNOTATION = "siteshift.io/component"

FIRST_LEVEL = "00"
DEFAULT_LEVEL = "50"

FILE_NAME = re.compile(r"0000_(\d+)_([a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*?)_", re.ASCII)
"""The names of files that give their objects a run level and a component."""

CLUSTER_WIDE = frozenset(
    {
        "APIService",
        "ClusterRole",
        "ClusterRoleBinding",
        "CSIDriver",
        "CustomResourceDefinition",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "PersistentVolume",
        "PriorityClass",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeGroupReplicationClass",
        "VolumeReplicationClass",
        "VolumeSnapshotClass",
    }
)
"""Kinds that others need and that belong to no namespace."""

TEMPLATE_FIELDS = (
    ("kubevirt.io", "VirtualMachine", "spec/template/metadata/labels"),
    ("kubevirt.io", "VirtualMachineInstanceReplicaSet", "spec/template/metadata/labels"),
    ("pool.kubevirt.io", "VirtualMachinePool", "spec/virtualMachineTemplate/spec/template/metadata/labels"),
)
"""Templates of instances beside those that Kustomize's `includeTemplates` knows."""


class Unit(NamedTuple):
    """What is built as one: an overlay of the fleet repository, the Components on top of it, and its label."""

    name: str
    folder: str
    label: str
    components: tuple[str, ...] = ()


class SiteManifest(NamedTuple):
    """One object as a site has it.

    `run_level` is text, as CVO compares it for equality; it sorts as a number. `position` is the object's place in
    what Kustomize prints.
    """

    manifest: dict[str, Any]
    run_level: str
    component: str
    origin: Origin
    position: int

    @property
    def named(self) -> bool:
        """Whether its file name or an annotation names the component; else it is called after its unit."""
        file = self.origin.path.rpartition("/")[2]
        return COMPONENT_ANNOTATION in (self.manifest["metadata"].get("annotations") or {}) or bool(
            FILE_NAME.match(file)
        )

    @property
    def order(self) -> tuple[int, str, str, int]:
        """Run level, then file name, then the place in the file."""
        return (int(self.run_level), self.component, self.origin.path.rpartition("/")[2], self.origin.document)


def shipped(name: str) -> str:
    """The path of a shipped overlay in the joined tree."""
    return f"{OVERLAYS}/{name}"


def own(path: str) -> str:
    """The path of a user's folder in the joined tree."""
    return f"{FLEET}/{path}" if path else FLEET


def kustomization(unit: Unit) -> str:
    """The one kustomization.yaml that joins overlay, Components and label."""
    lines = [
        "apiVersion: kustomize.config.k8s.io/v1beta1",
        "kind: Kustomization",
        "resources:",
        f"- {own(unit.folder)}",
    ]
    if unit.components:
        lines += ["components:", *(f"- {component}" for component in unit.components)]
    lines += ["labels:", "- pairs:", f"    {unit.label}: {unit.name}", "  includeTemplates: true", "  fields:"]
    for group, kind, path in TEMPLATE_FIELDS:
        lines += [f"  - group: {group}", f"    kind: {kind}", f"    path: {path}", "    create: true"]
    return "\n".join(lines) + "\n"


@cache
def _shipped_files() -> Tree:
    """The role overlays, read once: they are part of the program."""
    tree = FolderTree(SHIPPED)
    folders = [name for name in tree.list("") if tree.kind(name) == "folder"]
    paths = [f"{folder}/{name}" for folder in folders for name in tree.list(folder)]
    return MemoryTree({path: tree.read(path) for path in paths}, root=tree.root)


def joined(tree: Tree, unit: Unit) -> Tree:
    """The fleet repository, the shipped overlays and the unit's kustomization.yaml as one tree; build its root."""
    top = MemoryTree({"kustomization.yaml": kustomization(unit)})
    whole = OverlayTree(top, {FLEET: tree, OVERLAYS: _shipped_files()})
    return tree.around(whole) if isinstance(tree, RemoteTree) else whole


def render_unit(tree: Tree, unit: Unit) -> tuple[SiteManifest, ...]:
    """The unit's objects in order of application. Raises `InputError` with paths of the fleet repository."""
    return render_joined(joined(tree, unit), unit)


def render_joined(whole: Tree, unit: Unit, *, parsed: Parsed | None = None) -> tuple[SiteManifest, ...]:
    """The same from the joined tree itself; `parsed` has the files that earlier builds have parsed."""
    with _fleet_paths():
        resources = build(whole, "", Options(), parsed=parsed)
    placed = [
        _placed(resource.manifest, resource.origin, unit, position) for position, resource in enumerate(resources)
    ]
    return tuple(sorted(placed, key=lambda found: found.order))


def read_files(tree: Tree, unit: Unit) -> dict[str, bytes]:
    """Every file that the unit's build reads, by its path in the joined tree: what stock Kustomize needs as well."""
    recording = RecordingTree(joined(tree, unit))
    with _fleet_paths():
        build(recording, "", Options())
    paths = [path for (question, path), answer in recording.seen.items() if question == "read" and answer is not None]
    return {path: recording.read(path) for path in sorted(paths)}


def _placed(manifest: dict[str, Any], origin: Origin, unit: Unit, position: int) -> SiteManifest:
    where = Origin(origin.path.removeprefix(f"{FLEET}/"), origin.document)
    _check_identity(manifest, where)
    annotations = manifest["metadata"].get("annotations") or {}
    named = FILE_NAME.match(origin.path.rpartition("/")[2])
    level: str = named[1] if named else FIRST_LEVEL if manifest["kind"] in CLUSTER_WIDE else DEFAULT_LEVEL
    component: str = named[2] if named else unit.name
    level = annotations.get(RUN_LEVEL_ANNOTATION) or level
    if not (level.isascii() and level.isdigit()):
        raise InputError(
            f'annotation {RUN_LEVEL_ANNOTATION} is "{level}", expected digits such as "50"',
            path=where.path,
            hint=f"it is on {manifest['kind']} {manifest['metadata']['name']}",
        )
    return SiteManifest(manifest, level, annotations.get(COMPONENT_ANNOTATION) or component, where, position)


def _check_identity(manifest: dict[str, Any], where: Origin) -> None:
    """Everything after this relies on knowing which object it is, and Kustomize lets any value through."""
    metadata = manifest["metadata"]
    written = {
        "apiVersion": manifest.get("apiVersion"),
        "kind": manifest.get("kind"),
        "metadata.name": metadata.get("name"),
        "metadata.namespace": metadata.get("namespace", "x"),
    }
    for field, value in written.items():
        if not isinstance(value, str) or not value:
            raise InputError(f"{field} is {value!r}, expected text that is not empty", path=where.path)
    for field in ("labels", "annotations"):
        found = metadata.get(field) or {}
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise InputError(
                f"metadata.{field} of {manifest['kind']} {metadata['name']} is {found!r}, expected texts by name",
                path=where.path,
                hint="quote values that look like numbers or booleans",
            )


@contextmanager
def _fleet_paths() -> Iterator[None]:
    """Errors name the user's own paths, not those of the joined tree."""
    try:
        yield
    except InputError as error:
        if error.path is not None:
            error.path = error.path.removeprefix(f"{FLEET}/")
        raise
