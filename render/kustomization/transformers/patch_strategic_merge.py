"""PatchStrategicMergeTransformer: partial objects laid over those that they name (K12, K30 to K33)."""

from __future__ import annotations

from collections.abc import Sequence

from render.errors import KustomizationError, NotInTree, YamlError
from render.kustomization.accumulate import Accumulator, target_of
from render.kustomization.draft import Draft
from render.kustomization.loader import Loader
from render.kustomization.patching import apply_to_all


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


def apply_strategic_merge(accumulator: Accumulator, patches: Sequence[Draft]) -> None:
    """Apply the entries of `patchesStrategicMerge`."""
    for patch in patches:
        try:
            target = target_of(accumulator, patch)
        except KustomizationError as error:
            error.path, error.document, error.within = *patch.origin, ("metadata", "name")
            raise
        apply_to_all(accumulator, [target], patch, False, False)
