"""One kustomization: read its file, gather what it names, run its transformers.

The order of steps is Kustomize's (K34) and stands in two tables: `GATHERING` here, `TRANSFORMERS` in `steps`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from render import yaml
from render.errors import InputError, KustomizationError, NotInTree, TreeError, YamlError
from render.kustomization.accumulate import Accumulator
from render.kustomization.config import DEFAULTS, EMPTY, parse_config
from render.kustomization.draft import Draft
from render.kustomization.fields import FieldError, Trail, decode
from render.kustomization.generators.config_map_secret import (
    absorb,
    make_config_map,
    make_secret,
    with_global_options,
)
from render.kustomization.loader import Loader, is_remote
from render.kustomization.provenance import Provenance
from render.kustomization.tables.fields import KUSTOMIZATION
from render.tree.seam import below

FILE_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_API_VERSIONS = {
    "Kustomization": "kustomize.config.k8s.io/v1beta1",
    "Component": "kustomize.config.k8s.io/v1alpha1",
}


class Layer:
    """One kustomization of a build. `provenance` is set where the topmost one asks for `buildMetadata`."""

    def __init__(self, loader: Loader, provenance: Provenance | None = None) -> None:
        self.loader = loader
        self.context = loader.context
        self.provenance = provenance
        self.outer_namespace = ""
        """The namespace of the nearest layer above that has one: charts are told."""
        self.path = self._find_file()
        self.context.budget.layer(self.path)
        self.fields = self._read_fields()
        self.kind: str = self.fields["kind"]

    def accumulate(self, accumulator: Accumulator) -> Accumulator:
        """Gather and transform; for a component, what its caller has gathered so far."""
        from render.kustomization.steps import run_transformers

        observer = self.context.observer
        if observer is not None:
            observer.begins(self, accumulator)
        for gather in GATHERING:
            accumulator = gather(self, accumulator)
        run_transformers(self, accumulator)
        for place, var in enumerate(self.fields.get("vars") or []):
            with self.at("vars", place):
                add_var(accumulator, var)
                accumulator.places_of_vars[var.get("name") or ""] = (self.path, place)
        return accumulator

    def get(self, name: str) -> Any:
        """A field's value, None if it is not given."""
        return self.fields.get(name)

    @contextmanager
    def at(self, *trail: str | int) -> Iterator[None]:
        """Errors in here that know no place get that of a field of this kustomization."""
        observer = self.context.observer
        if observer is not None:
            observer.before(self, trail)
        try:
            yield
        except (KustomizationError, TreeError) as error:
            is_elsewhere = error.path is not None and (error.path != self.path or error.line is not None)
            if is_elsewhere and (error.line is not None or not isinstance(error, TreeError)):
                self.complete(error)
                raise
            raise self._located(error, (*trail, *error.within)) from error
        if observer is not None:
            observer.after(self, trail)

    def complete(self, error: InputError) -> None:
        """Find the line of an error that knows its file and field."""
        if error.line is None and error.path and self.context.tree.kind(error.path) == "file":
            data = self.context.read(error.path)
            error.line, error.column = yaml.position(data, error.path, error.document, error.within)

    def _located(self, error: InputError, trail: Trail) -> InputError:
        line, column = yaml.position(self.context.read(self.path), self.path, 0, list(trail))
        kind = KustomizationError if isinstance(error, NotInTree) else type(error)
        if kind is FieldError:
            kind = KustomizationError
        message = error.message
        if isinstance(error, NotInTree):
            message = f"'{self.context.display(error.path or '')}' doesn't exist"
        elif isinstance(error, TreeError):
            message = f"{error.path}: {error.message}" if error.path else error.message
        return kind(message, path=self.path, line=line, column=column, hint=error.hint)

    def _find_file(self) -> str:
        found = [
            path
            for path in (below(self.loader.root, name) for name in FILE_NAMES)
            if self.context.tree.kind(path) == "file" and self.loader.is_inside(path)
        ]
        root = self.context.display(self.loader.root)
        if not found:
            raise KustomizationError(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization'"
                f" in directory '{root}'",
                path=self.loader.root or ".",
                hint="a folder that is built needs a kustomization.yaml",
            )
        if len(found) > 1:
            raise KustomizationError(
                f"Found multiple kustomization files under: {root}",
                path=found[1],
                hint=f"keep one of {', '.join(found)}",
            )
        return found[0]

    def _read_fields(self) -> dict[str, Any]:
        document = yaml.parse_kustomization(self.context.read(self.path), self.path)
        try:
            fields: dict[str, Any] = decode(document, KUSTOMIZATION, "Kustomization")
        except FieldError as error:
            raise self._located(
                FieldError(f"invalid Kustomization: {error.message}", error.trail, error.hint), error.trail
            ) from error
        fields = {name: value for name, value in fields.items() if value not in ("", None)}
        if not set(fields) - {"kind", "apiVersion"}:
            raise KustomizationError("kustomization.yaml is empty", path=self.path, hint="list its resources")
        return self._settled(fields)

    def _settled(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields with the older names of some moved to the newer ones, and with kind and version checked."""
        kind = fields.setdefault("kind", "Kustomization")
        with self.at("kind"):
            if kind not in _API_VERSIONS:
                raise KustomizationError(
                    f"Failed to read kustomization file under {self.context.display(self.loader.root)}:"
                    " kind should be Kustomization or Component"
                )
        wanted = _API_VERSIONS[kind]
        with self.at("apiVersion"):
            if fields.setdefault("apiVersion", wanted) != wanted:
                raise KustomizationError(
                    f"Failed to read kustomization file under {self.context.display(self.loader.root)}:"
                    f" apiVersion for {kind} should be {wanted}"
                )
        for old, new in (("bases", "resources"), ("imageTags", "images")):
            if old in fields:
                fields[new] = [*fields.get(new, []), *fields.pop(old)]
        return fields


def _gather_resources(layer: Layer, accumulator: Accumulator) -> Accumulator:
    return accumulate_entries(layer, accumulator, "resources", layer.get("resources") or [])


def accumulate_entries(layer: Layer, accumulator: Accumulator, field: str, entries: list[str]) -> Accumulator:
    """Each entry's objects: those of a file, or of the kustomization in a folder (K2)."""
    for place, entry in enumerate(entries):
        with layer.at(field, place):
            drafts = _drafts_of_entry(layer, entry)
            if isinstance(drafts, Loader):
                accumulator = _accumulate_folder(layer, accumulator, drafts, entry, is_component=False)
            else:
                _add_file(layer, accumulator, drafts, entry)
    return accumulator


def _drafts_of_entry(layer: Layer, entry: str) -> list[Draft] | Loader:
    loader = layer.loader
    if is_remote(entry):
        return loader.new(entry)
    try:
        path = loader.load_path(entry)
        if not layer.context.restricted and layer.context.tree.kind(path) == "folder":
            raise KustomizationError(f"read {layer.context.display(path)}: is a directory")
        return loader.drafts_in(path)
    except YamlError as error:
        raise _malformed(error, entry) from error
    except (KustomizationError, TreeError) as as_file:
        if isinstance(as_file, TreeError) and not isinstance(as_file, NotInTree):
            raise
        try:
            return loader.new(entry)
        except KustomizationError as as_folder:
            reason = _reason(layer, entry, as_file)
            raise KustomizationError(
                f"accumulating resources: accumulation err='accumulating resources from '{entry}': {reason}':"
                f" {as_folder.message}",
                path=as_file.path if isinstance(as_file, KustomizationError) else None,
                line=as_file.line,
                column=as_file.column,
                hint=as_file.hint or as_folder.hint,
                document=as_file.document,
                within=as_file.within,
            ) from as_file


def _reason(layer: Layer, entry: str, error: InputError) -> str:
    """Why an entry is no file, in Kustomize's words."""
    if isinstance(error, NotInTree):
        place = layer.context.display(layer.loader.path(entry)) if not entry.startswith("/") else entry
        return f"evalsymlink failure on '{place}' : no such file or directory"
    return error.message


def _malformed(error: YamlError, entry: str) -> YamlError:
    return YamlError(
        f"accumulating resources: accumulating resources from '{entry}': MalformedYAMLError: yaml: {error.message}",
        path=error.path,
        line=error.line,
        column=error.column,
        hint=error.hint,
    )


def _add_file(layer: Layer, accumulator: Accumulator, drafts: list[Draft], entry: str) -> None:
    if layer.provenance is not None:
        for draft in drafts:
            draft.provenance = layer.provenance.of_file(entry)
    try:
        accumulator.extend(drafts)
    except KustomizationError as error:
        raise KustomizationError(f"merging resources from '{entry}': {error.message}", hint=error.hint) from error


def _accumulate_folder(
    layer: Layer, accumulator: Accumulator, loader: Loader, entry: str, *, is_component: bool
) -> Accumulator:
    child = Layer(loader, layer.provenance.below(entry) if layer.provenance is not None else None)
    child.outer_namespace = layer.get("namespace") or layer.outer_namespace
    use_openapi(child)
    root = child.context.display(loader.root)
    if is_component and child.kind != "Component":
        raise KustomizationError(
            f"accumulating components: accumulateDirectory: \"expected kind 'Component' for path '{root}' but got"
            f" '{child.kind}'\"",
            hint=f"list {entry} under resources, or make it a Component",
        )
    if not is_component and child.kind == "Component":
        raise KustomizationError(
            f"expected kind != 'Component' for path '{root}'", hint=f"list {entry} under components"
        )
    if is_component:
        accumulator.config = EMPTY.merge(accumulator.config)
        accumulator = child.accumulate(accumulator)
        accumulator.config = EMPTY.merge(accumulator.config)
        return accumulator
    accumulator.merge(child.accumulate(Accumulator()))
    return accumulator


def use_openapi(layer: Layer) -> None:
    """Take a kustomization's own schema of kinds; the topmost one that has any wins (K35).

    Kubernetes' own stays beside it only if Kustomize has needed it before: for a merge, or for a kind not its own.
    """
    given = layer.get("openapi") or {}
    context = layer.context
    with layer.at("openapi"):
        document = None
        if "path" in given:
            path = layer.loader.load_path(given["path"])
            document = yaml.parse_kustomization(context.read(path), path)
        if context.schema_set:
            return
        version = given.get("version")
        if document is not None:
            if version is not None:
                raise KustomizationError("builtin version and custom schema provided, cannot use both")
            context.schemas.needed |= context.knows_foreign_kinds()
            context.schemas.use(document)
            context.schema_set = True
        elif version:
            if version != "v1.21.2":
                raise KustomizationError(
                    "the specified OpenAPI version is not built in", hint="the only one that is is v1.21.2"
                )
            context.schema_set = True


def _gather_configuration(layer: Layer, accumulator: Accumulator) -> Accumulator:
    added = EMPTY
    for place, entry in enumerate(layer.get("configurations") or []):
        with layer.at("configurations", place):
            added = added.merge(parse_config(_settings(layer, entry, unique_keys=True)))
    with layer.at("configurations"):
        accumulator.config = accumulator.config.merge(DEFAULTS.merge(added))
    if layer.get("crds"):
        from render.kustomization.crds import config_from_definitions

        for place, entry in enumerate(layer.fields["crds"]):
            with layer.at("crds", place):
                accumulator.config = accumulator.config.merge(config_from_definitions(_settings(layer, entry)))
    return accumulator


def _settings(layer: Layer, entry: str, *, unique_keys: bool = False) -> Any:
    path = layer.loader.load_path(entry)
    return yaml.parse_kustomization(layer.context.read(path), path, unique_keys=unique_keys)


def _run_generators(layer: Layer, accumulator: Accumulator) -> Accumulator:
    for field, make, kind in (
        ("configMapGenerator", make_config_map, "ConfigMapGenerator"),
        ("secretGenerator", make_secret, "SecretGenerator"),
    ):
        for place, args in enumerate(layer.get(field) or []):
            with layer.at(field, place):
                made = make(layer.loader, with_global_options(args, layer.get("generatorOptions")), layer.path)
                if layer.provenance is not None:
                    made.provenance = layer.provenance.of_builtin(layer.path, kind)
                absorb(accumulator, made)
    if layer.get("helmCharts") or layer.get("helmChartInflationGenerator"):
        from render.kustomization.generators.helm_chart_inflation import run_helm

        run_helm(layer, accumulator)
    if layer.get("generators"):
        from render.kustomization.plugins import run_generators

        run_generators(layer, accumulator)
    return accumulator


def _gather_components(layer: Layer, accumulator: Accumulator) -> Accumulator:
    for place, entry in enumerate(layer.get("components") or []):
        with layer.at("components", place):
            loader = layer.loader.new(entry)
            accumulator = _accumulate_folder(layer, accumulator, loader, entry, is_component=True)
    return accumulator


GATHERING: tuple[Callable[[Layer, Accumulator], Accumulator], ...] = (
    _gather_resources,
    _gather_configuration,
    _run_generators,
    _gather_components,
)
"""What a layer does before its transformers run, in Kustomize's order."""


def add_var(accumulator: Accumulator, var: dict[str, Any]) -> None:
    """Bind a variable to the object that it names. Raises `KustomizationError` if it could be several."""
    reference = dict(var.get("objref") or {})
    group, version = reference.get("group") or "", reference.get("version") or ""
    parts = (reference.get("apiVersion") or "").split("/")
    if len(parts) == 2:
        group, version = parts
    elif parts != [""]:
        version = parts[0]
    kind, name, namespace = reference.get("kind") or "", reference.get("name") or "", reference.get("namespace") or ""
    matched = [
        draft
        for draft in accumulator.named(name)
        if any(
            old[:4] == (group, version, kind, name) and (not namespace or old[4] == namespace) for old in draft.all_ids
        )
    ]
    if len(matched) > 1:
        raise KustomizationError(
            f"found {len(matched)} resId matches for var {var.get('name')} (unable to disambiguate)",
            hint="give the var's objref a namespace",
        )
    if matched:
        matched[0].variables.append(var.get("name") or "")
    accumulator.add_var({**var, "name": var.get("name") or ""})
