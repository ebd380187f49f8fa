"""Layers of kustomizations on each other, where one field's work is what the next one starts from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from . import configuring, copying, generating, patching, plugins
from .choosing import Chooser, given
from .objects import NAMESPACES, WORKLOADS, Thing, make_things
from .workloads import labels
from .writing import write

KEEP_THEIR_NAMES = ("CustomResourceDefinition", "APIService", "Namespace")
Files = dict[str, str]


@dataclass
class Layer:
    """One kustomization while it is made."""

    choose: Chooser
    folder: str
    files: Files
    things: list[Thing]
    fields: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str) -> None:
        """Give a field a value."""
        value = FIELDS[name](self)
        if value is not None:
            self.fields[name] = value


def _labels(layer: Layer) -> Any:
    choose = layer.choose
    entries = []
    for _ in range(choose.integer(1, 2)):
        with_fields = choose.maybe(15, lambda: [configuring.mapping_spec(choose, choose.one(layer.things), "marks")])
        entries.append(
            given(
                pairs={"team": "a", **labels(choose)},
                includeSelectors=choose.maybe(40, lambda: True),
                includeTemplates=choose.maybe(30, lambda: True),
                fields=with_fields,
            )
        )
    return entries


def _replicas(layer: Layer) -> Any:
    there = [thing for thing in layer.things if thing.kind in WORKLOADS]
    if not there:
        return None
    choose = layer.choose
    return [
        {"name": choose.one([thing.names[0], thing.name]), "count": choose.integer(0, 9)}
        for thing in choose.some(there, 1, 2)
    ]


def _generated(kind: str) -> Callable[[Layer], Any]:
    def make(layer: Layer) -> Any:
        choose = layer.choose
        made: list[dict[str, Any]] = []
        for _ in range(choose.integer(1, 2)):
            entry = generating.arguments(choose, layer.folder, kind, layer.things, layer.files)
            if entry.get("behavior") or all(entry["name"] != other["name"] for other in made):
                made.append(entry)
        layer.things += generating.generated(kind, made)
        return made

    return make


def _generators(layer: Layer) -> Any:
    entries, made = plugins.generators(layer.choose, layer.folder, layer.things, layer.files)
    layer.things += made
    return entries


def _sort_options(layer: Layer) -> Any:
    choose = layer.choose
    if choose.chance(40):
        return {"order": "fifo"}
    first, last = ["Namespace", "Widget", "Deployment"], ["Service", "ConfigMap"]
    return given(order="legacy", legacySortOptions=choose.maybe(50, lambda: {"orderFirst": first, "orderLast": last}))


def _of_files(make: Callable[[Chooser, str, list[Thing], Files], Any]) -> Callable[[Layer], Any]:
    return lambda layer: make(layer.choose, layer.folder, layer.things, layer.files)


FIELDS: dict[str, Callable[[Layer], Any]] = {
    "configMapGenerator": _generated("ConfigMap"),
    "secretGenerator": _generated("Secret"),
    "generators": _generators,
    "generatorOptions": lambda layer: generating.options(layer.choose) or None,
    "configurations": _of_files(configuring.configurations),
    "crds": lambda layer: configuring.definitions(layer.choose, layer.folder, layer.files),
    "openapi": lambda layer: configuring.open_api(layer.choose, layer.folder, layer.files),
    "namePrefix": lambda layer: layer.choose.one(["dev-", "a-"]),
    "nameSuffix": lambda layer: layer.choose.one(["-v2", "-b"]),
    "namespace": lambda layer: layer.choose.one([*NAMESPACES, "default"]),
    "commonLabels": lambda layer: {"owner": "me", **labels(layer.choose)},
    "labels": _labels,
    "commonAnnotations": lambda layer: {"note": "x", **labels(layer.choose)},
    "patches": _of_files(patching.patches),
    "patchesStrategicMerge": _of_files(patching.patches_strategic_merge),
    "patchesJson6902": _of_files(patching.patches_json6902),
    "images": lambda layer: [plugins.image(layer.choose) for _ in range(layer.choose.integer(1, 3))],
    "replicas": _replicas,
    "replacements": _of_files(copying.replacements),
    "vars": lambda layer: copying.variables(layer.choose, layer.things),
    "transformers": _of_files(plugins.transformers),
    "validators": _of_files(plugins.validators),
    "sortOptions": _sort_options,
    "buildMetadata": lambda layer: layer.choose.some(
        ["originAnnotations", "transformerAnnotations", "managedByLabel"], 1, 3
    ),
    "metadata": lambda layer: {"name": "here", "labels": {"any": "thing"}},
}
GENERATING = ("configMapGenerator", "secretGenerator", "generators", "generatorOptions")
RARE = ("openapi", "crds", "validators", "buildMetadata", "sortOptions", "metadata")


def _choose_fields(layer: Layer, most: int, without: tuple[str, ...] = ()) -> None:
    """Fields that make objects come first, as those that follow may mean the objects."""
    choose = layer.choose
    others = [name for name in FIELDS if name not in (*GENERATING, *RARE)]
    names = [
        *(choose.some(GENERATING, 0, 2) if choose.chance(50) else ()),
        *choose.some(others, 0, most),
        *(choose.some(RARE, 1, 1) if choose.chance(20) else ()),
    ]
    for name in names:
        if name not in without and (layer.things or name in GENERATING):
            layer.add(name)


def _seen_from_above(layer: Layer) -> list[Thing]:
    """The objects with the names and namespaces that this layer leaves them with."""
    prefix, suffix = layer.fields.get("namePrefix") or "", layer.fields.get("nameSuffix") or ""
    namespace = layer.fields.get("namespace")
    seen = []
    for thing in layer.things:
        names = thing.names
        if (prefix or suffix) and thing.kind not in KEEP_THEIR_NAMES:
            names = (*names, f"{prefix}{thing.name}{suffix}")
        seen.append(replace(thing, names=names, namespace=namespace or thing.namespace))
    return seen


def _write_resources(layer: Layer, own: list[Thing]) -> list[str]:
    """Objects in files: one each, several in one, or in a List."""
    choose, names = layer.choose, []
    left = [thing.manifest for thing in own]
    while left:
        count = choose.integer(1, len(left))
        chosen, left = left[:count], left[count:]
        name = f"objects{len(names)}.yaml"
        if choose.chance(10):
            text = write(choose, {"apiVersion": "v1", "kind": "List", "items": chosen})
        else:
            text = write(choose, *chosen)
        layer.files[f"{layer.folder}/{name}"] = text
        names.append(name)
    return names


def _finish(layer: Layer, **head: Any) -> list[Thing]:
    document = {**given(**head), **layer.fields}
    name = layer.choose.one(["kustomization.yaml", "kustomization.yaml", "kustomization.yml", "Kustomization"])
    layer.files[f"{layer.folder}/{name}"] = write(layer.choose, document)
    return _seen_from_above(layer)


def base(
    choose: Chooser, folder: str, files: Files, taken: set[tuple[str, str]], without: tuple[str, ...] = ()
) -> list[Thing]:
    """A kustomization with objects of its own."""
    own = make_things(choose, taken, 5)
    layer = Layer(choose, folder, files, own)
    resources = _write_resources(layer, own)
    layer.things = list(own)
    _choose_fields(layer, 2, without)
    return _finish(layer, resources=resources)


def component(
    choose: Chooser, folder: str, files: Files, known: list[Thing], taken: set[tuple[str, str]]
) -> list[Thing]:
    """A component, which changes what its caller has; it gives back what the caller then has."""
    own = make_things(choose, taken, 2) if choose.chance(50) else []
    layer = Layer(choose, folder, files, [*known, *own])
    resources = _write_resources(layer, own)
    _choose_fields(layer, 2)
    if not resources and not layer.fields:
        layer.fields["commonAnnotations"] = {"by": "component"}
    version = choose.maybe(80, lambda: "kustomize.config.k8s.io/v1alpha1")
    return _finish(layer, apiVersion=version, kind="Component", resources=resources or None)


def overlay(
    choose: Chooser,
    folder: str,
    files: Files,
    below: dict[str, list[Thing]],
    taken: set[tuple[str, str]],
    most: int = 5,
) -> list[Thing]:
    """A kustomization on others, which are given by the entry that names them."""
    own = make_things(choose, taken, 2) if choose.chance(35) else []
    layer = Layer(choose, folder, files, [*(thing for things in below.values() for thing in things), *own])
    resources = [*below, *_write_resources(layer, own)]
    components = None
    if choose.chance(25):
        name = f"with-{folder}"
        layer.things = component(choose, name, files, layer.things, taken)
        components = [f"../{name}"]
    _choose_fields(layer, most)
    old = choose.chance(5)
    return _finish(
        layer,
        bases=list(below) if old else None,
        resources=resources[len(below) :] if old else resources,
        components=components,
    )


def twins(choose: Chooser, files: Files, below: list[Thing], taken: set[tuple[str, str]]) -> dict[str, list[Thing]]:
    """Two overlays of one base, which differ in a prefix, suffix or namespace."""
    apart = choose.one(["namePrefix", "nameSuffix", "namespace"])
    made = {}
    for folder, value in (("left", "l"), ("right", "r")):
        layer = Layer(choose, folder, files, list(below))
        _choose_fields(layer, 2, ("vars", "namespace"))
        layer.fields[apart] = {"namePrefix": f"{value}-", "nameSuffix": f"-{value}", "namespace": f"ns-{value}"}[apart]
        made[f"../{folder}"] = _finish(layer, resources=["../base"])
    return made


def tree(choose: Chooser) -> Files:
    """The files of a whole tree; `top` is what is built."""
    files: Files = {}
    taken: set[tuple[str, str]] = set()
    shape = choose.integer(0, 9)
    below = {"../base": base(choose, "base", files, taken, ("vars",) if shape == 9 else ())}
    if shape in (7, 8):
        below["../base2"] = base(choose, "base2", files, taken)
    if shape == 9:
        below = twins(choose, files, below["../base"], taken)
    elif shape >= 5:
        below = {"../mid": overlay(choose, "mid", files, below, taken, 2)}
    overlay(choose, "top", files, below, taken)
    return files
