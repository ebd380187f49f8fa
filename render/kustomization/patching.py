"""Patches laid over objects: what the transformers that patch have in common.

Kustomize keeps what it remembers of an object among its annotations, so a patch that takes those away takes the
memory, too; here an annotation stands in for it while a patch is applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from render import yaml
from render.errors import KustomizationError
from render.kustomization import json_patch
from render.kustomization.accumulate import Accumulator
from render.kustomization.copying import deep_copy
from render.kustomization.draft import Draft
from render.kustomization.fieldspec import value_at
from render.kustomization.ids import join_api_version
from render.kustomization.json_patch import Operation
from render.kustomization.merge import DIRECTIVE, merge
from render.kustomization.model import Manifest

_MEMORY = "internal.config.kubernetes.io/memory"
_ANNOTATIONS = ("metadata", "annotations")


def apply_to_all(
    accumulator: Accumulator, drafts: Sequence[Draft], patch: Draft, name_change: bool, kind_change: bool
) -> None:
    """Lay one partial object over several; it takes the API version of each."""
    for draft in drafts:
        loses_version = _makes_version_null(patch, draft)
        merge_into(accumulator, draft, patch, _fitted(patch, draft), name_change, kind_change)
        if loses_version and draft.manifest:
            draft.set(("apiVersion",), None)
    accumulator.drop_deleted()
    if name_change or kind_change:
        accumulator.check_unique("may not add resource with an already registered id")


def _copied(patch: Draft) -> Manifest:
    """A copy of the patch in which nothing at all, also inside `{}`, is null."""
    copy: Manifest = deep_copy(patch.content)
    if patch.inline is None or b"{" in patch.inline or b"[" in patch.inline:
        for trail in patch.styles.empty_places():
            if trail and value_at(copy, trail) == "":
                value_at(copy, trail[:-1])[trail[-1]] = None
    return copy


def with_texts(patch: Draft, *, rewritten: bool) -> Manifest:
    """A copy of the patch with annotations as they are written: in the end, Kustomize takes all of them for text.

    With options, Kustomize notes them among the patch's annotations, and all of those become text at once.
    """
    copy = _copied(patch)
    metadata = copy.get("metadata")
    if not isinstance(metadata, dict):
        return copy
    annotations = metadata.get("annotations")
    texts = _strings(patch, "annotations")
    if rewritten:
        metadata.pop("annotations", None)
        if texts:
            metadata["annotations"] = texts
    elif isinstance(annotations, dict):
        annotations.pop(yaml.REPEATED, None)
        annotations.pop(yaml.NO_TEXT, None)
        annotations.update(
            (key, texts[key])
            for key, value in annotations.items()
            if value is not None and not isinstance(value, dict | list)
        )
    return copy


def _strings(patch: Draft, field: str) -> dict[str, str]:
    """A patch's labels or annotations, without what was noted about their keys."""
    strings = patch.strings(field)
    strings.pop(yaml.REPEATED, None)
    strings.pop(yaml.NO_TEXT, None)
    return strings


def _fitted(patch: Draft, target: Draft) -> Manifest:
    """The patch as Kustomize readies it for a selected object: labels and annotations as text, even null ones."""
    fitted = _copied(patch)
    group, version, _ = target.gvk
    fitted["apiVersion"] = join_api_version(group, version)
    metadata = fitted.setdefault("metadata", {})
    for field in ("labels", "annotations"):
        strings = _strings(patch, field)
        metadata.pop(field, None)
        if strings:
            metadata[field] = strings
    return fitted


def _makes_version_null(patch: Draft, target: Draft) -> bool:
    """Whether the empty API version of a selected object comes out as null: where no quotes say that it is text."""
    if any(target.gvk[:2]) or target.content.get("apiVersion") == "":
        return False
    written = patch.content.get("apiVersion")
    quoted = isinstance(written, str) and patch.styles.is_quoted(("apiVersion",), written)
    return "apiVersion" in target.content or not quoted


def merge_into(
    accumulator: Accumulator, draft: Draft, written: Draft, patch: Manifest, name_change: bool, kind_change: bool
) -> None:
    """Lay a partial object, made ready from how it is written, over one.

    Name, kind and namespace stay unless they may change.
    """
    name, namespace, kind = draft.name, draft.namespace, draft.content["kind"]
    if name_change or kind_change:
        draft.remember_identity()
        accumulator.identities_changed()
    keeps_memory = _mark_memory(draft, patch)
    shared = [(trail, draft.value(trail), value_at(patch, trail)) for trail in sorted(draft.shared, key=str)]
    before, laid = draft.content, deep_copy(patch)
    merged = merge(deep_copy(before), patch, draft, written)
    draft.laid_over.append((before, laid, written))
    draft.name_is_untyped = True
    draft.replace_all(merged or None)
    if not merged:
        accumulator.deleted()
        return
    for trail, old, new in shared:
        if new is not None:
            draft.spread(trail, old, draft.value(trail))
    metadata = merged.setdefault("metadata", {})
    if keeps_memory and not _unmark_memory(metadata):
        draft.forget()
    if not kind_change:
        merged["kind"] = kind
    if not name_change:
        metadata["name"] = name
    if namespace:
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)


def _mark_memory(draft: Draft, patch: Manifest) -> bool:
    """Kustomize keeps what it remembers in annotations, so a patch that takes all of those away takes it too.

    Where a patch may do that, an annotation stands in for the memory. Says whether it does.
    """
    metadata = patch.get("metadata")
    touches = DIRECTIVE in patch or not isinstance(metadata, dict) or DIRECTIVE in metadata or "annotations" in metadata
    if touches and draft.has_memory:
        draft.set(("metadata", "annotations", _MEMORY), "")
        return True
    return False


def _unmark_memory(metadata: Any) -> bool:
    """Takes the stand-in away; says whether it was still there."""
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict) or _MEMORY not in annotations:
        return False
    del annotations[_MEMORY]
    if not annotations:
        del metadata["annotations"]
    return True


def _unmark_copies(node: Any) -> None:
    """Takes the stand-in out of copies of annotations. Kustomize leaves its own memory there."""
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _unmark_copies(item)
    if isinstance(node, dict):
        node.pop(_MEMORY, None)


def carry_out(accumulator: Accumulator, draft: Draft, operations: Sequence[Operation]) -> None:
    """Apply operations to one object."""
    before = draft.id
    touches = any(not each.path or "metadata" in (each.path[0], *each.source[:1]) for each in operations)
    has_memory = touches and draft.has_memory
    if has_memory:
        draft.set(("metadata", "annotations", _MEMORY), "")
    try:
        json_patch.apply(operations, draft.own_all(), draft.context.budget)
    except KustomizationError as error:
        raise KustomizationError(f"{error.message} (in {draft.text})", hint=error.hint, within=error.within) from error
    draft.forget_styles()
    draft.name_is_untyped = False
    if isinstance(draft.value(_ANNOTATIONS), dict):
        draft.set_strings("annotations", draft.strings("annotations"))
    if has_memory:
        if not _unmark_memory(draft.content.get("metadata")):
            draft.forget_provenance()
        if any(operation.name in ("copy", "move") for operation in operations):
            _unmark_copies(draft.content)
    if draft.id != before:
        accumulator.identities_changed()
