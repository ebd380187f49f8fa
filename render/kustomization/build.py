"""A whole build: the layers, then what happens once, at the top (K13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from render.errors import KustomizationError
from render.kustomization.accumulate import Accumulator
from render.kustomization.context import Context
from render.kustomization.draft import Draft
from render.kustomization.ids import require_text_key
from render.kustomization.layer import Layer, use_openapi
from render.kustomization.loader import Loader
from render.kustomization.model import Helm, Options, Resource
from render.kustomization.provenance import ORIGIN, TRANSFORMATIONS, Provenance, transformations_text
from render.kustomization.resources import is_object
from render.kustomization.saying import at_origin
from render.kustomization.transformers.hash import add_hashes
from render.kustomization.transformers.name_reference import fix_references
from render.tree.seam import Tree, normalise, real_path

if TYPE_CHECKING:
    from render.kustomization.observer import Observer
    from render.kustomization.parsed import Parsed

MANAGED_BY = ("app.kubernetes.io/managed-by", "kustomize-v5.8.1")
LOCAL_CONFIG = "config.kubernetes.io/local-config"
_INTERNAL = (
    "previousKinds",
    "previousNames",
    "previousNamespaces",
    "prefixes",
    "suffixes",
    "allowNameChange",
    "allowKindChange",
    "refBy",
    "generatorBehavior",
    "needsHashSuffix",
    "path",
    "index",
    "seqindent",
    "id",
    "annotations-migration-resource-id",
)
READER_ANNOTATIONS = frozenset(
    (
        *(f"internal.config.kubernetes.io/{name}" for name in _INTERNAL),
        "config.kubernetes.io/path",
        "config.kubernetes.io/index",
        "config.k8s.io/id",
    )
)
"""Annotations that Kustomize keeps for itself and takes away at the end, whoever wrote them."""


def build(
    tree: Tree,
    folder: str,
    options: Options | None = None,
    *,
    helm: Helm | None = None,
    observer: Observer | None = None,
    parsed: Parsed | None = None,
) -> tuple[Resource, ...]:
    """The objects of the kustomization in a folder, in order.

    `helm` inflates charts where `options.enable_helm` allows it; `observer` is told of every step;
    `parsed` has the files that earlier builds have parsed.
    Raises `InputError`s (`KustomizationError`, `YamlError`, `TreeError`) that name file, line and what to do.
    """
    context = Context(tree, options or Options(), helm=helm, observer=observer, parsed=parsed)
    root = normalise(folder)
    if tree.kind(root) != "folder":
        raise KustomizationError(
            f"'{context.display(root)}' is not a folder", path=root or ".", hint="name the folder of a kustomization"
        )
    try:
        return _built(Layer(Loader(context, real_path(tree, root))))
    except RecursionError:
        raise KustomizationError("values and kustomizations are nested too deeply", path=root or ".") from None


def _built(layer: Layer) -> tuple[Resource, ...]:
    metadata = layer.get("buildMetadata") or []
    if metadata:
        layer.provenance = Provenance()
    use_openapi(layer)
    accumulator = layer.accumulate(Accumulator())
    for finish in FINISHING:
        try:
            finish(layer, accumulator)
        except KustomizationError as error:
            error.path = error.path or layer.path
            layer.complete(error)
            raise
        if layer.context.observer is not None:
            layer.context.observer.finished(finish.__name__.strip("_").replace("_", " "), accumulator)
    return tuple(Resource(draft.content, draft.origin) for draft in accumulator.drafts)


def _add_hashes(_layer: Layer, accumulator: Accumulator) -> None:
    add_hashes(accumulator)


def _fix_references(_layer: Layer, accumulator: Accumulator) -> None:
    fix_references(accumulator)


def _resolve_variables(_layer: Layer, accumulator: Accumulator) -> None:
    if accumulator.vars:
        from render.kustomization.transformers.ref_var import resolve_variables

        resolve_variables(accumulator)


def _drop_local(_layer: Layer, accumulator: Accumulator) -> None:
    accumulator.check_unique("may not add resource with an already registered id")
    accumulator.drafts = [
        draft
        for draft in accumulator.drafts
        if is_object(draft.content, draft.origin.path, draft.origin.document) and not _is_local(draft)
    ]


def _is_local(draft: Draft) -> bool:
    metadata = draft.content.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict) or LOCAL_CONFIG not in annotations:
        return False
    return draft.strings("annotations")[LOCAL_CONFIG] != "false"


def _sort(layer: Layer, accumulator: Accumulator) -> None:
    options = layer.get("sortOptions")
    if options is None and layer.context.options.reorder != "none":
        options = {"order": "legacy"}
    if options is not None:
        from render.kustomization.transformers.sort_order import sort

        with layer.at("sortOptions"):
            sort(accumulator, options)


def _add_managed_by(layer: Layer, accumulator: Accumulator) -> None:
    if layer.context.options.managed_by or "managedByLabel" in (layer.get("buildMetadata") or ()):
        for draft in accumulator.drafts:
            draft.set(("metadata", "labels", MANAGED_BY[0]), MANAGED_BY[1])


def _clean_annotations(layer: Layer, accumulator: Accumulator) -> None:
    """Annotations become text, Kustomize's own are taken away, the asked-for notes are written."""
    metadata = layer.get("buildMetadata") or ()
    for draft in accumulator.drafts:
        noted = "originAnnotations" in metadata and draft.provenance is not None
        transformed = "transformerAnnotations" in metadata and bool(draft.transformations)
        annotations = _annotations(draft, noted=noted or transformed)
        if annotations is None and not noted and not transformed:
            if "metadata" not in draft.content:  # lists may have none
                draft.set(("metadata",), {})
            continue
        kept = {name: text for name, text in draft.strings("annotations").items() if name not in READER_ANNOTATIONS}
        with at_origin(draft):
            for name in kept:
                require_text_key(name)
        kept.pop(ORIGIN, None)
        kept.pop(TRANSFORMATIONS, None)
        if noted and draft.provenance is not None:
            kept[ORIGIN] = draft.provenance.text()
        if transformed:
            kept[TRANSFORMATIONS] = transformations_text(draft.transformations)
        if kept != annotations:
            draft.set_strings("annotations", kept)


def _annotations(draft: Draft, *, noted: bool) -> object:
    """The annotations as they stand; None if there is no such field."""
    metadata = draft.content.get("metadata")
    if not isinstance(metadata, dict) or "annotations" not in metadata:
        return None
    annotations = metadata["annotations"]
    if (isinstance(annotations, list) and annotations) or (noted and not isinstance(annotations, dict | None)):
        raise KustomizationError(
            f"the annotations of {draft.text} are no mapping", path=draft.origin.path, hint="write them like name: text"
        )
    return annotations or {"": ""}


FINISHING: tuple[Callable[[Layer, Accumulator], None], ...] = (
    _add_hashes,
    _fix_references,
    _resolve_variables,
    _drop_local,
    _sort,
    _add_managed_by,
    _clean_annotations,
)
"""What happens once, after all layers, in Kustomize's order."""
