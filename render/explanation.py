"""Why an object or a field is as it is: the chain of files and transformers that gave it its value.

A build is repeated with an observer that compares the objects in question before and after each step, so builds that
nobody asks about cost nothing more. Positions are found by reading the files again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from render import yaml
from render.errors import InputError, KustomizationError
from render.kustomization.build import build
from render.kustomization.copying import deep_copy
from render.kustomization.draft import Draft
from render.kustomization.observer import Observer
from render.kustomization.transformers.image_tag import Image
from render.places import ABSENT, Steps, at, differences, resolve, same, shown, steps_of

if TYPE_CHECKING:
    from render.kustomization.accumulate import Accumulator
    from render.kustomization.fields import Trail
    from render.kustomization.layer import Layer
    from render.kustomization.model import Helm, Options
    from render.tree import Tree

TRANSFORMERS = {
    "patches": "PatchTransformer",
    "patchesStrategicMerge": "PatchStrategicMergeTransformer",
    "patchesJson6902": "PatchJson6902Transformer",
    "namespace": "NamespaceTransformer",
    "namePrefix": "PrefixTransformer",
    "nameSuffix": "SuffixTransformer",
    "labels": "LabelTransformer",
    "commonLabels": "LabelTransformer",
    "commonAnnotations": "AnnotationsTransformer",
    "replicas": "ReplicaCountTransformer",
    "images": "ImageTagTransformer",
    "replacements": "ReplacementTransformer",
    "configMapGenerator": "ConfigMapGenerator",
    "secretGenerator": "SecretGenerator",
    "helmCharts": "HelmChartInflationGenerator",
}
"""Kustomize's name of what a field runs."""

AFTERWARDS = {
    "add hashes": "hash of the content",
    "fix references": "name reference",
    "resolve variables": "vars",
    "add managed by": "managed-by label",
    "clean annotations": "annotations",
}
"""What the steps after all layers are called."""

_SECRET = frozenset({"data", "stringData"})
_LONGEST = 60
"""Characters of a value that are shown, and fields of a change that are named at most in one link."""


class Link(NamedTuple):
    """One thing that happened.

    `path`, `line`, `column` say where it was asked for; `path` is "" for what follows all layers. `by` is the field, or
    the step's name. `what` tells the change: `1 > 2` for a field, the fields that changed for an object. `within` is
    the place of the value itself where that is another file.
    """

    path: str
    line: int
    column: int
    by: str
    what: str
    within: tuple[str, int, int] | None = None


class Explanation(NamedTuple):
    """An object's or a field's chain, oldest first. `subject` is KIND/NAME with the field's path behind it."""

    subject: str
    value: str
    links: tuple[Link, ...]


def explain(
    tree: Tree, folder: str, subject: str, options: Options | None = None, *, helm: Helm | None = None
) -> tuple[Explanation, ...]:
    """The chains of every object that `subject` means: KIND/NAME, with a field's path behind it if it is about one.

    The name is the one at the end or the one in the file. Fields are written `.spec.replicas`,
    `.spec.containers[name=web].image` or `.spec.containers[0].image`. Empty where nothing is meant.
    Raises `InputError` where the build fails, or the object has no such field.
    """
    final = _Final()
    build(tree, folder, options, helm=helm, observer=final)
    meant = dict(_meant(final.drafts, subject))
    if not meant:
        return ()
    recorder = _Recorder({_key(final.drafts[number]) for number in meant})
    build(tree, folder, options, helm=helm, observer=recorder)
    return tuple(_Chain(tree, recorder, recorder.drafts[number], rest).explanation() for number, rest in meant.items())


class _Final(Observer):
    """Keeps what comes out."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []

    def finished(self, step: str, accumulator: Accumulator) -> None:  # noqa: ARG002
        self.drafts = accumulator.drafts


class _Change(NamedTuple):
    """What one step did to an object: the manifests before (None: it was not there yet) and after."""

    layer: Layer | None
    trail: Trail
    step: str
    before: Any
    after: Any


class _Recorder(_Final):
    """Compares the objects that came from some places before and after each step."""

    def __init__(self, keys: set[tuple[Any, ...]]) -> None:
        super().__init__()
        self._keys = keys
        self._gathered: dict[int, Accumulator] = {}
        self._changes: dict[int, tuple[Draft, list[_Change]]] = {}

    def begins(self, layer: Layer, accumulator: Accumulator) -> None:
        self._gathered[id(layer)] = accumulator

    def after(self, layer: Layer, trail: Trail) -> None:
        self._compare(self._gathered.get(id(layer)), layer, trail, "")

    def finished(self, step: str, accumulator: Accumulator) -> None:
        super().finished(step, accumulator)
        self._compare(accumulator, None, (), step)

    def changes(self, draft: Draft) -> list[_Change]:
        """What happened to an object, oldest first."""
        return self._changes[id(draft)][1]

    def _compare(self, accumulator: Accumulator | None, layer: Layer | None, trail: Trail, step: str) -> None:
        for draft in accumulator.drafts if accumulator is not None else ():
            if not draft.manifest or (id(draft) not in self._changes and _key(draft) not in self._keys):
                continue
            changes = self._changes.setdefault(id(draft), (draft, []))[1]
            before = changes[-1].after if changes else None
            if not same(before, draft.manifest):
                changes.append(_Change(layer, trail, step, before, deep_copy(draft.manifest)))


def _key(draft: Draft) -> tuple[Any, ...]:
    return (draft.origin, draft.source)


def _meant(drafts: list[Draft], subject: str) -> Iterator[tuple[int, str]]:
    """The numbers of the objects that are meant, each with the field that follows its name."""
    kind, slash, rest = subject.partition("/")
    if not slash or not kind or not rest:
        raise KustomizationError(f'"{subject}" names no object', hint="write KIND/NAME or KIND/NAME.spec.replicas")
    found: list[tuple[int, str, int]] = []
    for number, draft in enumerate(drafts):
        if draft.kind.lower() != kind.lower():
            continue
        names = [name for name in {draft.name, draft.original_name} if _begins_with(rest, name)]
        if names:
            name = max(names, key=len)
            found.append((number, rest[len(name) :].removeprefix("."), len(name)))
    longest = max((length for _, _, length in found), default=0)
    return ((number, field) for number, field, length in found if length == longest)


def _begins_with(text: str, name: str) -> bool:
    return text.startswith(name) and text[len(name) : len(name) + 1] in ("", ".", "[")


class _Chain:
    """Makes links of what was recorded of one object."""

    def __init__(self, tree: Tree, recorder: _Recorder, draft: Draft, field: str) -> None:
        self._tree = tree
        self._draft = draft
        self._changes = recorder.changes(draft)
        trail = resolve([change.after for change in reversed(self._changes)], field)
        if trail is None:
            raise KustomizationError(
                f"{draft.kind}/{draft.name} has no field {field}",
                path=draft.origin.path,
                hint=f"it has {', '.join(sorted(draft.content))}",
            )
        self._field = field
        self._steps = steps_of(self._changes[-1].after, trail) if field else ()
        self._secret = draft.kind == "Secret" and bool(trail) and trail[0] in _SECRET

    def explanation(self) -> Explanation:
        """The chain."""
        subject = f"{self._draft.kind}/{self._draft.name}" + (f".{self._field}" if self._field else "")
        links = tuple(link for change in self._changes if (link := self._link(change)) is not None)
        value = self._text(at(self._changes[-1].after, self._steps)) if self._field else ""
        return Explanation(subject, value, links)

    def _link(self, change: _Change) -> Link | None:
        before, after = (at(manifest, self._steps) for manifest in (change.before, change.after))
        if same(before, after):
            return None
        what = self._what(change, before, after)
        if change.layer is None:
            return Link("", 0, 0, AFTERWARDS.get(change.step, change.step), what)
        path, line, column, by = self._place(change)
        return Link(path, line, column, by, what, self._within(change))

    def _what(self, change: _Change, before: Any, after: Any) -> str:
        if self._field:
            return self._text(after) if before is ABSENT else f"{self._text(before)} > {self._text(after)}"
        if change.before is None:
            return "the whole object"
        fields = differences(change.before, change.after)
        rest = f" and {len(fields) - 3} more" if len(fields) > 4 else ""
        return ", ".join(fields[:3] if rest else fields) + rest

    def _text(self, value: Any) -> str:
        if value is ABSENT:
            return "(not there)"
        if self._secret:
            return "***"
        text = shown(value)
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

    def _place(self, change: _Change) -> tuple[str, int, int, str]:
        """The file and line that a change comes from: the object's own file, or the kustomization's field."""
        assert change.layer is not None
        path, field, entry = change.layer.path, str(change.trail[0]), change.trail
        if change.before is None and self._draft.origin.path != path:
            trail = (*self._draft.source, *self._plain(change.after))
            line, column = self._position(self._draft.origin.path, self._draft.origin.document, trail)
            return self._draft.origin.path, line, column, "written"
        if change.trail == ("images",):
            entry = (field, *self._image(change))
        line, column = self._position(path, 0, entry)
        by = field + "".join(f"[{step}]" for step in entry[1:])
        return path, line, column, f"{by} ({TRANSFORMERS[field]})" if field in TRANSFORMERS else by

    def _image(self, change: _Change) -> tuple[int, ...]:
        """Which entry of `images` meant an image, as far as that can be told."""
        old = at(change.before, self._steps)
        entries = change.layer.fields["images"] if change.layer is not None and isinstance(old, str) else ()
        return next(((place,) for place, entry in enumerate(entries) if Image(entry).change(old) != old), ())

    def _within(self, change: _Change) -> tuple[str, int, int] | None:
        """Where a patch in a file of its own has the value."""
        assert change.layer is not None
        field, *place = change.trail
        if change.before is None or field not in ("patches", "patchesStrategicMerge", "patchesJson6902") or not place:
            return None
        entry = change.layer.fields[field][place[0]]
        file = entry if isinstance(entry, str) else entry.get("path")
        if not file or "\n" in file:
            return None
        path = change.layer.loader.path(file)
        return (path, *self._in_patch(path))

    def _in_patch(self, path: str) -> tuple[int, int]:
        documents = yaml.parse(self._tree.read(path), path)
        for number, document in enumerate(documents):
            if isinstance(document, list):
                pointer = "/" + "/".join(str(step) for step in self._plain(self._changes[-1].after))
                for place, operation in enumerate(document):
                    if isinstance(operation, dict) and pointer.startswith(str(operation.get("path"))):
                        return self._position(path, number, (place,))
            elif at(document, self._steps) is not ABSENT:
                return self._position(path, number, _trail(document, self._steps))
        return self._position(path, 0, ())

    def _plain(self, manifest: Any) -> Trail:
        return _trail(manifest, self._steps)

    def _position(self, path: str, document: int, trail: Trail) -> tuple[int, int]:
        try:
            return yaml.position(self._tree.read(path), path, document, list(trail))
        except InputError:
            return 1, 1


def _trail(manifest: Any, steps: Steps) -> Trail:
    """The steps as keys and positions in one manifest, as far as they lead."""
    trail: list[str | int] = []
    node = manifest
    for step in steps:
        if isinstance(step, tuple):
            place = next(
                (i for i, item in enumerate(node) if isinstance(item, dict) and item.get(step[0]) == step[1]), None
            )
            if place is None:
                break
            step = place
        trail.append(step)
        node = at(manifest, tuple(trail))
        if node is ABSENT:
            break
    return tuple(trail)


def text(explanations: tuple[Explanation, ...], named: Callable[[str], str] = str) -> str:
    """Chains as lines that editors can follow; `named` says what a path is called."""
    lines = []
    for found in explanations:
        lines.append(f"{found.subject} is {found.value}" if found.value else found.subject)
        for link in found.links:
            place = f"{named(link.path)}:{link.line}:{link.column}" if link.path else "after all layers"
            lines.append(f"  {place}: {link.by}: {link.what}")
            if link.within is not None:
                path, line, column = link.within
                lines.append(f"    {named(path)}:{line}:{column}")
    return "".join(f"{line}\n" for line in lines)
