"""PatchTransformer: patches with or without a target (K12, K13, K30 to K33).

A patch is a partial object (strategic merge) or a list of operations (JSON 6902); its text tells which.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from render.errors import KustomizationError, NotInTree, YamlError, within
from render.kustomization.accumulate import Accumulator, target_of
from render.kustomization.draft import Draft
from render.kustomization.json_patch import Operation
from render.kustomization.loader import Loader
from render.kustomization.patching import apply_to_all, carry_out, merge_into, with_texts
from render.kustomization.selector import Selector
from render.kustomization.transformers.patch_json6902 import read_operations


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


def apply_patch(
    accumulator: Accumulator, patch: Patch, target: Selector | None, *, name_change: bool, kind_change: bool
) -> None:
    """Apply an entry of `patches`. Raises `KustomizationError` where it does not fit."""
    if patch.objects:
        if target is None:
            for each in patch.objects:
                draft = target_of_patch(accumulator, each)
                manifest = with_texts(each, rewritten=name_change or kind_change)
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
