"""The transformers that a kustomization's own fields ask for, in Kustomize's order (K34)."""

from __future__ import annotations

from collections.abc import Callable

from render.errors import KustomizationError, within
from render.kustomization.accumulate import Accumulator
from render.kustomization.layer import Layer
from render.kustomization.provenance import Note


def run_transformers(layer: Layer, accumulator: Accumulator) -> None:
    """Run what the fields ask for, then `transformers`, then `validators`."""
    for kind, step in TRANSFORMERS:
        runs = step(layer, accumulator)
        if runs:
            accumulator.drop_deleted()
            if layer.provenance is not None:
                note_transformation(accumulator, layer.provenance.of_builtin(layer.path, kind), runs)
    if layer.get("transformers") or layer.get("validators"):
        from render.kustomization.plugins import run_plugins, run_validators

        run_plugins(layer, accumulator, "transformers")
        run_validators(layer, accumulator)


def note_transformation(accumulator: Accumulator, note: Note, runs: int = 1) -> None:
    """Write down on every object that a transformer ran."""
    for draft in accumulator.drafts:
        for _ in range(runs):
            if draft.provenance is None:
                draft.provenance = note
            else:
                draft.transformations.append(note)


def _patch_strategic_merge(layer: Layer, accumulator: Accumulator) -> int:
    entries = layer.get("patchesStrategicMerge") or []
    if not entries:
        return 0
    from render.kustomization.transformers.patch_strategic_merge import apply_strategic_merge, read_strategic_merge

    patches = []
    for place, entry in enumerate(entries):
        with layer.at("patchesStrategicMerge", place):
            patches += read_strategic_merge(layer.loader, entry, layer.path)
    with layer.at("patchesStrategicMerge"):
        if not patches:
            raise KustomizationError(f"patch appears to be empty; files={entries}, Patch=")
        apply_strategic_merge(accumulator, patches)
    return 1


def _patch(layer: Layer, accumulator: Accumulator) -> int:
    entries = layer.get("patches") or []
    if not entries:
        return 0
    from render.kustomization.transformers.patch import PatchEntry

    prepared = []
    for place, entry in enumerate(entries):
        with layer.at("patches", place):
            prepared.append(PatchEntry(layer.loader, entry, layer.path))
    for place, patch in enumerate(prepared):
        with layer.at("patches", place):
            patch.apply(accumulator)
            accumulator.drop_deleted()
    return len(entries)


def _namespace(layer: Layer, accumulator: Accumulator) -> int:
    if not layer.get("namespace"):
        return 0
    from render.kustomization.transformers.namespace import NamespaceChange

    with layer.at("namespace"):
        NamespaceChange(layer.fields["namespace"], accumulator.config.section("namespace")).apply(accumulator)
    return 1


def _prefix(layer: Layer, accumulator: Accumulator) -> int:
    if not layer.get("namePrefix"):
        return 0
    from render.kustomization.transformers.prefix import add_prefix

    with layer.at("namePrefix"):
        add_prefix(accumulator, layer.fields["namePrefix"], accumulator.config.specs("namePrefix"))
    return 1


def _suffix(layer: Layer, accumulator: Accumulator) -> int:
    if not layer.get("nameSuffix"):
        return 0
    from render.kustomization.transformers.suffix import add_suffix

    with layer.at("nameSuffix"):
        add_suffix(accumulator, layer.fields["nameSuffix"], accumulator.config.specs("nameSuffix"))
    return 1


def _label(layer: Layer, accumulator: Accumulator) -> int:
    entries, common = layer.get("labels") or [], layer.get("commonLabels") or {}
    if not entries and not common:
        return 0
    from render.kustomization.transformers.label import set_labels, specs_of_entry

    for place, entry in enumerate(entries):
        with layer.at("labels", place):
            set_labels(accumulator, entry.get("pairs") or {}, specs_of_entry(accumulator.config, entry))
    with layer.at("commonLabels"):
        set_labels(accumulator, common, accumulator.config.specs("commonLabels"))
    return len(entries) + 1


def _annotations(layer: Layer, accumulator: Accumulator) -> int:
    if not layer.get("commonAnnotations"):
        return 0
    from render.kustomization.transformers.annotations import set_annotations

    with layer.at("commonAnnotations"):
        set_annotations(accumulator, layer.fields["commonAnnotations"], accumulator.config.specs("commonAnnotations"))
    return 1


def _patch_json6902(layer: Layer, accumulator: Accumulator) -> int:
    entries = layer.get("patchesJson6902") or []
    if not entries:
        return 0
    from render.kustomization.selector import Selector
    from render.kustomization.transformers.patch_json6902 import apply_json6902, read_json6902

    prepared = []
    for place, entry in enumerate(entries):
        with layer.at("patchesJson6902", place):
            text = entry.get("patch") or ""
            operations = read_json6902(layer.loader, entry.get("path") or "", text, entry.get("target"), layer.path)
            prepared.append((Selector(entry["target"]), operations))
    for place, (target, operations) in enumerate(prepared):
        with layer.at("patchesJson6902", place):
            apply_json6902(accumulator, target, operations)
    return len(entries)


def _replica_count(layer: Layer, accumulator: Accumulator) -> int:
    entries = layer.get("replicas") or []
    if entries:
        from render.kustomization.transformers.replica_count import set_replicas

        for place, entry in enumerate(entries):
            with layer.at("replicas", place):
                specs = accumulator.config.section("replicas")
                with within("name"):
                    set_replicas(accumulator, entry.get("name") or "", entry.get("count") or 0, specs)
    return len(entries)


def _image_tag(layer: Layer, accumulator: Accumulator) -> int:
    entries = layer.get("images") or []
    if entries:
        from render.kustomization.transformers.image_tag import Image, set_images

        images = []
        for place, entry in enumerate(entries):
            with layer.at("images", place), within("name"):
                images.append(Image(entry))
        with layer.at("images"):
            set_images(accumulator, images, accumulator.config.specs("images"))
    return len(entries)


def _replacement(layer: Layer, accumulator: Accumulator) -> int:
    entries = layer.get("replacements") or []
    if not entries:
        return 0
    from render.kustomization.transformers.replacement import read_replacements, replace

    replacements = []
    for place, entry in enumerate(entries):
        with layer.at("replacements", place):
            replacements += [(place, found) for found in read_replacements(layer.loader, entry)]
    for place, replacement in replacements:
        with layer.at("replacements", place):
            replace(accumulator, replacement)
    return 1


TRANSFORMERS: tuple[tuple[str, Callable[[Layer, Accumulator], int]], ...] = (
    ("PatchStrategicMergeTransformer", _patch_strategic_merge),
    ("PatchTransformer", _patch),
    ("NamespaceTransformer", _namespace),
    ("PrefixTransformer", _prefix),
    ("SuffixTransformer", _suffix),
    ("LabelTransformer", _label),
    ("AnnotationsTransformer", _annotations),
    ("PatchJson6902Transformer", _patch_json6902),
    ("ReplicaCountTransformer", _replica_count),
    ("ImageTagTransformer", _image_tag),
    ("ReplacementTransformer", _replacement),
)
"""Kustomize's name of each transformer and the step that runs it; the step says how many times it ran."""
