"""`generators`, `transformers` and `validators`: objects that say how to make or change other objects (K29).

Only Kustomize's built-in kinds are run. Anything else would be a program or a container from the repository.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from render.errors import InputError, KustomizationError, NotInTree
from render.kustomization.accumulate import Accumulator
from render.kustomization.config import field_spec
from render.kustomization.copying import deep_copy
from render.kustomization.draft import Draft
from render.kustomization.fields import FieldError, Names, decode
from render.kustomization.fieldspec import SpecsByKind
from render.kustomization.generators.config_map_secret import absorb, make_config_map, make_secret
from render.kustomization.ids import gvk_text
from render.kustomization.layer import Layer, accumulate_entries
from render.kustomization.loader import Loader
from render.kustomization.selector import Selector
from render.kustomization.steps import note_transformation
from render.kustomization.tables.plugin_fields import PLUGIN_FIELDS, READ_TO_THE_LETTER, VALUE_TARGETS

Settings = dict[str, Any]
"""A plugin's configuration: those of its fields that are given, in their forms."""

VALIDATED_BY = "validated-by"


def load_plugins(layer: Layer, field: str) -> list[Draft]:
    """The configurations that a field lists: written in place, in files, or built by a kustomization of their own."""
    gathered = Accumulator()
    paths: list[tuple[int, str]] = []
    for place, entry in enumerate(layer.get(field) or []):
        try:
            drafts = layer.loader.inline_drafts(entry, layer.path)
        except InputError:
            paths.append((place, entry))
            continue
        if layer.provenance is not None:
            for draft in drafts:
                draft.provenance = layer.provenance.of_file(layer.path.rpartition("/")[2])
        with layer.at(field, place):
            gathered.extend(drafts)
    layer.context.schemas.needed = True  # plugins are of kinds that Kubernetes does not know
    for place, entry in paths:
        with layer.at(field, place):
            gathered = accumulate_entries(layer, gathered, field, [entry])
    return gathered.drafts


@contextmanager
def _configuring(config: Draft) -> Iterator[None]:
    """Errors in here say which plugin's configuration is wrong, and where it is."""
    try:
        yield
    except (KustomizationError, NotInTree) as error:
        message = error.message
        if isinstance(error, NotInTree):
            message = f"'{config.context.display(error.path or '')}' doesn't exist"
        raise KustomizationError(
            f"plugin {config.text} fails configuration: {message}",
            path=_own_file(config),
            hint=error.hint,
            document=config.origin.document,
            within=error.trail if isinstance(error, FieldError) else (),
        ) from error


def run_generators(layer: Layer, accumulator: Accumulator) -> None:
    """Add what the `generators` make."""
    for config in load_plugins(layer, "generators"):
        with layer.at("generators"):
            make = _kind(config, GENERATORS, "generator")
            with _configuring(config):
                drafts = make(layer.loader, _settings(config), layer.path)
            for made in drafts if isinstance(drafts, list) else [drafts]:
                if layer.provenance is not None and config.provenance is not None:
                    made.provenance = layer.provenance.of_plugin(config.provenance, config.content)
                absorb(accumulator, made)


def run_plugins(layer: Layer, accumulator: Accumulator, field: str) -> None:
    """Run the `transformers` (or `validators`) one after another."""
    plugins = []
    for config in load_plugins(layer, field):
        with layer.at(field):
            run = _kind(config, TRANSFORMERS, "transformer")
            with _configuring(config):
                plugins.append((config, run(layer.loader, _settings(config), layer.path)))
    for config, change in plugins:
        with layer.at(field):
            change(accumulator)
            accumulator.drop_deleted()
        if field == "transformers" and layer.provenance is not None and config.provenance is not None:
            note = layer.provenance.of_plugin(config.provenance, config.content)
            note_transformation(accumulator, note)


def run_validators(layer: Layer, accumulator: Accumulator) -> None:
    """Run the `validators`, which may look but not touch."""
    if not layer.get("validators"):
        return
    before = [(draft, deep_copy(draft.content), draft.touched) for draft in accumulator.drafts]
    run_plugins(layer, accumulator, "validators")
    drafts = [draft for draft, _, _ in before]
    if drafts != accumulator.drafts or any(_is_changed(*known) for known in before):
        with layer.at("validators"):
            raise KustomizationError(
                "validator shouldn't modify the resource map",
                hint="to Kustomize, an object is modified also by what writes what is there, or moves it where it is",
            )


def _is_changed(draft: Draft, before: Any, touched: int) -> bool:
    """Whether anything was written into an object but the mark of a validator, where it has no other label."""
    if draft.touched == touched:
        return False
    now = deep_copy(draft.content)
    labels = now.get("metadata", {}).get("labels")
    if not isinstance(labels, dict) or list(labels) != [VALIDATED_BY]:
        return True
    del now["metadata"]["labels"]
    return bool(now != before)


def _own_file(config: Draft) -> str | None:
    """The file of a plugin's configuration, None for one that stands in the kustomization."""
    return config.origin.path if config.inline is None else None


def _kind(config: Draft, table: dict[str, Any], what: str) -> Any:
    group, version, kind = config.gvk
    if group or version != "builtin":
        raise KustomizationError(
            f"external plugins disabled; unable to load external plugin '{kind}'",
            path=_own_file(config),
            hint="programs and containers from a repository are never run; built-in kinds have apiVersion builtin",
        )
    if kind in table:
        return table[kind]
    if kind in GENERATORS or kind in TRANSFORMERS:
        raise KustomizationError(f"plugin {config.text} not a {what}", path=_own_file(config))
    hint = f"it may be {', '.join(sorted(table))}"
    raise KustomizationError(f"unable to load builtin {gvk_text(config.gvk)}", path=_own_file(config), hint=hint)


def _settings(config: Draft) -> Settings:
    kind = config.gvk[2]
    names: Names = "exact" if kind in READ_TO_THE_LETTER else "any"
    settings: Settings = decode(config.content, PLUGIN_FIELDS[kind], f"{kind}Plugin", names=names)
    return settings


def _specs(settings: Settings) -> SpecsByKind:
    return SpecsByKind([field_spec(entry) for entry in settings.get("fieldSpecs", [])])


def _required_specs(settings: Settings) -> SpecsByKind:
    if "fieldSpecs" not in settings:
        raise KustomizationError("fieldSpecs is not expected to be nil")
    return _specs(settings)


Change = Callable[[Accumulator], None]


def _namespace(_loader: Loader, settings: Settings, _path: str) -> Change:
    from render.kustomization.transformers.namespace import NamespaceChange

    return NamespaceChange(
        settings.get("metadata", {}).get("namespace", ""),
        _specs(settings).specs,
        unset_only=settings.get("unsetOnly", False),
        subjects=settings.get("setRoleBindingSubjects") or "defaultOnly",
    ).apply


def _prefix(_loader: Loader, settings: Settings, _path: str) -> Change:
    from render.kustomization.transformers.prefix import add_prefix

    prefix, specs = settings.get("prefix", ""), _required_specs(settings)
    return lambda accumulator: add_prefix(accumulator, prefix, specs)


def _suffix(_loader: Loader, settings: Settings, _path: str) -> Change:
    from render.kustomization.transformers.suffix import add_suffix

    suffix, specs = settings.get("suffix", ""), _required_specs(settings)
    return lambda accumulator: add_suffix(accumulator, suffix, specs)


def _prefix_suffix(loader: Loader, settings: Settings, path: str) -> Change:
    prefix, suffix = _prefix(loader, settings, path), _suffix(loader, settings, path)

    def change(accumulator: Accumulator) -> None:
        prefix(accumulator)
        suffix(accumulator)

    return change


def _label(_loader: Loader, settings: Settings, _path: str) -> Change:
    from render.kustomization.transformers.label import set_labels

    labels, specs = settings.get("labels", {}), _specs(settings)
    return lambda accumulator: set_labels(accumulator, labels, specs)


def _annotations(_loader: Loader, settings: Settings, _path: str) -> Change:
    from render.kustomization.transformers.annotations import set_annotations

    annotations, specs = settings.get("annotations", {}), _specs(settings)
    return lambda accumulator: set_annotations(accumulator, annotations, specs)


def _image_tag(_loader: Loader, settings: Settings, _path: str) -> Change:
    from render.kustomization.transformers.image_tag import Image, set_images

    image, specs = Image(settings.get("imageTag", {})), _specs(settings)
    return lambda accumulator: set_images(accumulator, [image], specs)


def _replica_count(_loader: Loader, settings: Settings, _path: str) -> Change:
    from render.kustomization.transformers.replica_count import set_replicas

    replica, specs = settings.get("replica", {}), _specs(settings).specs
    return lambda accumulator: set_replicas(accumulator, replica.get("name", ""), replica.get("count", 0), specs)


def _patch(loader: Loader, settings: Settings, path: str) -> Change:
    from render.kustomization.transformers.patch import PatchEntry

    return PatchEntry(loader, settings, path).apply


def _patch_strategic_merge(loader: Loader, settings: Settings, path: str) -> Change:
    from render.kustomization.transformers.patch_strategic_merge import apply_strategic_merge, read_strategic_merge

    paths, text = settings.get("paths", []), settings.get("patches", "")
    if not paths and not text:
        raise KustomizationError("empty file path and empty patch content")
    patches = [patch for entry in paths for patch in read_strategic_merge(loader, entry, path)]
    if text:
        patches += loader.inline_drafts(text, path)
    if not patches:
        raise KustomizationError(f"patch appears to be empty; files={paths}, Patch={text}")
    return lambda accumulator: apply_strategic_merge(accumulator, patches)


def _patch_json6902(loader: Loader, settings: Settings, path: str) -> Change:
    from render.kustomization.transformers.patch_json6902 import apply_json6902, read_json6902

    target = settings.get("target")
    operations = read_json6902(loader, settings.get("path", ""), settings.get("jsonOp", ""), target, path)
    selector = Selector(target or {})
    return lambda accumulator: apply_json6902(accumulator, selector, operations)


def _replacement(loader: Loader, settings: Settings, _path: str) -> Change:
    from render.kustomization.transformers.replacement import read_replacements, replace

    entries = settings.get("replacements", [])
    replacements = [found for entry in entries for found in read_replacements(loader, entry)]

    def change(accumulator: Accumulator) -> None:
        for replacement in replacements:
            replace(accumulator, replacement)

    return change


def _value_add(loader: Loader, settings: Settings, _path: str) -> Change:
    from render.kustomization.transformers.value_add import add_value

    targets = list(settings.get("targets", []))
    if settings.get("targetFilePath"):
        path = loader.load_path(settings["targetFilePath"])
        document = loader.parse_settings(loader.context.read(path), path)
        targets += decode(document, {"targets": VALUE_TARGETS}, "targets", names="any").get("targets", [])
    value = settings.get("value", "").strip() or loader.context.display(loader.root).rpartition("/")[2]
    return lambda accumulator: add_value(accumulator, value, targets)


def _hash(_loader: Loader, _settings: Settings, _path: str) -> Change:
    from render.kustomization.transformers.hash import add_hashes

    return add_hashes


def _config_map(loader: Loader, settings: Settings, path: str) -> Draft:
    return make_config_map(loader, _generator_args(settings), path)


def _secret(loader: Loader, settings: Settings, path: str) -> Draft:
    return make_secret(loader, _generator_args(settings), path)


def _generator_args(settings: Settings) -> dict[str, Any]:
    metadata = settings.get("metadata", {})
    return {**settings, **{key: settings.get(key) or metadata.get(key, "") for key in ("name", "namespace")}}


def _iam_policy(loader: Loader, settings: Settings, path: str) -> Draft:
    from render.kustomization.generators.iam_policy import make_service_account

    return make_service_account(loader, settings, path)


def _helm(loader: Loader, settings: Settings, path: str) -> list[Draft]:
    from render.kustomization.generators.helm_chart_inflation import inflate

    return inflate(loader, settings, path)


GENERATORS: dict[str, Callable[[Loader, Settings, str], Draft | list[Draft]]] = {
    "ConfigMapGenerator": _config_map,
    "SecretGenerator": _secret,
    "HelmChartInflationGenerator": _helm,
    "IAMPolicyGenerator": _iam_policy,
}
TRANSFORMERS: dict[str, Callable[[Loader, Settings, str], Change]] = {
    "AnnotationsTransformer": _annotations,
    "HashTransformer": _hash,
    "ImageTagTransformer": _image_tag,
    "LabelTransformer": _label,
    "NamespaceTransformer": _namespace,
    "PatchJson6902Transformer": _patch_json6902,
    "PatchStrategicMergeTransformer": _patch_strategic_merge,
    "PatchTransformer": _patch,
    "PrefixSuffixTransformer": _prefix_suffix,
    "PrefixTransformer": _prefix,
    "ReplacementTransformer": _replacement,
    "ReplicaCountTransformer": _replica_count,
    "SuffixTransformer": _suffix,
    "ValueAddTransformer": _value_add,
}
