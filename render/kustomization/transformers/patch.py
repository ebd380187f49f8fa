"""PatchTransformer, PatchStrategicMergeTransformer and PatchJson6902Transformer (K12, K13, K30 to K33).

A patch is a partial object (strategic merge) or a list of operations (JSON 6902); its text tells which.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from render import yaml
from render.errors import KustomizationError, NotInTree, YamlError, within
from render.kustomization import json_patch
from render.kustomization.accumulate import Accumulator, target_of
from render.kustomization.copying import deep_copy
from render.kustomization.draft import Draft
from render.kustomization.fieldspec import value_at
from render.kustomization.ids import join_api_version
from render.kustomization.json_patch import Operation
from render.kustomization.loader import Loader
from render.kustomization.merge import DIRECTIVE, merge
from render.kustomization.model import Manifest
from render.kustomization.selector import Selector
from render.kustomization.values import parse_json

_MEMORY = "internal.config.kubernetes.io/memory"


class PatchEntry:
    """An entry of `patches`, read and ready to be applied."""

    def __init__(self, loader: Loader, entry: dict[str, Any], path: str) -> None:
        inline, file = (entry.get("patch") or "").strip(), entry.get("path") or ""
        if not inline and not file:
            raise KustomizationError("must specify one of patch and path")
        if inline and file:
            raise KustomizationError("patch and path can't be set at the same time")
        if file:
            path = loader.load_path(file)
            try:
                inline = loader.load_text(file)
            except NotInTree as error:
                raise KustomizationError(
                    f"failed to get the patch file from path({file}): '{loader.context.display(path)}' doesn't exist",
                    within=("path",),
                ) from error
        source = f"[path: {json.dumps(file)}]" if file else f"[patch: {json.dumps(inline, ensure_ascii=False)}]"
        options = entry.get("options") or {}
        self._name_change = bool(options.get("allowNameChange"))
        self._kind_change = bool(options.get("allowKindChange"))
        self._file = path if file else ""
        self._patch = read_patch(loader, inline, source, path)
        with within("target"):
            self._target = Selector(entry["target"]) if entry.get("target") is not None else None

    def apply(self, accumulator: Accumulator) -> None:
        """Change the objects that it means. Raises `KustomizationError` where it does not fit."""
        try:
            apply_patch(
                accumulator, self._patch, self._target, name_change=self._name_change, kind_change=self._kind_change
            )
        except KustomizationError as error:
            if error.path is None and error.within:
                error.path, error.within = (self._file, error.within) if self._file else (None, ("patch",))
            raise


class Patch:
    """A patch as read: either partial objects or operations."""

    def __init__(self, objects: list[Draft], operations: list[Operation], source: str) -> None:
        self.objects = objects
        self.operations = operations
        self.source = source


def read_patch(loader: Loader, text: str, source: str, path: str) -> Patch:
    """Tell what a patch's text is. Raises `KustomizationError` if it is neither or both kinds of patch."""
    data = text.encode("utf-8", "surrogateescape")
    objects, object_error = _attempt(lambda: loader.inline_drafts(text, path, is_patch=True))
    operations, operations_error = _attempt(lambda: read_operations(data, path))
    if objects and operations:
        raise KustomizationError(f"illegally qualifies as both an SM and JSON patch: {source}")
    if object_error is not None and operations_error is not None:
        raise KustomizationError(
            f"unable to parse SM or JSON patch from {source}",
            path=object_error.path,
            line=object_error.line,
            column=object_error.column,
            hint=f"as an object: {object_error.message}; as operations: {operations_error.message}",
        )
    if object_error is None:
        return Patch(objects or [], [], source)
    return Patch([], operations or [], source)


def _attempt(read: Callable[[], list[Any]]) -> tuple[list[Any] | None, KustomizationError | YamlError | None]:
    try:
        return read(), None
    except (KustomizationError, YamlError) as error:
        return None, error


def read_strategic_merge(loader: Loader, entry: str, path: str) -> list[Draft]:
    """The partial objects of an entry of `patchesStrategicMerge`: a text, or else a file."""
    try:
        return loader.inline_drafts(entry, path, is_patch=True)
    except (KustomizationError, YamlError):
        file = loader.load_path(entry)
        try:
            return loader.inline_drafts(loader.load_text(entry), file, is_patch=True)
        except NotInTree as error:
            raise KustomizationError(f"'{loader.context.display(file)}' doesn't exist") from error


def read_json6902(loader: Loader, file: str, text: str, target: Any, path: str) -> list[Operation]:
    """The operations of an entry of `patchesJson6902`."""
    if not target or not target.get("name"):
        raise KustomizationError("must specify the target name")
    if not file and not text:
        raise KustomizationError("empty file path and empty jsonOp")
    if file and text:
        raise KustomizationError("must specify a file path or jsonOp, not both")
    if file:
        path = loader.load_path(file)
        try:
            text = loader.load_text(file)
        except NotInTree as error:
            raise KustomizationError(f"'{loader.context.display(path)}' doesn't exist") from error
        if not text:
            raise KustomizationError(f"patch file '{file}' empty seems to be empty")
    operations = read_operations(text.encode("utf-8", "surrogateescape"), path)
    if not operations:
        raise KustomizationError(f"patch appears to be empty; file={file}, JsonOp={text}")
    return operations


def read_operations(data: bytes, path: str) -> list[Operation]:
    """Operations in a text: JSON if it begins with a bracket, else YAML by the rules of kustomization.yaml."""
    return json_patch.parse_operations(
        parse_json(data, path) if data.startswith(b"[") else yaml.parse_kustomization(data, path)
    )


def apply_patch(
    accumulator: Accumulator, patch: Patch, target: Selector | None, *, name_change: bool, kind_change: bool
) -> None:
    """Apply an entry of `patches`. Raises `KustomizationError` where it does not fit."""
    if patch.objects:
        if target is None:
            for each in patch.objects:
                draft = target_of_patch(accumulator, each)
                manifest = _with_texts(each, rewritten=name_change or kind_change)
                merge_into(accumulator, draft, each, manifest, name_change, kind_change)
            return
        if len(patch.objects) > 1:
            raise KustomizationError(
                "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` field:"
                f" {patch.source}"
            )
        apply_to_all(accumulator, accumulator.select(target), patch.objects[0], name_change, kind_change)
    elif patch.operations:
        if target is None:
            raise KustomizationError(
                f"must specify a target for JSON patch {patch.source}",
                hint="operations do not say which object they change: add target: {kind: …, name: …}",
            )
        for draft in accumulator.select(target):
            draft.remember_identity()
            carry_out(accumulator, draft, patch.operations)


def target_of_patch(accumulator: Accumulator, patch: Draft) -> Draft:
    """The one object that a patch without target changes."""
    try:
        return target_of(accumulator, patch)
    except KustomizationError as error:
        raise KustomizationError(
            f'no resource matches strategic merge patch "{patch.text}": {error.message}',
            hint="a patch finds its object by kind, name and namespace, or through a target",
            document=patch.origin.document,
            within=("metadata", "name"),
        ) from error


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
        for trail, text in patch.written_texts().items():
            if not text and trail and value_at(copy, trail) == "":
                value_at(copy, trail[:-1])[trail[-1]] = None
    return copy


def _with_texts(patch: Draft, *, rewritten: bool) -> Manifest:
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
    quoted = isinstance(written, str) and patch.is_written_quoted(("apiVersion",), written)
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
    merged = merge(draft.own_all(), patch, draft.context.schemas, draft, written)
    draft.laid_over.append(written)
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
    touches = any("metadata" in (operation.path[:1] + operation.source[:1]) for operation in operations)
    has_memory = touches and draft.has_memory
    if has_memory:
        draft.set(("metadata", "annotations", _MEMORY), "")
    try:
        json_patch.apply(operations, draft.own_all(), draft.context.budget)
    except KustomizationError as error:
        raise KustomizationError(f"{error.message} (in {draft.text})", hint=error.hint, within=error.within) from error
    draft.inline, draft.written, draft.shared, draft.laid_over = b"", None, {}, []
    if has_memory:
        if not _unmark_memory(draft.content.get("metadata")):
            draft.forget_provenance()
        if any(operation.name in ("copy", "move") for operation in operations):
            _unmark_copies(draft.content)
    if draft.id != before:
        accumulator.identities_changed()


def apply_strategic_merge(accumulator: Accumulator, patches: Sequence[Draft]) -> None:
    """Apply the entries of `patchesStrategicMerge`."""
    for patch in patches:
        try:
            target = target_of(accumulator, patch)
        except KustomizationError as error:
            error.path, error.document, error.within = *patch.origin, ("metadata", "name")
            raise
        apply_to_all(accumulator, [target], patch, False, False)


def apply_json6902(accumulator: Accumulator, target: Selector, operations: Sequence[Operation]) -> None:
    """Apply an entry of `patchesJson6902`."""
    for draft in accumulator.select(target):
        carry_out(accumulator, draft, operations)
